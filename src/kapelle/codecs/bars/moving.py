"""Windows in other keys, for training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .vocabulary import STRUCK, Vocabulary

Steps = NDArray[np.int32]

FARTHEST = 5
"""Semitones by which a bar of a window that is told its chords is heard higher or lower."""


def moved(steps: Steps, vocabulary: Vocabulary, rng: np.random.Generator) -> Steps:
    """A window with all lines higher or lower by up to a tritone, inside their range."""
    lines = vocabulary.line_columns
    struck = steps[:, lines] >= STRUCK
    if not struck.any():
        return steps
    used = steps[:, lines][struck] - STRUCK
    low, high = max(-6, -int(used.min())), min(5, vocabulary.high - vocabulary.low - int(used.max()))
    steps = steps.copy()
    block = steps[:, lines]
    block[struck] += int(rng.integers(low, high + 1))
    steps[:, lines] = block
    return steps


def disguised(steps: Steps, vocabulary: Vocabulary, rng: np.random.Generator) -> Steps:
    """A window each of whose bars is in a key of its own.

    So a point says how a window goes and not on which notes, which the chords say; a network that is told both learns
    to obey the chords.
    """
    heard, size = steps.copy(), vocabulary.high - vocabulary.low
    for bar in range(vocabulary.bars):
        place = np.ix_(heard[:, 1] == bar, vocabulary.line_columns)
        block = heard[place]
        if (struck := block >= STRUCK).any():
            low, high = block[struck].min() - STRUCK, block[struck].max() - STRUCK
            block[struck] += int(rng.integers(max(-FARTHEST, -low), min(FARTHEST, size - high) + 1))
            heard[place] = block
    return heard


__all__ = ["disguised", "moved"]
