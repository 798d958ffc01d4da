"""How much of some pieces is copied, beside how much human pieces share with each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kapelle.music import IntArray, Score

from .lines import Hashes, Passage, windows
from .memory import LEAST_PIECES, LIMIT
from .sources import BEATS, INTERVALS, Sources, found, melody

DRAWS = 1000
"""How often pieces are drawn anew for an interval."""

SURE = 0.99
"""The share of draws of human pieces that counts as like them: with 95 % three looks would be wrong too often."""

COPIES, LIKE_HUMAN, LITTLE = "copies", "like human pieces", "suspiciously little"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure over some pieces: the sum of one count over that of another.

    Attributes:
        value: the figure.
        low, high: the interval that holds 95 % of what the pieces give when as many are drawn of them anew.
        part: of each piece what is counted, shape (pieces,).
        whole: of each piece out of how much, shape (pieces,).
    """

    value: float
    low: float
    high: float
    part: IntArray = field(repr=False, compare=False)
    whole: IntArray = field(repr=False, compare=False)

    @classmethod
    def of(cls, part: IntArray, whole: IntArray, rng: np.random.Generator) -> Figure:
        figure = cls(float(part.sum() / max(whole.sum(), 1)), 0.0, 0.0, part, whole)
        return cls(figure.value, *figure.interval(len(part), 0.95, rng), part, whole)

    def interval(self, pieces: int, share: float, rng: np.random.Generator) -> tuple[float, float]:
        """Where the figure lies for this share of the draws of so many pieces."""
        draws = rng.integers(0, len(self.part), (DRAWS, pieces))
        figures = self.part[draws].sum(axis=1) / np.maximum(self.whole[draws].sum(axis=1), 1)
        low, high = np.quantile(figures, [(1 - share) / 2, (1 + share) / 2]).tolist()
        return low, high


@dataclass(frozen=True, slots=True)
class Originality:
    """What some pieces have in common with the pieces that were learnt from.

    Attributes:
        pieces: how many.
        windows: for so many beats, the share of windows that are found, 0..1, of all windows of all pieces.
        grams: for so many melodic intervals in a row, the share of runs that are found, 0..1.
        longest: notes of the longest copied passage of a piece, on average.
        limit: notes that the longest passage of 95 % of the pieces does not exceed.
        passages: for each piece its longest passage; None where it has no two pitched notes in a row.
    """

    pieces: int
    windows: dict[int, Figure]
    grams: dict[int, Figure]
    longest: Figure
    limit: int
    passages: tuple[Passage | None, ...]

    @property
    def passage(self) -> Passage | None:
        """The longest of all."""
        return max((found for found in self.passages if found), key=lambda found: found.notes, default=None)

    def against(self, human: Originality | None, rng: np.random.Generator) -> str:
        """The verdict, beside what held-out human pieces share with the same sources.

        Looked at are windows of 4 beats, runs of 12 intervals and the longest passages, each beside the interval in
        which 99 % of draws of as many human pieces lie. "copies": one lies above. "suspiciously little": none does,
        and two lie below. Otherwise "like human pieces".

        Args:
            human: the same figures of held-out human pieces. With none, or fewer than `LEAST_PIECES`, pieces whose
                longest passages have more than `LIMIT` notes on average are copies, and others like human pieces.
            rng: draws the human pieces.
        """
        if human is None or human.pieces < LEAST_PIECES:
            return COPIES if self.longest.value > LIMIT else LIKE_HUMAN
        pairs = [(self.windows[4], human.windows[4]), (self.grams[12], human.grams[12]), (self.longest, human.longest)]
        lows, highs = zip(*(theirs.interval(self.pieces, SURE, rng) for _, theirs in pairs), strict=True)
        values = np.array([own.value for own, _ in pairs])
        if (values > highs).any():
            return COPIES
        return LITTLE if (values < lows).sum() >= 2 else LIKE_HUMAN


def originality(scores: Sequence[Score], sources: Sources, rng: np.random.Generator) -> Originality:
    """How much of some scores is in the sources; the human baseline, if they are held-out human pieces.

    Args:
        scores: at least one.
        sources: the pieces that were learnt from.
        rng: draws the pieces anew for the intervals.
    """
    if not scores:
        raise ValueError("expected at least one score, got none")
    passages = tuple(sources.longest_of(scores))
    notes = np.array([passage.notes if passage else 0 for passage in passages])

    def share(hashes_of: Callable[[Score, int], Hashes], size: int, known: Hashes) -> Figure:
        marks = [found(hashes_of(score, size), known) for score in scores]
        return Figure.of(np.array([mark.sum() for mark in marks]), np.array([len(mark) for mark in marks]), rng)

    return Originality(
        len(scores),
        {beats: share(windows, beats, sources.windows[beats]) for beats in BEATS},
        {width: share(melody, width, sources.grams[width]) for width in INTERVALS},
        Figure.of(notes, np.ones(len(scores), np.int64), rng),
        math.ceil(np.quantile(notes, 0.95)),
        passages,
    )
