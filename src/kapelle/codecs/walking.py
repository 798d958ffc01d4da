"""What walks share through pieces that open with facts: the header, and the bars that are left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import WishError
from ..music import Wishes
from .grid import bar_length
from .words import FAR, MAX_BARS, METERS, PICKUP, Words

Mask = NDArray[np.bool_]


class FactsWalk:
    """The header of a piece being written, and its countdown of bars.

    Args:
        vocabulary: of the codec.
        wishes: what must hold.
        guide: the bars to announce where a number of notes is wished.
    """

    def __init__(self, vocabulary: Words, wishes: Wishes, guide: int | None) -> None:
        self._words = vocabulary
        self.wishes = wishes
        self._announced = wishes.bars or guide
        self._header: list[int] = []
        self._bars_left: int | None = None
        self._bars_at_start = 1
        self.finished = False
        self.notes_written = 0

    @property
    def closing(self) -> bool:
        """Whether the last two bars are reached."""
        return not self._in_header and self._remaining() <= 2

    @property
    def _in_header(self) -> bool:
        return len(self._header) < len(self._words.header)

    def _facts_told(self) -> dict[str, int]:
        """Which word each fact has, counted from its first; the header is over."""
        ranges = self._words.header_ranges
        return {fact: kind - ranges[fact][0] for fact, kind in zip(self._words.header, self._header, strict=True)}

    def _count_down(self, bars: int, pickup: int) -> None:
        """Start to count the bars that are left, a pickup being one, if the header told how many there are."""
        if self._announced is not None or bars < MAX_BARS:
            self._bars_left = (self._announced or bars + 1) + (pickup > 0)
            self._bars_at_start = self._bars_left

    def _remaining(self) -> int:
        if self._bars_left is None:
            return FAR
        if self.wishes.notes is None:
            return max(min(self._bars_left, FAR), 0)
        # The notes decide when the piece ends, so the countdown follows them at the style's own density.
        left = -(-(self.wishes.notes - self.notes_written) * self._bars_at_start // self.wishes.notes)
        return min(max(left, 1), FAR)

    def _header_kinds(self, masks: dict[str, Mask]) -> Mask:
        """Which kinds may say the next fact; a pickup is shorter than a bar."""
        fact = self._words.header[len(self._header)]
        if fact != "pickup":
            return masks[fact]
        ranges, mask = self._words.header_ranges, masks[fact].copy()
        length = bar_length(self._header[self._words.header.index("meter")] - ranges["meter"][0])
        mask[ranges["pickup"][0] + -(-length // PICKUP) :] = False
        return mask


def header_masks(vocabulary: Words, wishes: Wishes, bars: int | None) -> dict[str, Mask]:
    """For each header fact, which kinds may say it.

    Args:
        vocabulary: of the codec.
        wishes: what must hold.
        bars: to be announced; None for any.

    Raises:
        WishError: if the metre is none that can be told.
    """
    if wishes.meter is not None and wishes.meter.name not in METERS:
        bounds = "1 to 16 over 2, 4, 8 or 16, at most 4 whole notes long"
        raise WishError(f"expected a metre such as 3/4 or 6/8, {bounds}; got {wishes.meter.name}")
    wished: dict[str, Any] = {
        "bars": None if bars is None else (f"bars {bars}" if bars <= MAX_BARS else "bars many"),
        "meter": None if wishes.meter is None else f"meter {wishes.meter.name}",
        "key": None if wishes.key is None else f"key {replace(wishes.key, onset=0).name}",
    }
    places, masks = np.arange(len(vocabulary.kinds)), {}
    for fact, (first, stop) in vocabulary.header_ranges.items():
        wish = wished.get(fact)
        inside = (places >= first) & (places < stop)
        masks[fact] = inside if wish is None else places == vocabulary.kind_index[wish]
    return masks
