"""The staves of each part, their clefs, and the parts that a brace or a bracket holds together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...errors import FileError
from ...music import Notes, Score, Track
from .clefs import BASS, LEFT, PERCUSSION, RIGHT, TREBLE, Clef, View, usual_views, views_by_bar
from .hands import KEYBOARDS, left_hand, pairs_of_hands, wants_two_staves
from .voices import Voice, drum_voices, voices_of

_FAMILIES = (range(40, 46), range(52, 55), range(56, 64), range(64, 80))
"""Programs of instruments that a bracket holds together: strings, voices, brass, woodwinds."""
_UPPER, _LOWER = (View(TREBLE),), (View(BASS),)
"""How the two staves of a choir are written."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Five lines: how each bar is written, and one voice at least, maybe an empty one."""

    views: list[View]
    voices: list[Voice]

    def changes(self) -> Iterator[tuple[int, Clef]]:
        """The bars at which the clef changes, and the new clef."""
        for bar, (before, after) in enumerate(itertools.pairwise(self.views), 1):
            if before.clef != after.clef:
                yield bar, after.clef

    def octave_lines(self) -> Iterator[tuple[int, int, int]]:
        """The first bar, the last bar and the octaves of each 8va or 8vb line."""
        at = 0
        for octaves, run in itertools.groupby(view.octaves for view in self.views):
            size = len(list(run))
            if octaves:
                yield at, at + size - 1, octaves
            at += size


@dataclass(frozen=True, slots=True)
class Group:
    """Parts `first` to `last` that a "brace" or a "bracket" holds together."""

    first: int
    last: int
    symbol: str


def staves(score: Score) -> list[list[Staff]]:
    """The staves of each part: two for a keyboard part that needs them, else one."""
    bars = score.bars()
    pairs = pairs_of_hands(score.tracks)
    hands = {track for pair in pairs for track in pair}
    found = []
    for index, track in enumerate(score.tracks):
        notes = track.notes
        if track.is_drum:
            views = [View(PERCUSSION)] * (len(bars) - 1)
            found.append([Staff(views, drum_voices(notes))])
        elif index not in hands and track.program in KEYBOARDS and wants_two_staves(notes):
            left = left_hand(notes)
            right_staff = _staff(notes.where(~left), RIGHT, bars, 3)
            found.append([right_staff, _staff(notes.where(left), LEFT, bars, 2)])
        else:
            median = float(np.median(notes.pitch)) if len(notes) else 60.0
            usual = usual_views(track.program, track.name, median)
            if index in hands:
                usual = RIGHT if (index, index + 1) in pairs else LEFT
            found.append([_staff(notes, usual, bars, 2)])
    return found


def short_score(score: Score) -> tuple[Score, list[list[Staff]]]:
    """A choir on two staves: soprano and alto share one, tenor and bass the other, each with stems of its own.

    Raises:
        FileError: if the parts are not soprano, alto, tenor and bass by their names.
    """
    if not _is_choir(score.tracks):
        names = ", ".join(track.name or "one without a name" for track in score.tracks[:6]) or "none"
        raise FileError(f"expected the parts soprano, alto, tenor and bass for a short score, got {names}")
    bars = score.bars()
    lines = []
    for pair, views in ((score.tracks[:2], _UPPER), (score.tracks[2:], _LOWER)):
        staff = _staff(_joined(pair), views, bars, 1)
        lines.append(Staff(staff.views, [voice for track in pair for voice in voices_of(track.notes)]))
    choir = score.tracks[0].replace(notes=_joined(score.tracks), name="")
    return score.replace(tracks=(choir,)), [lines]


def _joined(tracks: tuple[Track, ...]) -> Notes:
    columns = ("onset", "duration", "pitch", "velocity")
    return Notes(*(np.concatenate([getattr(track.notes, name) for track in tracks]) for name in columns))


def groups(score: Score) -> list[Group]:
    """The parts that belong together: the hands of a player, voices of a choir, instruments of a family."""
    pairs = pairs_of_hands(score.tracks)
    found = [Group(first, last, "brace") for first, last in pairs]
    family = [
        None
        if track.is_drum
        else next((number for number, each in enumerate(_FAMILIES) if track.program in each), None)
        for track in score.tracks
    ]
    if _is_choir(score.tracks):
        family = [-1] * len(score.tracks)
    start = 0
    for number, run in itertools.groupby(family):
        size = len(list(run))
        if number is not None and size > 1:
            found.append(Group(start, start + size - 1, "bracket"))
        start += size
    return sorted(found, key=lambda group: group.first)


def _is_choir(tracks: tuple[Track, ...]) -> bool:
    """Whether four parts are soprano, alto, tenor and bass by their names."""
    initials = [track.name.strip().lower()[:1] for track in tracks]
    return initials == ["s", "a", "t", "b"]


def _staff(notes: Notes, views: tuple[View, ...], bars: np.ndarray, num_usual: int) -> Staff:  # type: ignore[type-arg]
    edges = np.searchsorted(notes.onset, bars)
    pitches = [notes.pitch[first:stop] for first, stop in itertools.pairwise(edges)]
    return Staff(views_by_bar(pitches, views, num_usual), voices_of(notes))
