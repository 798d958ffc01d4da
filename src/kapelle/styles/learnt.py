"""The space of a network of windows, found after its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..networks import Network
from .space import Space

MOST_WINDOWS = 6000
"""A space is learnt from so many windows at most, taken evenly."""
AT_ONCE = 500


def learnt_space(
    net: Network, codec: Any, weights: Mapping[str, NDArray[Any]], windows: Sequence[NDArray[np.int32]]
) -> Space:
    """The space of windows under a network.

    Args:
        net, codec, weights: of the style.
        windows: that were learnt from, at least one.
    """
    player: Any = net.player(weights)
    chosen = windows[:: max(len(windows) // MOST_WINDOWS, 1)]
    points, meters, found = [], [], []
    for meter in sorted({int(window[0, 0]) for window in chosen}):
        # Points of what is heard say only what cannot be heard: music lies where nothing is.
        alike = codec.heard(np.stack([window for window in chosen if window[0, 0] == meter]), "nothing")
        points += [player.encode(alike[first : first + AT_ONCE])[0] for first in range(0, len(alike), AT_ONCE)]
        meters += [meter] * len(alike)
        found.append(codec.measures(alike))
    # What cannot be measured in every metre is not measured.
    names = [name for name in found[0] if all(name in rows for rows in found)]
    measures = {name: np.concatenate([rows[name] for rows in found]) for name in names}
    return Space.of(np.concatenate(points), np.array(meters), measures)
