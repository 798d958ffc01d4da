"""A score on the codec's grid, as flat arrays: half way between a Score and its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CodecError
from ...music import IntArray, Score, Spans, Track
from ...music.edit import rescale
from .vocabulary import DRUM_PITCH, KEYS, METERS, TEMPOS, TICKS_PER_QUARTER, Vocabulary, nearest

MAX_LENGTH = 2**24
"""Ticks of the longest piece: about 97 hours at 120 quarters a minute."""

_METER_INDEX = {name: index for index, name in enumerate(METERS)}
_BAR_LENGTH = tuple(
    4 * TICKS_PER_QUARTER * int(numerator) // int(denominator)
    for numerator, denominator in (name.split("/") for name in METERS)
)


def bar_length(meter: int) -> int:
    """Ticks in a bar of the metre with this index into METERS."""
    return _BAR_LENGTH[meter]


@dataclass(frozen=True)
class Grid:
    """Bar lines under changing metres: for each metre the tick where its first bar starts, the length
    of its bars, and how many bars lie before it, each of shape (M,). With a pickup the first bar starts
    before tick 0."""

    start: IntArray
    length: IntArray
    passed: IntArray

    @classmethod
    def of(cls, meters: Sequence[tuple[int, int]], pickup: int) -> Grid:
        """The grid of (tick, index into METERS) pairs whose ticks lie on bar lines."""
        length = np.array([_BAR_LENGTH[meter] for _, meter in meters])
        start = np.array([tick for tick, _ in meters])
        if pickup:
            start[0] = pickup - length[0]
        passed = np.concatenate(([0], np.cumsum(np.diff(start) // length[:-1])))
        return cls(start, length, passed)

    def segment(self, time: IntArray) -> IntArray:
        """Which of the metres is in force at each tick."""
        if len(self.start) == 1:
            return np.zeros(len(time), np.int64)
        return np.asarray(np.searchsorted(self.start, time, side="right") - 1)

    def divide(self, time: IntArray, segment: IntArray) -> tuple[IntArray, IntArray]:
        """For each tick, how many bars lie before its own, and its place in its own bar."""
        bar, position = np.divmod(time - self.start[segment], self.length[segment])
        return bar + self.passed[segment], position


@dataclass(frozen=True)
class Table:
    """Notes and pedal presses in the order of steps, as indices into the vocabulary, onsets in ticks."""

    onset: IntArray
    kind: IntArray
    voice: IntArray
    pitch: IntArray
    duration: IntArray
    velocity: IntArray
    meters: list[tuple[int, int]]
    pickup: int
    tempo: int
    key: int
    grid: Grid
    bars: int

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        onset: IntArray,
        kind: IntArray,
        voice: IntArray,
        pitch: IntArray,
        duration: IntArray,
        velocity: IntArray,
        *,
        meters: list[tuple[int, int]],
        pickup: int,
        tempo: int,
        key: int,
    ) -> Table:
        """A table from notes in any order: sorted, doubles removed, overlaps of one pitch cut."""
        words = np.array(vocabulary.durations)
        num_pitches = len(vocabulary.pitches)
        line = (kind * vocabulary.voices + voice) * num_pitches + pitch
        # Of notes that are the same but for their length the longest stays: it comes last in this order.
        order = np.argsort((line * MAX_LENGTH + onset) * len(words) + duration, kind="stable")
        line, onset = line[order], onset[order]
        gap = np.where(line[1:] == line[:-1], onset[1:] - onset[:-1], MAX_LENGTH)
        gap = np.append(gap, MAX_LENGTH)
        duration = duration[order]
        late = words[duration] > gap
        if late.any():
            duration[late] = np.searchsorted(words, gap[late], side="right") - 1
        single = gap > 0
        chosen = order[single]
        kind, voice, pitch, velocity = kind[chosen], voice[chosen], pitch[chosen], velocity[chosen]
        onset, duration = onset[single], duration[single]
        place = ((onset * len(vocabulary.kinds) + kind) * vocabulary.voices + voice) * num_pitches + (
            num_pitches - pitch
        )
        order = np.argsort(place, kind="stable")
        onset, duration = onset[order], duration[order]
        kind = kind[order]
        # The pedal may be held beyond the last bar; only notes say how long the piece is.
        end = (onset + words[duration])[kind != vocabulary.kind_index.get("pedal", -1)]
        last = int(end.max()) if len(end) else 1
        meters = [pair for pair in meters if pair[0] == 0 or pair[0] < last]
        grid = Grid.of(meters, pickup)
        at = np.array([last - 1])
        bars = int(grid.divide(at, grid.segment(at))[0][0]) + 1 - (pickup > 0)
        return cls(
            onset, kind, voice[order], pitch[order], duration, velocity[order],
            meters, pickup, tempo, key, grid, max(bars, 1),
        )  # fmt: skip


def tabulate(score: Score, vocabulary: Vocabulary) -> Table:
    """What the codec keeps of a score.

    Raises:
        CodecError: if nothing of it can be played with the vocabulary, or it is longer than MAX_LENGTH.
    """
    parts = _assign(score.tracks, vocabulary)
    if not parts:
        raise CodecError("expected music with notes, got none: choose another file")
    unit = score.ticks_per_quarter
    columns: list[list[NDArray[Any]]] = [[] for _ in range(6)]
    for part, number, track in parts:
        notes = track.notes
        size = len(notes)
        pitch = vocabulary.drum_index[notes.pitch] if track.is_drum else notes.pitch
        row = (
            notes.onset,
            notes.end,
            np.full(size, part),
            np.full(size, number),
            pitch,
            vocabulary.velocity_index[notes.velocity],
        )
        for column, values in zip(columns, row, strict=True):
            column.append(values)
    pedal = (
        _pedal([track for _, _, track in parts if not track.is_drum], score.end) if vocabulary.pedal else Spans.none()
    )
    if len(pedal):
        none = np.zeros(len(pedal), np.int64)
        row = (pedal.onset, pedal.end, none + vocabulary.kind_index["pedal"], none, none, none)
        for column, values in zip(columns, row, strict=True):
            column.append(values)
    onset, end, kind, voice, pitch, velocity = (np.concatenate(column) for column in columns)
    if int(end.max()) // unit >= MAX_LENGTH // TICKS_PER_QUARTER - 16:
        raise CodecError(
            f"expected music of at most {MAX_LENGTH // TICKS_PER_QUARTER} quarters, got {int(end.max()) // unit}"
        )
    if unit != TICKS_PER_QUARTER:
        onset, end = rescale(onset, unit, TICKS_PER_QUARTER), rescale(end, unit, TICKS_PER_QUARTER)
    meters, pickup, moved = _bar_lines(score, int(onset.min()))
    length = np.clip(end - onset, 1, vocabulary.durations[-1])
    tempo = nearest(np.array([score.tempos.mean(score.end)]), np.array(TEMPOS))
    return Table.of(
        vocabulary, onset + moved, kind, voice, pitch, vocabulary.duration_index[length], velocity,
        meters=meters, pickup=pickup, tempo=int(tempo[0]), key=KEYS.index(score.keys[0].name) if score.keys else 0,
    )  # fmt: skip


def _assign(tracks: Sequence[Track], vocabulary: Vocabulary) -> list[tuple[int, int, Track]]:
    """The (kind, voice) under which each track with notes is told: tracks of one program are counted up."""
    parts: list[tuple[int, int, Track]] = []
    count: dict[int, int] = {}
    for track in tracks:
        if not len(track.notes):
            continue
        if track.is_drum:
            kind = vocabulary.kind_index.get("drums")
        elif vocabulary.programs:
            kind = vocabulary.kind_index[f"program {vocabulary.program_nearest(track.program)}"]
        else:
            kind = None
        if kind is not None:
            voice = count.get(kind, 0)
            count[kind] = voice + 1
            parts.append((kind, min(voice, vocabulary.voices - 1), track))
    return parts


def _pedal(tracks: Sequence[Track], end: int) -> Spans:
    """Where the pedal is down in any of the tracks, presses after the last note left out."""
    pressed = [track.pedal for track in tracks if len(track.pedal)]
    if not pressed:
        return Spans.none()
    spans = pressed[0]
    if len(pressed) > 1:
        spans = Spans.union(np.concatenate([p.onset for p in pressed]), np.concatenate([p.duration for p in pressed]))
    heard = spans.onset < end
    return Spans(spans.onset[heard], spans.duration[heard])


def _bar_lines(score: Score, first: int) -> tuple[list[tuple[int, int]], int, int]:
    """Metres on bar lines, the pickup, and how far to move the notes.

    A pickup that is no multiple of a 16th becomes a full bar that starts with silence; whole bars before
    `first`, the first onset, go. A change of metre inside a bar waits for the next bar line.
    """
    named = []
    for sign in score.meters:
        onset = int(rescale(sign.onset, score.ticks_per_quarter, TICKS_PER_QUARTER))
        named.append((onset, _METER_INDEX.get(sign.name, _METER_INDEX["4/4"])))
    pickup = int(rescale(score.pickup, score.ticks_per_quarter, TICKS_PER_QUARTER))
    length = _BAR_LENGTH[named[0][1]]
    moved = 0
    if pickup % 6 or pickup >= length:
        moved = -pickup % length
        pickup = 0
    meters = [(0, named[0][1])]
    start = pickup - length if pickup else 0
    for onset, name in named[1:]:
        line = start + max(-(-(onset + moved - start) // length), 0) * length
        if name == meters[-1][1]:
            continue
        if line <= meters[-1][0]:
            meters[-1] = (meters[-1][0], name)
        else:
            meters.append((line, name))
        start, length = line, _BAR_LENGTH[name]
    meters = _without_repeats(meters)
    grid = Grid.of(meters, pickup)
    at = np.array([first + moved])
    segment = grid.segment(at)
    _, position = grid.divide(at, segment)
    line = int(at[0] - position[0])
    if line > 0:
        meters = [(0, meters[int(segment[0])][1]), *((tick - line, name) for tick, name in meters if tick > line)]
        return meters, 0, moved - line
    return meters, pickup, moved


def _without_repeats(meters: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [pair for index, pair in enumerate(meters) if index == 0 or pair[1] != meters[index - 1][1]]


__all__ = ["DRUM_PITCH", "MAX_LENGTH", "Grid", "Table", "tabulate"]
