"""Masks that keep voices to the rules of part-writing, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...music import IntArray
from ...music.partwriting import DOMINANTS, PERFECT, RANGES, resolutions, root_of

ORDER = ("ranges", "crossings", "parallels", "leading_notes")
"""Where not all rules can be obeyed at once, the later ones give way first."""


def obedient(
    mask: NDArray[np.bool_], voice: int, low: int, before: Sequence[int], now: Mapping[int, int], rules: Sequence[str]
) -> NDArray[np.bool_]:
    """What a voice may do without breaking a rule; of the rules as many as leave it something but silence.

    Args:
        mask: what it may do, shape (2 + H,): go on, fall silent, or start at a height; see `lines`.
        voice: 0 for the soprano to 3 for the bass.
        low: the pitch of height 0.
        before: the pitch that each voice sounded in the last step, -1 for silence, shape (4,).
        now: the pitch that other voices have in this one, as far as that is known.
        rules: of `music.partwriting.RULES`.
    """
    pitch = np.append(before[voice], low + np.arange(len(mask) - 2))
    moves = mask.copy()
    moves[1] = False
    for count in range(len(ORDER), 0, -1):
        breaks = np.zeros(len(pitch), bool)
        for rule in ORDER[:count]:
            if rule in rules:
                breaks |= _BREAKS[rule](pitch, voice, before, now)
        # To go on is to have the pitch of before; a silence that goes on breaks nothing.
        breaks[0] &= before[voice] >= 0
        left: NDArray[np.bool_] = moves & ~np.insert(breaks, 1, False)
        if left.any():
            left[1] = mask[1]
            return left
    return mask


Others = Mapping[int, int]


def _ranges(pitch: IntArray, voice: int, before: Sequence[int], now: Others) -> NDArray[np.bool_]:
    lowest, highest = RANGES[voice]
    return (pitch < lowest) | (pitch > highest)


def _crossings(pitch: IntArray, voice: int, before: Sequence[int], now: Others) -> NDArray[np.bool_]:
    breaks = np.zeros(len(pitch), bool)
    for other, its in now.items():
        if its >= 0:
            breaks |= (pitch > its) if other < voice else (pitch < its)
    return breaks


def _parallels(pitch: IntArray, voice: int, before: Sequence[int], now: Others) -> NDArray[np.bool_]:
    breaks = np.zeros(len(pitch), bool)
    own = before[voice]
    for other, its in now.items():
        was = before[other]
        interval = abs(own - was) % 12
        if min(own, its, was) >= 0 and its != was and interval in PERFECT:
            breaks |= (pitch != own) & (np.abs(pitch - its) % 12 == interval)
    return breaks


def _leading_notes(pitch: IntArray, voice: int, before: Sequence[int], now: Others) -> NDArray[np.bool_]:
    """The leading note of a dominant moves to where it resolves, as long as the others may yet make a tonic."""
    root = root_of({pitch % 12 for pitch in before if pitch >= 0}, DOMINANTS)
    breaks = np.zeros(len(pitch), bool)
    if root is None or (before[voice] - root) % 12 != 4:
        return breaks
    tonic = {(root + step) % 12 for step in (5, 8, 9, 0)}
    if all(its % 12 in tonic for its in now.values() if its >= 0):
        breaks = ~np.isin(pitch - before[voice], (0, *resolutions(voice)))
    return breaks


_BREAKS = {"ranges": _ranges, "crossings": _crossings, "parallels": _parallels, "leading_notes": _leading_notes}
