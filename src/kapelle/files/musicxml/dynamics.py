"""Where pp, mf and the like stand: few, and only where the loudness of a part really changes."""

from __future__ import annotations

import numpy as np

from ...music import IntArray, Notes

LOUDNESS = {"pppp": 10, "ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126, "ffff": 127}
"""The velocity of each mark, as most notation programs play them."""

_MARKS = ("pp", "p", "mp", "mf", "f", "ff")
_LEVELS = np.array([LOUDNESS[mark] for mark in _MARKS], np.float64)

_CHANGE = 60.0
"""What a mark costs, in velocities times bars: a change of one level must hold for some four bars."""


def dynamics_by_bar(notes: Notes, bars: IntArray) -> dict[int, str]:
    """The marks of a part, by the bar at whose first note they stand; none if all its notes are equally loud.

    The levels that differ least from the mean velocity of each bar, with a price on each change (Viterbi).

    Args:
        bars: where bars start, and where the last one stops, shape (bars + 1,).
    """
    if not len(notes) or np.ptp(notes.velocity) == 0:
        return {}
    at = np.searchsorted(bars, notes.onset, side="right") - 1
    sounding = np.unique(at)
    size = len(bars)
    mean = np.bincount(at, notes.velocity, size)[sounding] / np.bincount(at, minlength=size)[sounding]
    cost = np.abs(mean[:, None] - _LEVELS)
    total = cost[0].copy()
    came = []
    for row in cost[1:]:
        least = int(total.argmin())
        stays = total <= total[least] + _CHANGE
        came.append(np.where(stays, np.arange(len(_LEVELS)), least))
        total = np.where(stays, total, total[least] + _CHANGE) + row
    level = int(total.argmin())
    path = [level]
    for best in reversed(came):
        level = int(best[level])
        path.append(level)
    found: dict[int, str] = {}
    before = -1
    for bar, level in zip(sounding.tolist(), reversed(path), strict=True):
        if level != before:
            found[bar] = _MARKS[level]
        before = level
    return found
