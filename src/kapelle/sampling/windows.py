"""Many windows at once, from their points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draw import Taste, draw_rows


def tell(
    player: Any, codec: Any, points: NDArray[Any], meter: str, taste: Taste, rng: np.random.Generator,
    allowed: NDArray[np.bool_] | None = None, known: NDArray[np.int32] | None = None,
    fixed: NDArray[np.bool_] | None = None, chords: NDArray[Any] | None = None, alike: bool = False,
) -> NDArray[np.int32]:  # fmt: skip
    """Windows told from points.

    A temperature below 1 cools what comes, and how long it is until something comes, but not whether it comes: see
    `_moved`. In most steps of a part it is likelier that it goes on as before, so that the most likely word of every
    step is silence. At 0 a network that has learnt to tell windows from their points alone does so.

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
        alike: whether one chance decides in all windows, so that they differ by their points alone.

    Returns:
        Shape (N, T, F).
    """
    given = codec.empty(meter) if known is None else known
    steps = np.broadcast_to(given, (len(points), *given.shape[-2:])).copy()
    if chords is not None:
        given = steps = codec.with_chords(steps, chords)
    stays = np.broadcast_to(False if fixed is None else fixed, steps.shape)
    columns, events = player.config.columns, set(codec.events)
    waited = np.ones((len(points), steps.shape[2]))
    player.begin(points, given, blind=player.alone and not taste.temperature and fixed is None)
    for step in range(steps.shape[1]):
        for column in columns.predicted:
            stay = stays[:, step, column]
            if stay.all():
                player.put(column, steps[:, step, column])
                continue
            first = columns.offsets[column]
            mask = codec.follows(column, steps[:, step - 1] if step else None)
            if allowed is not None:
                mask = mask & allowed[..., first : first + columns.sizes[column]]
            logits = player.logits(column)
            if column in events:
                before = codec.vocabulary.as_before(column, steps[:, step - 1] if step else None)
                words, waited[:, column] = _moved(logits, mask, before, waited[:, column], taste, rng, alike)
                waited[stay, column] = 1
            else:
                words = draw_rows(logits, mask, taste, rng, alike)
            words = np.where(codec.speaks(column, steps[:, step]), words, 0)
            words = np.where(stay, steps[:, step, column], words)
            steps[:, step, column] = words
            player.put(column, words)
    return steps


def _moved(
    logits: NDArray[Any], allowed: NDArray[np.bool_], onward: NDArray[Any], waited: NDArray[np.float64], taste: Taste,
    rng: np.random.Generator, alike: bool,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """What comes next in a column where mostly all goes on as before.

    The chances of each step to go on as before say how long it may be until something else comes. At a temperature of 1
    that is drawn as learnt, at 0 it is the median, and between them drawn from the middle of it.

    Args:
        logits: shape (N, words).
        allowed: which words may come, shape (words,) or (N, words).
        onward: the word of each row that goes on as before, shape (N,).
        waited: how likely it was to wait for as long as it has been, 1 where nothing has been waited, shape (N,).
        taste: the rest of it is for what comes.
        rng, alike: as in `draw_rows`.

    Returns:
        Words of shape (N,), and how likely it was to wait until now.
    """
    scores = np.where(allowed, logits, -np.inf).astype(np.float64) / max(taste.temperature, 1)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    rows = np.arange(len(weights))
    still = waited * weights[rows, onward] / weights.sum(1)
    # A wait ends where it becomes less likely than a share that is drawn, of `low` to 1 - `low`.
    low = 0.5 - min(taste.temperature, 1) / 2
    if low < 0.5:
        top = np.minimum(waited, 1 - low)
        ends = (top - still) > rng.random(1 if alike else len(rows)) * (top - low)
    else:
        ends = still < low
    other = np.broadcast_to(allowed, weights.shape).copy()
    other[rows, onward] = False
    ends &= other.any(1)
    other[~ends] = True
    words = np.where(ends, draw_rows(logits, other, taste, rng, alike), onward)
    return words, np.where(ends, 1.0, still)


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
