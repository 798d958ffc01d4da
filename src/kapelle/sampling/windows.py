"""Many windows at once, from their points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draw import Taste, draw_rows


def tell(
    player: Any, codec: Any, points: NDArray[Any], meter: str, taste: Taste, rng: np.random.Generator,
    allowed: NDArray[np.bool_] | None = None, beginning: NDArray[np.int32] | None = None,
    chords: NDArray[Any] | None = None,
) -> NDArray[np.int32]:  # fmt: skip
    """Windows told from points.

    Args:
        player: of a network of windows.
        codec: of windows.
        points: shape (N, Z).
        meter: name of the metre of all of them.
        taste: how freely words are drawn.
        rng: where chance comes from.
        allowed: which words may come at all, shape (words of all columns,), or (N, words) for each; None for all.
        beginning: steps that all windows begin with, whatever is allowed, shape (steps, F); None for none.
        chords: words of a chord for each bar of each window, shape (N, bars); None for saying nothing of them.

    Returns:
        Shape (N, T, F).
    """
    steps = np.repeat(codec.empty(meter)[None], len(points), 0)
    if chords is not None:
        steps = codec.with_chords(steps, chords)
    columns = player.config.columns
    # Columns of two words, such as drums, say together what is struck: rare ones are not cut off one by one.
    twos = sum(columns.sizes[column] == 2 for column in columns.predicted)
    player.begin(points, steps if chords is not None else steps[:1])
    for step in range(steps.shape[1]):
        for column in columns.predicted:
            if beginning is not None and step < len(beginning):
                steps[:, step, column] = beginning[step, column]
                player.put(column, steps[:, step, column])
                continue
            size = columns.sizes[column]
            first = columns.offsets[column]
            mask = codec.follows(column, steps[:, step - 1] if step else None)
            if allowed is not None:
                mask = mask & allowed[..., first : first + size]
            own = Taste(taste.temperature, 0, 1 - (1 - taste.top_p) / twos) if size == 2 and twos > 1 else taste
            words = draw_rows(player.logits(column), mask, own, rng)
            words = np.where(codec.speaks(column, steps[:, step]), words, 0)
            steps[:, step, column] = words
            player.put(column, words)
    return steps


def likelihood(player: Any, codec: Any, points: NDArray[Any], beginning: NDArray[np.int32]) -> NDArray[np.float64]:
    """How likely windows that are told from points begin so, as the logarithm, shape (N,).

    Args:
        player, codec: as in `tell`.
        points: shape (N, Z).
        beginning: steps, shape (steps, F).
    """
    paid, found = codec.paid(beginning), np.zeros(len(points))
    player.begin(points, beginning)
    for step, row in enumerate(beginning):
        for column in player.config.columns.predicted:
            word = int(row[column])
            if paid[step, column]:
                logits = player.logits(column).astype(np.float64)
                found += logits[:, word] - np.logaddexp.reduce(logits, axis=1)
            player.put(column, np.full(len(points), word))
    return found


__all__ = ["likelihood", "tell"]
