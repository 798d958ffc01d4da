"""How fermatas are told: where a line of the chorale begins, how far away its fermata is.

The word of the column `phrase` is a choice wherever a line begins, at the first sixteenth and after each fermata: 1 + k
if the next fermata is k sixteenths away, 0 if there is none in the next `PHRASE` of them, after which the choice comes
again. Everywhere else it is 0. The column `until` counts down to the fermata: 1 where it is, 0 if none is in sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .vocabulary import PHRASE

Ints = NDArray[np.int64]


def told(fermatas: Iterable[int], first: int, length: int) -> tuple[Ints, Ints]:
    """The columns `phrase` and `until` of a piece, each of shape (length,).

    Args:
        fermatas: the sixteenths in which they are, ascending, first..length - 1.
        first: the first sixteenth that is not the silence before a pickup.
        length: of the piece, in sixteenths.
    """
    phrase, until = np.zeros(length, np.int64), np.zeros(length, np.int64)
    start = first
    for place in fermatas:
        start += (place - start) // PHRASE * PHRASE
        phrase[start] = place - start + 1
        until[start : place + 1] = np.arange(place - start + 1, 0, -1)
        start = place + 1
    return phrase, until


def due(phrase: NDArray[Any], first: int) -> list[int]:
    """The sixteenths in which a choice was made.

    Args:
        phrase: the column, shape (T,).
        first: the first sixteenth that is not silence before a pickup.
    """
    places, words = [], phrase.tolist()
    while first < len(words):
        places.append(first)
        first += words[first] or PHRASE
    return places


def fermatas(phrase: NDArray[Any], first: int) -> tuple[int, ...]:
    """The sixteenths in which the fermatas are that a column tells and that lie in the piece; the inverse of `told`."""
    found: Sequence[int] = [place + int(phrase[place]) - 1 for place in due(phrase, first) if phrase[place]]
    return tuple(place for place in found if place < len(phrase))
