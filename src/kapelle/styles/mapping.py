"""A flat map of music: where clips lie in the space of a style, seen from where they differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .space import Floats


@dataclass(frozen=True, eq=False)
class Map:
    """Clips on a plane.

    Attributes:
        clips: of each its name and the bar, from 1, at which it starts.
        places: of each, shape (N, 2), in the units of the space.
        centre: the point in the middle, shape (Z,).
        axes: the two ways across and up, of length 1, shape (2, Z): a place p is the point centre + p @ axes.
        share: of how the clips differ that the plane shows, 0..1.
    """

    clips: tuple[tuple[str, int], ...]
    places: Floats
    centre: Floats
    axes: Floats
    share: float

    @classmethod
    def of(cls, clips: tuple[tuple[str, int], ...], points: Floats) -> Map:
        """The plane on which points differ most: the first two principal components.

        Args:
            clips: of each its name and bar.
            points: of the same, shape (N, Z), at least one.
        """
        centre = points.mean(0)
        _, scatter, ways = np.linalg.svd(points - centre, full_matrices=False)
        axes = np.zeros((2, points.shape[1]))
        axes[: len(ways)] = ways[:2]
        # Of each axis and its opposite the one that grows most, so that the same clips give the same map.
        axes *= np.where(axes[range(2), np.abs(axes).argmax(1)] < 0, -1, 1)[:, None]
        whole = float((scatter**2).sum())
        shown = float((scatter[:2] ** 2).sum()) / whole if whole > 0 else 1.0
        return cls(clips, (points - centre) @ axes.T, centre, axes, shown)

    def to_json(self) -> dict[str, Any]:
        """Plain values; numbers to six digits."""
        rows = [
            {"clip": name, "bar": bar, "x": float(f"{x:.6g}"), "y": float(f"{y:.6g}")}
            for (name, bar), (x, y) in zip(self.clips, self.places.tolist(), strict=True)
        ]
        plane = {"centre": _short(self.centre), "axes": [_short(axis) for axis in self.axes]}
        return {"shown": float(f"{self.share:.6g}"), "clips": rows, **plane}


def _short(values: Floats) -> list[float]:
    return [float(f"{value:.6g}") for value in values.tolist()]
