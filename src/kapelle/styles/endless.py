"""Music without an end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..music import Score, slice_bars

LASTING = ("temperature", "top_k", "top_p", "min_p", "mix")
"""Wishes that no music before can show."""


class Endless(ABC):
    """What composes and goes on can go on without an end."""

    @abstractmethod
    def compose(self, *arguments: Any, **wishes: Any) -> Score:
        """A new piece."""

    @abstractmethod
    def continue_(self, beginning: Score, *arguments: Any, **wishes: Any) -> Score:
        """A beginning and what comes after it."""

    def play_on(self, before: Score | None, bars: int = 8, **wishes: Any) -> Score:
        """Some bars on from those that were played last.

        Args:
            before: what was played last, of which the last bars count; None begins.
            bars: to be composed.
            wishes: as `compose` takes them, or as `continue_` does where there is something before.

        Raises:
            WishError: if a wish cannot be met.
        """
        # A style brings a piece to its close, so twice as many bars are composed as are played.
        if before is None:
            score = self.compose(bars=2 * bars, **wishes)
            first, last = 0, bars + (1 if score.pickup else 0)
        else:
            whole = len(before.bars()) - 1
            window = slice_bars(before, max(0, whole - bars), whole)
            score = self.continue_(window, bars=2 * bars, **wishes)
            first = len(window.bars()) - 1
            last = first + bars
        return slice_bars(score, first, min(last, len(score.bars()) - 1))

    def radio(self, bars: int = 8, seed: int | None = None, **wishes: Any) -> Iterator[Score]:
        """Music without an end, some bars at a time, each going on from the last.

        Nothing is kept but what was played last, however long it goes on.

        Args:
            bars: of each score.
            seed: the same seed gives the same music; None draws one.
            wishes: as in `compose`; key, metre, tempo and instruments of the beginning stay.

        Yields:
            Scores to be played one after the other; see `kapelle.music.concatenate`.

        Raises:
            WishError: if a wish cannot be met.
        """
        rng = np.random.default_rng(seed)
        wishes = self.drawn_once(wishes, rng)
        score = None
        while True:
            onward = wishes if score is None else self.lasting(wishes)
            score = self.play_on(score, bars, seed=int(rng.integers(2**32)), **onward)
            yield score

    def drawn_once(self, wishes: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Wishes, and what is drawn for all that follows where it is not wished."""
        return dict(wishes)

    def lasting(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """Wishes that have to be said again for what goes on from music that has them already."""
        return {name: value for name, value in wishes.items() if name in LASTING}
