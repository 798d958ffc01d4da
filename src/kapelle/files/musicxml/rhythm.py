"""How stretches of time are written: note values, dots, ties, tuplets.

Times are ticks from the start of the bar as its metre counts it (a pickup starts late). Three ticks are the smallest
plain value; what does not fall on a multiple of three goes into a triplet or sextuplet that spans a half, a quarter,
an eighth or a sixteenth of the grid, whichever is the largest that fits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ...music import Meter

TYPES = {
    -3: "long", -2: "breve", -1: "whole", 0: "half", 1: "quarter", 2: "eighth", 3: "16th", 4: "32nd", 5: "64th",
    6: "128th", 7: "256th",
}  # fmt: skip
"""Names of 2 / 2**n quarters."""


@dataclass(frozen=True, slots=True)
class Value:
    """A note or rest as written.

    Attributes:
        start: ticks.
        length: ticks that it lasts.
        type: MusicXML's name, such as "eighth".
        dots: 0 or 1.
        tuplet: how many go into the time of how many, such as (3, 2); None outside tuplets.
        edges: where it stands in its tuplet: "start", "stop", both or none of them.
    """

    start: int
    length: int
    type: str
    dots: int = 0
    tuplet: tuple[int, int] | None = None
    edges: tuple[str, ...] = ()

    @property
    def flags(self) -> int:
        """Flags or beams: 1 for an eighth; 0 for a quarter and more."""
        return max(_FLAGS[self.type], 0)


_FLAGS = {name: number - 1 for number, name in TYPES.items()}


@dataclass(frozen=True, slots=True)
class Tuplet:
    """A stretch in which three units last as long as two, or six as four."""

    start: int
    length: int
    unit: int
    first: int = 0
    last: int = 0

    @property
    def ratio(self) -> tuple[int, int]:
        """Such as (3, 2)."""
        return (6, 4) if self.length == 6 * self.unit else (3, 2)

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.start + self.length


class Bar:
    """The beats of one metre on one grid."""

    def __init__(self, meter: Meter, quarter: int) -> None:
        self.quarter = quarter
        self.length = meter.bar_length(quarter)
        if meter.is_compound:
            self.beat = meter.beat_length(quarter)
        elif meter.numerator == 3 and meter.denominator >= 8:
            self.beat = self.length
        else:
            self.beat = quarter
        self.compound = meter.is_compound
        # The middle of 4/4 and 2/2 is kept visible.
        self.middle = 2 * quarter if not meter.is_compound and self.length == 4 * quarter else 0
        # Where a beam may hold the eighths of several beats together: halves of 4/4, all of 2/4 and 3/4.
        simple = not meter.is_compound and self.beat == quarter
        self.half_length = {4: 2, 2: 2, 3: 3}.get(self.length // quarter, 0) * quarter if simple else 0
        if self.length % quarter:
            self.half_length = 0
        self._plain = {
            ticks: (TYPES[number], dots)
            for number in range(-3, 8)
            for dots, ticks in self._lengths(number)
            if ticks % 3 == 0
        }

    def _lengths(self, number: int) -> Iterable[tuple[int, int]]:
        numerator = 2 * self.quarter * 2 ** max(-number, 0)
        divisor = 2 ** max(number, 0)
        if numerator % divisor == 0:
            yield 0, numerator // divisor
        if number >= -2 and 3 * numerator % (2 * divisor) == 0:
            yield 1, 3 * numerator // (2 * divisor)

    def group(self, tick: int) -> int:
        """The number of the beam group that a tick lies in: a beat, the last one taking in what is left over."""
        if self.length % self.beat and tick >= self.length - self.length % self.beat > 0:
            return max(self.length // self.beat - 1, 0)
        return tick // self.beat

    def half(self, tick: int) -> int:
        """The number of the stretch, of `half_length` ticks, that a tick lies in; -1 if there are none."""
        return tick // self.half_length if self.half_length else -1

    def values(self, spans: Sequence[tuple[int, int, bool]]) -> list[list[Value]]:
        """How each of some spans (start, stop, is it a rest), which follow on one another, is written."""
        if not spans:
            return []
        edges = [start for start, _, _ in spans] + [spans[-1][1]]
        # A bar that starts late or stops early may cut a tuplet; the bracket then spans what is there.
        tuplets = [
            replace(tuplet, first=max(tuplet.start, edges[0]), last=min(tuplet.stop, edges[-1]))
            for tuplet in self._tuplets(edges)
        ]
        written = []
        for start, stop, is_rest in spans:
            values: list[Value] = []
            at = start
            for tuplet in tuplets:
                if tuplet.stop <= at or tuplet.start >= stop:
                    continue
                values += self._plain_values(at, tuplet.start, is_rest)
                at = max(at, tuplet.start)
                values += self._tuplet_values(at, min(stop, tuplet.stop), tuplet)
                at = min(stop, tuplet.stop)
            values += self._plain_values(at, stop, is_rest)
            written.append(values)
        return written

    def _tuplets(self, edges: Sequence[int]) -> list[Tuplet]:
        first, last = edges[0], edges[-1]
        odd = [edge for edge in edges if edge % 3]
        if not odd:
            return []
        found: list[Tuplet] = []
        at = 0
        while at < last:
            size = 4 * self.quarter
            if self.compound:
                size = self.beat // 3
            while size > 3 and (at % size or at + size > max(self.length, last)):
                size //= 2
            size = max(size, 3)
            if at + size > first:
                found += self._search(at, size, edges)
            at += size
        return found

    def _search(self, start: int, size: int, edges: Sequence[int]) -> list[Tuplet]:
        stop = start + size
        inner = [edge - start for edge in edges[bisect_right(edges, start) :] if edge < stop]
        if not any(edge % 3 for edge in inner):
            return []
        half = size // 2
        if size % 3 == 0 and all(edge % (size // 3) == 0 for edge in inner):
            return [Tuplet(start, size, size // 3)]
        if size % 6 == 0 and size <= self.quarter and half not in inner:
            unit = size // 6
            if all(edge % unit == 0 for edge in inner):
                return [Tuplet(start, size, unit)]
        return self._search(start, half, edges) + self._search(start + half, half, edges)

    def _tuplet_values(self, start: int, stop: int, tuplet: Tuplet) -> list[Value]:
        values = []
        at = start
        while at < stop:
            units = (stop - at) // tuplet.unit
            # Five sixths, and nothing else, need two values: the longer one on the beat.
            if units == 5:
                units = 1 if (at - tuplet.start) // tuplet.unit % 2 else 4
            length = units * tuplet.unit
            kind, dots = _type_in_triplet(2 * length, self.quarter)
            edges = (("start",) if at == tuplet.first else ()) + (("stop",) if at + length == tuplet.last else ())
            values.append(Value(at, length, kind, dots, tuplet.ratio, edges))
            at += length
        return values

    def _plain_values(self, start: int, stop: int, is_rest: bool) -> list[Value]:
        values = []
        while start < stop:
            length = (self._rest if is_rest else self._note)(start, stop)
            kind, dots = self._plain[length]
            values.append(Value(start, length, kind, dots))
            start += length
        return values

    def _note(self, start: int, stop: int) -> int:
        """The length of the first of the tied notes that fill start..stop."""
        length = stop - start
        if length in self._plain:
            in_one_beat = start // self.beat == (stop - 1) // self.beat
            on_beats = start % self.beat == 0 and stop % self.beat == 0
            if in_one_beat or on_beats or self._syncopated(start, stop):
                return length
        cuts = []
        if self.middle and start < self.middle < stop:
            cuts.append(self.middle)
        if start % self.beat:
            cuts.append(start + self.beat - start % self.beat)
        elif stop % self.beat:
            cuts.append(stop - stop % self.beat)
        for cut in cuts:
            if start < cut < stop:
                return self._note(start, cut)
        # Inside a beat: from a late start first to where a longer value may stand.
        inside = start % self.beat
        size = self._longest(length)
        while inside and inside % size:
            size = self._longest(size - 3)
        return size

    def _syncopated(self, start: int, stop: int) -> bool:
        """Whether one note over a beat reads well: on half beats, and not over the middle of the bar."""
        if self.compound or (self.middle and start < self.middle < stop):
            return False
        half = self.beat // 2
        return stop - start < 2 * self.beat and start % half == 0 and stop % half == 0

    def _rest(self, start: int, stop: int) -> int:
        """The length of the first of the rests that fill start..stop: they show every beat."""
        length = stop - start
        inside = start % self.beat
        if inside == 0 and length >= self.beat:
            for beats in (2, 1):
                size = beats * self.beat
                if length >= size and size in self._plain and start % size == 0 and (beats == 1 or self.middle):
                    return size
        to_beat = min(length, self.beat - inside)
        size = self._longest(to_beat)
        while inside % size or _is_dotted(size):
            size = self._longest(size - 3)
        return size

    def _longest(self, length: int) -> int:
        return max(size for size in self._plain if size <= length)


def _is_dotted(ticks: int) -> bool:
    return ticks // 3 & (ticks // 3 - 1) != 0


@lru_cache(maxsize=256)
def _type_in_triplet(double: int, quarter: int) -> tuple[str, int]:
    """The name and dots of a value that lasts double / 2 ticks as two thirds of what it is called."""
    # Called 3/2 of its length; everything times four keeps it whole.
    called = 3 * double
    for number, name in TYPES.items():
        for dots in (0, 1):
            if called * 2**number * (2 if dots else 1) == 8 * quarter * (3 if dots else 1):
                return name, dots
    raise ValueError(f"no note value lasts {double / 2} of {quarter} ticks in a triplet")
