"""How far a run is, how fast it learns there, and whether it has gone wrong."""

from __future__ import annotations

import math

from .recipe import Recipe
from .standing import Standing

WARM_UPDATES = 60
"""The learning rate rises over so many updates."""


def share_done(recipe: Recipe, seconds: float, epoch: float) -> float:
    """How much of a run is done; from 1 on it is over."""
    shares = [0.0]
    if recipe.minutes is not None:
        shares.append(seconds / (60 * recipe.minutes))
    if recipe.epochs is not None:
        shares.append(epoch / recipe.epochs)
    return max(shares)


def learning_rate(recipe: Recipe, standing: Standing, share: float) -> float:
    """The learning rate: up over the first updates, then down along a cosine."""
    warm = min(1.0, (standing.updates - standing.warm + 1) / WARM_UPDATES)
    falling = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return recipe.learning_rate * standing.scale * warm * falling


def has_diverged(standing: Standing) -> bool:
    """Whether the cost is no number, or far above what it was; the least cost is remembered on the way."""
    if not math.isfinite(standing.recent) or not math.isfinite(standing.since[4]):
        return True
    if standing.updates - standing.warm >= WARM_UPDATES:
        standing.lowest = min(standing.lowest, standing.recent)
    return standing.recent > 2 * standing.lowest + 1
