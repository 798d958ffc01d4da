"""From a window to one with more or less of what can be measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..codecs.bars import leaps
from ..sampling import Taste, tell
from .space import Floats, Space

ROUNDS, WINDOWS = 4, 64
"""So often so many windows are told and measured."""
FARTHEST = 3.0
"""How far along a way the first of them lie, at most, as a multiple of what the way promises."""
ASIDE = (0.15, 0.3, 0.6)
"""How far they stray from the way, as shares of how far the music scatters."""
WANTED = 2.0
"""How much more it weighs that what is wanted comes out than that all else stays."""
OF_PLAYING = {"velocity", "swing"}
"""Measures of how a window is played, not of what."""
PLAYED = 0.5
"""The temperature at which windows are told that say how they are played: the most likely of that is much alike."""
SAME = 0.5
"""What it weighs, in standard deviations, that all steps are others than before."""


def measured(codec: Any, space: Space, steps: NDArray[np.int32]) -> Floats:
    """The measures of windows (N, T, F) in standard deviations from the mean of the music, shape (N, measures)."""
    found = codec.measures(steps)
    values = np.stack([found[name] for name in space.names], 1)
    return np.asarray((values - space.centre) / space.spread)


def wide(codec: Any, space: Space, steps: NDArray[np.int32]) -> Floats:
    """By how many standard deviations each measure of a window (T, F) changes at the least, 0 for any amount."""
    least = leaps(steps, codec.vocabulary)
    return np.array([least.get(name, 0.0) for name in space.names]) / space.spread


def steered(
    player: Any, codec: Any, space: Space, steps: NDArray[np.int32], point: Floats, meter: str,
    wanted: Mapping[str, float], rng: np.random.Generator, allowed: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:  # fmt: skip
    """The window nearest to what is wanted of those that are told along the way that promises it, and about it.

    Windows are measured, not trusted to be what their points promise: the best of each round is where the next looks.
    Of a measure that changes in leaps one leap is wanted where less is asked for.

    Args:
        player, codec, space: of the style.
        steps: the window, shape (T, F).
        point: where it lies, shape (Z,).
        meter: its metre.
        wanted: by name, by how many standard deviations a measure is to change.
        rng: where chance comes from.
        allowed: as in `tell`.

    Returns:
        Shape (T, F).
    """
    changes = np.array([wanted.get(name, 0.0) for name in space.names])
    changes = np.sign(changes) * np.maximum(np.abs(changes), (changes != 0) * wide(codec, space, steps))
    weights = np.array([WANTED if name in wanted else 1.0 for name in space.names])
    before, way = measured(codec, space, steps[None])[0], changes @ space.ways
    centre, reach = point, np.linspace(0.25, FARTHEST, WINDOWS)
    taste = Taste(PLAYED if codec.vocabulary.timing else 0.0)
    # Where it is only to be played in another way, all that is struck stays.
    fixed = np.isin(np.arange(steps.shape[1]), codec.events) if wanted.keys() <= OF_PLAYING else None
    # As it is it may already be as near as can be.
    best, least = steps, float(np.linalg.norm(weights * changes))
    for _ in range(ROUNDS):
        aside = rng.choice(ASIDE, WINDOWS) * (np.arange(WINDOWS) % 4 > 0)
        around = centre + reach[:, None] * way + aside[:, None] * space.stray(WINDOWS, rng)
        told = tell(player, codec, around, meter, taste, rng, allowed, steps if fixed is not None else None, fixed)
        off = weights * (measured(codec, space, told) - before - changes)
        others = SAME * (told != steps).any(2).mean(1)
        cost = np.sqrt((off**2).sum(1) + others**2)
        cost[[codec.num_notes(window) == 0 for window in told]] = np.inf
        place = int(cost.argmin())
        if cost[place] < least:
            best, least, centre = told[place], float(cost[place]), around[place]
        reach = rng.uniform(-0.5, 0.5, WINDOWS)
    return best
