"""Some voices of a piece written anew, the others given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..music import Score
from ..music.partwriting import VOICES
from ..styles import Style

Rewrite = Callable[[Score, Sequence[int], int], Score]
"""From a score, the voices to be written anew (0, the soprano, to 3) and a seed to the score with them; voices and bars
stay where they are."""


def rewriter(style: Style) -> Rewrite | None:
    """What writes voices anew in a style; None if it does not know voices, or never learnt to be given any."""
    player: Any = style.player
    if not style.codec.in_voices or not getattr(player.config, "reveal", 0):
        return None

    def rewrite(score: Score, voices: Sequence[int], seed: int) -> Score:
        return style.harmonize(score, "".join(VOICES[voice] for voice in voices), seed=seed).score

    return rewrite
