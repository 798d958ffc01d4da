"""The words of the frames codec: what each column of a step can say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ...music import IntArray
from .. import words
from ..words import FACTS, FAR, KEYS, MAX_BAR, METERS, SHIFTS, TICKS_PER_QUARTER, Words, nearest

GRIDS = (4, 12, 24)
"""Frames a quarter can have: sixteenths, with triplets of eighths and sixteenths, with those of 32nds."""
LOW, HIGH = 21, 108
"""The 88 keys of a piano."""
DRUMS = tuple(range(35, 82))
"""The drum keys of General MIDI."""
VELOCITIES = tuple(range(8, 128, 16))
"""The classes of loudness."""

HEADER = (*words.HEADER, "program")
"""The facts that open every piece, one step each, in this order."""
NOBODY = "none"
"""The program of a piece that has drums alone."""

SILENT, HELD, STRUCK = 0, 1, 2
"""Words of a key; from STRUCK on there is one for each class of loudness."""


@dataclass(frozen=True)
class Vocabulary(Words):
    """The values that each column of a step can take; a step holds indices into them.

    Attributes:
        per_quarter: frames in a quarter, of GRIDS.
        low: the lowest pitch.
        high: the highest pitch.
        drums: drum keys, ascending; empty where the style has no drums.
        programs: General MIDI programs; empty where it has drums alone.
        velocities: 1..127, ascending.
        manners: that can be mixed, such as composers; empty where all music is of one.
    """

    header: ClassVar[tuple[str, ...]] = HEADER
    version: ClassVar[int] = 2
    names: ClassVar[frozenset[str]] = frozenset({"manners"})

    per_quarter: int = TICKS_PER_QUARTER
    low: int = LOW
    high: int = HIGH
    drums: tuple[int, ...] = DRUMS
    programs: tuple[int, ...] = tuple(range(128))
    velocities: tuple[int, ...] = VELOCITIES
    manners: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.per_quarter not in GRIDS:
            raise ValueError(f"a quarter has {', '.join(map(str, GRIDS))} frames, got {self.per_quarter}")
        if not 0 <= self.low <= self.high <= 127 or not self.velocities or not (self.programs or self.drums):
            raise ValueError("a vocabulary needs a range of pitches, a loudness, and an instrument or a drum")

    @property
    def frame(self) -> int:
        """Ticks of a frame."""
        return TICKS_PER_QUARTER // self.per_quarter

    @cached_property
    def pitches(self) -> tuple[int, ...]:
        """The pitches that have a column, ascending."""
        return tuple(range(self.low, self.high + 1)) if self.programs else ()

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What a step can be: a fact of the header, a frame, one that begins a new metre, or the end."""
        return (
            *FACTS,
            *((f"program {NOBODY}",) if self.drums else ()),
            *(f"program {program}" for program in self.programs),
            "frame",
            "end",
        )

    @cached_property
    def layout(self) -> tuple[tuple[str, int, bool], ...]:
        """For each column its name, how many words it has, and whether it is given for free."""
        return (
            ("position", MAX_BAR // self.frame, True),
            ("remaining", FAR + 1, True),
            ("meter", len(METERS), True),
            ("key", len(KEYS), True),
            ("shift", len(SHIFTS), True),
            ("manner", max(len(self.manners), 1), True),
            ("kind", len(self.kinds), False),
            *((f"pitch {pitch}", STRUCK + len(self.velocities), False) for pitch in self.pitches),
            *((f"drum {key}", STRUCK + len(self.velocities), False) for key in self.drums),
        )

    @cached_property
    def velocity_index(self) -> IntArray:
        """Index of the nearest velocity to each velocity 0..127."""
        return nearest(np.arange(128), np.array(self.velocities))

    @cached_property
    def place_of_pitch(self) -> IntArray:
        """Where among the keys each pitch 0..127 is played: out of range as many octaves away as it takes."""
        pitch = np.arange(128)
        below, above = np.maximum(self.low - pitch, 0), np.maximum(pitch - self.high, 0)
        moved = pitch + 12 * -(-below // 12) - 12 * -(-above // 12)
        return np.asarray(np.clip(moved, self.low, self.high) - self.low)

    @cached_property
    def place_of_drum(self) -> IntArray:
        """Where among the keys each drum key 0..127 is played."""
        return len(self.pitches) + nearest(np.arange(128), np.array(self.drums))
