"""From played notes to notes that can be read: onsets on simple parts of the beat, ends where players expect them.

What lies on the grid already is left alone; `legible` decides that. Times here are in quarters, and come back in
`GRID` ticks a quarter.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from ...files.musicxml.hands import KEYBOARDS, left_hand, wants_two_staves
from ...music import Notes, Track

GRID = 24

Quarters = NDArray[np.float64]
Ticks = NDArray[np.int64]

_PARTS = {1: 0.0, 2: 0.4, 4: 1.0, 3: 1.5, 6: 3.0, 8: 3.0}
"""Into how many parts a quarter may be cut, and what each costs against the squared error in ticks."""

_ERROR = 0.35
"""What an error of one tick costs."""

_COLLISION = 2.5
"""What it costs if two moments that were told apart fall on one."""

_EARLY = 0.06
"""Quarters before a beat that still belong to it."""

_CHORD = 0.07
"""Quarters within which what starts is meant to start together."""

_FULL, _SHORT = 0.55, 0.5
"""A note that lasts this share of the time to the next one is written up to it; up to an eighth less is enough."""

_HELD = 0.75
"""Quarters that a note must sound on over the next one to be held in a voice of its own."""


def quantised_onsets(onset: Quarters) -> Ticks:
    """Onsets on the grid: for each quarter the cut that fits what starts in it, plain ones first.

    Args:
        onset: ascending, shape (N,).
    """
    if not len(onset):
        return np.zeros(0, np.int64)
    beat = np.floor(onset + _EARLY).astype(np.int64)
    first = int(beat[0])
    size = int(beat[-1]) - first + 1
    inside = onset - beat
    apart = np.diff(onset, prepend=-9.0) > _CHORD
    costs, places = [], []
    for parts, price in _PARTS.items():
        place = np.round(inside * parts).astype(np.int64) * (GRID // parts)
        error = _ERROR * (inside * GRID - place) ** 2
        clash = apart & (np.diff(place + GRID * beat, prepend=-9) == 0)
        costs.append(np.bincount(beat - first, error + _COLLISION * clash, size) + price)
        places.append(place)
    best = np.argmin(costs, axis=0)
    return np.asarray(GRID * beat + np.array(places)[best[beat - first], np.arange(len(onset))])


def quantised(track: Track, unit: int, *, one_hand: bool, keep_onsets: bool) -> Notes:
    """The notes of a pitched track as they are to be read.

    In each hand, or in the whole part of other instruments, one stream of chords runs on; a note or chord that
    clearly sounds on over later ones is held in a second one, if that is free, and else ends where the next begins.

    Args:
        unit: ticks a quarter of the track.
        one_hand: whether the track is one hand of a player whose other hand is another track.
        keep_onsets: whether onsets are on the grid already.
    """
    notes = track.notes
    if not len(notes):
        return notes
    raw = notes.onset / unit
    onset = np.round(raw * GRID).astype(np.int64) if keep_onsets else quantised_onsets(raw)
    duration = np.maximum(np.round(notes.duration / unit * GRID), 1).astype(np.int64)
    moved = _without_doubles(Notes(onset, duration, notes.pitch, notes.velocity))
    if not one_hand and track.program in KEYBOARDS and wants_two_staves(moved):
        left = left_hand(moved)
        hands = [moved.where(~left), moved.where(left)]
    else:
        hands = [moved]
    rows = [row for hand in hands for row in _hand(hand)]
    return Notes.of(rows)


def _without_doubles(notes: Notes) -> Notes:
    """One of the notes that start together at one pitch, the longest; an earlier one ends where the next starts."""
    order = np.lexsort((-notes.duration, notes.onset, notes.pitch))
    onset, end, pitch = notes.onset[order], notes.end[order], notes.pitch[order]
    keep = np.ones(len(order), bool)
    same = pitch[1:] == pitch[:-1]
    keep[1:] = ~(same & (onset[1:] == onset[:-1]))
    order, onset, end, pitch = order[keep], onset[keep], end[keep], pitch[keep]
    same = pitch[1:] == pitch[:-1]
    end[:-1] = np.where(same, np.minimum(end[:-1], onset[1:]), end[:-1])
    return Notes(onset, end - onset, pitch, notes.velocity[order])


def _hand(notes: Notes) -> list[tuple[int, int, int, int]]:
    """Rows of notes whose ends are where a reader expects them."""
    rows: list[tuple[int, int, int, int]] = []
    starts = np.flatnonzero(np.diff(notes.onset, prepend=-1))
    onsets = notes.onset[starts].tolist()
    columns = list(zip(notes.end.tolist(), notes.pitch.tolist(), notes.velocity.tolist(), strict=True))
    edges = [*starts.tolist(), len(notes)]
    busy_until = 0
    for number, (start, stop) in enumerate(itertools.pairwise(edges)):
        at = onsets[number]
        following = onsets[number + 1] if number + 1 < len(onsets) else None
        chord = columns[start:stop]
        held = _held(chord, at, following, busy_until)
        if held:
            until = _held_until(held, at, onsets, number)
            busy_until = until
            rows += [(at, until - at, pitch, velocity) for _, pitch, velocity in held]
            chord = [note for note in chord if note not in held]
        if chord:
            until = max(_plain_end(at, end, following) for end, _, _ in chord)
            rows += [(at, until - at, pitch, velocity) for _, pitch, velocity in chord]
    return rows


def _held(
    chord: list[tuple[int, int, int]], at: int, following: int | None, busy_until: int
) -> list[tuple[int, int, int]]:
    """The notes of a chord that sound on over the next one: all of it, or its top or bottom."""
    if following is None or busy_until > at:
        return []
    long = [note for note in chord if note[0] - following >= _HELD * GRID]
    if len(long) in (0, len(chord)):
        return long
    is_edge = long in (chord[: len(long)], chord[-len(long) :])
    return long if is_edge else []


def _held_until(held: list[tuple[int, int, int]], at: int, onsets: list[int], number: int) -> int:
    """Where a held chord ends: at an onset near its end, else on a half of a beat."""
    end = sorted(note[0] for note in held)[len(held) // 2]
    half = GRID // 2
    near = min(onsets[number + 1 :], key=lambda onset: abs(onset - end))
    if abs(near - end) <= max(half, 0.2 * (end - at)):
        return near
    return max(round(end / half) * half, at + half)


def _plain_end(at: int, end: int, following: int | None) -> int:
    """Where a note of the stream ends: where the next one starts, or after a plain value."""
    length = end - at
    if following is not None:
        gap = following - at
        # A short gap is filled, whatever the touch; a long one only by what nearly lasts it.
        share = 0.0 if gap <= _SHORT * GRID else _FULL if gap <= 2 * GRID else 0.8
        if length >= share * gap or gap - length <= GRID // 6:
            return following
    candidates = {at + GRID // 2, at + GRID} if at % (GRID // 2) == 0 else {at + GRID // 4, at + GRID // 2}
    candidates |= {(at // step + number) * step for step in (GRID // 2, GRID) for number in (1, 2, 3, 4, 6, 8)}
    if at % GRID in (8, 16):
        candidates |= {(at // GRID + 1) * GRID}
        candidates -= {at + GRID // 4, at + GRID // 2, at // 12 * 12 + 12}
    if length > 8 * GRID:
        candidates.add(round(end / GRID) * GRID)
    fitting = [each for each in candidates if each > at and (following is None or each <= following)]
    if not fitting:
        return following if following is not None else end

    def strangeness(each: int) -> float:
        return abs(math.log2((each - at) / max(1.15 * length, 1))) + _roughness(each)

    return min(fitting, key=lambda each: (strangeness(each), each))


def _roughness(end: int) -> float:
    """How little an end is in keeping with the beat."""
    if end % GRID == 0:
        return 0.0
    return 0.15 if end % (GRID // 2) == 0 else 0.4
