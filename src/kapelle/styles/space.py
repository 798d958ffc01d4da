"""The space that a network of windows has learnt: where its music lies, and which way is denser, higher or calmer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ANCHORS = 1500
"""Points of the music that a space remembers, at most."""
BREADTH = 0.3
"""How far from an anchor is drawn, as a share of how far the music scatters."""
RIDGE = 1.0
"""Windows' worth of doubt in how a measure depends on a point."""
PREFIX = "kapelle.space."


@dataclass(frozen=True, eq=False)
class Space:
    """Where in the space music lies, learnt after the network from the points of its windows.

    A network that may spend much on the code of a window finds windows again well, but its points fill little of the
    standard normal distribution that it was told to keep near to. Drawing near to points of the music serves both. It
    is a density fitted after the training, as in Ghosh et al. 2020 (arXiv:1903.12436), by kernels that keep mean and
    variance (the smoothed bootstrap of Silverman 1986, section 6.4).

    Attributes:
        anchors: points of windows learnt from, shape (K, Z).
        meters: the number of the metre of each, shape (K,).
        factor: lower triangle whose square is the covariance of the points, shape (Z, Z).
        names: of the measures.
        ways: for each measure the way that raises it by one standard deviation and leaves the others, shape (A, Z).
        centre, spread: mean and standard deviation of each measure, shape (A,).
    """

    anchors: Floats
    meters: NDArray[np.integer[Any]]
    factor: Floats
    names: tuple[str, ...] = ()
    ways: Floats = field(default_factory=lambda: np.empty((0, 0)))
    centre: Floats = field(default_factory=lambda: np.empty(0))
    spread: Floats = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, points: Floats, meters: NDArray[Any], measures: Mapping[str, Floats]) -> Space:
        """The space of windows.

        Args:
            points: of the windows, shape (N, Z).
            meters: of each, shape (N,).
            measures: of each window, by name, each of shape (N,).
        """
        points = np.asarray(points, np.float64)
        kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), ANCHORS)).astype(int))
        varied = {name: values for name, values in measures.items() if np.std(values) > 1e-9}
        values = np.stack(list(varied.values()), 1) if varied else np.empty((len(points), 0))
        centre, spread = values.mean(0), values.std(0)
        ways = _ways(points, (values - centre) / spread) if varied else np.empty((0, points.shape[1]))
        factor = np.asarray(np.linalg.cholesky(_covariance(points)), np.float64)
        return cls(points[kept], np.asarray(meters)[kept], factor, tuple(varied), ways, centre, spread)

    def draw(self, meter: int, count: int, rng: np.random.Generator) -> Floats:
        """Points where music in a metre lies, shape (count, Z)."""
        own = np.flatnonzero(self.meters == meter)
        anchors = self.anchors[own if len(own) else slice(None)]
        keep = np.sqrt(1 - BREADTH**2)
        chosen = anchors[rng.integers(len(anchors), size=count)]
        return np.asarray(keep * chosen + (1 - keep) * anchors.mean(0) + BREADTH * self.stray(count, rng))

    def stray(self, count: int, rng: np.random.Generator) -> Floats:
        """Differences as there are between points of the music and their mean, shape (count, Z)."""
        return np.asarray(rng.standard_normal((count, len(self.factor))) @ self.factor.T)

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """What a style's file holds of it, by name."""
        lower = np.tril_indices(len(self.factor))
        own = {"anchors": self.anchors, "factor": self.factor[lower], "ways": self.ways}
        tensors = {name: value.astype(np.float16) for name, value in own.items()}
        exact = {"centre": self.centre, "spread": self.spread}
        tensors |= {name: value.astype(np.float32) for name, value in exact.items()}
        tensors["meters"] = self.meters.astype(np.int16)
        return {PREFIX + name: value for name, value in tensors.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Space:
        """What `to_tensors` gave.

        Raises:
            ValueError, KeyError: if it is damaged.
        """
        own = {name: np.asarray(tensors[PREFIX + name], np.float64) for name in
               ("anchors", "factor", "ways", "centre", "spread")}  # fmt: skip
        meters, size = tensors[PREFIX + "meters"], own["anchors"].shape[1]
        factor = np.zeros((size, size))
        factor[np.tril_indices(size)] = own["factor"]
        counts = {len(names), len(own["ways"]), len(own["centre"]), len(own["spread"])}
        if (
            len(counts) > 1
            or not 1 <= len(own["anchors"]) == len(meters)
            or own["ways"].shape[1:] not in ((size,), (0,))
        ):
            raise ValueError("the space does not fit together")
        return cls(own["anchors"], meters, factor, tuple(names), own["ways"], own["centre"], own["spread"])


def between(start: Floats, end: Floats, share: float) -> Floats:
    """A point on the arc from one point to another, 0 giving the first and 1 the second.

    Where the two lie in one direction, opposite, or at nothing, there is no arc, and the way is straight.

    Source: Shoemake 1985, "Animating rotation with quaternion curves".
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    lengths = np.linalg.norm(start) * np.linalg.norm(end)
    if lengths > 0:
        angle = np.arccos(np.clip(start @ end / lengths, -1, 1))
        if np.sin(angle) > 1e-4:
            return np.asarray((np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle))
    return (1 - share) * start + share * end


def _covariance(points: Floats) -> Floats:
    centred = points - points.mean(0)
    return np.asarray(centred.T @ centred / len(points) + 1e-6 * np.eye(points.shape[1]))


def _ways(points: Floats, values: Floats) -> Floats:
    """For each measure the likeliest way that changes it by 1 and the others by 0, where measures are linear."""
    covariance = _covariance(points)
    doubt = covariance + RIDGE / len(points) * np.eye(len(covariance))
    slopes = np.linalg.solve(doubt, (points - points.mean(0)).T @ values) / len(points)  # (Z, A)
    reached = slopes.T @ covariance @ slopes
    # Where points say nothing of the music, as where an encoder has heard nothing, no way leads anywhere.
    sure = reached + max(1e-3 * np.trace(reached) / len(reached), 1e-12) * np.eye(len(reached))
    return np.asarray((covariance @ slopes @ np.linalg.inv(sure)).T)
