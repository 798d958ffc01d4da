"""Which notes share a stem, a voice and a staff."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...music import Notes, Track

KEYBOARDS = range(8)

_REACH = 12
"""Semitones that a hand is asked to span at once."""


@dataclass(frozen=True, slots=True)
class Chord:
    """Notes of one onset and one end, of different pitches, from low to high."""

    onset: int
    end: int
    pitches: tuple[int, ...]
    velocities: tuple[int, ...]


Voice = list[Chord]
"""Chords in order that do not overlap."""


@dataclass(frozen=True, slots=True)
class Clef:
    """A clef sign, its line, and by how many octaves it sounds off."""

    sign: str
    line: int
    octave: int = 0


@dataclass(frozen=True, slots=True)
class Staff:
    """Five lines: a clef and one voice at least, maybe an empty one."""

    clef: Clef
    voices: list[Voice]


def staves(track: Track) -> list[Staff]:
    """The staves of a track: two for a keyboard part that needs them, else one."""
    notes = track.notes
    if track.is_drum:
        return [Staff(Clef("percussion", 2), _voices(notes))]
    if track.program in KEYBOARDS and _wants_two_staves(notes):
        left = _left_hand(notes)
        return [
            Staff(_clef(notes.where(~left), hand=Clef("G", 2)), _voices(notes.where(~left))),
            Staff(_clef(notes.where(left), hand=Clef("F", 4)), _voices(notes.where(left))),
        ]
    return [Staff(_clef(notes, track.program, track.name), _voices(notes))]


def _wants_two_staves(notes: Notes) -> bool:
    """Whether more than a stray note would lie far off one staff, be it treble or bass."""
    if not len(notes):
        return False
    low, high = np.quantile(notes.pitch, [0.05, 0.95])
    return bool((low < 55 and high > 65) or np.ptp(notes.pitch) > 36)


def _clef(notes: Notes, program: int = 0, name: str = "", hand: Clef | None = None) -> Clef:
    """The clef that keeps the middle of the notes on the staff."""
    if not len(notes):
        return hand or Clef("G", 2)
    median = float(np.median(notes.pitch))
    if hand is not None and 48 <= median <= 72:
        return hand
    if "tenor" in name.lower() and 50 <= median <= 67:
        return Clef("G", 2, -1)
    if 24 <= program <= 31 and 45 <= median < 72:
        return Clef("G", 2, -1)  # a guitar sounds an octave lower than it is written
    if program in (*range(32, 40), 43) and median < 48:
        return Clef("F", 4, -1)  # and so does a bass
    if program == 41 and 52 <= median <= 68:
        return Clef("C", 3)
    if median >= 88:
        return Clef("G", 2, 1)
    if median >= 59:
        return Clef("G", 2)
    return Clef("F", 4) if median >= 34 else Clef("F", 4, -1)


def _left_hand(notes: Notes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """A mask of the notes that the left hand plays.

    What starts together is split where both hands reach it and each stays near to where it was.
    """
    left = np.zeros(len(notes), bool)
    low, high = 48.0, 70.0
    starts = np.flatnonzero(np.diff(notes.onset, prepend=-1)).tolist()
    pitch = notes.pitch.tolist()
    for start, stop in itertools.pairwise([*starts, len(notes)]):
        group = pitch[start:stop]  # from high to low
        costs = [_cost(group[:cut], high, 55) + _cost(group[cut:], low, 64) for cut in range(len(group) + 1)]
        cut = costs.index(min(costs))
        left[start + cut : stop] = True
        if cut:
            high = 0.7 * high + 0.3 * min(max(sum(group[:cut]) / cut, 64), 84)
        if cut < len(group):
            low = 0.7 * low + 0.3 * min(max(sum(group[cut:]) / (len(group) - cut), 36), 56)
    return left


def _cost(group: Sequence[int], centre: float, bound: int) -> float:
    """How badly a hand at `centre` plays a group; its staff gets ledger lines on the other side of `bound`."""
    if not group:
        return 0.0
    beyond = sum(max(bound - pitch if bound < 60 else pitch - bound, 0) for pitch in group)
    stretch = max(max(group) - min(group) - _REACH, 0)
    return abs(sum(group) / len(group) - centre) + 2.0 * stretch + 1.0 * beyond


def _chords(notes: Notes) -> list[Chord]:
    """The notes by onset and end; a pitch that is there twice makes a second chord. Highest first at one onset."""
    groups: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    seen: dict[tuple[int, int, int], int] = {}
    columns = (notes.onset.tolist(), notes.end.tolist(), notes.pitch.tolist(), notes.velocity.tolist())
    for onset, end, pitch, velocity in zip(*columns, strict=True):
        copy = seen.get((onset, end, pitch), 0)
        seen[onset, end, pitch] = copy + 1
        groups.setdefault((onset, end, copy), []).append((pitch, velocity))
    chords = []
    for (onset, end, _), members in groups.items():
        pitches, velocities = zip(*sorted(members), strict=True)
        chords.append(Chord(onset, end, pitches, velocities))
    return sorted(chords, key=lambda chord: (chord.onset, -chord.pitches[-1], -chord.end))


def _voices(notes: Notes) -> list[Voice]:
    """As few voices as the overlaps need, the higher ones first."""
    voices: list[Voice] = [[]]
    for cluster in _clusters(_chords(notes)):
        parts: list[Voice] = []
        for chord in cluster:
            free = [part for part in parts if part[-1].end <= chord.onset]
            if free:
                # A line goes on where it left off: no gap first, then the smaller leap.
                best = min(free, key=lambda part: (chord.onset - part[-1].end, _leap(part[-1], chord)))
                best.append(chord)
            else:
                parts.append([chord])
        parts.sort(key=_height, reverse=True)
        voices.extend([] for _ in range(len(parts) - len(voices)))
        for voice, part in zip(voices, parts, strict=False):
            voice.extend(part)
    return voices


def _clusters(chords: Iterable[Chord]) -> Iterable[list[Chord]]:
    """Stretches of music between two moments at which nothing is held."""
    cluster: list[Chord] = []
    end = 0
    for chord in chords:
        if cluster and chord.onset >= end:
            yield cluster
            cluster = []
        cluster.append(chord)
        end = max(end, chord.end)
    if cluster:
        yield cluster


def _leap(before: Chord, after: Chord) -> int:
    return abs(before.pitches[-1] - after.pitches[-1])


def _height(part: Voice) -> float:
    weight = sum((chord.end - chord.onset) for chord in part)
    return sum((chord.pitches[0] + chord.pitches[-1]) * (chord.end - chord.onset) for chord in part) / weight
