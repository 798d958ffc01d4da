"""The words of the bars codec: what each column of a step can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import CodecError, StyleError
from ...music import TRIADS, Meter
from ..words import METERS
from .drums import KIT, NAMES, NINE
from .hearing import HEARINGS, columns

KINDS = {
    "melody": ("melody",),
    "bass": ("bass",),
    "drums": ("drums",),
    "kit": ("drums",),
    "trio": ("lead", "bass", "drums"),
    "quartet": ("lead", "lead", "bass", "drums"),
    "band": ("lead", "guitar", "guitar", "keys", "strings", "winds", "bass", "drums"),
}
"""Who plays in a window of each kind; every part but the drums plays one note at a time."""
LOOSE = ("band",)
"""Kinds any of whose parts may be missing."""
USUAL = {"guitar": 29, "keys": 4, "strings": 48, "winds": 61, "bass": 33}
"""General MIDI program of a part that nobody plays; 0 of others."""
GRIDS = (4, 12)
"""Steps a quarter can have: sixteenths, or with triplets."""
MAX_BARS = 32
SILENT, HELD, STRUCK = 0, 1, 2
"""Words of a line; from STRUCK on there is one for each pitch, from low to high."""
VERSION = 2


class Field(NamedTuple):
    """What a column says: of which part, and of its event, its loudness or its timing; of drums also which key.

    Loudness and timing are only told with an event that strikes: their `event` is the column of it, which strikes from
    the word `strikes` on.
    """

    part: int
    what: str
    key: int = -1
    event: int = -1
    strikes: int = 1


@dataclass(frozen=True)
class Vocabulary:
    """The values that each column of a step can take; a step holds indices into them.

    Attributes:
        kind: of KINDS.
        bars: of a window, 1..MAX_BARS.
        per_quarter: steps in a quarter, of GRIDS.
        meters: names of the metres, whose bars are whole steps.
        low, high: pitches of the lines.
        velocities: 1..127, ascending; empty where loudness is not told.
        timing: words of timing each side of a step's own time; 0 where it is not told.
        programs: General MIDI program of each part; that of drums has no meaning.
        tempo: quarters per minute that windows are played in.
        chords: whether a window can be told a chord for each bar.
        hears: of HEARINGS, what may be heard of a window of drums before it is told; empty where nothing ever is.
    """

    kind: str = "melody"
    bars: int = 2
    per_quarter: int = 4
    meters: tuple[str, ...] = ("4/4",)
    low: int = 21
    high: int = 108
    velocities: tuple[int, ...] = ()
    timing: int = 0
    programs: tuple[int, ...] = ()
    tempo: float = 120.0
    chords: bool = False
    hears: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise CodecError(f"expected a kind of {', '.join(KINDS)}, got {self.kind!r}")
        if not 1 <= self.bars <= MAX_BARS:
            raise CodecError(f"expected windows of 1 to {MAX_BARS} bars, got {self.bars}")
        if self.per_quarter not in GRIDS or not self.meters or not 0 <= self.low <= self.high <= 127:
            raise ValueError("a vocabulary needs a grid, a metre and a range of pitches")
        if not all(1 <= velocity <= 127 for velocity in self.velocities) or not 0 <= self.timing <= 64:
            raise ValueError("velocities are 1..127, words of timing up to 64")
        if not all(bar_steps(name, self.per_quarter) for name in self.meters) or not 10 <= self.tempo <= 1000:
            raise ValueError("bars are whole steps and the tempo is 10..1000")
        if set(self.hears) - set(HEARINGS):
            raise CodecError(f"expected to hear {', '.join(HEARINGS)}, got {', '.join(self.hears)}")
        if self.hears and not (self.parts == ("drums",) and self.velocities and self.timing):
            raise CodecError("expected drums alone, with their dynamics, where something is to be heard of a window")
        usual = tuple(USUAL.get(part, 0) for part in self.parts)
        object.__setattr__(self, "programs", self.programs or usual)
        if len(self.programs) != len(self.parts):
            raise ValueError("each part has a program")

    @property
    def parts(self) -> tuple[str, ...]:
        """Who plays: names of the parts."""
        return KINDS[self.kind]

    @property
    def loose(self) -> bool:
        """Whether parts may be missing."""
        return self.kind in LOOSE

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """What the parts' tracks are called; each is found again by it."""
        return titles(self.parts)

    @property
    def lines(self) -> tuple[int, ...]:
        """Numbers of the parts that play one note at a time."""
        return tuple(number for number, name in enumerate(self.parts) if name != "drums")

    @property
    def reach(self) -> str:
        """What can be told at all, in words."""
        return f"pitches {self.low} to {self.high}" if self.lines else "drums"

    @property
    def drum_keys(self) -> tuple[int, ...]:
        """The drum keys that have a column."""
        return () if "drums" not in self.parts else KIT if self.kind == "kit" else NINE

    @cached_property
    def bar_steps(self) -> tuple[int, ...]:
        """Steps in a bar of each metre."""
        return tuple(bar_steps(name, self.per_quarter) for name in self.meters)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """What each column from `GIVEN` on says."""
        found: list[Field] = []
        for part, name in enumerate(self.parts):
            for key in self.drum_keys if name == "drums" else (-1,):
                event, strikes = len(found), STRUCK if key < 0 else 1
                found.append(Field(part, "event", key, -1, strikes))
                found += [Field(part, "loudness", key, event, strikes)] if self.velocities else []
                found += [Field(part, "timing", key, event, strikes)] if self.timing else []
        return tuple(found)

    @cached_property
    def hits(self) -> NDArray[np.int64]:
        """The columns of drums that are struck or silent."""
        return np.array([GIVEN + at for at, field in enumerate(self.fields) if field.key >= 0 and field.event < 0], int)

    @cached_property
    def line_columns(self) -> NDArray[np.int64]:
        """The columns in which lines are struck, held or silent."""
        return np.array([GIVEN + at for at, field in enumerate(self.fields) if field.key < 0 and field.event < 0], int)

    @property
    def first_heard(self) -> int:
        """The first of the columns that say what is heard, which stand last."""
        return GIVEN + len(self.fields)

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        told = [(self._called(field), self._words(field), False) for field in self.fields]
        return (
            ("meter", len(self.meters), True),
            ("bar", self.bars, True),
            ("position", max(self.bar_steps), True),
            *told,
            *((("chord", len(TRIADS), True),) if self.chords else ()),
            *(columns(self, tuple(name for name, size, _ in told if size == 2)) if self.hears else ()),
        )

    def as_before(self, column: int, before: NDArray[np.int32] | None) -> NDArray[np.int64]:
        """The word of a column of events that goes on as the rows (N, F) of the step before, shape (N,).

        A line is held or stays silent, a drum is not struck. At the start of windows, None, it is silence, shape (1,).
        """
        if before is None or self.fields[column - GIVEN].key >= 0:
            return np.zeros(1 if before is None else len(before), np.int64)
        return np.where(before[:, column] == SILENT, SILENT, HELD).astype(np.int64)

    def _words(self, field: Field) -> int:
        if field.what == "loudness":
            return len(self.velocities)
        if field.what == "timing":
            return 2 * self.timing
        return 2 if field.key >= 0 else STRUCK + self.high - self.low + 1

    def _called(self, field: Field) -> str:
        if field.key < 0:
            name = self.titles[field.part].lower()
        else:
            name = NAMES[NINE.index(field.key)] if self.drum_keys == NINE else f"drum {field.key}"
        return name if field.what == "event" else f"{name} {field.what}"

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"version": VERSION} | {name: list(v) if isinstance(v, tuple) else v for name, v in own.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `to_json` wrote.

        Raises:
            StyleError: if it is damaged or of a newer version.
        """
        try:
            version = values["version"]
            if version > VERSION:
                raise StyleError(
                    f"the vocabulary has version {version}, this Kapelle knows up to {VERSION}: update Kapelle"
                )
            # The first version knew no chords, and what is heard was added later.
            later = {"hears"} | ({"chords"} if version == 1 else set())
            own = {field.name: values[field.name] for field in fields(cls) if field.name not in later}
            own["hears"] = values.get("hears", ())
            for name, kind in (("meters", str), ("velocities", int), ("programs", int), ("hears", str)):
                own[name] = tuple(map(kind, own[name]))
            return cls(**own)
        except (KeyError, TypeError, ValueError, CodecError) as error:
            raise StyleError(f"the style's vocabulary is damaged ({error}): fetch or train the style again") from None


def titles(parts: Sequence[str]) -> tuple[str, ...]:
    """Names of parts, with a number where several are called the same."""
    numbers = [parts[: at + 1].count(part) for at, part in enumerate(parts)]
    return tuple(
        part.capitalize() + (f" {number}" if parts.count(part) > 1 else "")
        for part, number in zip(parts, numbers, strict=True)
    )


GIVEN = 3
"""Columns before the first that is chosen: metre, bar, position."""


def bar_steps(meter: str, per_quarter: int) -> int:
    """Steps in a bar; 0 for a metre that codecs do not know, or whose bars are no whole steps."""
    if meter not in METERS:
        return 0
    sign = Meter.parse(meter)
    steps, rest = divmod(4 * sign.numerator * per_quarter, sign.denominator)
    return 0 if rest else steps


def loud_beats(meter: str, per_quarter: int) -> np.ndarray:
    """How loud notes sound where loudness is not told, by their position in the bar: accents of the metre."""
    sign = Meter.parse(meter)
    velocity = np.full(bar_steps(meter, per_quarter), 72)
    beat = round(sign.beat_quarters * per_quarter)
    velocity[:: max(beat, 1)] = 84
    velocity[0] = 96
    return velocity
