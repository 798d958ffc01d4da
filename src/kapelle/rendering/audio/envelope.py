"""What moves a sound while it lasts: envelopes and slow oscillators, as functions of time.

After the SoundFont specification 2.04, section 8.1.2, with a full scale of 96 dB as in FluidSynth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 96.0
"""Decibels between the top of an envelope and silence."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Envelope:
    """It waits, rises, stays, falls to a level, and falls to nothing once the note is released.

    Attributes:
        delay, attack, hold: seconds.
        decay, release: seconds that a fall from 1 to 0 takes.
        sustain: level 0..1.
    """

    delay: float
    attack: float
    hold: float
    decay: float
    sustain: float
    release: float

    @classmethod
    def flat(cls) -> Envelope:
        """One that has no effect."""
        return cls(0.0, 0.0, 0.0, 1.0, 1.0, 1.0)

    def level(self, seconds: Any) -> FloatArray:
        """The level 0..1 while the note is held, at times since it started, any shape; it rises in a straight line."""
        passed = np.asarray(seconds, np.float64) - self.delay
        rise = passed / max(self.attack, 1e-9)
        fall = 1 - (passed - self.attack - self.hold) / self.decay
        return np.asarray(np.clip(np.minimum(rise, np.maximum(fall, self.sustain)), 0.0, 1.0))

    def gain(self, seconds: Any) -> FloatArray:
        """The amplitude 0..1 while the note is held: rising in a straight line, falling in decibels."""
        passed = np.asarray(seconds, np.float64) - self.delay
        level = self.level(seconds)
        return np.where(passed < self.attack, level, decibels((level - 1) * FULL_SCALE) * (level > 0))

    def contour(self, seconds: Any, released: float) -> FloatArray:
        """The level 0..1 as it moves pitch and cutoff: the rise is convex, and it falls once released.

        Args:
            released: seconds after the start, infinite if never.
        """
        held = np.minimum(seconds, released)
        level = self.level(held)
        rising = held - self.delay < self.attack
        level = np.where(rising, np.maximum(1 + 400 / 960 * np.log10(np.maximum(level, 1e-9)), 0.0), level)
        return np.asarray(np.maximum(level - (np.asarray(seconds) - held) / self.release, 0.0))

    def seconds_above(self, floor: Any) -> FloatArray:
        """How long the note can be held before its amplitude falls below floors in 0..1, infinite if it does not."""
        level = np.maximum(1 + 20 * np.log10(np.maximum(floor, 1e-9)) / FULL_SCALE, 0)
        fallen = self.delay + self.attack + self.hold + (1 - level) * self.decay
        return np.where(self.sustain > level, np.inf, fallen)


@dataclass(frozen=True, slots=True)
class Wave:
    """A slow triangle between -1 and 1 that starts at 0 after a delay.

    Attributes:
        delay: seconds.
        hertz: how often a second it comes round.
    """

    delay: float
    hertz: float

    def level(self, seconds: Any) -> FloatArray:
        """Its value at times since the note started, any shape."""
        turns = np.maximum(np.asarray(seconds, np.float64) - self.delay, 0.0) * self.hertz
        return np.asarray(1 - 4 * np.abs((turns + 0.25) % 1 - 0.5))


def decibels(value: Any) -> FloatArray:
    """The amplitude that a number of decibels is."""
    return np.asarray(10 ** (np.asarray(value) / 20))
