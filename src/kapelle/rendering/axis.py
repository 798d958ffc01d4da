"""Numbers along a line: where they stand, which of them are written, and curves cut into what a pen can draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of numbers laid over a stretch of pixels.

    Attributes:
        low, high: the numbers at its ends, finite, low < high.
        start, stop: the pixels of `low` and of `high`; an upward axis has start > stop.
    """

    low: float
    high: float
    start: float
    stop: float

    def place(self, values: FloatArray | float) -> FloatArray:
        """The pixels of numbers, to a tenth; numbers beyond the ends stand at the ends."""
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return np.round(self.start + share * (self.stop - self.start), 1)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most `most` + 1 round numbers between the ends, evenly spaced, each as it is written.

        >>> Axis(0.9, 4.2, 0, 100).ticks(4)
        [(1.0, '1'), (2.0, '2'), (3.0, '3'), (4.0, '4')]
        """
        step = self.step(most)
        first, last = math.ceil(self.low / step - 1e-6), math.floor(self.high / step + 1e-6)
        return [(number * step, figure(number * step, step)) for number in range(first, last + 1)]

    def step(self, most: int) -> float:
        """The round number of which at most `most` fit between the ends."""
        return round_step((self.high - self.low) / most)


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`, which must be above 0.

    >>> round_step(0.13), round_step(70)
    (0.2, 100.0)
    """
    power = math.floor(math.log10(least))
    digit = next(digit for digit in (1, 2, 5, 10) if digit * 10.0**power >= least * (1 - 1e-9))
    return float(f"{digit}e{power}")


def figure(value: float, step: float) -> str:
    """A number with as many decimals as a step of the axis has; very small and very large ones with a power of ten.

    >>> figure(1.5, 0.5), figure(-2000, 500), figure(3e-5, 1e-5), figure(0, 1e-5)
    ('1.5', '-2,000', '3e-5', '0')
    """
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0)
    if abs(value) < step / 1e3:
        return "0"
    if decimals > 4 or abs(value) >= 1e6:
        digits = max(math.floor(math.log10(abs(value))) - math.floor(math.log10(step) + 1e-9), 0)
        mantissa, power = f"{value:.{digits}e}".split("e")
        return f"{mantissa}e{int(power)}"
    return f"{value:,.{decimals}f}"


def short(value: float) -> str:
    """A number in three digits.

    >>> short(0.00031), short(12.345), short(-3e-5), short(1.5e7)
    ('0.00031', '12.3', '-3e-5', '1.5e7')
    """
    mantissa, _, power = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(power)}" if power else mantissa


def stretches(across: Axis, up: Axis, x: FloatArray, y: FloatArray) -> list[FloatArray]:
    """A curve in pixels, in unbroken stretches, with one row for all neighbours that share a pixel column.

    Rows are (x, mean of y, least y, greatest y). A value that is not finite breaks the curve, and so does a step back,
    which is where a run went on from an earlier point.

    Args:
        across, up: the axes.
        x: finite, shape (T,).
        y: any numbers, shape (T,).
    """
    kept = np.flatnonzero(np.isfinite(y))
    if not len(kept):
        return []
    left, down = across.place(x[kept]), up.place(y[kept])
    broken = (np.diff(kept) > 1) | (np.diff(x[kept]) < 0)
    starts = np.flatnonzero(np.r_[True, broken | (np.diff(np.floor(left)) != 0)])
    counts = np.diff(np.r_[starts, len(kept)])
    means = (np.round(np.add.reduceat(column, starts) / counts, 1) for column in (left, down))
    rows = np.column_stack([*means, np.minimum.reduceat(down, starts), np.maximum.reduceat(down, starts)])
    return np.split(rows, np.flatnonzero(broken[starts[1:] - 1]) + 1)
