"""The words of the chorale codec: what each column of a step can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...errors import StyleError
from ...music.partwriting import VOICES
from ..events.vocabulary import FAR, KEYS, MAX_BAR, MAX_BARS, METERS, SHIFTS, TEMPOS
from . import lines

TICKS_PER_QUARTER = 24
STEP = 6
"""Ticks of a sixteenth, which is one step."""

HEADER = ("bars", "meter", "tempo", "key", "pickup", *VOICES)
"""The facts that open every piece, one step each, in this order; of each voice who sings or plays it."""

NOBODY = "nobody"

PHRASE = 96
"""Sixteenths: how far ahead a fermata can be told, six bars of 4/4."""

VERSION = 2


@dataclass(frozen=True)
class Vocabulary:
    """The values that each column of a step can take; a step holds indices into them.

    Attributes:
        low: the lowest pitch.
        high: the highest pitch.
        programs: General MIDI programs of the voices.
    """

    low: int = 0
    high: int = 127
    programs: tuple[int, ...] = tuple(range(128))

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high <= 127 and self.programs):
            raise ValueError("a vocabulary needs a range of pitches and a program")

    @property
    def heights(self) -> int:
        """How many pitches there are."""
        return self.high - self.low + 1

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What a step can be: a fact of the header, a sixteenth, one that begins a new metre, or the end."""
        return (
            *(f"bars {count}" for count in range(1, MAX_BARS + 1)),
            "bars many",
            *(f"meter {name}" for name in METERS),
            *(f"tempo {tempo}" for tempo in TEMPOS),
            *(f"key {name}" for name in KEYS),
            *(f"pickup {ticks}" for ticks in range(0, MAX_BAR, STEP)),
            *(f"{voice} {who}" for voice in VOICES for who in (NOBODY, *self.programs)),
            "sixteenth",
            "end",
        )

    @cached_property
    def kind_index(self) -> Mapping[str, int]:
        """The index of each kind."""
        return {kind: index for index, kind in enumerate(self.kinds)}

    @cached_property
    def header_ranges(self) -> dict[str, tuple[int, int]]:
        """For each header fact, the first of its kinds and one past the last."""
        ranges = {}
        for fact in HEADER:
            indices = [index for index, kind in enumerate(self.kinds) if kind.startswith(fact + " ")]
            ranges[fact] = (indices[0], indices[-1] + 1)
        return ranges

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        before, voices = lines.columns(self.heights)
        facts = (
            ("position", MAX_BAR // STEP, True),
            ("remaining", FAR + 1, True),
            ("meter", len(METERS), True),
            ("key", len(KEYS), True),
            ("shift", len(SHIFTS), True),
            ("tonic", 13, True),
            *((f"degree {voice}", 13, True) for voice in VOICES),
        )
        size, of_voices = lines.FOLLOWING, list[tuple[str, int, bool]]()
        for place, own in enumerate(lines.ORDER):
            of_voices += [*voices[size * place : size * (place + 1)], (f"now {VOICES[own]}", 13, True)]
        fermatas = (("phrase", PHRASE + 1, False), ("until", PHRASE + 1, True))
        return (*facts, *before, ("kind", len(self.kinds), False), *fermatas, *of_voices)

    def tonic(self, key: int) -> int:
        """The word of the column `tonic` in a key of `KEYS`: 1 and the lowest height that is the tonic; 0 for none."""
        return 0 if key == 0 else 1 + ((key - 1) % 12 - self.low) % 12

    def nearest_program(self, program: int) -> int:
        """The program among those there are to play this one with: of its family if there is one."""
        return min(self.programs, key=lambda own: (own // 8 != program // 8, abs(own - program), own))

    def folded(self, pitch: int) -> int:
        """The pitch, or if it is out of range the nearest one in range that is octaves away, or the border."""
        if pitch < self.low:
            pitch += 12 * -((pitch - self.low) // 12)
        elif pitch > self.high:
            pitch -= 12 * -((self.high - pitch) // 12)
        return min(max(pitch, self.low), self.high)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, the kinds written out."""
        own = {"low": self.low, "high": self.high, "programs": list(self.programs)}
        return {"version": VERSION, **own, "kinds": list(self.kinds)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that `to_json` wrote.

        Raises:
            StyleError: if it is of a newer version, or its words are not the ones this version gives.
        """
        version = values.get("version", 0)
        if version > VERSION:
            raise StyleError(
                f"the vocabulary has version {version}, this Kapelle knows up to {VERSION}: update Kapelle"
            )
        try:
            vocabulary = cls(int(values["low"]), int(values["high"]), tuple(map(int, values["programs"])))
        except (KeyError, TypeError, ValueError) as error:
            raise StyleError(f"the style's vocabulary is damaged ({error}): fetch or train the style again") from None
        if list(vocabulary.kinds) != values.get("kinds"):
            raise StyleError(
                "the style's vocabulary has other words than its version says: fetch or train the style again"
            )
        return vocabulary
