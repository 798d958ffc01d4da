"""Weights of one stepwise network as the beginning of another, whose words are not quite the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..recurrent import Weights
from .config import StepwiseConfig

Words = Mapping[str, NDArray[np.int64]]


def adopted(own: StepwiseConfig, fresh: Weights, base: StepwiseConfig, weights: Weights, words: Words) -> Weights:
    """The weights that a network begins with to go on from what another one has learnt.

    Every word begins as the nearest word of the base, every column that the base predicted too as it was there;
    what the base never had stays fresh.

    Args:
        own: the network that is to be trained.
        fresh: its weights as they are drawn.
        base: the network that was trained; of the same sizes but for its words.
        weights: what it learnt.
        words: for each column, which word of the base each of its words begins as.

    Raises:
        ValueError: if the two have other sizes, or columns of other names.
    """
    sizes = ("embed_dim", "hidden_dim", "num_layers", "inner_dim", "attention_dim", "num_heads")
    if own.columns.names != base.columns.names or any(getattr(own, size) != getattr(base, size) for size in sizes):
        raise ValueError("the base has another shape")
    mine = {name: np.array(weight, np.float32) for name, weight in fresh.items()}
    theirs = {name: np.asarray(weight, np.float32) for name, weight in weights.items()}
    by_column = ("embed.", "words.", "told_to_inner.", "outer_to_inner.")
    for name, weight in theirs.items():
        if not name.startswith(by_column):
            mine[name] = weight
    rows = [base.columns.offsets[c] + words[name] for c, name in enumerate(own.columns.names)]
    mine["embed.weight"] = theirs["embed.weight"][np.concatenate(rows)]
    before = {column: place for place, column in enumerate(base.columns.predicted)}
    for place, column in enumerate(own.columns.predicted):
        if column not in before:
            continue
        here, there = _block(place, own.inner_dim), _block(before[column], own.inner_dim)
        nearest = words[own.columns.names[column]]
        for kind in ("weight", "bias"):
            mine[f"outer_to_inner.{kind}"][here] = theirs[f"outer_to_inner.{kind}"][there]
            mine[f"words.{place}.{kind}"] = theirs[f"words.{before[column]}.{kind}"][nearest]
        if column:
            told, was_told = place - _first(own), before[column] - _first(base)
            mine[f"told_to_inner.{told}.weight"] = theirs[f"told_to_inner.{was_told}.weight"]
    return mine


def _block(place: int, size: int) -> slice:
    return slice(place * size, (place + 1) * size)


def _first(config: StepwiseConfig) -> int:
    """1 if the first column of all is predicted: it is told before any other, so nothing leads from it to itself."""
    return int(0 in config.columns.predicted)
