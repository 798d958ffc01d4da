"""Which hand plays which notes of a keyboard part."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...music import Notes, Track

KEYBOARDS = (*range(9), *range(16, 22), 46)
"""Programs played by two hands that read two staves: pianos, harpsichord, celesta, organs, accordion, harp."""

_REACH = 12
"""Semitones that a hand is asked to span at once."""

# Found by trying on pieces whose files tell the hands; costs are in semitones of stretch.
_RIGHT_HOME, _LEFT_HOME, _LEFT_BOUND = 72.0, 48.0, 69
_MOVE, _HOME, _STRAY, _IDLE, _FOLLOW = 0.2, 0.1, 0.1, 4.0, 0.4
_BEAM = 8

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

    What starts together is cut in two, the higher notes for the right hand. Of all sequences of cuts that is taken
    in which the hands move and stretch least, both play most of the time, and neither strays far from its side; it
    is found by beam search. On 60 piano pieces whose files tell the hands, 91 notes of 100 went to the right one.
    """
    pitch = notes.pitch.tolist()
    edges = [*np.flatnonzero(np.diff(notes.onset, prepend=-1)).tolist(), len(notes)]
    beam = [_Hands(0.0, _RIGHT_HOME, _LEFT_HOME, -1, None)]
    for start, stop in itertools.pairwise(edges):
        group = pitch[start:stop]  # from high to low
        cuts = [_Cut.of(group, cut) for cut in range(len(group) + 1)]
        reached = [_moved(hands, cut, place) for hands in beam for place, cut in enumerate(cuts)]
        reached.sort(key=lambda hands: hands.cost)
        beam = reached[:_BEAM]
    left = np.zeros(len(notes), bool)
    hands: _Hands | None = beam[0]
    for start, stop in reversed(list(itertools.pairwise(edges))):
        if hands is not None:
            left[start + hands.cut : stop] = True
            hands = hands.before
    return left


@dataclass(frozen=True, slots=True)
class _Hands:
    """What it cost to come to where both hands are, and the last cut on the way."""

    cost: float
    right: float
    left: float
    cut: int
    before: _Hands | None


class _Cut(NamedTuple):
    """A group of notes cut in two: what its stretches cost, and the middle of each hand's part, None for none."""

    cost: float
    right: float | None
    left: float | None

    @classmethod
    def of(cls, group: list[int], cut: int) -> _Cut:
        cost = _STRAY * sum(max(pitch - _LEFT_BOUND, 0) for pitch in group[cut:])
        middles: list[float | None] = []
        for part in (group[:cut], group[cut:]):
            if part:
                cost += max(part[0] - part[-1] - _REACH, 0)
            else:
                cost += _IDLE
            middles.append((part[0] + part[-1]) / 2 if part else None)
        return cls(cost, *middles)


def _moved(hands: _Hands, cut: _Cut, place: int) -> _Hands:
    cost, right, left = hands.cost + cut.cost, hands.right, hands.left
    if cut.right is not None:
        cost += _MOVE * abs(cut.right - right) + _HOME * abs(cut.right - _RIGHT_HOME)
        right += _FOLLOW * (cut.right - right)
    if cut.left is not None:
        cost += _MOVE * abs(cut.left - left) + _HOME * abs(cut.left - _LEFT_HOME)
        left += _FOLLOW * (cut.left - left)
    return _Hands(cost, right, left, place, hands)
