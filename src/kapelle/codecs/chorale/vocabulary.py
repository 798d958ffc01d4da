"""The words of the chorale codec: what each column of a step can say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ...music.partwriting import VOICES
from .. import words
from ..words import FACTS, FAR, KEYS, MAX_BAR, METERS, SHIFTS, Words
from . import lines

STEP = 6
"""Ticks of a sixteenth, which is one step."""

HEADER = (*words.HEADER, *VOICES)
"""The facts that open every piece, one step each, in this order; of each voice who sings or plays it."""

NOBODY = "nobody"

PHRASE = 96
"""Sixteenths: how far ahead a fermata can be told, six bars of 4/4."""


@dataclass(frozen=True)
class Vocabulary(Words):
    """The values that each column of a step can take; a step holds indices into them.

    Attributes:
        low: the lowest pitch.
        high: the highest pitch.
        programs: General MIDI programs of the voices.
    """

    header: ClassVar[tuple[str, ...]] = HEADER
    version: ClassVar[int] = 2

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
            *FACTS,
            *(f"{voice} {who}" for voice in VOICES for who in (NOBODY, *self.programs)),
            "sixteenth",
            "end",
        )

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

    def folded(self, pitch: int) -> int:
        """The pitch, or if it is out of range the nearest one in range that is octaves away, or the border."""
        if pitch < self.low:
            pitch += 12 * -((pitch - self.low) // 12)
        elif pitch > self.high:
            pitch -= 12 * -((self.high - pitch) // 12)
        return min(max(pitch, self.low), self.high)
