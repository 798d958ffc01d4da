"""Notes as parallel integer arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

MAX_TICK = 2**40
"""No onset may lie beyond this, and no duration be longer."""

MAX_UNIT = 2**22
"""The finest unit of time, in ticks a quarter; with `MAX_TICK` it keeps every sum and product inside 64 bits."""


def check_int(value: Any, name: str, low: int, high: int) -> None:
    """Raise if a value is no whole number within `low`..`high`, naming it."""
    # The first question answers nearly always, and ten times as fast as the second.
    if type(value) is not int and not isinstance(value, Integral):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if not low <= int(value) <= high:
        raise ValueError(f"{name} must be {low}..{high}, got {value}")


def checked_ints(values: Any, name: str, low: int, high: int) -> IntArray:
    """An int64 copy of `values`, which must be one-dimensional, whole, and within `low`..`high`."""
    array = np.asarray(values)
    if not array.size:
        return np.empty(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a one-dimensional array of integers, got {array.dtype} of shape {array.shape}"
        )
    # Before they become 64 bits wide: files give bytes, whose range is found eight times as fast.
    if array.min() < low or array.max() > high:
        wrong = array[(array < low) | (array > high)][0]
        raise ValueError(f"{name} must be {low}..{high}, got {wrong}")
    return array.astype(np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Notes:
    """Notes of one track, in the order onset, pitch (from high to low), duration.

    Attributes:
        onset: ticks from the start of the score, >= 0, shape (N,).
        duration: ticks, >= 1, shape (N,).
        pitch: MIDI number 0..127, 60 = C4; in a drum track the General MIDI drum key, shape (N,).
        velocity: 1..127, shape (N,).

    The arrays are read-only and checked once, here; edits return new values.

    >>> Notes([0, 24], [24, 24], [60, 64], [80, 80]).end
    array([24, 48])
    """

    onset: IntArray
    duration: IntArray
    pitch: IntArray
    velocity: IntArray

    def __post_init__(self) -> None:
        columns = _checked_columns(self.onset, self.duration, self.pitch, self.velocity)
        self._set(_in_order(columns, columns[0]))

    def _set(self, columns: Iterable[IntArray]) -> None:
        for name, column in zip(NOTE_FIELDS, columns, strict=True):
            object.__setattr__(self, name, column)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, int]]) -> Notes:
        """Notes from rows of (onset, duration, pitch, velocity).

        >>> len(Notes.of([(0, 24, 60, 80), (24, 24, 62, 80)]))
        2
        """
        table = np.array(list(rows))
        if not table.size:
            return cls(*np.empty((4, 0), np.int64))
        if table.ndim != 2 or table.shape[1] != 4:
            raise ValueError(f"notes need rows of onset, duration, pitch and velocity, got shape {table.shape}")
        return cls(*table.T)

    @classmethod
    def of_tracks(cls, onset: Any, duration: Any, pitch: Any, velocity: Any, sizes: Sequence[int]) -> list[Notes]:
        """The notes of several tracks, told one track after the other: quicker than each track by itself.

        Args:
            onset, duration, pitch, velocity: as in `Notes`, of all tracks, shape (N,).
            sizes: how many notes each track has, N in all.

        >>> first, second = Notes.of_tracks([0, 8, 4], [4, 4, 4], [60, 62, 64], [80, 80, 80], sizes=[2, 1])
        >>> first.onset, second.onset
        (array([0, 8]), array([4]))
        """
        columns = _checked_columns(onset, duration, pitch, velocity)
        if sum(sizes) != len(columns[0]):
            raise ValueError(f"sizes of tracks must add up to {len(columns[0])} notes, got {sum(sizes)}")
        bounds = list(pairwise(accumulate(sizes, initial=0)))
        # Laid end to end in time, all tracks are put in order at once.
        laid = columns[0]
        if len(sizes) > 1:
            room = int(laid.max(initial=0)) + 1
            if room * len(sizes) > 2**55:
                return [cls(*(column[start:stop] for column in columns)) for start, stop in bounds]
            laid = laid + np.arange(0, room * len(sizes), room).repeat(sizes)
        columns = _in_order(columns, laid)
        tracks = [cls.__new__(cls) for _ in sizes]
        for track, (start, stop) in zip(tracks, bounds, strict=True):
            track._set([column[start:stop] for column in columns])
        return tracks

    @property
    def end(self) -> IntArray:
        """Ticks at which each note stops, shape (N,)."""
        return self.onset + self.duration

    def __len__(self) -> int:
        return len(self.onset)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Notes):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in NOTE_FIELDS)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name).tobytes() for name in NOTE_FIELDS))

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Notes:
        """The notes that a mask or an index array of shape (N,) picks."""
        return Notes(*(getattr(self, name)[keep] for name in NOTE_FIELDS))

    def replace(self, **columns: Any) -> Notes:
        """The same notes with some columns exchanged.

        >>> Notes.of([(0, 24, 60, 80)]).replace(pitch=[72]).pitch
        array([72])
        """
        return Notes(*(columns.get(name, getattr(self, name)) for name in NOTE_FIELDS))


NOTE_FIELDS = ("onset", "duration", "pitch", "velocity")


def _checked_columns(onset: Any, duration: Any, pitch: Any, velocity: Any) -> list[IntArray]:
    columns = [
        checked_ints(onset, "note onset", 0, MAX_TICK),
        checked_ints(duration, "note duration", 1, MAX_TICK),
        checked_ints(pitch, "note pitch", 0, 127),
        checked_ints(velocity, "note velocity", 1, 127),
    ]
    if not len(columns[0]) == len(columns[1]) == len(columns[2]) == len(columns[3]):
        raise ValueError(f"note arrays must have one length, got {[len(column) for column in columns]}")
    return columns


def _in_order(columns: list[IntArray], onset: IntArray) -> list[IntArray]:
    """The columns of notes in order, read-only, taking the notes to start at `onset`."""
    order = _order(onset, *columns[1:])
    if order is not None:
        columns = [column.take(order) for column in columns]
    for column in columns:
        column.flags.writeable = False
    return columns


def _order(onset: IntArray, duration: IntArray, pitch: IntArray, velocity: IntArray) -> IntArray | None:
    """The order of onset, pitch from high to low, duration, velocity; None if notes are in it."""
    # Onsets are below 2**56, durations below 2**41, pitches and velocities below 2**7.
    place = (onset << 7) - pitch
    if (place[1:] > place[:-1]).all():
        return None
    order = place.argsort(kind="stable")
    sorted_place = place.take(order)
    tied = sorted_place[1:] == sorted_place[:-1]
    if tied.any():
        # Few notes share onset and pitch, and those come from files in order: the full sort is seldom needed.
        rest = ((duration << 7) + velocity).take(order)
        if (tied & (rest[1:] < rest[:-1])).any():
            return np.lexsort((velocity, duration, place))
    return order


@dataclass(frozen=True, eq=False, slots=True)
class Spans:
    """Stretches of time: where the sustain pedal is down.

    Attributes:
        onset: ticks, >= 0, ascending, shape (N,).
        duration: ticks, >= 1, shape (N,); a span ends before the next one starts.
    """

    onset: IntArray
    duration: IntArray

    def __post_init__(self) -> None:
        onset = checked_ints(self.onset, "span onset", 0, MAX_TICK)
        duration = checked_ints(self.duration, "span duration", 1, MAX_TICK)
        if len(onset) != len(duration):
            raise ValueError(f"span arrays must have one length, got {len(onset)} and {len(duration)}")
        overlaps = onset[1:] < (onset + duration)[:-1]
        if overlaps.any():
            wrong = np.flatnonzero(overlaps)
            first, second = (f"[{onset[place]}, {onset[place] + duration[place]})" for place in wrong[0] + [0, 1])
            raise ValueError(f"spans must be in order and must not overlap, got {second} after {first}")
        for name, column in (("onset", onset), ("duration", duration)):
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    @classmethod
    @cache
    def none(cls) -> Spans:
        """No span at all; always the same object, which nothing can change."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def union(cls, onset: Any, duration: Any) -> Spans:
        """Spans from any stretches of time; those that overlap or touch become one.

        >>> Spans.union([0, 5, 20], [10, 10, 5]).duration
        array([15,  5])
        """
        onset, duration = np.asarray(onset, np.int64), np.asarray(duration, np.int64)
        order = np.argsort(onset, kind="stable")
        onset, end = onset[order], np.maximum.accumulate((onset + duration)[order]) if len(onset) else onset
        if not len(onset):
            return cls.none()
        first = np.concatenate(([True], onset[1:] > end[:-1]))
        starts = np.flatnonzero(first)
        last = np.concatenate((starts[1:], [len(onset)])) - 1
        return cls(onset[starts], end[last] - onset[starts])

    @property
    def end(self) -> IntArray:
        """Ticks at which each span stops, shape (N,)."""
        return self.onset + self.duration

    def __len__(self) -> int:
        return len(self.onset)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spans):
            return NotImplemented
        return np.array_equal(self.onset, other.onset) and np.array_equal(self.duration, other.duration)

    def __hash__(self) -> int:
        return hash((self.onset.tobytes(), self.duration.tobytes()))
