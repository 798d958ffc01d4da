"""Which pieces are the same music, or nearly: fingerprints and groups."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..music import IntArray, Score

GRAM = 12
"""Melodic intervals in a row that two pieces must have in common to share anything."""

SHARED_PART = 0.2
"""Two pieces are near-duplicates if they share more than this part of the smaller one's grams. Two hands
playing one piece share no more: of 206 pairs of performances in ASAP 166 are found, with half of the grams 91."""

CHORD_SECONDS = 0.05
"""Notes that begin within this time are one chord: fingers are never quite together."""

_NEIGHBOURS = 64
_MULTIPLIER = 0x9E3779B97F4A7C15


def digest(score: Score) -> str:
    """A hash of everything in a score that sounds or shapes it; title and track names aside."""
    state = hashlib.blake2b(digest_size=16)
    meters = [(int(meter.onset), int(meter.numerator), int(meter.denominator)) for meter in score.meters]
    keys = [(int(key.onset), int(key.tonic), key.mode) for key in score.keys]
    state.update(repr((int(score.ticks_per_quarter), int(score.pickup), meters, keys)).encode())
    if score.fermatas:
        state.update(repr(score.fermatas).encode())
    state.update(score.tempos.onset.tobytes() + score.tempos.quarters_per_minute.tobytes())
    for track in score.tracks:
        state.update(repr((int(track.program), bool(track.is_drum), len(track.notes), len(track.pedal))).encode())
        for column in (track.notes.onset, track.notes.duration, track.notes.pitch, track.notes.velocity):
            state.update(column.tobytes())
        state.update(track.pedal.onset.tobytes() + track.pedal.duration.tobytes())
    return state.hexdigest()


def fingerprint(score: Score) -> str:
    """A hash of the notes that is the same in every key and at every tempo.

    It is taken of the intervals and the ratios of successive inter-onset times, in eighths of an octave of
    time, of all pitched notes in order of onset and pitch. Durations, velocities, instruments and metre do
    not count; drum keys do, as they are, and so does nothing else of a drum track.

    >>> from kapelle.music import Notes, Track, transpose
    >>> score = Score(24, (Track(Notes.of([(0, 24, 60, 80), (24, 48, 64, 80)])),))
    >>> fingerprint(score) == fingerprint(transpose(score, 5))
    True
    """
    state = hashlib.blake2b(digest_size=16)
    onset, pitch = _all_notes(score, drums=False)
    state.update(np.diff(pitch).tobytes() + (np.diff(onset) > 0).tobytes() + _ratios(onset).tobytes())
    onset, pitch = _all_notes(score, drums=True)
    state.update(len(pitch).to_bytes(8, "big") + pitch.tobytes() + _ratios(onset).tobytes())
    return state.hexdigest()


def melody_grams(score: Score) -> NDArray[np.uint64]:
    """Hashes of every `GRAM` successive intervals of the top line, each once, ascending, shape (N,).

    The top line is the highest pitched note of those that begin together. A line too short for one gram counts
    as one.
    """
    onset, pitch = _all_notes(score, drums=False)
    if not len(pitch):
        return np.empty(0, np.uint64)
    line: list[int] = []
    start = -1.0
    for second, height in zip(
        score.tempos.seconds(onset, score.ticks_per_quarter).tolist(), pitch.tolist(), strict=True
    ):
        if second - start > CHORD_SECONDS or not line:
            line.append(height)
            start = second
        else:
            line[-1] = max(line[-1], height)
    top = np.array(line, np.int64)
    intervals = np.diff(top).astype(np.uint64)
    width = min(GRAM, len(intervals))
    hashed = np.zeros(max(len(intervals) - width + 1, 1), np.uint64)
    for place in range(width):
        hashed = (hashed + intervals[place : place + len(hashed)] + np.uint64(1)) * np.uint64(_MULTIPLIER)
        hashed ^= hashed >> np.uint64(29)
    return np.unique(hashed)


def near_groups(grams: Sequence[NDArray[np.uint64]]) -> IntArray:
    """Joins items that share more than `SHARED_PART` of their grams, directly or through others.

    Args:
        grams: for each item distinct hashes, ascending. A gram that more than 64 items hold ties each of them
            to the next 64 that hold it, which keeps the work linear in the number of items.

    Returns:
        For each item the smallest index in its group, shape (items,).

    >>> a, b = np.arange(10, dtype=np.uint64), np.arange(100, 110, dtype=np.uint64)
    >>> near_groups([a, b, a[:8]])
    array([0, 1, 0])
    """
    sizes = np.array([len(item) for item in grams], np.int64)
    if not sizes.sum():
        return np.arange(len(grams), dtype=np.int64)
    owner = np.repeat(np.arange(len(grams)), sizes)
    flat = np.concatenate(list(grams))
    order = np.lexsort((owner, flat))
    flat, owner = flat[order], owner[order]
    pairs = []
    for step in range(1, _NEIGHBOURS + 1):
        same = flat[step:] == flat[:-step]
        if not same.any():
            break
        pairs.append(owner[:-step][same] * len(grams) + owner[step:][same])
    parent = np.arange(len(grams), dtype=np.int64)
    if not pairs:
        return parent
    keys, shared = np.unique(np.concatenate(pairs), return_counts=True)
    first, second = keys // len(grams), keys % len(grams)
    near = shared > SHARED_PART * np.minimum(sizes[first], sizes[second])
    for a, b in zip(first[near].tolist(), second[near].tolist(), strict=True):
        root_a, root_b = _root(parent, a), _root(parent, b)
        parent[max(root_a, root_b)] = min(root_a, root_b)
    return np.array([_root(parent, index) for index in range(len(grams))], np.int64)


def _root(parent: IntArray, index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = int(parent[index])
    return index


def _all_notes(score: Score, drums: bool) -> tuple[IntArray, IntArray]:
    tracks = [track.notes for track in score.tracks if track.is_drum == drums]
    if not tracks:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    onset = np.concatenate([notes.onset for notes in tracks])
    pitch = np.concatenate([notes.pitch for notes in tracks])
    order: IntArray = np.lexsort((-pitch, onset))
    return onset[order], pitch[order]


def _ratios(onset: IntArray) -> IntArray:
    gaps = np.diff(np.unique(onset))
    return np.asarray(np.rint(8 * np.log2(gaps[1:] / gaps[:-1])), np.int64)
