"""Many windows at once, from their points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draw import Taste, draw_rows


def tell(
    player: Any, codec: Any, points: NDArray[Any], meter: str, taste: Taste, rng: np.random.Generator,
    allowed: NDArray[np.bool_] | None = None, known: NDArray[np.int32] | None = None,
    fixed: NDArray[np.bool_] | None = None, chords: NDArray[Any] | None = None,
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
        known: what is given of the windows, and what is fixed, shape (T, F), or (N, T, F) for each its own; None for
            windows of which nothing is heard.
        fixed: which fields stay as they are known, whatever is allowed, of a shape that goes with (N, T, F).
        chords: words of a chord for each bar of each window, shape (N, bars); None for saying nothing of them.

    Returns:
        Shape (N, T, F).
    """
    given = codec.empty(meter) if known is None else known
    steps = np.broadcast_to(given, (len(points), *given.shape[-2:])).copy()
    if chords is not None:
        given = steps = codec.with_chords(steps, chords)
    stays = np.broadcast_to(False if fixed is None else fixed, steps.shape)
    columns = player.config.columns
    # Columns of two words, such as drums, say together what is struck: rare ones are not cut off one by one.
    twos = sum(columns.sizes[column] == 2 for column in columns.predicted)
    player.begin(points, given)
    for step in range(steps.shape[1]):
        for column in columns.predicted:
            stay = stays[:, step, column]
            if stay.all():
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
            words = np.where(stay, steps[:, step, column], words)
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


def chances(
    player: Any, points: NDArray[Any], steps: NDArray[np.int32], blind: bool
) -> dict[int, NDArray[np.float64]]:  # fmt: skip
    """How likely each word is, given what a window says in the fields before it.

    Args:
        player: as in `tell`.
        points: shape (N, Z).
        steps: windows, shape (N, T, F).
        blind: whether only the fields of its own step are told it.

    Returns:
        For each predicted column probabilities of shape (N, T, words).
    """
    found: dict[int, list[NDArray[np.float64]]] = {column: [] for column in player.config.columns.predicted}
    player.begin(points, steps, blind)
    for step in range(steps.shape[1]):
        for column, rows in found.items():
            logits = player.logits(column).astype(np.float64)
            likely = np.exp(logits - logits.max(1, keepdims=True))
            rows.append(likely / likely.sum(1, keepdims=True))
            player.put(column, steps[:, step, column])
    return {column: np.stack(rows, 1) for column, rows in found.items()}


__all__ = ["chances", "likelihood", "tell"]
