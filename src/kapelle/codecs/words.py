"""Words that several codecs have: the facts that open every piece, and how a vocabulary is kept in a style."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import StyleError
from ..music import IntArray, Key, Meter

TICKS_PER_QUARTER = 24
MAX_BAR = 16 * TICKS_PER_QUARTER
"""Ticks of the longest bar."""
MAX_BARS = 255
"""Pieces of more bars announce "bars many" and have no countdown."""
FAR = 65
"""The countdown says how many bars are left up to 64, and beyond that only that it is far."""

SHIFTS = tuple(range(-6, 6))
"""Semitones by which training may have transposed a piece."""


def _meters() -> tuple[str, ...]:
    every = (Meter(0, numerator, denominator) for denominator in (2, 4, 8, 16) for numerator in range(1, 17))
    return tuple(m.name for m in every if m.bar_length(TICKS_PER_QUARTER) <= MAX_BAR)


METERS = _meters()
KEYS = ("none", *(Key(0, tonic, mode).name for mode in ("major", "minor") for tonic in range(12)))
TEMPOS = tuple(sorted({round(20 * 1.03**step) for step in range(94)}))
"""Quarters per minute, 20 to 313, each about 3 % above the one before."""
TEMPO_RATES = np.array(TEMPOS)
PICKUP = 6
"""Ticks: pickups are told in sixteenths."""

HEADER = ("bars", "meter", "tempo", "key", "pickup")
"""The facts that open every piece, one step each, in this order."""
FACTS = (
    *(f"bars {count}" for count in range(1, MAX_BARS + 1)),
    "bars many",
    *(f"meter {name}" for name in METERS),
    *(f"tempo {tempo}" for tempo in TEMPOS),
    *(f"key {name}" for name in KEYS),
    *(f"pickup {ticks}" for ticks in range(0, MAX_BAR, PICKUP)),
)
"""The first kinds of a step in every vocabulary: what may be said of these facts."""


class Words:
    """A vocabulary whose column `kind` begins with FACTS; its fields are all that a style has to keep of it.

    Attributes:
        header: the facts that open a piece; those of HEADER, and what a codec has beside them.
        version: of the words that the fields stand for.
        names: those of the fields that hold names; all others hold numbers.
        programs: General MIDI programs that can be played.
    """

    header: ClassVar[tuple[str, ...]] = HEADER
    version: ClassVar[int]
    names: ClassVar[frozenset[str]] = frozenset()
    programs: tuple[int, ...]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # its kinds are dataclasses, which `fields` asks for

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What a step can be."""
        raise NotImplementedError

    @cached_property
    def kind_index(self) -> Mapping[str, int]:
        """The index of each kind."""
        return {kind: index for index, kind in enumerate(self.kinds)}

    @cached_property
    def header_ranges(self) -> dict[str, tuple[int, int]]:
        """For each header fact, the first of its kinds and one past the last."""
        ranges = {}
        for fact in self.header:
            indices = [index for index, kind in enumerate(self.kinds) if kind.startswith(fact + " ")]
            ranges[fact] = (indices[0], indices[-1] + 1)
        return ranges

    def nearest_program(self, program: int) -> int:
        """The program among those there are to play this one with: of its family if there is one."""
        return min(self.programs, key=lambda own: (own // 8 != program // 8, abs(own - program), own))

    @property
    def written_out(self) -> dict[str, Any]:
        """The words that the fields stand for, as plain values: a style that names others was made by other code."""
        return {"kinds": list(self.kinds)}

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, the words written out."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}
        return {"version": self.version, **plain, **self.written_out}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The vocabulary that `to_json` wrote.

        Raises:
            StyleError: if it is of a newer version, or its words are not the ones this version gives.
        """
        version = values.get("version", 0)
        if version > cls.version:
            raise StyleError(
                f"the vocabulary has version {version}, this Kapelle knows up to {cls.version}: update Kapelle"
            )
        try:
            own: dict[str, Any] = {field.name: values[field.name] for field in fields(cls)}
            own = {name: tuple(value) if isinstance(value, list) else value for name, value in own.items()}
            numbers = (value for name, value in own.items() if name not in cls.names and isinstance(value, tuple))
            if not all(isinstance(number, int) for value in numbers for number in value):
                raise ValueError("what should be a number is none")
            vocabulary = cls(**own)
        except (KeyError, TypeError, ValueError) as error:
            raise StyleError(f"the style's vocabulary is damaged ({error}): fetch or train the style again") from None
        written = vocabulary.written_out
        if written != {name: values.get(name) for name in written}:
            raise StyleError(
                "the style's vocabulary has other words than its version says: fetch or train the style again"
            )
        return vocabulary


def nearest(values: NDArray[Any] | float, words: NDArray[Any]) -> IntArray:
    """Index of the nearest of ascending `words` to each value, the lower one when two are as near."""
    return np.asarray(((words[1:] + words[:-1]) / 2).searchsorted(values))
