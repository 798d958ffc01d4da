"""The curves of a run as pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..rendering import CurvePicture, CurvePoint, draw_curves, join_gif, limits_of

FRAMES = 40
"""Pictures in the film of the curves, at most."""


def points_of(rows: Sequence[Any]) -> list[CurvePoint]:
    """The rows of a log as points of a curve."""
    return [
        CurvePoint(
            row.epoch, row.seconds, row.train, row.valid, row.train_accuracy, row.valid_accuracy, row.rate, row.gradient
        )
        for row in rows
    ]


def picture(name: str, rows: Sequence[Any], baseline: float, note: str = "") -> CurvePicture:
    """The curves of a run, with its best epoch marked.

    Args:
        name: of the style.
        rows: of the log.
        baseline: accuracy of always naming the most frequent word.
        note: a word on the run.
    """
    points = points_of(rows)
    looks = [point for point in points if math.isfinite(point.valid)]
    chosen = min(looks, key=lambda point: point.valid).epoch if looks else None
    return draw_curves(points, name, chosen, baseline, note, limits_of(points, baseline))


def film(name: str, rows: Sequence[Any], baseline: float, last: bytes) -> bytes:
    """The curves as they grew, as an animated GIF.

    Args:
        name, rows, baseline: as for `picture`.
        last: PNG of the whole, which stays longest.
    """
    points = points_of(rows)
    limits = limits_of(points, baseline)
    ends = np.unique(np.linspace(1, len(points), min(FRAMES, len(points))).round().astype(int)).tolist()
    frames = [draw_curves(points[:end], name, None, baseline, "", limits).png for end in ends[:-1]]
    return join_gif([*frames, last])
