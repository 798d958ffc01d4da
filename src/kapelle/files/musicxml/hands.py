"""Which hand plays which notes of a keyboard part."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...music import Notes, Track

KEYBOARDS = range(8)

_REACH = 12
"""Semitones that a hand is asked to span at once."""

_NAMES_RIGHT = ("right", "r.h", "rh", "upper", "treble", "rechts", "droite", "destra", "up")
_NAMES_LEFT = ("left", "l.h", "lh", "lower", "bass", "links", "gauche", "sinistra", "down")


def wants_two_staves(notes: Notes) -> bool:
    """Whether more than a stray note would lie far off one staff, be it treble or bass."""
    if not len(notes):
        return False
    low, high = np.quantile(notes.pitch, [0.05, 0.95])
    return bool((low < 55 and high > 65) or np.ptp(notes.pitch) > 36)


def pairs_of_hands(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """Neighbours that are the right and the left hand of one player, no track in two pairs.

    They are if their names say so, or if a piece has no other keyboard and the first one lies higher.
    """
    keyboards = sum(not track.is_drum and track.program in KEYBOARDS for track in tracks)
    found: list[tuple[int, int]] = []
    for index, (upper, lower) in enumerate(itertools.pairwise(tracks)):
        if _are_hands(upper, lower, keyboards) and (not found or found[-1][1] < index):
            found.append((index, index + 1))
    return found


def _are_hands(upper: Track, lower: Track, keyboards: int) -> bool:
    for track in (upper, lower):
        if track.is_drum or track.program not in KEYBOARDS or not len(track.notes):
            return False
    if upper.program != lower.program:
        return False
    if _says(upper.name, _NAMES_RIGHT) and _says(lower.name, _NAMES_LEFT):
        return True
    return keyboards == 2 and float(np.median(upper.notes.pitch)) > float(np.median(lower.notes.pitch)) + 2


def _says(name: str, words: Sequence[str]) -> bool:
    text = name.lower()
    return any(word in text for word in words)


def left_hand(notes: Notes) -> NDArray[np.bool_]:
    """A mask of the notes that the left hand plays.

    What starts together is split where both hands reach it and each stays near to where it was.
    """
    left = np.zeros(len(notes), bool)
    low, high = 48.0, 70.0
    starts = np.flatnonzero(np.diff(notes.onset, prepend=-1)).tolist()
    pitch = notes.pitch.tolist()
    for start, stop in itertools.pairwise([*starts, len(notes)]):
        group = pitch[start:stop]  # from high to low
        costs = [_cost(group[:cut], high, 55) + _cost(group[cut:], low, 64) for cut in range(len(group) + 1)]
        cut = costs.index(min(costs))
        left[start + cut : stop] = True
        if cut:
            high = 0.7 * high + 0.3 * min(max(sum(group[:cut]) / cut, 64), 84)
        if cut < len(group):
            low = 0.7 * low + 0.3 * min(max(sum(group[cut:]) / (len(group) - cut), 36), 56)
    return left


def _cost(group: Sequence[int], centre: float, bound: int) -> float:
    """How badly a hand at `centre` plays a group; its staff gets ledger lines on the other side of `bound`."""
    if not group:
        return 0.0
    beyond = sum(max(bound - pitch if bound < 60 else pitch - bound, 0) for pitch in group)
    stretch = max(max(group) - min(group) - _REACH, 0)
    return abs(sum(group) / len(group) - centre) + 2.0 * stretch + 1.0 * beyond
