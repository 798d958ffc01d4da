"""Writing a piece: a player proposes, the walk says what may come, chance decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..codecs import Codec, Walk
from ..networks import Player
from .draw import Taste, draw

Steps = NDArray[np.int32]

CLOSES = 24
"""How often the end of a piece is tried."""

LEAST_NEW, NEW_SHARE = 16, 8
"""Who watches is told after so many new steps, or an eighth of all if that is more: each telling costs all of them."""


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
    closes: Callable[[Steps], bool] | None = None,
    seen: Callable[[Steps], None] | None = None,
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
        closes: whether a finished piece ends as it should; if not, its last bars are written again, up to
            `CLOSES` times, after which it stays as it is.
        seen: called now and then with the steps so far.
    """
    layout = codec.layout
    of_keys, first_key = taste.shared(max(codec.keys, 1)), len(layout) - codec.keys
    if hasattr(player, "leave_out"):
        player.leave_out(1 - taste.top_p)
    rows: list[list[int]] = [] if prompt is None else prompt.tolist()
    for row in rows:
        for column, word in enumerate(row):
            walk.put(column, word)
            player.put(column, word)
    before_close: tuple[int, Any, Walk] | None = None
    tries = CLOSES if closes is not None and taste.temperature > 0 else 0
    next_seen = len(rows) + LEAST_NEW
    while len(rows) < most_steps:
        if walk.finished:
            if closes is None or before_close is None or tries == 0 or closes(_steps(rows, layout)):
                break
            tries -= 1
            rows, walk = rows[: before_close[0]], before_close[2].copy()
            player.restore(before_close[1])
        if tries and before_close is None and walk.closing:
            before_close = len(rows), player.state(), walk.copy()
        row = []
        for column, (_, size, is_given) in enumerate(layout):
            if is_given:
                word = walk.given(column)
            elif size == 1:
                word = 0
            else:
                own = of_keys if column >= first_key else taste
                word = _choose(player, column, walk.allowed(column), own, rng, column in codec.onward)
            word = walk.put(column, word)
            player.put(column, word)
            row.append(word)
        rows.append(row)
        if seen is not None and len(rows) >= next_seen:
            seen(_steps(rows, layout))
            next_seen = len(rows) + max(LEAST_NEW, len(rows) // NEW_SHARE)
    return Draft(_steps(rows, layout), walk.finished)


def _steps(rows: list[list[int]], layout: tuple[tuple[str, int, bool], ...]) -> Steps:
    return np.array(rows, np.int32).reshape(-1, len(layout))


def _choose(
    player: Player, column: int, allowed: NDArray[np.bool_], taste: Taste, rng: np.random.Generator, onward: bool
) -> int:
    if np.count_nonzero(allowed) == 1:
        return int(allowed.argmax())
    return draw(player.logits(column), allowed, taste, rng, onward)
