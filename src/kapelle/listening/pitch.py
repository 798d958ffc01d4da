"""The pitch of a recording of one voice, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .recording import RATE

HOP = 256
"""Samples from frame to frame: 11.6 ms."""

WINDOW = 1024
"""Samples that are compared with their past: three and a half periods of the lowest voice."""

LOWEST, HIGHEST = 65.0, 3600.0
"""Hertz: from the low C of a bass to where whistles end."""

_MAX_LAG = int(RATE / LOWEST) + 2
_MIN_LAG = int(RATE / HIGHEST)
_CANDIDATES = 4
_BLOCK = 512
"""Frames that are worked on at once."""

_UNVOICED = 0.45
"""What it costs to hear no pitch in a frame; hearing one costs its aperiodicity, 0 for a pure tone, 1 for noise."""

_PER_OCTAVE = 0.15
"""What each octave that a candidate lies below the highest costs: twice a period is as good a period as one."""

_HOLLOW, _FAINT = 0.3, 10**-2.8
"""What it costs a candidate if its first two partials are fainter than this beside the loudest partial."""

_JUMP, _LEAP, _TURN = 0.09, 0.45, 0.2
"""What it costs to move by a semitone between frames, to move at all far, and to begin or cease to hear a pitch."""


def pitch_track(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The pitch in each frame of a melody, and how little of the sound it explains.

    Args:
        samples: at the rate `RATE`, shape (N,).

    Returns:
        MIDI numbers with fractions, NaN where there is no pitch, and the aperiodicity 0..1; each of shape
        (N // HOP + 1,). Frame t has its middle at sample t * HOP.

    Source:
        de Cheveigné & Kawahara 2002, YIN, eq. 7 and 8, and step 5; several candidates and a path through them as
        in Mauch & Dixon 2014, pYIN. Differs: costs instead of probabilities.
    """
    count = len(samples) // HOP + 1
    half = (WINDOW + _MAX_LAG) // 2
    padded = np.concatenate([np.zeros(half, np.float32), samples, np.zeros(half + WINDOW, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW + _MAX_LAG)[::HOP][:count]
    found = [_candidates(frames[start : start + _BLOCK]) for start in range(0, count, _BLOCK)]
    pitch, dip = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _path(pitch, dip)


def _candidates(frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The best pitches of each frame and how aperiodic it is by each, both of shape (B, _CANDIDATES)."""
    # What does not swing at all would be periodic at any lag.
    frames = frames - frames.mean(axis=1, keepdims=True)
    dip = _normalised_difference(frames)
    inner = dip[:, 1:-1]
    lags = np.arange(1, dip.shape[1] - 1)
    is_low = (inner < dip[:, :-2]) & (inner <= dip[:, 2:]) & (lags >= _MIN_LAG)
    cost = np.where(is_low, inner + _PER_OCTAVE * np.log2(lags / _MIN_LAG), np.inf)
    best = np.argpartition(cost, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    rows = np.arange(len(frames))[:, None]
    lag = best + 1
    # A parabola through the dip and its neighbours tells where between samples it lies.
    left, low, right = dip[rows, lag - 1], dip[rows, lag], dip[rows, lag + 1]
    bend = left - 2 * low + right
    shift = np.where(bend > 1e-9, (left - right) / (2 * np.maximum(bend, 1e-9)), 0).clip(-0.5, 0.5)
    deep = np.maximum(low - (left - right) * shift / 4, 0)
    deep = deep + _HOLLOW * _is_hollow(frames, RATE / (lag + shift))
    none = ~np.isfinite(cost[rows, best])
    pitch = 69 + 12 * np.log2(RATE / (lag + shift) / 440)
    return pitch.astype(np.float32), np.where(none, np.inf, deep).astype(np.float32)


def _is_hollow(frames: NDArray[np.float32], hertz: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether neither the first nor the second partial of a candidate sounds, shape as `hertz`.

    Two strings that ring together have a common period that neither has: 440 and 330 Hz make 110.
    """
    middle = frames[:, _MAX_LAG // 2 :][:, :WINDOW] * np.hanning(WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(middle, axis=1)) ** 2
    power = np.maximum(np.maximum(power[:, 1:-1], power[:, :-2]), power[:, 2:])
    rows = np.arange(len(frames))[:, None]
    bins = np.round(hertz * WINDOW / RATE).astype(np.intp) - 1
    first, second = (power[rows, (bins + number * (bins + 1)).clip(0, power.shape[1] - 1)] for number in (0, 1))
    return np.asarray(np.maximum(first, second) < _FAINT * power.max(axis=1)[:, None])


def _normalised_difference(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """How a window differs from itself some samples later, over the mean of this up to there, shape (B, lags)."""
    size = 1 << (WINDOW + _MAX_LAG - 1).bit_length()
    past = np.fft.rfft(frames[:, :WINDOW], size, axis=1)
    shared = np.fft.irfft(np.conj(past) * np.fft.rfft(frames, size, axis=1), size, axis=1)[:, :_MAX_LAG]
    sums = np.cumsum(np.pad(frames.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
    power = sums[:, WINDOW : WINDOW + _MAX_LAG] - sums[:, :_MAX_LAG]
    difference = np.maximum(power[:, :1] + power - 2 * shared, 0)
    difference[:, 0] = 0
    mean = np.cumsum(difference, axis=1) / np.maximum(np.arange(_MAX_LAG), 1)
    dip = difference / np.maximum(mean, 1e-12)
    # A frame without sound is not periodic.
    dip[power[:, 0] < 1e-10] = 1
    dip[:, 0] = 1
    return np.asarray(dip, np.float32)


def _path(pitch: NDArray[np.float32], dip: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The cheapest way through the candidates (Viterbi); the last state of each frame is to hear no pitch."""
    count = len(pitch)
    octaves = np.maximum(0, (120 - pitch) / 12)
    tonal = dip + _PER_OCTAVE * octaves
    # Low voices are voices too: what depth costs the best candidate, silence costs as well.
    depth = octaves[np.arange(count), tonal.argmin(axis=1)]
    local = np.column_stack([tonal, _UNVOICED + _PER_OCTAVE * depth])
    local = np.minimum(local, 1e3).astype(np.float64)
    step = np.minimum(_JUMP * np.abs(pitch[1:, None, :] - pitch[:-1, :, None]), _LEAP)
    moves = np.pad(step, ((0, 0), (0, 1), (0, 1)), constant_values=_TURN)
    moves[:, -1, -1] = 0
    total = local[0]
    back = np.empty((count, _CANDIDATES + 1), np.int8)
    for at in range(1, count):
        ways = total[:, None] + moves[at - 1]
        back[at] = ways.argmin(axis=0)
        total = ways.min(axis=0) + local[at]
    state = np.empty(count, np.intp)
    state[-1] = total.argmin()
    for at in range(count - 1, 0, -1):
        state[at - 1] = back[at, state[at]]
    rows = np.arange(count)
    heard = state < _CANDIDATES
    chosen = np.minimum(state, _CANDIDATES - 1)
    return (
        np.where(heard, pitch[rows, chosen], np.nan).astype(np.float32),
        np.where(heard, dip[rows, chosen], 1).clip(0, 1).astype(np.float32),
    )
