"""Bar lines in ticks, 24 a quarter, where codecs tell pieces."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from ..music import IntArray, Score
from ..music.edit import rescale
from .words import METERS, PICKUP, TICKS_PER_QUARTER

_METER_INDEX = {name: index for index, name in enumerate(METERS)}
_BAR_LENGTH = tuple(
    4 * TICKS_PER_QUARTER * int(numerator) // int(denominator)
    for numerator, denominator in (name.split("/") for name in METERS)
)


def bar_length(meter: int) -> int:
    """Ticks in a bar of the metre with this index into METERS."""
    return _BAR_LENGTH[meter]


class Grid(NamedTuple):
    """Bar lines under changing metres: for each metre the tick where its first bar starts, the length
    of its bars, and how many bars lie before it. With a pickup the first bar starts before tick 0."""

    start: tuple[int, ...]
    length: tuple[int, ...]
    passed: tuple[int, ...]

    @classmethod
    def of(cls, meters: Sequence[tuple[int, int]], pickup: int) -> Grid:
        """The grid of (tick, index into METERS) pairs whose ticks lie on bar lines."""
        length = tuple([_BAR_LENGTH[meter] for _, meter in meters])
        start = (pickup - length[0] if pickup else 0, *(tick for tick, _ in meters[1:]))
        bars = [(after - before) // bar for (before, after), bar in zip(pairwise(start), length, strict=False)]
        return cls(start, length, tuple(accumulate(bars, initial=0)))

    def find(self, tick: int) -> tuple[int, int, int]:
        """Of one tick the metre in force, how many bars lie before its own, and its place in its own bar."""
        segment = bisect_right(self.start, tick) - 1
        bar, position = divmod(tick - self.start[segment], self.length[segment])
        return segment, self.passed[segment] + bar, position

    def segment(self, time: IntArray) -> IntArray:
        """Which of the metres is in force at each tick, shape (N,); with one metre shape (1,), which is quicker."""
        if len(self.start) == 1:
            return np.zeros(1, np.int64)
        return np.array(self.start).searchsorted(time, side="right") - 1

    def divide(self, time: IntArray, segment: IntArray) -> tuple[IntArray, IntArray]:
        """For each tick, how many bars lie before its own, and its place in its own bar."""
        columns = (self.start, self.length, self.passed)
        start, length, passed = (np.array(column, time.dtype).take(segment) for column in columns)
        since = time - start
        bar = since // length
        return bar + passed, since - bar * length


def bar_lines(score: Score, first: int) -> tuple[list[tuple[int, int]], int, int]:
    """Metres on bar lines, the pickup, and how far to move the notes.

    A pickup that is no multiple of a 16th becomes a full bar that starts with silence; whole bars before
    `first`, the first onset, go. A change of metre inside a bar waits for the next bar line.
    """
    names = [_METER_INDEX.get(sign.name, _METER_INDEX["4/4"]) for sign in score.meters]
    if len(names) == 1 and not score.pickup:
        return [(0, names[0])], 0, -(first // _BAR_LENGTH[names[0]] * _BAR_LENGTH[names[0]])
    onsets = rescale(np.array([sign.onset for sign in score.meters]), score.ticks_per_quarter, TICKS_PER_QUARTER)
    named = list(zip(onsets.tolist(), names, strict=True))
    pickup = int(rescale(score.pickup, score.ticks_per_quarter, TICKS_PER_QUARTER))
    length = _BAR_LENGTH[named[0][1]]
    moved = 0
    if pickup % PICKUP or pickup >= length:
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
    segment, _, position = grid.find(first + moved)
    line = first + moved - position
    if line > 0:
        meters = [(0, meters[segment][1]), *((tick - line, name) for tick, name in meters if tick > line)]
        return meters, 0, moved - line
    return meters, pickup, moved


def _without_repeats(meters: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [pair for index, pair in enumerate(meters) if index == 0 or pair[1] != meters[index - 1][1]]
