"""From logits to a word. Chance is an argument, and nothing here knows what the words mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Taste:
    """How freely words are drawn.

    Attributes:
        temperature: >= 0; 1 draws as learnt, less is safer, 0 always takes the most likely word.
        top_k: only the k most likely words; 0 for no limit.
        top_p: only the most likely words that together reach this probability, 0 < p <= 1.
        min_p: only words at least this share as likely as the most likely one, 0 <= p < 1.
        motion: above 0; where music can go on as before, 1 does so as often as learnt; above, the less likely of to go
            on and to move comes more often.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    motion: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"expected a temperature of 0..10, got {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"expected top_k >= 0, got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"expected top_p above 0 and up to 1, got {self.top_p:g}")
        if not 0 <= self.min_p < 1:
            raise ValueError(f"expected 0 <= min_p < 1, got {self.min_p}")
        if not self.motion > 0:
            raise ValueError(f"expected a motion above 0, got {self.motion}")

    def shared(self, choices: int) -> Taste:
        """The taste of each of so many choices that make up one and nearly all say the same, as the keys of a frame do.

        Each on its own would leave out whatever is struck as too unlikely. Together they may leave out no more than
        one choice would, and cooling them would thin the music out, so only a temperature of 0 or above 1 stays.
        """
        temperature = 1.0 if 0 < self.temperature < 1 else self.temperature
        return Taste(temperature, top_p=1 - (1 - self.top_p) / choices)


def distribution(
    logits: NDArray[Any], allowed: NDArray[np.bool_], taste: Taste, onward: bool = False
) -> NDArray[np.float64]:
    """The probabilities that words are drawn with, shape (words,).

    What is not allowed has probability 0 before anything else is looked at.

    Args:
        logits: unnormalised log-probabilities, shape (words,).
        allowed: which words may come, shape (words,), at least one.
        taste: how freely.
        onward: whether word 0 goes on as before. Then its probability follows from what was learnt and from `motion`
            unless the temperature is 0, and the rest of the taste is for where else to go to: holding on is often the
            most likely word by far, and cooled with the others it would leave music of ever longer notes.

    Raises:
        ValueError: if nothing is allowed, or a logit of an allowed word is not a number.

    Source:
        top-p: Holtzman et al. 2020, arXiv:1904.09751; min-p: Nguyen et al. 2024, arXiv:2407.01082. Both,
        like top-k, look at the probabilities after the temperature.

    >>> distribution(np.log([0.5, 0.3, 0.2]), np.array([True, False, True]), Taste(temperature=0.5)).round(3)
    array([0.862, 0.   , 0.138])
    """
    scores = np.where(allowed, logits, -np.inf).astype(np.float64)
    best = scores.max()
    if not np.isfinite(best):
        raise ValueError("expected at least one allowed word with a finite logit")
    if taste.temperature == 0:
        return np.asarray(np.arange(len(scores)) == scores.argmax(), np.float64)
    if onward and np.isfinite(scores[1:]).any() and np.isfinite(scores[0]):
        first = np.arange(len(scores)) == 0
        learnt = distribution(logits, allowed, Taste())[0]
        holds, moves = learnt ** (1 / taste.motion), (1 - learnt) ** (1 / taste.motion)
        holds /= holds + moves
        return np.asarray(np.where(first, holds, (1 - holds) * distribution(logits, allowed & ~first, taste)))
    with np.errstate(over="ignore"):
        weights = np.exp((scores - best) / taste.temperature)
    if taste.min_p:
        weights[weights < taste.min_p] = 0
    if 0 < taste.top_k < len(weights):
        weights[np.argsort(-weights, kind="stable")[taste.top_k :]] = 0
    weights /= weights.sum()
    if taste.top_p < 1:
        order = np.argsort(-weights, kind="stable")
        reached = np.cumsum(weights[order])
        weights[order[1:][reached[:-1] >= taste.top_p]] = 0
        weights /= weights.sum()
    return np.asarray(weights)


def draw(
    logits: NDArray[Any], allowed: NDArray[np.bool_], taste: Taste, rng: np.random.Generator, onward: bool = False
) -> int:
    """A word drawn from `distribution`; always one that is allowed."""
    reached = np.cumsum(distribution(logits, allowed, taste, onward))
    return int(np.searchsorted(reached, rng.random() * reached[-1], side="right"))


def draw_rows(
    logits: NDArray[Any], allowed: NDArray[np.bool_], taste: Taste, rng: np.random.Generator, alike: bool = False
) -> NDArray[np.int64]:  # fmt: skip
    """A word for each row, drawn from what `distribution` gives of it.

    Args:
        logits: shape (N, words).
        allowed: which words may come, at least one in each row, shape (words,) or (N, words).
        taste: how freely.
        rng: where chance comes from.
        alike: whether one chance decides in all rows.

    Returns:
        Shape (N,).
    """
    scores = np.where(allowed, logits, -np.inf).astype(np.float64)
    if not allowed.any(-1).all():
        raise ValueError("expected at least one allowed word in each row")
    if taste.temperature == 0:
        return np.asarray(scores.argmax(1))
    scores -= scores.max(1, keepdims=True)
    with np.errstate(over="ignore"):
        weights = np.exp(scores / taste.temperature)
    weights[weights < taste.min_p] = 0
    order = np.argsort(-weights, axis=1, kind="stable")
    ranked = np.take_along_axis(weights, order, 1)
    if 0 < taste.top_k < ranked.shape[1]:
        ranked[:, taste.top_k :] = 0
    reached = np.cumsum(ranked / ranked.sum(1, keepdims=True), 1)
    if taste.top_p < 1:
        ranked[:, 1:][reached[:, :-1] >= taste.top_p] = 0
        reached = np.cumsum(ranked / ranked.sum(1, keepdims=True), 1)
    place = (reached < rng.random((1 if alike else len(reached), 1)) * reached[:, -1:]).sum(1)
    return np.asarray(np.take_along_axis(order, place[:, None], 1)[:, 0])
