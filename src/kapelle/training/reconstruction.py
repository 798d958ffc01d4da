"""How well a network of windows finds a window again from its point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int32]
AT_ONCE = 500
"""So many windows are played at once."""


class Reconstruction(NamedTuple):
    """Three figures that mean something only together.

    Attributes:
        forced: share of steps in which every field is right, told the truth before each step.
        free: the same, told only what it said itself; nothing at all by a network that has learnt to tell windows so.
        nats: of the code of a window, the mean; log base 2 would be bits.
        whole: share of windows that are right in every step, free-running.
    """

    forced: float
    free: float
    nats: float
    whole: float


def reconstruction(player: Any, codec: Any, windows: Sequence[Steps]) -> Reconstruction:
    """The most likely words from the mean of each window's point, against the window.

    Args:
        player: of a network of windows.
        codec: that made the windows.
        windows: at least one, each of shape (T, F).
    """
    right = {"forced": 0, "free": 0}
    steps, whole, nats = 0, 0, 0.0
    lengths = sorted({(len(window), int(window[0, 0])) for window in windows})
    for kind in lengths:
        alike = np.stack([window for window in windows if (len(window), int(window[0, 0])) == kind])
        for first in range(0, len(alike), AT_ONCE):
            told = alike[first : first + AT_ONCE]
            mean, deviation = player.encode(told)
            nats += float((0.5 * (mean**2 + deviation**2 - 1) - np.log(deviation)).sum())
            paid = np.stack([codec.paid(window) for window in told])
            for how in right:
                hits = _right(player, mean, told, paid, how == "forced")
                right[how] += int(hits.sum())
                whole += int(hits.all(1).sum()) if how == "free" else 0
            steps += told.shape[0] * told.shape[1]
    return Reconstruction(right["forced"] / steps, right["free"] / steps, nats / len(windows), whole / len(windows))


def _right(player: Any, points: Any, told: Steps, paid: NDArray[np.bool_], forced: bool) -> NDArray[np.bool_]:
    """In which steps of which windows every field is right, shape (N, T)."""
    player.begin(points, told[0], blind=player.alone and not forced)
    hits = np.ones(told.shape[:2], bool)
    for step in range(told.shape[1]):
        for column in player.config.columns.predicted:
            said = player.logits(column).argmax(1)
            said = np.where(paid[:, step, column], said, 0)
            hits[:, step] &= said == told[:, step, column]
            player.put(column, told[:, step, column] if forced else said)
    return hits


__all__ = ["Reconstruction", "reconstruction"]
