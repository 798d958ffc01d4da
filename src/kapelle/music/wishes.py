"""What a user may ask of a piece. Composing holds to it in every note."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from .key import Key, spell
from .meter import Meter
from .notes import check_int
from .partwriting import RULES

LEAVE_IT = "leave it out, and the style chooses"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What must hold of a composed piece; None leaves the choice to the style.

    Attributes:
        bars: whole bars, >= 1, a pickup not counted.
        notes: notes, >= 1.
        seconds: playing time, > 0.
        key: key and mode; every pitched note is of its scale.
        meter: the metre throughout.
        tempo: beats per minute, a beat being what the metre says (a dotted quarter in 6/8).
        low: lowest pitch, a MIDI number.
        high: highest pitch, a MIDI number.
        polyphony: how many notes may sound at once in all pitched tracks, >= 1.
        monophonic: whether each pitched track plays one note at a time, as a voice or a fiddle does.
        lineup: the program of each track, 128 for drums, in any order; a program that stands there twice may
            play two tracks.
        fermatas: the bars, from 1 on and ascending, in which a line ends with a fermata; in no others one does.
        rules: of part-writing, of `partwriting.RULES`; where no note is left that keeps to all of them, some give way.

    At most one of `bars`, `notes` and `seconds` says how long the piece is.
    """

    bars: int | None = None
    notes: int | None = None
    seconds: float | None = None
    key: Key | None = None
    meter: Meter | None = None
    tempo: float | None = None
    low: int = 0
    high: int = 127
    polyphony: int | None = None
    monophonic: bool = False
    lineup: tuple[int, ...] | None = None
    fermatas: tuple[int, ...] | None = None
    rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(length is not None for length in (self.bars, self.notes, self.seconds)) > 1:
            raise ValueError("expected one length: bars, notes or seconds, got several; leave all but one out")
        for name, most in (("bars", 10_000), ("notes", 100_000), ("polyphony", 1_000)):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Integral) and 1 <= int(value) <= most):
                raise ValueError(f"expected {name} as a whole number from 1 to {most:,}, got {value}; {LEAVE_IT}")
        if self.seconds is not None and not 0 < self.seconds <= 36_000:
            raise ValueError(f"expected seconds above 0 and up to 36,000, got {self.seconds:g}; {LEAVE_IT}")
        if self.tempo is not None and not 10 <= self.tempo <= 400:
            raise ValueError(f"expected a tempo from 10 to 400 beats a minute, got {self.tempo:g}")
        check_int(self.low, "the lowest pitch", 0, 127)
        check_int(self.high, "the highest pitch", 0, 127)
        if self.low > self.high:
            low, high = ("{}{} ({})".format(*spell(pitch, Key()), pitch) for pitch in (self.low, self.high))
            raise ValueError(f"expected a range from low to high, got {low} to {high}; write the lower pitch first")
        for rule in self.rules:
            if rule not in RULES:
                raise ValueError(f"expected rules of {', '.join(RULES)}, got {rule!r}")
        for bar in self.fermatas or ():
            check_int(bar, "the bar of a fermata", 1, 10_000)
        if self.fermatas is not None and sorted(set(self.fermatas)) != list(self.fermatas):
            raise ValueError(f"expected the bars of the fermatas in order and once each, got {list(self.fermatas)}")
        for program in self.lineup or ():
            check_int(program, "a program of the line-up", 0, 128)
