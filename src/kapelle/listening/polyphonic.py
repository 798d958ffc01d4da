"""Notes that sound at once, by the network of basic-pitch."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtra
from .performed import Performed
from .recording import RATE

MODEL = "basic_pitch/nmp.onnx"
"""The network as it comes with basic-pitch 0.4.0 (see ORIGIN.txt beside it)."""

# What the network takes and gives (Bittner et al. 2022, and its published constants).
_WINDOW, _HOP, _FRAMES = 43_844, 256, 172
_LOWEST_PITCH = 21
_INPUT, _ONSETS, _NOTES = "serving_default_input_2:0", "StatefulPartitionedCall:2", "StatefulPartitionedCall:1"

_EDGE = 15
"""Frames at either end of a window that know too little of what is around."""

_KEPT = _FRAMES - 2 * _EDGE
_BATCH = 8

# Chosen on rendered pieces that nothing is measured by.
_ONSET, _FRAME = 0.7, 0.4
"""How sure the network must be that a note begins, and that it sounds."""

_BEFORE = 4
"""Frames before an onset at which a key that sounds then sounded already."""

_PATIENCE = 11
"""Frames for which a note may be unsure before it has ended."""

_SHORTEST = 4
"""Frames: what is shorter is a click."""

_SURE = 0.45
"""How sure the network must be of the middle one of all notes; of noise it is 0.30 to 0.36, of music 0.7 and more."""

_LATE = 0.0
"""Seconds by which the network tells onsets late."""


def notes_of_chords(samples: NDArray[np.float32]) -> Performed:
    """The notes in samples at the rate `RATE`, peak 1, shape (N,).

    A note begins where the network's onset is at a peak above a threshold, and lasts while its frames are above
    another, or until it begins anew.

    Source:
        Bittner et al. 2022, A lightweight instrument-agnostic model for polyphonic note transcription, section 3.
        Differs: no pitch bends, and no notes without an onset.

    Raises:
        MissingExtra: without onnxruntime.
    """
    onset, frame = _probabilities(samples)
    return _notes(onset, frame)


def _probabilities(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How sure it is that each key begins and sounds, both of shape (T, 88); frame t is about sample t * 256."""
    session = _session()
    parts = [session.run([_ONSETS, _NOTES], {_INPUT: batch}) for batch in _windows(samples)]
    count = -(-len(samples) // _HOP)
    onset, frame = (
        np.concatenate([part[which][:, _EDGE:-_EDGE].reshape(-1, 88) for part in parts])[:count] for which in (0, 1)
    )
    return onset, frame


def _windows(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Windows that overlap so that what is kept of each follows on, some at a time, shape (B, _WINDOW, 1)."""
    starts = np.arange(0, len(samples), _KEPT * _HOP) - _EDGE * _HOP
    for first in range(0, len(starts), _BATCH):
        batch = np.zeros((len(starts[first : first + _BATCH]), _WINDOW, 1), np.float32)
        for row, start in zip(batch, starts[first : first + _BATCH], strict=True):
            part = samples[max(start, 0) : start + _WINDOW]
            row[max(-start, 0) :][: len(part), 0] = part
        yield batch


def _session() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra("listening for several notes at once", "listen") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model = pkgutil.get_data(__package__, MODEL)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _notes(onset: NDArray[np.float32], frame: NDArray[np.float32]) -> Performed:
    padded = np.pad(onset, ((1, 1), (0, 0)))
    is_peak = (onset >= _ONSET) & (onset > padded[:-2]) & (onset >= padded[2:])
    is_peak &= ~_echoes(onset, frame, is_peak)
    rows = []
    for key in np.flatnonzero(is_peak.any(axis=0)).tolist():
        begins = np.flatnonzero(is_peak[:, key]).tolist()
        sounds = np.flatnonzero(frame[:, key] >= _FRAME)
        for start, limit in zip(begins, [*begins[1:], len(frame)], strict=True):
            stop = _stop(sounds, start, limit)
            if stop - start >= _SHORTEST:
                rows.append((start, stop, key + _LOWEST_PITCH, float(frame[start:stop, key].mean())))
    table = np.array(sorted(rows), np.float64).reshape(-1, 4)
    # In noise now and then a key seems to begin, but the network is never sure that it sounds.
    if len(table) and np.median(table[:, 3]) < _SURE:
        return Performed.none()
    level = 20 * np.log10(np.maximum(table[:, 3], 1e-3) / max(float(table[:, 3].max(initial=1e-3)), 1e-3))
    seconds = _HOP / RATE
    return Performed(
        np.maximum(table[:, 0] * seconds - _LATE, 0), table[:, 1] * seconds, table[:, 2].astype(np.int64), level
    )


def _echoes(onset: NDArray[np.float32], frame: NDArray[np.float32], is_peak: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a key that sounds already seems to begin again because the one an octave above begins, shape (T, 88)."""
    before = np.pad(frame, ((_BEFORE, 0), (0, 0)))[: len(frame)]
    around = np.lib.stride_tricks.sliding_window_view(np.pad(onset * is_peak, ((2, 2), (0, 12))), 5, axis=0).max(
        axis=-1
    )
    return np.asarray(is_peak & (before >= _FRAME) & (around[:, 12:] > onset))


def _stop(sounds: NDArray[np.intp], start: int, limit: int) -> int:
    """The frame after the last one that sounds, from start on, without a longer gap than the patience."""
    inside = sounds[(sounds >= start) & (sounds < limit)]
    if not len(inside) or inside[0] - start > _PATIENCE:
        return start
    gaps = np.flatnonzero(np.diff(inside) > _PATIENCE)
    return int(inside[gaps[0]] if len(gaps) else inside[-1]) + 1
