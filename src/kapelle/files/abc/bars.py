"""The bars of one voice of a tune in ABC notation: notes, chords, rests, tuplets, ties, accidentals, endings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from ...errors import FileError
from ...music import Meter
from .fields import KeyField, shift_of

MAX_QUARTERS = 100_000

_FINEST = 384
"""Lengths are multiples of 1/n quarter with n up to this, so that sums of them stay short fractions."""

_PITCHES = dict(zip("CDEFGABcdefgab", (60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83), strict=True))
_PITCH = r"(?P<accidental>[\^_=]{0,2})(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
_LENGTH = r"(?P<length>\d*/*\d*)"
TOKEN = re.compile(
    rf"""
     "[^"]*"?                                               # chord symbols, fingerings, remarks
    |\{{[^{{}}]*\}}?                                        # grace notes
    |![^!\s]*!|\+[^+\s]*\+                                  # named ornaments
    |(?P<field>\[(?P<mark>[A-Za-z]):(?P<value>[^\[\]]*)\])
    |(?P<bar>(?P<line>:*\[?\|[|:\]]*|::+)(?P<number>\d*))   # a bar line, with the number of an ending behind it
    |(?P<ending>\[(?P<which>\d+))
    |(?P<tuplet>\((?P<notes>\d{{1,2}})(?::(?P<time>\d{{0,2}}))?(?::(?P<count>\d{{0,3}}))?)
    |(?P<event>(?:\[(?P<chord>[^\[\]|]*)\]|[zx]|{_PITCH}){_LENGTH})
    |(?P<rest>Z(?P<bars>\d*))
    |(?P<broken>>+|<+)
    |(?P<tie>-)
    |(?P<overlay>&)
    """,
    re.VERBOSE,
)
_NOTE = re.compile(_PITCH + _LENGTH)
_IN_TIME = {1: 1, 2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""In the time of how many notes a tuplet of so many stands; for others that depends on the metre."""


@dataclass(slots=True)
class Event:
    """A note, a chord or a rest.

    Attributes:
        start: quarters from its bar's start.
        length: quarters, >= 0.
        pitches: MIDI numbers; none for a rest.
        tied: whether it goes on in the next one.
    """

    start: Fraction
    length: Fraction
    pitches: tuple[int, ...]
    tied: bool = False


@dataclass(slots=True)
class Bar:
    """What stands between two bar lines; `length` in quarters, `ending` 0 outside of endings."""

    meter: tuple[int, int] | None
    key: tuple[int, str] | None
    quarters_per_minute: float | None
    opens_section: bool
    ending: int
    events: list[Event] = field(default_factory=list)
    length: Fraction = Fraction(0)


@dataclass(slots=True)
class Signs:
    """What holds until it is changed: in the heading for all voices, in the tune for one."""

    meter: tuple[int, int] | None = None
    unit: Fraction | None = None
    key: KeyField = field(default_factory=KeyField)
    quarters_per_minute: float | None = None
    program: int | None = None
    is_drum: bool = False


class Bars:
    """Gathers the notes of one voice into bars as tokens pass by."""

    def __init__(self, signs: Signs) -> None:
        self.signs = signs
        self.bars: list[Bar] = []
        self._bar: Bar | None = None
        self._at = self._total = Fraction(0)
        self._written: dict[str, int] = {}
        self._opens_section = False
        self._ending = 0
        self._accidentals: dict[str, int] = {}
        self._tuplet, self._in_tuplet = Fraction(1), 0
        self._last: Event | None = None
        self._factor = Fraction(1)

    @property
    def has_music(self) -> bool:
        """Whether a note or a rest has come."""
        return self._last is not None

    def take(self, token: re.Match[str]) -> None:
        """Take in one token of music."""
        kind = token.lastgroup
        if kind == "event":
            self._event(token)
        elif kind == "bar":
            self._bar_line(token["line"], token["number"])
        elif kind == "ending":
            self._bar_line("[", token["which"])
        elif kind == "rest":
            self._rest(_number(token["bars"] or "1"))
        elif kind == "tuplet":
            self._start_tuplet(int(token["notes"]), token["time"], token["count"])
        elif kind == "broken":
            self._break(token["broken"])
        elif kind == "tie" and self._last is not None:
            self._last.tied = True
        elif kind == "overlay":
            self._at = Fraction(0)

    def close(self) -> None:
        """End the bar at hand."""
        if self._bar is not None:
            self._bar.length = max(event.start + event.length for event in self._bar.events)
        if self._bar is not None and self._bar.length > 0:
            self.bars.append(self._bar)
            self._total += self._bar.length
            if self._total > MAX_QUARTERS:
                raise FileError(f"a tune in ABC may have {MAX_QUARTERS:,} quarters, this one has more")
        self._bar, self._at = None, Fraction(0)
        self._accidentals.clear()

    def _event(self, token: re.Match[str]) -> None:
        length = _length(token["length"])
        notes = [token] if token["letter"] else list(_NOTE.finditer(token["chord"] or ""))
        if token["chord"] is not None:
            if not notes:
                return
            length *= _length(notes[0]["length"])
        pitches = self._pitches(notes)
        if self._in_tuplet:
            length *= self._tuplet
            self._in_tuplet -= 1
        length *= self._factor * (self.signs.unit or Fraction(1, 2))
        self._factor = Fraction(1)
        self._add(length.limit_denominator(_FINEST), pitches, "-" in (token["chord"] or ""))

    def _add(self, length: Fraction, pitches: tuple[int, ...] = (), tied: bool = False) -> None:
        if self._bar is None:
            signs = self.signs
            self._bar = Bar(
                signs.meter, signs.key.signature, signs.quarters_per_minute, self._opens_section, self._ending
            )
            self._opens_section = False
        self._last = Event(self._at, length, pitches, tied)
        self._bar.events.append(self._last)
        self._at += length

    def _pitches(self, notes: list[re.Match[str]]) -> tuple[int, ...]:
        """The pitches as they sound, ascending.

        An accidental holds to the end of its bar, in its octave, and for a note that is tied into the next bar.
        """
        before = self._written if self._last is not None and self._last.tied else {}
        self._written, pitches = {}, set()
        for note in notes:
            letter, octave = note["letter"], note["octave"]
            place = letter + octave
            if note["accidental"]:
                self._accidentals[place] = shift_of(note["accidental"])
            usual = before.get(place, self.signs.key.shifts.get(letter.upper(), 0))
            self._written[place] = shift = self._accidentals.get(place, usual)
            pitches.add(_PITCHES[letter] + shift + 12 * (octave.count("'") - octave.count(",")))
            if min(pitches) < 0 or max(pitches) > 127:
                raise FileError(f"expected notes in the range of MIDI, 0 to 127, got {note[0][:20]}")
        return tuple(sorted(pitches))

    def _bar_line(self, line: str, number: str) -> None:
        self.close()
        if number:
            self._ending = _number(number)
            self._opens_section = True
        elif line != "|":
            self._ending = 0
            self._opens_section = True

    def _rest(self, bars: int) -> None:
        """Rests of whole bars, the last of which the next bar line ends."""
        whole = Fraction(4 * self.signs.meter[0], self.signs.meter[1]) if self.signs.meter else Fraction(4)
        if bars * whole > MAX_QUARTERS:
            raise FileError(f"a tune in ABC may have {MAX_QUARTERS:,} quarters, this one has more")
        for index in range(bars):
            if index:
                self.close()
            self._add(whole)

    def _start_tuplet(self, notes: int, time: str | None, count: str | None) -> None:
        meter = self.signs.meter
        usual = _IN_TIME.get(notes, 3 if meter and Meter(0, *meter).is_compound else 2)
        self._tuplet = Fraction(int(time or usual), notes or 1)
        self._in_tuplet = int(count or notes)

    def _break(self, signs: str) -> None:
        """Give half of a note's length, or more for more signs, to its neighbour."""
        if self._last is None or self._bar is None:
            return
        short = Fraction(1, 2 ** min(len(signs), 3))
        before, self._factor = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
        self._at += self._last.length * (before - 1)
        self._last.length *= before


def _number(digits: str) -> int:
    """A number as ABC writes them; nobody means more than six digits."""
    if len(digits) > 6:
        raise FileError(f"expected a number of up to six digits, got {digits[:20]}")
    return int(digits)


def _length(text: str) -> Fraction:
    """A length in units: "3/2", "3", "/" for a half, "//" for a quarter, "" for one."""
    above, _, below = text.partition("/")
    slashes = text.count("/")
    below = below.lstrip("/")
    divisor = _number(below) if below else 2 ** min(slashes, 10)
    return Fraction(_number(above or "1"), divisor or 1)
