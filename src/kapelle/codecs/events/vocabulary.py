"""The words of the event codec: what each column of a step can say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import StyleError
from ...music import IntArray, Key, Meter

TICKS_PER_QUARTER = 24
MAX_BAR = 16 * TICKS_PER_QUARTER
"""Ticks of the longest bar, and of the longest advance a single step can make."""
MAX_BARS = 255
"""Pieces of more bars announce "bars many" and have no countdown."""
FAR = 65
"""The countdown says how many bars are left up to 64, and beyond that only that it is far."""
DRUM_PITCH = 128
"""Drum key k is word 128 + k, so that transposing a tune cannot move a drum."""

HEADER = ("bars", "meter", "tempo", "key", "pickup")
"""The facts that open every piece, one step each, in this order."""

SHIFTS = tuple(range(-6, 6))
"""Semitones by which training may have transposed a piece."""

VERSION = 1


def _meters() -> tuple[str, ...]:
    every = (Meter(0, numerator, denominator) for denominator in (2, 4, 8, 16) for numerator in range(1, 17))
    return tuple(m.name for m in every if m.bar_length(TICKS_PER_QUARTER) <= MAX_BAR)


METERS = _meters()
KEYS = ("none", *(Key(0, tonic, mode).name for mode in ("major", "minor") for tonic in range(12)))
TEMPOS = tuple(sorted({round(20 * 1.03**step) for step in range(94)}))
"""Quarters per minute, 20 to 313, each about 3 % above the one before."""
TEMPO_RATES = np.array(TEMPOS)
PICKUPS = tuple(range(0, MAX_BAR, 6))
DURATIONS = (*range(1, 97), *range(102, 193, 6), *range(216, 769, 24))
VELOCITIES = tuple(range(2, 128, 4))


def _facts() -> tuple[str, ...]:
    return (
        *(f"bars {count}" for count in range(1, MAX_BARS + 1)),
        "bars many",
        *(f"meter {name}" for name in METERS),
        *(f"tempo {tempo}" for tempo in TEMPOS),
        *(f"key {name}" for name in KEYS),
        *(f"pickup {ticks}" for ticks in PICKUPS),
    )


@dataclass(frozen=True)
class Vocabulary:
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
            *_facts(),
            "wait",
            *(("pedal",) if self.pedal else ()),
            *(f"program {program}" for program in self.programs),
            *(("drums",) if self.drums else ()),
            "end",
        )

    @cached_property
    def kind_index(self) -> Mapping[str, int]:
        """The index of each kind."""
        return {kind: index for index, kind in enumerate(self.kinds)}

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
    def header_ranges(self) -> dict[str, tuple[int, int]]:
        """For each header fact, the first of its kinds and one past the last."""
        ranges = {}
        for fact in HEADER:
            indices = [index for index, kind in enumerate(self.kinds) if kind.startswith(fact + " ")]
            ranges[fact] = (indices[0], indices[-1] + 1)
        return ranges

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

        def nearest_to(program: int) -> int:
            return min(self.programs, key=lambda own: (own // 8 != program // 8, abs(own - program), own))

        heard = range(128) if self.programs else ()
        return tuple(self.kind_index[f"program {nearest_to(program)}"] for program in heard)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, with the words of every column written out."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        words = {name: list(values) for name, values in self.columns.items()}
        return {
            "version": VERSION,
            **{k: list(v) if isinstance(v, tuple) else v for k, v in own.items()},
            "words": words,
        }

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
            own: dict[str, Any] = {field.name: values[field.name] for field in fields(cls)}
            own = {name: tuple(map(int, value)) if isinstance(value, list) else value for name, value in own.items()}
            vocabulary = cls(**own)
        except (KeyError, TypeError, ValueError) as error:
            raise StyleError(f"the style's vocabulary is damaged ({error}): fetch or train the style again") from None
        words = {name: list(column) for name, column in vocabulary.columns.items()}
        if words != values.get("words"):
            raise StyleError(
                "the style's vocabulary has other words than its version says: fetch or train the style again"
            )
        return vocabulary


def nearest(values: NDArray[Any] | float, words: NDArray[Any]) -> IntArray:
    """Index of the nearest of ascending `words` to each value, the lower one when two are as near."""
    return np.asarray(((words[1:] + words[:-1]) / 2).searchsorted(values))


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
