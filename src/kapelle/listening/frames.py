"""What is heard in each frame of a recording of one voice: pitch, level, and how much is new in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .pitch import HOP, pitch_track
from .recording import RATE

_SPECTRUM = 1024
"""Samples of the spectra that tell what is new."""

_BANDS = 30
_LOW, _HIGH = 80.0, 9000.0
"""Hertz: the bands lie between, equally wide to the ear."""

_FLOOR = -55.0
"""Decibels under the loudest band: what is below is silence, and nothing new if it grows."""

_BLOCK = 4096


@dataclass(frozen=True, eq=False, slots=True)
class Frames:
    """What is heard in each frame.

    Attributes:
        pitch: MIDI number with fractions, NaN where there is none, shape (T,).
        aperiodicity: 0 for a pure tone to 1 for noise, shape (T,).
        level: decibels, the loud frames about 0, shape (T,).
        rise: decibels by which the bands have grown since three frames, their mean, shape (T,).
    """

    pitch: NDArray[np.float32]
    aperiodicity: NDArray[np.float32]
    level: NDArray[np.float32]
    rise: NDArray[np.float32]


def frames_of(samples: NDArray[np.float32]) -> Frames:
    """What is heard in each frame of samples at the rate `RATE`, shape (N,); frame t is about sample t * HOP."""
    pitch, aperiodicity = pitch_track(samples)
    level, rise = _loudness(samples, len(pitch))
    return Frames(pitch, aperiodicity, level, rise)


def _loudness(samples: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    padded = np.concatenate([np.zeros(_SPECTRUM // 2, np.float32), samples, np.zeros(_SPECTRUM, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SPECTRUM)[::HOP][:count]
    window = np.hanning(_SPECTRUM).astype(np.float32)
    banks = _banks()
    parts = [
        (np.abs(np.fft.rfft(frames[start : start + _BLOCK] * window, axis=1)) ** 2) @ banks
        for start in range(0, count, _BLOCK)
    ]
    power = np.concatenate(parts)
    loud = np.percentile(power.sum(axis=1), 95) + 1e-20
    level = 10 * np.log10(power.sum(axis=1) / loud + 1e-9)
    bands = 10 * np.log10(power / np.maximum(np.percentile(power, 95), 1e-20) + 10 ** (_FLOOR / 10))
    before = np.pad(bands, ((3, 0), (0, 0)), mode="edge")
    since = np.minimum(np.minimum(before[:-3], before[1:-2]), before[2:-1])
    rise = np.maximum(bands - since, 0).mean(axis=1)
    return level.astype(np.float32), rise.astype(np.float32)


def _banks() -> NDArray[np.float32]:
    """Which bins belong to which band, shape (bins, bands): triangles, equally wide in octaves above 500 Hz."""
    warp = np.log1p(np.array([_LOW, _HIGH]) / 500)
    edges = 500 * np.expm1(np.linspace(warp[0], warp[1], _BANDS + 2))
    hertz = np.arange(_SPECTRUM // 2 + 1)[:, None] * RATE / _SPECTRUM
    up = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return np.asarray(np.minimum(up, down).clip(0, 1), np.float32)
