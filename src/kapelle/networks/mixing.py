"""Manners that are mixed in the weights of a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .columns import Columns
from .recurrent import Weights

EMBEDDING = "embed.weight"
"""The weights that say what each word of a fact stands for, one row a word."""


def mixed(weights: Weights, columns: Columns, name: str, shares: Sequence[float]) -> Weights:
    """Weights in which every word of a column stands for the same: for a mixture of what each of them stood for.

    Args:
        weights: of a network that has a row for each word of each fact.
        columns: of its steps.
        name: of the column.
        shares: of each word, at least one above 0; they are taken relative to their sum.

    Source:
        Mao et al. 2018, DeepJ (arXiv:1801.00887), section 3.3: a style is a point, and a mixture lies between.
    """
    column = columns.names.index(name)
    first = columns.offsets[column]
    rows = slice(first, first + columns.sizes[column])
    embedding = np.array(weights[EMBEDDING])
    portions = np.asarray(shares, np.float64) / np.sum(shares)
    embedding[rows] = portions @ embedding[rows].astype(np.float64)
    return {**weights, EMBEDDING: embedding}
