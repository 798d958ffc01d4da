"""What of a window of drums is heard before it is told: its hits, a rhythm tapped to it, or all but its closed hats.

The given columns that say so stand after the told ones. Each is 0 where nothing is said:

    heard kick ...      of each drum: silent or struck
    heard tap           of the rhythm: silent or struck; with loudness and timing, where these are heard
    heard tempo         the nearest of TEMPOS
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .vocabulary import Vocabulary

Steps = NDArray[np.int32]

HEARINGS = ("nothing", "hits", "tap", "hats")
"""Nothing; which drums are struck; when anything is; which drums are struck, closed hats not counted."""
CLOSED_HAT = 42
TEMPOS = (60, 75, 90, 105, 120, 140, 165, 200)
"""Quarters a minute; a tempo is heard as the one that it is nearest to by ratio."""
PART, HIDDEN = 0.5, 0.5
"""Share of the taps learnt from that are of some of the drums only, so that the others are added to a rhythm; and of
those whose loudness is not heard, and of those whose timing is not, as in a rhythm that is written on the grid."""


def columns(vocabulary: Vocabulary, names: tuple[str, ...]) -> list[tuple[str, int, bool]]:
    """The columns of what is heard; `names` are those of the drums."""
    loud, late = len(vocabulary.velocities), 2 * vocabulary.timing
    drums = [(f"heard {name}", 3, True) for name in names]
    tap = [("heard tap", 3, True), ("heard tap loudness", 1 + loud, True), ("heard tap timing", 1 + late, True)]
    return [*drums, *tap, ("heard tempo", 1 + len(TEMPOS), True)]


def tempo_word(quarters_per_minute: float) -> int:
    """The word of a tempo."""
    return 1 + int(np.abs(np.log(np.array(TEMPOS) / max(quarters_per_minute, 1))).argmin())


def heard(
    steps: Steps, vocabulary: Vocabulary, what: str, tap_of: NDArray[np.bool_] | None = None,
    loudness: bool = True, timing: bool = True,
) -> Steps:  # fmt: skip
    """Windows of which something is heard; their tempo stays heard, but where nothing is.

    Args:
        steps: windows, shape (..., F).
        vocabulary: that has words for it.
        what: of HEARINGS.
        tap_of: of which drums a tap is, shape (drums,); None for all.
        loudness, timing: whether these of a tap are heard.
    """
    told, first, keys = steps.copy(), vocabulary.first_heard, vocabulary.drum_keys
    count, events = len(keys), vocabulary.hits
    struck = told[..., events] > 0
    if what == "nothing":
        told[..., first:] = 0
        return told
    told[..., first:-1] = 0
    if what in ("hits", "hats"):
        told[..., first : first + count] = 1 + struck
    if what == "hats":
        told[..., first + keys.index(CLOSED_HAT)] = 0
    if what == "tap":
        struck &= True if tap_of is None else tap_of
        loud = np.where(struck, told[..., events + 1], -1)
        loudest = events[loud.argmax(-1)]
        at = struck.any(-1)
        told[..., first + count] = 1 + at
        if loudness:
            told[..., first + count + 1] = np.where(at, 1 + loud.max(-1), 0)
        if timing:
            own = np.take_along_axis(told, loudest[..., None] + 2, -1)[..., 0]
            told[..., first + count + 2] = np.where(at, 1 + own, 0)
    return told


def overheard(steps: Steps, vocabulary: Vocabulary, rng: np.random.Generator) -> Steps:
    """A window of which something is heard by chance, of what the vocabulary hears."""
    what = vocabulary.hears[int(rng.integers(len(vocabulary.hears)))]
    tap_of = None
    if what == "tap" and rng.random() < PART:
        sounding = np.flatnonzero((steps[:, vocabulary.hits] > 0).any(0))
        if len(sounding):
            tap_of = np.zeros(len(vocabulary.hits), bool)
            tap_of[rng.permutation(sounding)[: int(rng.integers(1, len(sounding) + 1))]] = True
    return heard(steps, vocabulary, what, tap_of, rng.random() >= HIDDEN, rng.random() >= HIDDEN)


__all__ = ["CLOSED_HAT", "HEARINGS", "TEMPOS", "columns", "heard", "overheard", "tempo_word"]
