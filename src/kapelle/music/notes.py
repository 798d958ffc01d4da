"""Notes as parallel integer arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

MAX_TICK = 2**40
"""No onset or end may lie beyond this; it keeps every sum and product below inside 64 bits."""


def frozen_ints(values: Any, name: str) -> IntArray:
    """A read-only int64 copy-if-needed of `values`, which must be one-dimensional and whole."""
    array = np.asarray(values)
    if array.size == 0:
        array = np.empty(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a one-dimensional array of integers, got {array.dtype} of shape {array.shape}"
        )
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def check_range(array: NDArray[Any], name: str, low: int, high: int) -> None:
    """Raise if a value lies outside `low`..`high`, naming the value."""
    if array.size and (array.min() < low or array.max() > high):
        wrong = array[(array < low) | (array > high)][0]
        raise ValueError(f"{name} must be {low}..{high}, got {wrong}")


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
        columns = [frozen_ints(getattr(self, name), f"note {name}") for name in NOTE_FIELDS]
        if len({len(column) for column in columns}) != 1:
            raise ValueError(f"note arrays must have one length, got {[len(column) for column in columns]}")
        onset, duration, pitch, velocity = columns
        check_range(onset, "note onset", 0, MAX_TICK)
        check_range(duration, "note duration", 1, MAX_TICK)
        check_range(pitch, "note pitch", 0, 127)
        check_range(velocity, "note velocity", 1, 127)
        if len(onset) > 1 and not _is_sorted(onset, pitch):
            order = np.lexsort((velocity, duration, -pitch, onset))
            columns = [column[order] for column in columns]
            for column in columns:
                column.flags.writeable = False
        for name, column in zip(NOTE_FIELDS, columns, strict=True):
            object.__setattr__(self, name, column)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, int]]) -> Notes:
        """Notes from rows of (onset, duration, pitch, velocity).

        >>> len(Notes.of([(0, 24, 60, 80), (24, 24, 62, 80)]))
        2
        """
        table = np.array(list(rows), dtype=np.int64).reshape(-1, 4)
        return cls(*table.T)

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


def _is_sorted(onset: IntArray, pitch: IntArray) -> bool:
    """Whether notes are in order and no two share onset and pitch; onsets are below 2**41, pitches below 2**7."""
    place = (onset << 7) - pitch
    return bool((place[1:] > place[:-1]).all())


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
        onset, duration = frozen_ints(self.onset, "span onset"), frozen_ints(self.duration, "span duration")
        if len(onset) != len(duration):
            raise ValueError(f"span arrays must have one length, got {len(onset)} and {len(duration)}")
        check_range(onset, "span onset", 0, MAX_TICK)
        check_range(duration, "span duration", 1, MAX_TICK)
        if len(onset) > 1 and bool((onset[1:] < (onset + duration)[:-1]).any()):
            raise ValueError("spans must be in order and must not overlap")
        object.__setattr__(self, "onset", onset)
        object.__setattr__(self, "duration", duration)

    @classmethod
    def none(cls) -> Spans:
        """No span at all."""
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
