"""Whether written measures add up to the metre, and where each starts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..errors import FileError


@dataclass(frozen=True, slots=True)
class Measure:
    """What stands between two bar lines.

    Attributes:
        length: quarters of notes and rests in it, > 0.
        bar: quarters that the metre asks for, > 0.
        opens_section: whether a repeat, a double bar or an ending begins with it; there a bar may be split.
    """

    length: Fraction
    bar: Fraction
    opens_section: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where measures stand.

    Attributes:
        pickup: quarters of an incomplete first bar, 0 for none.
        onsets: quarters from the start, one for each measure.
        restarts: measures at which the metre begins anew, the one before not having filled its bar.
    """

    pickup: Fraction
    onsets: tuple[Fraction, ...]
    restarts: frozenset[int] = frozenset()


def fit_bars(measures: Sequence[Measure], missing_lines: bool = False) -> Layout:
    """Lays measures out so that every bar line falls where the metre has one.

    The first measure may be short (a pickup), and so may the last. Inside, a bar may be split only where a
    section opens, its parts adding up. A section that closes short, because its repeat would lead back to
    the pickup, and is followed by a whole bar is filled with a rest.

    Args:
        measures: in order.
        missing_lines: whether bar lines may be missing, as at the ends of lines in some collections: then a
            measure may hold several bars.

    Raises:
        FileError: if they do not add up.

    >>> whole, half = Fraction(4), Fraction(2)
    >>> layout = fit_bars([Measure(half, whole, True), Measure(whole, whole, False), Measure(half, whole, False)])
    >>> int(layout.pickup), [int(onset) for onset in layout.onsets]
    (2, [0, 2, 6])
    """
    onsets: list[Fraction] = []
    pickup = filled = at = Fraction(0)
    for index, measure in enumerate(measures):
        if filled and measure.opens_section and measure.length == measure.bar:
            at += measure.bar - filled
            filled = Fraction(0)
        elif filled and not measure.opens_section:
            raise FileError("a bar is too short for its metre")
        onsets.append(at)
        at += measure.length
        filled += measure.length
        if missing_lines and filled > measure.bar:
            filled %= measure.bar
            if not filled:
                continue
        if filled > measure.bar:
            raise FileError("a bar is too long for its metre")
        if filled == measure.bar:
            filled = Fraction(0)
        elif index == 0 and len(measures) > 1:
            pickup, filled = filled, Fraction(0)
    return Layout(pickup, tuple(onsets))


def as_written(measures: Sequence[Measure]) -> Layout:
    """Lays measures out one after another, whether they add up or not.

    A first measure that is short is a pickup. After any other that does not fill its bar the metre begins anew.

    Args:
        measures: in order.

    >>> bar = Fraction(4)
    >>> sorted(as_written([Measure(bar, bar, True), Measure(bar / 2, bar, False), Measure(bar, bar, False)]).restarts)
    [2]
    """
    onsets = [Fraction(0), *itertools.accumulate(measure.length for measure in measures)][: len(measures)]
    has_pickup = len(measures) > 1 and measures[0].length < measures[0].bar
    uneven = {at + 1 for at, measure in enumerate(measures[:-1]) if measure.length != measure.bar}
    return Layout(measures[0].length if has_pickup else Fraction(0), tuple(onsets), frozenset(uneven - {has_pickup}))
