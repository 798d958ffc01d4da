"""Windows that are told in given chords."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..music import TRIADS, Key, key_fit, parse_chords
from ..music.key import MODES
from ..sampling import Taste, tell
from .space import Space, between
from .wanted import refuse, understood

DRAWS = 16
"""So many windows are told for each that is kept: the one that is most in its chords."""


@dataclass(frozen=True)
class ChordLine:
    """Chords, one a bar, again from the first where there are more bars.

    Attributes:
        words: of TRIADS, at least one.
    """

    words: tuple[int, ...]

    @classmethod
    def parse(cls, text: str, tell: Callable[[str], None]) -> ChordLine:
        """A line of symbols; what is more than a triad is told, and taken for one.

        Raises:
            WishError: if a symbol is none.
        """
        with understood():
            words, mapped = parse_chords(text)
        if mapped:
            tell(f"chords are triads here: {', '.join(mapped)}")
        return cls(tuple(words))

    def of_windows(self, count: int, bars: int) -> NDArray[np.int64]:
        """The chords of some windows, shape (count, bars)."""
        return np.resize(np.array(self.words), count * bars).reshape(count, bars)

    def pitch_classes(self, key: Key | None) -> frozenset[int]:
        """What may sound over them: the scale of the key, or that which the chords suggest and all that they have."""
        if key is not None:
            return key.pitch_classes
        own = np.bincount([place for word in self.words for place in TRIADS[word]], minlength=12)
        if not own.any():
            return frozenset(range(12))
        # The key that has most of the notes, and of several the one they fit best.
        keys = [Key(0, tonic, mode) for mode in MODES for tonic in range(12)]
        inside = np.array([own[sorted(each.pitch_classes)].sum() for each in keys])
        best = keys[int((inside + 0.1 * key_fit(own)).argmax())]
        return best.pitch_classes.union(np.flatnonzero(own).tolist())


def told_in_chords(
    player: Any, codec: Any, space: Space, meter: str, chords: NDArray[np.int64], taste: Taste,
    rng: np.random.Generator, allowed: NDArray[np.bool_] | None, near: float,
) -> NDArray[np.int32]:  # fmt: skip
    """Windows that are kin, each the one most in its chords of DRAWS.

    Args:
        player, codec, space: of the style.
        meter: of all windows.
        chords: words of TRIADS, shape (count, bars).
        taste, rng, allowed: as in `tell`.
        near: how far what follows may be from the first window, as a share of the way to anywhere.

    Returns:
        Shape (count, T, F).
    """
    number = codec.vocabulary.meters.index(meter)

    def best(points: NDArray[Any], own: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        told = tell(player, codec, points, meter, taste, rng, allowed, chords=own)
        fits = [codec.in_chords(steps, line) if codec.num_notes(steps) else -1.0 for steps, line in
                zip(told, own, strict=True)]  # fmt: skip
        places = np.nan_to_num(fits, nan=0.0).reshape(-1, DRAWS).argmax(1) + DRAWS * np.arange(len(points) // DRAWS)
        return told[places], places

    starts = space.draw(number, DRAWS, rng)
    first, place = best(starts, np.repeat(chords[:1], DRAWS, 0))
    if len(chords) == 1:
        return first
    more = space.draw(number, DRAWS * (len(chords) - 1), rng)
    kin = np.array([between(starts[place[0]], other, near) for other in more])
    return np.concatenate([first, best(kin, np.repeat(chords[1:], DRAWS, 0))[0]])


def check_chords(style: Any) -> None:
    """See that a style can be told chords.

    Raises:
        WishError: if it cannot.
    """
    if not style.codec.vocabulary.chords:
        why = "has no lines that could be in chords" if not style.codec.vocabulary.lines else "was learnt without them"
        refuse(f"chords cannot be wished of the style {style.name}: it {why}", "wish them of melody or trio")


__all__ = ["ChordLine", "check_chords", "told_in_chords"]
