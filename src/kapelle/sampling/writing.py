"""Writing a piece: a player proposes, the walk says what may come, chance decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..codecs import Codec, Walk
from ..networks import Player
from .draw import Taste, draw

Steps = NDArray[np.int32]


@dataclass(frozen=True)
class Draft:
    """A piece as steps.

    Attributes:
        steps: shape (steps, F).
        finished: whether it came to its end before the limit.
    """

    steps: Steps
    finished: bool


def write(
    player: Player,
    codec: Codec,
    walk: Walk,
    taste: Taste,
    rng: np.random.Generator,
    prompt: Steps | None = None,
    most_steps: int = 20_000,
) -> Draft:
    """Write steps until the walk is finished.

    Args:
        player: at the start of a piece; it is left at the end.
        codec: whose steps the player was trained on.
        walk: says what may come; at its start.
        taste: how freely words are drawn.
        rng: where chance comes from.
        prompt: steps that come first, as they are, shape (P, F).
        most_steps: at which an unfinished piece is left as it is.
    """
    layout = codec.layout
    rows: list[list[int]] = [] if prompt is None else prompt.tolist()
    for row in rows:
        for column, word in enumerate(row):
            walk.put(column, word)
            player.put(column, word)
    while not walk.finished and len(rows) < most_steps:
        row = []
        for column, (_, size, is_given) in enumerate(layout):
            if is_given:
                word = walk.given(column)
            elif size == 1:
                word = 0
            else:
                word = _choose(player, column, walk.allowed(column), taste, rng)
            walk.put(column, word)
            player.put(column, word)
            row.append(word)
        rows.append(row)
    return Draft(np.array(rows, np.int32).reshape(-1, len(layout)), walk.finished)


def _choose(player: Player, column: int, allowed: NDArray[np.bool_], taste: Taste, rng: np.random.Generator) -> int:
    if np.count_nonzero(allowed) == 1:
        return int(allowed.argmax())
    return draw(player.logits(column), allowed, taste, rng)
