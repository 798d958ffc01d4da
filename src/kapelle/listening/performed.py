"""Notes as they were performed, in seconds: what every way of listening gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..music import Notes, Score, TempoMap, Track

_TICKS_PER_QUARTER, _QUARTERS_PER_MINUTE = 500, 120.0
"""A tick is a millisecond."""

_LOUDEST, _SOFTEST, _PER_DECIBEL = 104.0, 32, 2.4
"""Velocities: of a note as loud as loud ones are, of the softest, and how they fall with the level."""


@dataclass(frozen=True, eq=False, slots=True)
class Performed:
    """Notes as they were performed.

    Attributes:
        onset, end: seconds, shape (N,); in order of onset.
        pitch: MIDI numbers, shape (N,).
        level: decibels, about 0 for loud notes, shape (N,).
    """

    onset: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int64]
    level: NDArray[np.float64]

    @classmethod
    def none(cls) -> Performed:
        """No note at all."""
        return cls(np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0))

    def __len__(self) -> int:
        return len(self.onset)

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Performed:
        """The notes that a mask or an index array of shape (N,) picks."""
        return Performed(self.onset[keep], self.end[keep], self.pitch[keep], self.level[keep])

    @property
    def velocity(self) -> NDArray[np.int64]:
        """How loud each note is as a MIDI velocity, shape (N,)."""
        return np.round(_LOUDEST + _PER_DECIBEL * self.level).clip(_SOFTEST, 120).astype(np.int64)

    def score(self, title: str = "") -> Score:
        """The notes at the times at which they were played, in milliseconds; its bars mean nothing."""
        onset = np.round(1000 * self.onset).astype(np.int64)
        end = np.round(1000 * self.end).astype(np.int64)
        notes = Notes(onset, np.maximum(end - onset, 1), self.pitch, self.velocity)
        tempos = TempoMap.constant(_QUARTERS_PER_MINUTE)
        return Score(_TICKS_PER_QUARTER, (Track(notes),), tempos, title=title)
