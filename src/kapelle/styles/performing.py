"""What is heard of windows of drums, played: which drums are struck, how loud, how late."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..codecs.bars import CLOSED_HAT
from ..sampling import Taste, chances, tell
from .space import Floats

AT_ONCE = 512
"""So many windows are told at once."""


class Played(NamedTuple):
    """How drums are played; each of shape (..., steps, drums).

    Attributes:
        struck: whether they are.
        loud: velocity, about 1..127, of what is struck.
        late: by how many steps it comes later than on the step, about -0.5..0.5.
    """

    struck: NDArray[np.bool_]
    loud: Floats
    late: Floats


def perform(
    player: Any, codec: Any, known: NDArray[np.int32], what: str, count: int, taste: Taste, rng: np.random.Generator
) -> Played:
    """Windows one after the other, played several times, each time all from one point.

    At a temperature of 0 the most likely drums are struck, each as loud and as late as every other drummer would be
    less: of numbers, the median is what to expect.

    Args:
        player, codec: of a style that hears.
        known: windows of one length of which `what` is heard, shape (N, T, F).
        what: of `kapelle.codecs.bars.HEARINGS`.
        count: so many performances.
        taste: how freely each hit is drawn from what the feel of a performance makes likely.
        rng: where chance comes from.

    Returns:
        Arrays of shape (count, N, T, drums).
    """
    fixed = _fixed(codec, known, what)
    rows = [
        np.arange(first, min(first + AT_ONCE, count * len(known))) for first in range(0, count * len(known), AT_ONCE)
    ]
    size = player.config.point_dim
    # The point says what cannot be heard, how the drummer feels, and that lasts. Where the encoder hears, it says all.
    free = (taste.temperature > 0) * rng.standard_normal((count, 1, size))
    points = free if player.config.ear else player.encode(known)[0][None]
    points = np.broadcast_to(points, (count, len(known), size)).reshape(-1, size)
    meter, found = codec.vocabulary.meters[int(known[0, 0, 0])], []
    for own in rows:
        place = own % len(known)
        steps = tell(player, codec, points[own], meter, taste, rng, None, known[place], fixed[place])
        if taste.temperature > 0:
            found.append(_read(codec, steps, rng))
        else:
            found.append(_expected(codec, steps, chances(player, points[own], steps, bool(player.config.ear))))
    whole = (np.concatenate(values) for values in zip(*found, strict=True))
    return Played(*(values.reshape(count, len(known), *values.shape[1:]) for values in whole))


def _fixed(codec: Any, known: NDArray[np.int32], what: str) -> NDArray[np.bool_]:
    """Which fields of windows are not told but stay."""
    hits, fixed = codec.vocabulary.hits, np.zeros(known.shape, bool)
    if what == "hits":
        fixed[..., hits] = True
    if what == "hats":
        # Hats that are there stay, with how they are played.
        hat = int(hits[codec.vocabulary.drum_keys.index(CLOSED_HAT)])
        fixed[...] = True
        fixed[..., hat : hat + 3] = known[..., hat : hat + 1] > 0
    return fixed


def _read(codec: Any, steps: NDArray[np.int32], rng: np.random.Generator) -> Played:
    """What windows say of their drums; words are coarser than drummers, so values lie anywhere in them."""
    own, hits = codec.vocabulary, codec.vocabulary.hits
    loud, width = _loudness(codec)
    late = steps[..., hits + 2] - own.timing + rng.uniform(-0.5, 0.5, (*steps.shape[:-1], len(hits)))
    return Played(
        steps[..., hits] > 0,
        loud[steps[..., hits + 1]] + width * rng.uniform(-0.5, 0.5, late.shape),
        late / (2 * own.timing),
    )


def _expected(codec: Any, steps: NDArray[np.int32], likely: dict[int, Floats]) -> Played:
    """What windows say of the drums that are struck, and what to expect of how."""
    own, hits = codec.vocabulary, codec.vocabulary.hits
    loud, width = _loudness(codec)
    late = (np.arange(2 * own.timing) - own.timing) / (2 * own.timing)
    return Played(
        steps[..., hits] > 0,
        np.stack([_median(likely[column + 1], loud, width) for column in hits], -1),
        np.stack([_median(likely[column + 2], late, 1 / (2 * own.timing)) for column in hits], -1),
    )


def _median(likely: Floats, values: Floats, width: float) -> Floats:
    """The value below which as much is likely as above it, of values that stand for all within a width around them."""
    reached = np.cumsum(likely, -1)
    place = np.minimum((reached < 0.5).sum(-1), len(values) - 1)[..., None]
    here = np.take_along_axis(likely, place, -1)
    inside = (0.5 - (np.take_along_axis(reached, place, -1) - here)) / np.maximum(here, 1e-9)
    return np.asarray(values[place[..., 0]] + width * (np.clip(inside[..., 0], 0, 1) - 0.5))


def _loudness(codec: Any) -> tuple[Floats, float]:
    """The velocity of each word of loudness, and how far they are apart."""
    values = np.array(codec.vocabulary.velocities, float)
    return values, float(np.diff(values).mean()) if len(values) > 1 else 0.0


__all__ = ["Played", "perform"]
