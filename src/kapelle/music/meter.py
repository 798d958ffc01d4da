"""Metre: bars and beats on the tick axis, for every time signature, pickups included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .notes import MAX_TICK, IntArray, check_int


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature from `onset` (ticks) on.

    >>> Meter.parse("6/8").bar_length(ticks_per_quarter=24)
    72
    """

    onset: int = 0
    numerator: int = 4
    denominator: int = 4

    def __post_init__(self) -> None:
        check_int(self.onset, "meter onset", 0, MAX_TICK)
        check_int(self.numerator, "meter numerator", 1, 64)
        if self.denominator not in (1, 2, 4, 8, 16, 32, 64):
            raise ValueError(f"meter denominator must be one of 1, 2, 4, 8, 16, 32 and 64, got {self.denominator}")

    @classmethod
    def parse(cls, text: str, onset: int = 0) -> Meter:
        """A metre from its name, such as "3/4".

        Raises:
            ValueError: if it is none.
        """
        match = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*", text)
        if match is None:
            raise ValueError(f"expected a metre such as 3/4 or 6/8, got {text!r}")
        try:
            return cls(onset, int(match[1]), int(match[2]))
        except ValueError:
            # A score may have more, but the codecs that compose have not.
            bounds = "1 to 16 over 2, 4, 8 or 16, at most 4 whole notes long"
            raise ValueError(f"expected a metre such as 3/4 or 6/8, {bounds}; got {text.strip()}") from None

    @property
    def name(self) -> str:
        """Such as "3/4"."""
        return f"{self.numerator}/{self.denominator}"

    @property
    def bar_quarters(self) -> float:
        """Quarters in a bar: 3.0 for 6/8."""
        return 4 * self.numerator / self.denominator

    @property
    def is_compound(self) -> bool:
        """Whether a beat is a dotted note: 6/8, 9/8, 12/8, 6/16 and so on."""
        return self.denominator >= 8 and self.numerator % 3 == 0 and self.numerator > 3

    @property
    def beat_quarters(self) -> float:
        """Quarters in a beat: 1.5 in 6/8, 2.0 in 2/2, 1.0 in 3/4."""
        return (12 if self.is_compound else 4) / self.denominator

    def bar_length(self, ticks_per_quarter: int) -> int:
        """Ticks in a bar, at least 1."""
        return max(1, 4 * ticks_per_quarter * self.numerator // self.denominator)

    def beat_length(self, ticks_per_quarter: int) -> int:
        """Ticks in a beat, at least 1."""
        return max(1, round(self.beat_quarters * ticks_per_quarter))


def bar_starts(meters: Sequence[Meter], pickup: int, ticks_per_quarter: int, until: int) -> IntArray:
    """Where bars start, and where the last one stops.

    Args:
        meters: in order of onset, the first at 0.
        pickup: ticks of an incomplete first bar, 0 for none.
        ticks_per_quarter: the unit of time.
        until: ticks that the bars must cover; at least one bar is given.

    Returns:
        Ascending ticks, shape (bars + 1,): the last element is the end of the last bar. A metre that
        changes inside a bar cuts that bar short. With a pickup, the first bar is [0, pickup).

    >>> bar_starts([Meter()], pickup=24, ticks_per_quarter=24, until=200)
    array([  0,  24, 120, 216])
    """
    until = max(until, 1)
    pieces = [np.zeros(1, np.int64)] if pickup else []
    for index, meter in enumerate(meters):
        start = max(meter.onset, pickup)
        last = index + 1 == len(meters)
        stop = until if last else max(meters[index + 1].onset, pickup)
        length = meter.bar_length(ticks_per_quarter)
        if last:
            covered = max(-(-(stop - start) // length), 0)
            if covered == 0 and not pieces:
                covered = 1
            pieces.append(start + length * np.arange(covered + 1, dtype=np.int64))
        elif stop > start:
            if start >= until:
                pieces.append(np.array([start], np.int64))
                break
            pieces.append(np.arange(start, min(stop, until), length, dtype=np.int64))
            if stop >= until:
                end = start + length * max(-(-(until - start) // length), 1)
                pieces.append(np.array([min(end, stop)], np.int64))
                break
    starts = np.concatenate(pieces)
    if len(starts) == 1:
        starts = np.append(starts, starts[0] + meters[0].bar_length(ticks_per_quarter))
    return starts
