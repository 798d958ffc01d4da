"""Which words are frequent in pieces, and what naming them always would be worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..codecs import Codec
from .batches import Pieces


def word_counts(pieces: Pieces, codec: Codec) -> list[NDArray[np.int64]]:
    """How often each word of each column is chosen in the pieces, each of shape (V,)."""
    counts = [np.zeros(size, np.int64) for _, size, _ in codec.layout]
    for piece in pieces:
        paid = codec.paid(piece)
        for column, count in enumerate(counts):
            count += np.bincount(piece[paid[:, column], column], minlength=len(count))
    return counts


def baseline_accuracy(train: Pieces, valid: Pieces, codec: Codec) -> float:
    """The accuracy on `valid` of always naming the word that each column has most often in `train`."""
    both = zip(word_counts(train, codec), word_counts(valid, codec), strict=True)
    pairs = [(here, there) for here, there in both if len(here) > 1]
    right = sum(int(there[here.argmax()]) for here, there in pairs)
    return right / max(sum(int(there.sum()) for _, there in pairs), 1)
