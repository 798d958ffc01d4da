"""Where the music was before what it is now, and how it went on there: chorales repeat their lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...music import IntArray

WINDOW = 1024
"""Steps back to which echoes are looked for."""

BORDERS = (1, 2, 3, 4, 5, 7, 9, 13, 17, 25)
LENGTHS = len(BORDERS) + 1
"""Words for how long an echo is: its notes, exact up to 4, then coarser; 0 for none."""


class Echo:
    """The longest stretch of one or more voices that ends now and has been heard before, step by step.

    Two stretches are alike if the same heights start, sound and end in the same steps. Their length is the number of
    steps in which something starts; of two that are as long the later one counts.
    """

    def __init__(self) -> None:
        self._rows = np.empty((WINDOW + 1, 4), np.int64)
        self._alike = np.zeros(0, np.int64)
        self._count = 0

    def copy(self) -> Echo:
        """The same, to go its own way."""
        other = Echo()
        other._rows, other._alike, other._count = self._rows.copy(), self._alike, self._count
        return other

    def step(self, symbols: IntArray, starts: bool) -> tuple[int, int]:
        """Hear the next step.

        Args:
            symbols: one number for what each voice does, of those that are looked at; shape (1..4,).
            starts: whether any of them starts something.

        Returns:
            The length of the longest echo that includes this step, and how many steps ago what came after it then
            was told: 0 is this very step. A length of 0 is no echo.
        """
        width = len(symbols)
        if self._count > WINDOW:
            # The oldest step is forgotten.
            self._rows[:-1] = self._rows[1:]
            self._alike = self._alike[1:]
            self._count -= 1
        earlier = self._rows[: self._count, :width]
        same = (earlier == symbols).all(axis=1)
        before = np.concatenate(([0], self._alike))[: self._count]
        self._alike = np.where(same, before + starts, 0)
        self._rows[self._count, :width] = symbols
        self._count += 1
        if not len(self._alike):
            return 0, 0
        best = int(len(self._alike) - 1 - self._alike[::-1].argmax())
        return int(self._alike[best]), self._count - 2 - best


def length_word(lengths: NDArray[np.int64]) -> IntArray:
    """The words for lengths of echoes."""
    return np.searchsorted(BORDERS, lengths, side="right")
