"""Four voices as columns: what each does in a step, and what follows from it for those who are to foresee the next.

The columns of a step, all but the four voices given:

    last S      the height from which the soprano moves: what it sounded last
    held S      for how many steps it has done what it does
    came S      by how much it moved to get there
    S against A how far the soprano stood above the alto, and so on for each pair
    length      of the longest stretch up to now that all four have sung before; see `echo`
    echo S      what the soprano did next at that time
    length S    of the longest echo in the soprano alone
    again S     what it did next at that time
    voice S     what it does now: 0 goes on, 1 falls silent, 2 + h starts at height h
    sounds S    the height that it has then
    moved S     by how much it has moved
    S over A    how far it now is above the alto's last height, and so on for each other voice
    S as before whether it does what both echoes did

and the same for bass, alto and tenor, in this order: outer voices first, as chorales are harmonised. Heights are
semitones above the codec's lowest pitch; where a height is a word, 0 is none and 1 + h the height h. Where what a
voice does is a word of an echo, 0 is none and 1 + w the word w.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...music.partwriting import VOICES
from .echo import LENGTHS, WINDOW, Echo, length_word

Ints = NDArray[np.int64]

ORDER = (0, 3, 1, 2)
"""In which the voices of a step are told, as indices into VOICES."""

LONGEST = 24
"""The last word for how long a voice has been held: 77 steps and more."""
LEAP, APART, ABOVE = 13, 30, (-12, 36)
"""Moves and distances that are told apart; what is larger counts as these."""

PAIRS = tuple(combinations(range(4), 2))
BEFORE = (
    *(f"{what} {voice}" for what in ("last", "held", "came") for voice in VOICES),
    *(f"{VOICES[one]} against {VOICES[other]}" for one, other in PAIRS),
    "length",
    *(f"{what} {voice}" for what in ("echo", "length", "again") for voice in VOICES),
)
FOLLOWING = 7
"""Columns of each voice: its word, and what follows from it."""
LEAST = 2
"""Notes of the shortest echo of a single voice that is told."""

FIRST_HEIGHT = {"last": 1, "sounds": 1, "voice": 2, "echo": 3, "again": 3}
"""Of the columns that tell heights, by the first word of their names, the word of the lowest height."""


def columns(heights: int) -> tuple[tuple[tuple[str, int, bool], ...], tuple[tuple[str, int, bool], ...]]:
    """Name, number of words, and whether it is given, of the columns before and from the first voice on.

    Args:
        heights: how many there are.
    """
    sizes = {"last": heights + 1, "held": LONGEST + 1, "came": 2 * LEAP + 3, "length": LENGTHS}
    sizes |= {"echo": heights + 3, "again": heights + 3}
    before = tuple((name, sizes.get(name.split()[0], ABOVE[1] - ABOVE[0] + 2), True) for name in BEFORE)
    voices: list[tuple[str, int, bool]] = []
    for own in ORDER:
        name = VOICES[own]
        voices += [(f"voice {name}", heights + 2, False), (f"sounds {name}", heights + 1, True)]
        voices.append((f"moved {name}", 2 * LEAP + 2, True))
        voices += [(f"{name} over {other}", 2 * APART + 2, True) for other in VOICES if other != name]
        voices.append((f"{name} as before", 9, True))
    return before, tuple(voices)


def told(sounds: Ints, struck: NDArray[np.bool_]) -> Ints:
    """The columns of steps, shape (T, 59), `BEFORE` first.

    Args:
        sounds: the height of each voice in each step, -1 where it is silent, shape (T, 4).
        struck: where a height starts anew, shape (T, 4).
    """
    start = np.full((1, 4), -1)
    was = np.vstack([start, sounds])  # one step earlier
    begins = struck | (sounds != was[:-1])
    place = np.arange(1, len(sounds) + 1)[:, None]
    since = np.vstack([np.zeros((1, 4), np.int64), np.maximum.accumulate(np.where(begins, place, 0))])
    heard = np.maximum.accumulate(np.where(was >= 0, np.arange(len(was))[:, None], 0))
    last = np.take_along_axis(was, heard, 0)  # -1 before a voice has sounded
    length = np.append([0], place)[:, None] - since + 1
    held = np.where(since > 0, _held(length), 0)
    came = np.take_along_axis(
        np.vstack([np.full((1, 4), 2 * LEAP + 2), _distance(sounds, last[:-1], -LEAP, LEAP)]), since, 0
    )
    before = [*last[:-1].T + 1, *held[:-1].T, *came[:-1].T]
    before += [_distance(was[:-1, one], was[:-1, other], *ABOVE) for one, other in PAIRS]
    words = np.where(begins, np.where(sounds < 0, 1, sounds + 2), 0)
    ears, echoes = Ears(), [[0] * 13]
    for row, heights in zip(words[:-1].tolist(), sounds[:-1].tolist(), strict=True):
        echoes.append(ears.step(row, heights))
    heard_before = np.array(echoes).T
    before += [*heard_before]
    after = []
    for own in ORDER:
        height, word = sounds[:, own], words[:, own]
        after += [word, height + 1, _distance(height, last[:-1, own], -LEAP, LEAP)]
        after += [_distance(height, last[:-1, other], -APART, APART) for other in range(4) if other != own]
        after.append(3 * _as(word, heard_before[1 + own]) + _as(word, heard_before[9 + own]))
    return np.stack([*before, *after], axis=1)


def heard(words: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """What voices sound: the inverse of `told`.

    Args:
        words: of the voices in the order S A T B, shape (T, 4).

    Returns:
        Heights, -1 for silence, and where they start, each of shape (T, 4).
    """
    place = np.maximum.accumulate(np.where(words > 0, np.arange(len(words))[:, None], -1))
    words = np.where(place >= 0, np.take_along_axis(words, np.maximum(place, 0), 0), 1)
    starts = place == np.arange(len(words))[:, None]
    return np.maximum(words - 2, -1), starts & (words >= 2)


def transposed(steps: NDArray[Any], names: Sequence[str], semitones: int) -> NDArray[Any]:
    """Steps whose heights, echoes among them, are so much higher; what only tells distances stays.

    Args:
        steps: words, shape (T, F).
        names: of the columns, shape (F,).
        semitones: that leave no height out of range.
    """
    first = np.array([FIRST_HEIGHT.get(name.split()[0], np.iinfo(steps.dtype).max) for name in names])
    return np.asarray(steps + (semitones * (steps >= first)).astype(steps.dtype))


class Ears:
    """Hears echoes in all voices together and in each alone."""

    def __init__(self) -> None:
        self._echoes = [Echo() for _ in range(5)]
        self._words: list[list[int]] = []

    def copy(self) -> Ears:
        """The same, to go its own way."""
        other = Ears()
        other._echoes, other._words = [echo.copy() for echo in self._echoes], self._words.copy()
        return other

    def step(self, words: list[int], sounds: list[int]) -> list[int]:
        """Hear the next step, what each voice does and the height it then has.

        Returns:
            The words of the columns of echoes of the step after it.
        """
        self._words = [*self._words[-WINDOW:], words]
        symbols = np.array([2 * (height + 1) + (word > 0) for word, height in zip(words, sounds, strict=True)])
        found = [self._echoes[4].step(symbols, any(words))]
        found += [self._echoes[own].step(symbols[own : own + 1], words[own] > 0) for own in range(4)]
        lengths = [length if length >= (LEAST if place else 1) else 0 for place, (length, _) in enumerate(found)]
        then = [self._words[-1 - ago] for _, ago in found]
        told = length_word(np.array(lengths)).tolist()
        echo = [then[0][own] + 1 if lengths[0] else 0 for own in range(4)]
        again = [then[1 + own][own] + 1 if lengths[1 + own] else 0 for own in range(4)]
        return [told[0], *echo, *told[1:], *again]


class Past:
    """What was told of the voices so far, step by step; `told` says the same of all steps at once."""

    def __init__(self) -> None:
        self.sounds = [-1] * 4
        self.last = [-1] * 4
        self._length = [0] * 4
        self._came = [2 * LEAP + 2] * 4
        self._ears, self._echoes = Ears(), [0] * 13

    def copy(self) -> Past:
        """The same, to go its own way."""
        other = Past()
        other.sounds, other.last = self.sounds.copy(), self.last.copy()
        other._length, other._came = self._length.copy(), self._came.copy()
        other._ears, other._echoes = self._ears.copy(), self._echoes
        return other

    def before(self) -> list[int]:
        """The words of the columns before the first voice."""
        held = _held(np.array(self._length)).tolist()
        pairs = [_apart(self.sounds[one], self.sounds[other], *ABOVE) for one, other in PAIRS]
        return [*(height + 1 for height in self.last), *held, *self._came, *pairs, *self._echoes]

    def after(self, own: int, word: int) -> list[int]:
        """The words of the columns that follow from what a voice does."""
        height = self.height(own, word)
        others = [_apart(height, self.last[other], -APART, APART) for other in range(4) if other != own]
        echoes = [int(_as(np.array(word), np.array(self._echoes[first + own]))) for first in (1, 9)]
        return [height + 1, _apart(height, self.last[own], -LEAP, LEAP), *others, 3 * echoes[0] + echoes[1]]

    def height(self, own: int, word: int) -> int:
        """What a voice sounds that does this."""
        return self.sounds[own] if word == 0 else word - 2 if word > 1 else -1

    def step(self, words: list[int]) -> None:
        """The next step: what each voice does, in the order S A T B."""
        for own, word in enumerate(words):
            self._length[own] = 1 if word else self._length[own] + (self._length[own] > 0)
            if word:
                height = self.height(own, word)
                self._came[own] = _apart(height, self.last[own], -LEAP, LEAP)
                self.sounds[own] = height
                self.last[own] = height if height >= 0 else self.last[own]
        self._echoes = self._ears.step(words, self.sounds)


def _held(length: Ints) -> Ints:
    """The word for having been held for so many steps: exact up to 16, then coarser."""
    coarse = np.where(length <= 32, 16 + (length - 13) // 4, 21 + np.minimum((length - 29) // 16, 3))
    return np.where(length <= 16, length, coarse)


def _as(word: Ints, echo: Ints) -> Ints:
    """Whether a voice does as an echo did: 1 if so, 2 if not, 0 if there is none."""
    return np.where(echo == 0, 0, np.where(word + 1 == echo, 1, 2))


def _distance(one: Ints, other: Ints, low: int, high: int) -> Ints:
    return np.where((one < 0) | (other < 0), high - low + 1, np.clip(one - other, low, high) - low)


def _apart(one: int, other: int, low: int, high: int) -> int:
    return high - low + 1 if one < 0 or other < 0 else min(max(one - other, low), high) - low
