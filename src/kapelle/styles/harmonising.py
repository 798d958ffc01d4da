"""Voices for a melody, or new ones in a score: of what is given not a tick is altered."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CodecError, WishError
from ..music import IntArray, Notes, Score, Track, Wishes, graft, resample, transpose, with_detected_key
from ..music.partwriting import NAMES, RANGES, VOICES
from ..networks import Player
from ..sampling import Taste, write

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Harmony:
    """A score to which voices were written.

    Attributes:
        score: four tracks or fewer, named after their voices; what was given is as it was.
        nats: what the written voices cost the style that wrote them, all in all: the less, the likelier they are.
    """

    score: Score
    nats: float


@dataclass(frozen=True)
class Choir:
    """A score whose tracks are told apart as voices.

    Attributes:
        score: as it was given, moved by octaves and reduced to one note at a time where that was needed.
        voices: which voice each track of the score is, 0 for the soprano to 3 for the bass.
        written: the voices that are to be written.
    """

    score: Score
    voices: tuple[int, ...]
    written: tuple[int, ...]


def choir_of(score: Score, letters: str | None, tell: Tell) -> Choir:
    """Which voice each track sings, and which are to be written.

    Args:
        score: with one to four pitched tracks; drums are left out.
        letters: of the voices to be written, such as "ATB"; None for those that are not there.
        tell: called with a line for everything that could not be taken as it was.

    Raises:
        WishError: if the score has no voices or too many, or nothing is left to be written.
    """
    wanted = _letters(letters)
    tracks = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    if not tracks:
        raise WishError("expected a melody, got a score without pitched notes")
    if len(tracks) > 4:
        raise WishError(f"expected at most four voices, got {len(tracks)} tracks with notes: keep the ones that sing")
    if any(track.is_drum for track in score.tracks):
        tell("the drums are left out")
    voices = _voices(tracks, wanted)
    written = tuple(voice for voice in range(4) if voice not in voices) if wanted is None else wanted
    if not written:
        raise WishError(
            "expected a voice to write, got all four: say which is to be written anew, such as --write bass"
        )
    if set(voices) <= set(written) and letters is not None and len(written) == 4 and len(voices) < 4:
        raise WishError("expected a voice that is given, got all four to write: compose does that")
    order = sorted(range(len(tracks)), key=lambda index: voices[index])
    tracks = [_one_at_a_time(tracks[index], VOICES[voices[index]], tell) for index in order]
    voices = tuple(voices[index] for index in order)
    score = score.replace(tracks=tuple(tracks))
    octaves = _octaves(tracks, voices)
    if octaves:
        count = "an octave" if abs(octaves) == 1 else f"{abs(octaves)} octaves"
        tell(f"what is given is sung {count} {'higher' if octaves > 0 else 'lower'}, where its voices lie")
        score = transpose(score, 12 * octaves)
    _tell_of_notes(score, voices, tell)
    return Choir(score, voices, written)


def _letters(letters: str | None) -> tuple[int, ...] | None:
    """The voices that a user names: letters such as "ATB", or names."""
    if letters is None:
        return None
    words = [word for word in letters.replace(",", " ").split() if word]
    found: set[int] = set()
    for word in words:
        names = [name.casefold() for name in NAMES]
        if word.casefold() in names:
            found.add(names.index(word.casefold()))
        elif set(word.upper()) <= set(VOICES):
            found.update(VOICES.index(letter) for letter in word.upper())
        else:
            raise WishError(f"expected voices such as ATB or bass to write, got {letters!r}")
    if not found:
        raise WishError(f"expected voices such as ATB or bass to write, got {letters!r}")
    return tuple(sorted(found))


def _voices(tracks: Sequence[Track], wanted: tuple[int, ...] | None) -> tuple[int, ...]:
    """The voice of each track: by its name, or else by its place among those that are not to be written."""
    named = [next((n for n, name in enumerate(NAMES) if track.name.strip().casefold().startswith(name.casefold())), -1)
             for track in tracks]  # fmt: skip
    if -1 not in named and len(set(named)) == len(named):
        return tuple(named)
    free = [voice for voice in range(4) if voice not in (wanted or ())]
    if len(tracks) == 4:
        return (0, 1, 2, 3)
    if wanted is not None and len(tracks) != len(free):
        raise WishError(
            f"expected the {len(free)} voices that are not written, or all four, got {len(tracks)} tracks: "
            "name them Soprano, Alto, Tenor or Bass"
        )
    return tuple(free[: len(tracks)])


def _one_at_a_time(track: Track, letter: str, tell: Tell) -> Track:
    """A track whose highest notes alone are left where several sound at once."""
    notes = track.notes
    order = np.lexsort((-notes.pitch, notes.onset))
    kept: list[int] = []
    for index in order.tolist():
        last = kept[-1] if kept else index
        together = index != last and notes.onset[index] < notes.end[last]
        if not (together and (notes.onset[index] == notes.onset[last] or notes.pitch[index] < notes.pitch[last])):
            kept.append(index)
    stay = np.array(sorted(kept))
    onset, end = notes.onset[stay], notes.end[stay]
    following = np.append(onset[1:], end[-1:])
    line = Notes(onset, np.minimum(end, following) - onset, notes.pitch[stay], notes.velocity[stay])
    dropped = len(notes) - len(line)
    if dropped:
        name = NAMES[VOICES.index(letter)].lower()
        tell(f"several notes at once in the {name}: the highest are taken, {dropped} are left out")
    elif line != notes:
        tell(f"notes that overlap in the {NAMES[VOICES.index(letter)].lower()} end where the next begins")
    return track.replace(notes=line)


def _octaves(tracks: Sequence[Track], voices: Sequence[int]) -> int:
    """By how many octaves to move all tracks so that the fewest notes are out of the range of their voice."""

    def outside(octaves: int) -> int:
        return sum(
            _outside(track.notes.pitch + 12 * octaves, voice) for track, voice in zip(tracks, voices, strict=True)
        )

    lowest = min(int(track.notes.pitch.min()) for track in tracks)
    highest = max(int(track.notes.pitch.max()) for track in tracks)
    possible = [octaves for octaves in range(-5, 6) if lowest + 12 * octaves >= 0 and highest + 12 * octaves <= 127]
    return min(possible, key=lambda octaves: (outside(octaves), abs(octaves)))


def _outside(pitch: IntArray, voice: int) -> int:
    low, high = RANGES[voice]
    return int(((pitch < low) | (pitch > high)).sum())


def _tell_of_notes(score: Score, voices: Sequence[int], tell: Tell) -> None:
    for track, voice in zip(score.tracks, voices, strict=True):
        count = _outside(track.notes.pitch, voice)
        if count:
            tell(f"{count} of {len(track.notes)} notes of the {NAMES[voice].lower()} lie outside its range")
    ticks = np.concatenate([np.concatenate([track.notes.onset, track.notes.end]) for track in score.tracks])
    off = int(((4 * ticks) % score.ticks_per_quarter != 0).sum())
    if off:
        tell(f"{off} beginnings and ends of notes lie between sixteenths: they stay, and are heard on the nearest one")


def harmonised(
    codec: Any,
    player: Player,
    choir: Choir,
    bars: tuple[int, int] | None,
    wishes: Wishes,
    taste: Taste,
    rng: np.random.Generator,
) -> Harmony:
    """A choir with the voices that are to be written.

    Args:
        codec: of a style in voices.
        player: of its weights, at the start of a piece.
        choir: what is given.
        bars: the first and the last to be written, counted from 1, a pickup being bar 0; None for all.
        wishes: fermatas and rules, if any.
        taste: how freely words are drawn.
        rng: where chance comes from.

    Raises:
        WishError: if there are no such bars, or a rule or fermata cannot be.
    """
    score = choir.score
    named = tuple(track.replace(name=NAMES[voice]) for track, voice in zip(score.tracks, choir.voices, strict=True))
    first, stop = _span(score, bars)
    heard = score.replace(tracks=named)
    heard = heard if heard.keys else with_detected_key(heard)
    try:
        given = codec.given(heard, choir.written, first, stop, wishes.fermatas is None)
    except CodecError as error:
        raise WishError(str(error)) from None
    listening = _Listening(player)
    player.show(given.steps, given.shown)  # type: ignore[attr-defined]
    draft = write(listening, codec, codec.walk(wishes, given=given), taste, rng, most_steps=len(given.steps))
    sung = codec.decode(draft.steps)
    unit = math.lcm(score.ticks_per_quarter, sung.ticks_per_quarter)
    own, new = resample(score, unit), resample(sung, unit)
    moved = -given.moved * (unit // 4)
    written = {track.name: track for track in new.tracks}
    tracks = []
    for voice, name in enumerate(NAMES):
        mine = own.tracks[choir.voices.index(voice)] if voice in choir.voices else None
        if voice not in choir.written:
            tracks += [] if mine is None else [mine.replace(name=name)]
        elif name in written:
            notes = written[name].notes
            notes = notes.replace(onset=notes.onset + moved)
            tracks.append(_joined(own, mine, notes, name, first, stop) if bars else _new(own, mine, notes, name))
    fermatas = own.fermatas or tuple(onset + moved for onset in new.fermatas)
    return Harmony(own.replace(tracks=tuple(tracks), fermatas=fermatas), listening.nats)


def _span(score: Score, bars: tuple[int, int] | None) -> tuple[int, int | None]:
    """The bars to be written as the codec counts them: from 0 on, and the one before which they end."""
    if bars is None:
        return 0, None
    last = len(score.bars()) - 1 - (score.pickup > 0)
    least = 0 if score.pickup else 1
    if not least <= bars[0] <= bars[1] <= last:
        raise WishError(f"expected bars between {least} and {last} to write, got {bars[0]} to {bars[1]}")
    return bars[0] - least, bars[1] - least + 1


def _new(score: Score, mine: Track | None, notes: Notes, name: str) -> Track:
    """A written voice; it sings as the one that it replaces, or as the first of the given ones."""
    return Track(notes, (mine or score.tracks[0]).program, name=name)


def _joined(score: Score, mine: Track | None, notes: Notes, name: str, first: int, stop: int | None) -> Track:
    """A voice of which some bars are written anew, and the others are as they were."""
    if mine is None:
        return _new(score, mine, notes, name)
    lines = score.bars()
    start, end = int(lines[first]), int(lines[stop if stop is not None else -1])
    return mine.replace(notes=graft(mine.notes, notes, start, end), name=name)


class _Listening:
    """A player that adds up what the words cost that are chosen."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self.nats = 0.0
        self._asked: tuple[int, NDArray[np.float64]] | None = None

    def logits(self, column: int) -> NDArray[Any]:
        logits = self._player.logits(column)
        self._asked = column, np.asarray(logits, np.float64)
        return logits

    def put(self, column: int, word: int) -> None:
        if self._asked is not None and self._asked[0] == column:
            logits = self._asked[1]
            self.nats += float(np.logaddexp.reduce(logits) - logits[word])
        self._asked = None
        self._player.put(column, word)

    def reset(self) -> None:
        self._player.reset()

    def state(self) -> Any:
        return self._player.state()

    def restore(self, state: Any) -> None:
        self._player.restore(state)


__all__ = ["Choir", "Harmony", "choir_of", "harmonised"]
