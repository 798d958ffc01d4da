"""Another rate of samples, for sound that comes in pieces."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_BLOCK_SECONDS = 3.0
"""Long enough to tell a rumble of 10 Hz from a deep voice."""

_INAUDIBLE, _AUDIBLE = 10.0, 25.0
"""Hertz: below the first nothing is left, from the second on everything is, so that no offset or rumble is heard."""

_PASSED = 0.92
"""The part of the band that stays whole; from there to its end it fades, so that no block rings into the next."""


class Resampler:
    """Changes the rate of samples, block by block, in the frequency domain (overlap-save).

    A block of M k samples becomes one of L k, with L / M the ratio of the rates in lowest terms: its spectrum is cut
    or padded. The outer quarters of each block, which know nothing of their neighbours, are thrown away.

    >>> resampler = Resampler(44100, 22050)
    >>> pieces = [resampler.push(np.ones(30000)), resampler.push(np.ones(30001)), resampler.finish()]
    >>> sum(map(len, pieces))
    30001
    """

    def __init__(self, old: int, new: int) -> None:
        shared = math.gcd(old, new)
        self._in, self._out = old // shared, new // shared
        # A quarter of a block must be whole on both sides.
        quarters = max(1, round(_BLOCK_SECONDS * old / self._in / 4))
        self._quarter_in, self._quarter_out = quarters * self._in, quarters * self._out
        self._gain = self._response(old, new)
        self._held = np.zeros(self._quarter_in, np.float32)
        self._taken = self._given = 0

    def _response(self, old: int, new: int) -> NDArray[np.float32]:
        bins = 2 * min(self._quarter_in, self._quarter_out) + 1
        hertz = np.arange(bins) * old / (4 * self._quarter_in)
        top = min(old, new) / 2
        rise = np.clip((hertz - _INAUDIBLE) / (_AUDIBLE - _INAUDIBLE), 0, 1)
        fall = np.clip((top - hertz) / (top * (1 - _PASSED)), 0, 1)
        return np.asarray(np.sin(rise * np.pi / 2) ** 2 * np.sin(fall * np.pi / 2) ** 2, np.float32)

    def push(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """What can be told after these samples, shape (any,)."""
        self._taken += len(samples)
        held = np.concatenate([self._held, np.asarray(samples, np.float32)])
        step = 2 * self._quarter_in
        count = max(0, (len(held) - step) // step)
        self._held = held[count * step :]
        if not count:
            return np.empty(0, np.float32)
        blocks = np.lib.stride_tricks.sliding_window_view(held, 2 * step)[::step][:count]
        spectrum = np.fft.rfft(blocks, axis=1)[:, : len(self._gain)] * self._gain
        # A spectrum too short for the new block is padded with silence.
        new = np.fft.irfft(spectrum, 4 * self._quarter_out, axis=1) * (self._out / self._in)
        told = new[:, self._quarter_out : -self._quarter_out].astype(np.float32).reshape(-1)
        self._given += len(told)
        return told

    def finish(self) -> NDArray[np.float32]:
        """The rest, after the last samples: in all there are N * new / old, rounded up."""
        taken, given = self._taken, self._given
        due = -(-taken * self._out // self._in) - given
        rest = self.push(np.zeros(4 * self._quarter_in, np.float32))
        return rest[: max(due, 0)]
