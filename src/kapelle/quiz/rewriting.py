"""Some voices of a piece written anew, the others given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..codecs.chorale import ChoraleCodec
from ..music import Score
from ..sampling import Taste, write
from ..styles import Style

Rewrite = Callable[[Score, Sequence[int], int], Score]
"""From a score, the voices to be written anew (0, the soprano, to 3) and a seed to the score with them; voices and bars
stay where they are."""

_TASTE = Taste(temperature=0.9, top_p=0.98)
"""As a style composes if nothing is wished."""


def rewriter(style: Style) -> Rewrite | None:
    """What writes voices anew in a style; None if its network never learnt to be given any."""
    player: Any = style.player
    codec = style.codec
    if not isinstance(codec, ChoraleCodec) or not getattr(player.config, "reveal", 0):
        return None

    def rewrite(score: Score, voices: Sequence[int], seed: int) -> Score:
        given = codec.given(score, voices)
        player.show(given.steps, given.shown)
        walk = codec.walk(given=given)
        draft = write(player, codec, walk, _TASTE, np.random.default_rng(seed), most_steps=len(given.steps))
        return codec.decode(draft.steps)

    return rewrite
