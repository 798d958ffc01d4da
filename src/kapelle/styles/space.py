"""The space that a network of windows has learnt: where its music lies, and which way is denser, higher or calmer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLOUDS = 12
"""Normal distributions that the points of the music are told by, at most."""
LEAST_IN_CLOUD = 40
"""Windows that each needs on average."""
ROUNDS = 25
RIDGE = 1.0
"""Windows' worth of doubt in how a measure depends on a point."""
PREFIX = "kapelle.space."


@dataclass(frozen=True, eq=False)
class Space:
    """Where in the space music lies, learnt after the network from the points of its windows.

    A network that may spend much on the code of a window finds windows again well, but its points lie far from the
    standard normal distribution that it was told to keep near to; drawing from a mixture of normal distributions that
    is fitted to them serves both (Ghosh et al. 2020, arXiv:1903.12436).

    Attributes:
        means: of the clouds, shape (K, Z).
        factors: lower triangles whose square is each cloud's covariance, shape (K, Z, Z).
        shares: how many of the windows in each metre are in each cloud, each row adds up to 1, shape (M, K).
        names: of the measures.
        ways: for each measure the way that raises it by one standard deviation and leaves the others, shape (A, Z).
        centre, spread: mean and standard deviation of each measure, shape (A,).
    """

    means: Floats
    factors: Floats
    shares: Floats
    names: tuple[str, ...] = ()
    ways: Floats = field(default_factory=lambda: np.empty((0, 0)))
    centre: Floats = field(default_factory=lambda: np.empty(0))
    spread: Floats = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(
        cls, points: Floats, meters: NDArray[Any], num_meters: int, measures: Mapping[str, Floats],
        rng: np.random.Generator, clouds: int = CLOUDS,
    ) -> Space:  # fmt: skip
        """The space of windows.

        Args:
            points: of the windows, shape (N, Z).
            meters: of each, shape (N,).
            num_meters: how many there are.
            measures: of each window, by name, each of shape (N,).
            rng: where the clouds begin.
            clouds: how many, at most.
        """
        points = np.asarray(points, np.float64)
        count = int(np.clip(len(points) // LEAST_IN_CLOUD, 1, clouds))
        means, covariances, belongs = _mixture(points, count, rng)
        shares = np.stack([belongs[meters == number].sum(0) + 1e-9 for number in range(num_meters)])
        varied = {name: values for name, values in measures.items() if np.std(values) > 1e-9}
        values = np.stack(list(varied.values()), 1) if varied else np.empty((len(points), 0))
        centre, spread = values.mean(0), values.std(0)
        ways = _ways(points, (values - centre) / spread) if varied else np.empty((0, points.shape[1]))
        factors = np.asarray(np.linalg.cholesky(covariances), np.float64)
        return cls(means, factors, shares / shares.sum(1, keepdims=True), tuple(varied), ways, centre, spread)

    def draw(self, meter: int, count: int, rng: np.random.Generator) -> Floats:
        """Points where music in a metre lies, shape (count, Z)."""
        cloud = rng.choice(len(self.means), count, p=self.shares[meter])
        noise = rng.standard_normal((count, self.means.shape[1]))
        return np.asarray(self.means[cloud] + np.einsum("nij,nj->ni", self.factors[cloud], noise))

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """What a style's file holds of it, by name."""
        lower = np.tril_indices(self.factors.shape[1])
        own = {"means": self.means, "factors": self.factors[:, lower[0], lower[1]], "ways": self.ways}
        tensors = {name: value.astype(np.float16) for name, value in own.items()}
        exact = {"shares": self.shares, "centre": self.centre, "spread": self.spread}
        return {PREFIX + name: value for name, value in tensors.items()} | {
            PREFIX + name: value.astype(np.float32) for name, value in exact.items()
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Space:
        """What `to_tensors` gave.

        Raises:
            ValueError, KeyError: if it is damaged.
        """
        own = {name: np.asarray(tensors[PREFIX + name], np.float64) for name in
               ("means", "factors", "shares", "ways", "centre", "spread")}  # fmt: skip
        count, size = own["means"].shape
        lower = np.tril_indices(size)
        factors = np.zeros((count, size, size))
        factors[:, lower[0], lower[1]] = own["factors"]
        shares = own["shares"] / own["shares"].sum(1, keepdims=True)
        if shares.shape[1] != count or own["ways"].shape[0] != len(names) or not np.isfinite(shares).all():
            raise ValueError("the space does not fit together")
        return cls(own["means"], factors, shares, tuple(names), own["ways"], own["centre"], own["spread"])


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


def _ways(points: Floats, values: Floats) -> Floats:
    """For each measure the likeliest way that changes it by 1 and the others by 0, where measures are linear."""
    centred = points - points.mean(0)
    covariance = centred.T @ centred / len(points) + 1e-6 * np.eye(points.shape[1])
    slopes = np.linalg.solve(covariance + RIDGE / len(points) * np.eye(len(covariance)), centred.T @ values) / len(
        points
    )  # (Z, A)
    reached = slopes.T @ covariance @ slopes
    doubt = 1e-3 * np.trace(reached) / len(reached) * np.eye(len(reached))
    return np.asarray((covariance @ slopes @ np.linalg.inv(reached + doubt)).T)


def _mixture(points: Floats, count: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Means, covariances and belonging (N, K) of a mixture of normal distributions, by expectation maximisation."""
    size = points.shape[1]
    whole = np.cov(points.T).reshape(size, size) if len(points) > 1 else np.eye(size)
    floor = 1e-3 * max(np.trace(whole) / size, 1e-6) * np.eye(size)
    means = points[rng.choice(len(points), count, replace=False)]
    covariances = np.repeat((whole + floor)[None], count, 0)
    shares = np.full(count, 1 / count)
    for _ in range(ROUNDS if count > 1 else 2):
        belongs = _belonging(points, means, covariances, shares)
        weight = belongs.sum(0) + 1e-9
        shares, means = weight / weight.sum(), belongs.T @ points / weight[:, None]
        for cloud in range(count):
            off = points - means[cloud]
            own = (off * belongs[:, cloud, None]).T @ off
            # Few points say little of a shape, and are helped by that of all.
            covariances[cloud] = (own + size * whole) / (weight[cloud] + size) + floor
    return means, covariances, belongs


def _belonging(points: Floats, means: Floats, covariances: Floats, shares: Floats) -> Floats:
    logs = np.empty((len(points), len(means)))
    for cloud, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        factor = np.linalg.cholesky(covariance)
        off = np.linalg.solve(factor, (points - mean).T)
        logs[:, cloud] = np.log(shares[cloud]) - 0.5 * (off**2).sum(0) - np.log(np.diag(factor)).sum()
    logs -= logs.max(1, keepdims=True)
    belongs = np.exp(logs)
    return np.asarray(belongs / belongs.sum(1, keepdims=True))
