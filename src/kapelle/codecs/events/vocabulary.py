"""The words of the event codec: what each column of a step can say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ...music import IntArray
from ..words import FACTS, FAR, KEYS, MAX_BAR, METERS, SHIFTS, Words, nearest

DRUM_PITCH = 128
"""Drum key k is word 128 + k, so that transposing a tune cannot move a drum."""

DURATIONS = (*range(1, 97), *range(102, 193, 6), *range(216, 769, 24))
VELOCITIES = tuple(range(2, 128, 4))


@dataclass(frozen=True)
class Vocabulary(Words):
    """The values that each column of a step can take; a step holds indices into them.

    A style carries its vocabulary in full, so it means the same in every later version. Learning a style
    narrows `programs`, `voices`, `durations`, `velocities` and `drums` to what the corpus has, which
    makes the network smaller and keeps instruments out that the style never had.

    Attributes:
        programs: General MIDI programs of pitched tracks.
        drums: General MIDI drum keys; empty where the style has no drums.
        pedal: whether the sustain pedal is told.
        voices: how many tracks of one program can be told apart, >= 1.
        durations: ticks.
        velocities: 1..127.
    """

    version: ClassVar[int] = 1

    programs: tuple[int, ...] = tuple(range(128))
    drums: tuple[int, ...] = tuple(range(128))
    pedal: bool = True
    voices: int = 16
    durations: tuple[int, ...] = DURATIONS
    velocities: tuple[int, ...] = VELOCITIES

    def __post_init__(self) -> None:
        if not self.programs and not self.drums:
            raise ValueError("a vocabulary needs an instrument or a drum")
        if self.voices < 1 or not self.durations or self.durations[0] != 1 or not self.velocities:
            raise ValueError("a vocabulary needs a voice, the duration 1, and a velocity")

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What a step can be, in the order in which steps of one onset stand."""
        return (
            *FACTS,
            "wait",
            *(("pedal",) if self.pedal else ()),
            *(f"program {program}" for program in self.programs),
            *(("drums",) if self.drums else ()),
            "end",
        )

    @cached_property
    def pitches(self) -> tuple[int, ...]:
        """MIDI numbers 0..127, then 128 + key for each drum."""
        return (*range(128), *(DRUM_PITCH + key for key in self.drums))

    @cached_property
    def columns(self) -> dict[str, tuple[Any, ...]]:
        """The words of each column, in the order in which a step is told."""
        return {
            "advance": tuple(range(MAX_BAR + 1)),
            "position": tuple(range(MAX_BAR)),
            "remaining": tuple(range(FAR + 1)),
            "meter": METERS,
            "key": KEYS,
            "kind": self.kinds,
            "voice": tuple(range(self.voices)),
            "pitch": self.pitches,
            "duration": self.durations,
            "velocity": self.velocities,
            "shift": SHIFTS,
        }

    @cached_property
    def duration_ticks(self) -> IntArray:
        """`durations` as an array."""
        return np.array(self.durations)

    @cached_property
    def duration_index(self) -> IntArray:
        """Index of the nearest duration to each number of ticks 0..durations[-1]."""
        return nearest(np.arange(self.durations[-1] + 1), self.duration_ticks)

    @cached_property
    def velocity_index(self) -> IntArray:
        """Index of the nearest velocity to each velocity 0..127."""
        return nearest(np.arange(128), np.array(self.velocities))

    @cached_property
    def drum_index(self) -> IntArray:
        """Index among `pitches` of the nearest drum to each drum key 0..127."""
        return 128 + nearest(np.arange(128), np.array(self.drums))

    @cached_property
    def kind_of_program(self) -> tuple[int, ...]:
        """For each program 0..127 the kind to play it with: itself, or one of its family, or the nearest.

        Empty if there are no programs.
        """
        heard = range(128) if self.programs else ()
        return tuple(self.kind_index[f"program {self.nearest_program(program)}"] for program in heard)

    @property
    def written_out(self) -> dict[str, Any]:
        """The words of every column."""
        return {"words": {name: list(values) for name, values in self.columns.items()}}


def narrowed(
    kinds: Iterable[int], voices: int, drums: Iterable[int], pedal: bool, velocities: Iterable[int]
) -> Vocabulary:
    """The vocabulary of a corpus with these programs, voices, drum keys and velocities (1..127)."""
    full = Vocabulary()
    heard = sorted({full.velocities[full.velocity_index[velocity]] for velocity in velocities})
    return Vocabulary(
        programs=tuple(sorted(set(kinds))),
        drums=tuple(sorted(set(drums))),
        pedal=pedal,
        voices=max(1, min(voices, full.voices)),
        velocities=tuple(heard) or (78,),
    )
