"""A style of drums that hears: beats played as drummers would, any rhythm on a whole kit, closed hats to a beat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..codecs.bars import CLOSED_HAT, Laid, Tiles
from ..music import Notes, Score, Track, resample, together
from .performing import Played, perform
from .style import Tell
from .wanted import refuse, taste_of
from .windows import MOST_STEPS, WindowStyle

FINE = 480
"""Ticks a quarter has at least, so that a hit can be a little late."""
OFF_GRID = 0.25
"""A hit that lies further from its step than this, in steps, keeps its time: it is no sixteenth."""
ON_GRID = 1 / 32
"""Steps by which the hits of a rhythm miss the grid at most that says nothing of timing."""
KICK = 36
DRUM_NAMES = re.compile(r"drum|beat|kit\b|perc|schlagz|bater", re.IGNORECASE)


class DrummingStyle(WindowStyle):
    """A style of windows of drums, of which something can be heard before they are told.

    A piece of any length is told window by window, all from one point, which says how the drummer feels.
    """

    def groove(
        self, beat: Score, count: int = 1, temperature: float = 0.5, seed: int | None = None, tell: Tell | None = None
    ) -> list[Score]:
        """A beat as drummers would play it: every hit stays, and gets another loudness and timing.

        Args:
            beat: a score with drums; its other tracks stay as they are.
            count: so many performances, 1..MOST_STEPS.
            temperature: how freely each hit is drawn; 0 gives what is to be expected, and all performances are one.
            seed: any integer; None draws one.
            tell: called with a line for everything that could not be taken as it was.

        Raises:
            WishError: if there are no drums, no whole bar in a metre of the style, or a value is out of range.
        """
        tell = tell or _silent
        whole, places = _with_drums(beat, tell)
        laid, tiles = self._tiles(whole, [whole.tracks[place] for place in places])
        played = self._performed(laid, tiles, "hits", count, temperature, seed)
        found, left = [], 0
        for own in played:
            tracks = list(whole.tracks)
            moved = [self._humanised(tracks[place], laid, own) for place in places]
            left = sum(stays for _, stays in moved)
            for place, (track, _) in zip(places, moved, strict=True):
                tracks[place] = track
            found.append(whole.replace(tracks=tuple(tracks)))
        if left:
            tell(f"{left} hits keep their time: no sixteenths, or in a bar that is cut short or in no known metre")
        return found

    def drumify(
        self, rhythm: Score, count: int = 1, temperature: float = 0.5, seed: int | None = None
    ) -> list[Score]:  # fmt: skip
        """A whole kit for any rhythm: all that is struck in a score, drums or not, is heard as one tapped rhythm.

        Args:
            rhythm: a score with notes.
            count, temperature, seed: as in `groove`; at a temperature of 0 the most likely drums are struck.

        Returns:
            Scores of drums alone, in the tempo and the metres of the rhythm.

        Raises:
            WishError: if there are no notes, or as `groove`.
        """
        _check_notes(rhythm)
        whole = _fine(rhythm)
        tapped = together([track.notes for track in whole.tracks])
        laid, tiles = self._tiles(whole, [Track(tapped.replace(pitch=np.full(len(tapped), KICK)), is_drum=True)])
        late = laid.grid.step(tapped.onset)[1]
        # One loudness, or a rhythm that is written on the grid, says nothing of how it is to be played.
        heard = {"loudness": len(set(tapped.velocity.tolist())) > 1, "timing": bool((np.abs(late) > ON_GRID).any())}
        played = self._performed(laid, tiles, "tap", count, temperature, seed, **heard)
        drums = Track(Notes.of([]), 0, True, "Drums")
        return [whole.replace(tracks=(drums.replace(notes=self._notes(laid, own)),)) for own in played]

    def hats(
        self, beat: Score, count: int = 1, temperature: float = 0.5, seed: int | None = None, tell: Tell | None = None
    ) -> list[Score]:
        """A beat with closed hats added to it; all else stays as it is, to the tick.

        Args:
            beat, count, temperature, seed, tell: as in `groove`; closed hats that are there stay too.

        Raises:
            WishError: as `groove`.
        """
        tell = tell or _silent
        whole, places = _with_drums(beat, tell)
        laid, tiles = self._tiles(whole, [whole.tracks[place] for place in places])
        hat = self._codec.vocabulary.drum_keys.index(CLOSED_HAT)
        there = laid.steps[:, self._codec.vocabulary.hits[hat]] > 0
        if there.any():
            tell(f"{int(there.sum())} closed hats are there already; they stay, and others are added")
        new = np.zeros((len(laid.steps), len(self._codec.vocabulary.hits)), bool)
        new[:, hat] = ~there
        found = []
        for own in self._performed(laid, tiles, "hats", count, temperature, seed):
            hats = self._notes(laid, own._replace(struck=own.struck & new))
            tracks = list(whole.tracks)
            tracks[places[0]] = tracks[places[0]].replace(notes=together([tracks[places[0]].notes, hats]))
            found.append(whole.replace(tracks=tuple(tracks)))
        return found

    # -- inside -----------------------------------------------------------------------------------

    def _tiles(self, whole: Score, drums: Sequence[Track]) -> tuple[Laid, Tiles]:
        """Drums on the grid, and the windows that have something to be heard."""
        tracks = tuple(track.replace(is_drum=True) for track in drums)
        laid, tiles = self._codec.tiles(whole.replace(tracks=tracks))
        if not tiles:
            known = ", ".join(self._codec.vocabulary.meters)
            own = ", ".join(dict.fromkeys(sign.name for sign in whole.meters))
            refuse(
                f"expected whole bars of {known}, which the style {self.name} knows, got {own}",
                "train another on beats in that metre: kapelle train --kind drums --dynamics --hear hits",
            )
        return laid, [(place, steps) for place, steps in tiles if self._codec.num_notes(steps)]

    def _performed(
        self, laid: Laid, tiles: Tiles, what: str, count: int, temperature: float, seed: int | None, **more: Any
    ) -> list[Played]:
        """So many performances of all steps of a score."""
        if not 1 <= count <= MOST_STEPS:
            refuse(f"expected 1 to {MOST_STEPS} pieces, got {count}", "")
        if what not in self._codec.vocabulary.hears:
            refuse(f"the style {self.name} has not learnt to hear {what}", f"train one with --hear {what}")
        taste, rng = taste_of(self.codec, temperature, top_p=1.0), np.random.default_rng(seed)
        shape = len(laid.steps), len(self._codec.vocabulary.hits)
        found = [Played(np.zeros(shape, bool), np.zeros(shape), np.zeros(shape)) for _ in range(count)]
        for length in sorted({len(steps) for _, steps in tiles}):
            alike = [(place, steps) for place, steps in tiles if len(steps) == length]
            known = np.stack([self._codec.heard(steps, what, **more) for _, steps in alike])
            told = perform(self.player, self._codec, known, what, count, taste, rng)
            for copy, own in enumerate(found):
                for row, (place, _) in enumerate(alike):
                    for target, values in zip(own, told, strict=True):
                        target[place] = values[copy, row, : place.stop - place.start]
        return found

    def _humanised(self, track: Track, laid: Laid, played: Played) -> tuple[Track, int]:
        """A track of drums with another loudness and timing, and how many of its hits kept their time."""
        notes = track.notes
        step, late = laid.grid.step(notes.onset)
        drum = self._codec.drum_of(notes.pitch)
        inside = step < len(played.struck)
        step = np.where(inside, step, 0)
        told = inside & played.struck[step, drum]
        moves = told & (np.abs(late) <= OFF_GRID)
        onset = np.where(moves, laid.grid.tick(step, played.late[step, drum]), notes.onset)
        loud = np.clip(np.round(played.loud[step, drum]).astype(np.int64), 1, 127)
        velocity = np.where(told, loud, notes.velocity)
        onset, duration = _in_turn(onset, notes)
        return track.replace(notes=Notes(onset, duration, notes.pitch, velocity)), int((~moves).sum())

    def _notes(self, laid: Laid, played: Played) -> Notes:
        """What is struck, as notes."""
        step, drum = np.nonzero(played.struck)
        onset = laid.grid.tick(step, played.late[step, drum])
        length = np.full(len(step), max(round(0.5 / laid.grid.rate), 1))
        loud = np.clip(np.round(played.loud[step, drum]).astype(np.int64), 1, 127)
        notes = Notes(onset, length, np.array(self._codec.vocabulary.drum_keys)[drum], loud)
        onset, length = _in_turn(notes.onset, notes)
        return notes.replace(onset=onset, duration=length)


def _in_turn(onset: NDArray[np.int64], notes: Notes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Onsets and durations of moved notes, of which those of one key stay in their order, each over before the next."""
    onset, duration = onset.copy(), notes.duration.copy()
    for key in np.unique(notes.pitch):
        own = np.flatnonzero(notes.pitch == key)
        rank = np.arange(len(own))
        onset[own] = np.maximum.accumulate(onset[own] - rank) + rank
        duration[own[:-1]] = np.clip(duration[own[:-1]], 1, np.diff(onset[own]))
    return onset, duration


def _with_drums(score: Score, tell: Tell) -> tuple[Score, list[int]]:
    """A score in fine ticks, and which of its tracks are drums.

    Raises:
        WishError: if there are none.
    """
    _check_notes(score)
    whole = _fine(score)
    sounding = [(place, track) for place, track in enumerate(whole.tracks) if len(track.notes)]
    places = [place for place, track in sounding if track.is_drum]
    if not places:
        places = [place for place, track in sounding if DRUM_NAMES.search(track.name)]
        named = ", ".join(whole.tracks[place].name for place in places)
        if not places:
            refuse("expected a beat, got a score without drums", "kapelle drumify makes one of any rhythm")
        tell(f"no track is on the drum channel; by its name drums are taken to be {named}")
    return whole, places


def _check_notes(score: Score) -> None:
    if not score.num_notes:
        refuse("expected music, got a score without notes", "take one with notes")


def _fine(score: Score) -> Score:
    """A score in ticks so fine that a hit can be a little late."""
    return resample(score, score.ticks_per_quarter * -(-FINE // score.ticks_per_quarter))


def _silent(line: str) -> None:
    pass
