"""How much of what a style composes is copied from the pieces it was learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation import COPIES, Originality, Sources, originality
from ..music import Score
from .lesson import Lesson
from .style import Style


@dataclass(frozen=True)
class Copying:
    """What composed and held-out human pieces share with those that were learnt from.

    Attributes:
        composed: by the style.
        human: held out, or None where there are no such pieces.
        verdict: "copies", "like human pieces" or "suspiciously little".
    """

    composed: Originality
    human: Originality | None
    verdict: str

    @property
    def words(self) -> str:
        """What is copied, or nothing."""
        if self.verdict != COPIES or self.composed.passage is None:
            return ""
        return f"composed pieces repeat the learnt ones for longer than human pieces do, up to {self.composed.passage}"


def samples(style: Style, pieces: int, bars: int) -> tuple[Score, ...]:
    """Pieces that show what a style does, from the seeds 0, 1, ..."""
    return tuple(style.compose(bars=bars, title=f"{style.name} {seed}", seed=seed) for seed in range(pieces))


def copying(lesson: Lesson, composed: Sequence[Score]) -> Copying:
    """What composed pieces share with those of a lesson.

    Args:
        lesson: whose training pieces are the sources, and whose held-out pieces are the human ones.
        composed: at least one piece.
    """
    rng = np.random.default_rng(0)
    sources = Sources.of((piece.name, piece.score) for piece in lesson.parts.train)
    own = originality(composed, sources, rng)
    human = originality(lesson.held_out, sources, rng) if lesson.held_out else None
    return Copying(own, human, own.against(human, rng))
