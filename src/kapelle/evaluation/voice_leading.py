"""How often four voices break the rules of part-writing.

The rules are those of a first book on harmony, counted the same way for whoever wrote the piece: Bach breaks some of
them too, and how often he does is the measure. A chord is every moment at which a voice strikes a note.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import KapelleError
from ..music import IntArray, Notes, Score
from ..music.partwriting import DOMINANTS, PERFECT, RANGES, TONICS, resolutions, root_of

_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
_SEVENTHS = ((0, 4, 7, 11), (0, 4, 7, 10), (0, 3, 7, 10), (0, 3, 6, 10), (0, 3, 6, 9), (0, 3, 7, 11))
_SILENT = -1


@dataclass(frozen=True)
class VoiceLeading:
    """Breaches of the rules in one piece or in several.

    Attributes:
        chords: moments at which a voice strikes a note and two or more sound.
        parallels: pairs of voices that go from one fifth, octave or unison to another one by moving both.
        ranges: notes out of the range of their voice.
        crossings: pairs of neighbouring voices in a chord of which the lower one is higher.
        leading_notes: thirds of a dominant before its tonic that do not go up to it; in alto and tenor they may
            also fall a third, as Bach's do.
        dissonances: strong beats on which no triad or seventh chord sounds.
    """

    chords: int = 0
    parallels: int = 0
    ranges: int = 0
    crossings: int = 0
    leading_notes: int = 0
    dissonances: int = 0

    def __add__(self, other: VoiceLeading) -> VoiceLeading:
        return VoiceLeading(*(a + b for a, b in zip(self._numbers, other._numbers, strict=True)))

    @property
    def _numbers(self) -> tuple[int, ...]:
        return (self.chords, self.parallels, self.ranges, self.crossings, self.leading_notes, self.dissonances)

    @property
    def per_hundred(self) -> dict[str, float]:
        """Each kind of breach in a hundred chords."""
        names = ("parallels", "ranges", "crossings", "leading_notes", "dissonances")
        return {name: 100 * getattr(self, name) / max(self.chords, 1) for name in names}


def voice_leading(scores: Iterable[Score]) -> VoiceLeading:
    """The breaches of the rules in pieces for four voices.

    Args:
        scores: each with four tracks, from soprano to bass.

    Raises:
        KapelleError: if one has not four tracks with notes.

    >>> from kapelle.music import Notes, Score, Track
    >>> lines = [(72, 74), (67, 69), (64, 65), (48, 50)]
    >>> tracks = [Track(Notes.of([(0, 24, a, 80), (24, 24, b, 80)])) for a, b in lines]
    >>> voice_leading([Score(24, tuple(tracks))]).parallels
    2
    """
    return sum((_of_one(score) for score in scores), VoiceLeading())


def _of_one(score: Score) -> VoiceLeading:
    tracks = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    if len(tracks) != len(RANGES):
        raise KapelleError(f"expected four voices, from soprano to bass, got {len(tracks)} tracks with notes")
    onsets = np.unique(np.concatenate([track.notes.onset for track in tracks]))
    chords = np.stack([_sounding(track.notes, onsets) for track in tracks], 1)
    full = (chords > _SILENT).sum(1) > 1
    out = sum(
        int(((track.notes.pitch < low) | (track.notes.pitch > high)).sum())
        for track, (low, high) in zip(tracks, RANGES, strict=True)
    )
    return VoiceLeading(
        int(full.sum()),
        _parallels(chords),
        out,
        _crossings(chords),
        _unresolved(chords),
        _dissonances(chords[np.isin(onsets, _strong_beats(score))]),
    )


def _sounding(notes: Notes, onsets: IntArray) -> IntArray:
    """The pitch of a voice at each of these moments, the highest if there are several; -1 for silence."""
    sounds = np.full(len(onsets), _SILENT)
    first, last = np.searchsorted(onsets, notes.onset), np.searchsorted(onsets, notes.end)
    for start, stop, height in zip(first, last, notes.pitch, strict=True):
        sounds[start:stop] = np.maximum(sounds[start:stop], height)
    return sounds


def _parallels(chords: IntArray) -> int:
    found = 0
    for upper, lower in itertools.combinations(chords.T, 2):
        there = (upper > _SILENT) & (lower > _SILENT)
        apart = np.where(there, np.abs(upper - lower) % 12, -1)
        moves = (np.diff(upper) != 0) & (np.diff(lower) != 0)
        found += int((moves & (apart[1:] == apart[:-1]) & np.isin(apart[1:], PERFECT)).sum())
    return found


def _crossings(chords: IntArray) -> int:
    upper, lower = chords[:, :-1], chords[:, 1:]
    return int(((upper < lower) & (upper > _SILENT)).sum())


def _unresolved(chords: IntArray) -> int:
    """Leading notes that do not resolve, where a dominant comes before its own tonic in any key."""
    found = 0
    for before, after in itertools.pairwise(chords):
        root = root_of(_classes(before), DOMINANTS)
        if root is None or root_of(_classes(after), TONICS) != (root + 5) % 12:
            continue
        for voice, (pitch, next_pitch) in enumerate(zip(before, after, strict=True)):
            if pitch == _SILENT or (pitch - root) % 12 != 4 or next_pitch == _SILENT:
                continue
            found += next_pitch - pitch not in resolutions(voice)
    return found


def _classes(chord: IntArray) -> set[int]:
    return set((chord[chord > _SILENT] % 12).tolist())


def _parts(kinds: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    for kind in kinds:
        for size in range(1, len(kind) + 1):
            yield from itertools.combinations(kind, size)


_CONSONANT = frozenset(
    frozenset((root + step) % 12 for step in steps)
    for steps in (*_parts(_TRIADS), *_SEVENTHS, *((root, third, seventh) for root, third, _, seventh in _SEVENTHS))
    for root in range(12)
)
"""What may sound on a strong beat: a triad or some of its notes, a seventh chord, a seventh chord without its fifth."""


def _dissonances(chords: IntArray) -> int:
    return sum(frozenset(_classes(chord)) not in _CONSONANT for chord in chords if (chord > _SILENT).any())


def _strong_beats(score: Score) -> NDArray[np.int64]:
    """The first beat of each bar, and the middle of bars of four beats."""
    beats = []
    for start, stop in itertools.pairwise(score.bars().tolist()):
        meter = score.meter_at(start)
        beats.append(start)
        half = meter.bar_length(score.ticks_per_quarter) // 2
        if round(meter.bar_quarters / meter.beat_quarters) == 4 and stop - start == 2 * half:
            beats.append(start + half)
    return np.array(beats, np.int64)
