"""What may be said in a chorale that does not change while it is written: masks by wishes and vocabulary."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import WishError
from ...music import Wishes
from ...music.partwriting import VOICES
from ..walking import header_masks
from ..words import METERS
from .piece import bar_steps
from .vocabulary import PHRASE, Vocabulary

Mask = NDArray[np.bool_]


class Rules:
    """The masks of one piece, which do not change while it is written; they are shared and must not be changed.

    Args:
        vocabulary: of the codec.
        wishes: what must hold.
        announced: the bars that the header must say, if any.
    """

    def __init__(self, vocabulary: Vocabulary, wishes: Wishes, announced: int | None) -> None:
        self.vocabulary, self.wishes = vocabulary, wishes
        kinds = vocabulary.kind_index
        self.end: int = kinds["end"]
        self.new_meter = slice(*vocabulary.header_ranges["meter"])
        self.only_end: Mask = np.arange(len(kinds)) == self.end
        self.only_on: Mask = np.arange(len(kinds)) == kinds["sixteenth"]
        self.only_hold: Mask = np.arange(vocabulary.heights + 2) == 0
        self.no_fermata: Mask = np.arange(PHRASE + 1) == 0
        pitch = np.arange(vocabulary.low, vocabulary.high + 1)
        self.pitches: Mask = (pitch >= wishes.low) & (pitch <= wishes.high)
        if wishes.key is not None:
            self.pitches &= np.isin(pitch % 12, list(wishes.key.pitch_classes))
        if not self.pitches.any():
            raise WishError(
                "expected a range that holds notes of the key, got none: widen the range or leave out the key"
            )
        self.header = header_masks(vocabulary, wishes, announced)
        if wishes.lineup is not None and not set(wishes.lineup) & set(vocabulary.programs):
            known = ", ".join(map(str, vocabulary.programs[:8]))
            raise WishError(f"expected a line-up with a program that the voices can have ({known}), got none")
        if wishes.fermatas and wishes.notes is not None:
            raise WishError(
                "expected fermatas with a length in bars or seconds, got one in notes: leave one of them out"
            )
        if wishes.fermatas and announced is not None and wishes.fermatas[-1] > announced:
            raise WishError(
                f"expected fermatas in the {announced} bars of the piece, got one in bar {wishes.fermatas[-1]}: "
                "wish for more bars"
            )
        if wishes.fermatas and announced is None:
            first = vocabulary.header_ranges["bars"][0]
            self.header["bars"] &= np.arange(len(kinds)) >= first + wishes.fermatas[-1] - 1

    @cached_property
    def bars(self) -> list[int]:
        """Sixteenths in a bar of each of METERS."""
        return [bar_steps(meter) for meter in range(len(METERS))]

    def meter_of(self, kind: int) -> int | None:
        """The metre that a kind begins, if any."""
        inside = self.new_meter.start <= kind < self.new_meter.stop
        return kind - self.new_meter.start if inside else None

    def players(self, chosen: list[int]) -> Mask:
        """Who may sing the next voice, given who sings those before: who is left of the line-up, or nobody."""
        voice = VOICES[len(chosen)]
        first, stop = self.vocabulary.header_ranges[voice]
        mask = np.zeros(len(self.vocabulary.kinds), bool)
        mask[first:stop] = True
        who = [self.vocabulary.kinds[kind].split()[1] for kind in chosen]
        if self.wishes.lineup is not None:
            for index, program in enumerate(self.vocabulary.programs, first + 1):
                mask[index] = self.wishes.lineup.count(program) > who.count(str(program))
        if voice == VOICES[-1] and not any(name.isdigit() for name in who):
            mask[first] = False
        return mask
