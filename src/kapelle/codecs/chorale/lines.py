"""Four voices as columns: what each does in a step, and what follows from it for those who are to foresee the next.

The columns of a step, all but the four voices given:

    last S      the height from which the soprano moves: what it sounded last
    held S      for how many steps it has done what it does
    came S      by how much it moved to get there
    S against A how far the soprano stood above the alto, and so on for each pair
    voice S     what it does now: 0 goes on, 1 falls silent, 2 + h starts at height h
    sounds S    the height that it has then
    moved S     by how much it has moved
    S over A    how far it now is above the alto's last height, and so on for each other voice

and the same for bass, alto and tenor, in this order: outer voices first, as chorales are harmonised. Heights are
semitones above the codec's lowest pitch; where a height is a word, 0 is none and 1 + h the height h.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

VOICES = "SATB"
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
)


def columns(heights: int) -> tuple[tuple[tuple[str, int, bool], ...], tuple[tuple[str, int, bool], ...]]:
    """Name, number of words, and whether it is given, of the columns before and from the first voice on.

    Args:
        heights: how many there are.
    """
    sizes = {"last": heights + 1, "held": LONGEST + 1, "came": 2 * LEAP + 3}
    before = tuple((name, sizes.get(name.split()[0], ABOVE[1] - ABOVE[0] + 2), True) for name in BEFORE)
    voices: list[tuple[str, int, bool]] = []
    for own in ORDER:
        name = VOICES[own]
        voices += [(f"voice {name}", heights + 2, False), (f"sounds {name}", heights + 1, True)]
        voices.append((f"moved {name}", 2 * LEAP + 2, True))
        voices += [(f"{name} over {other}", 2 * APART + 2, True) for other in VOICES if other != name]
    return before, tuple(voices)


def told(sounds: Ints, struck: NDArray[np.bool_]) -> Ints:
    """The columns of steps, shape (T, 42), `BEFORE` first.

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
    after = []
    for own in ORDER:
        height = sounds[:, own]
        word = np.where(begins[:, own], np.where(height < 0, 1, height + 2), 0)
        after += [word, height + 1, _distance(height, last[:-1, own], -LEAP, LEAP)]
        after += [_distance(height, last[:-1, other], -APART, APART) for other in range(4) if other != own]
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


class Past:
    """What was told of the voices so far, step by step; `told` says the same of all steps at once."""

    def __init__(self) -> None:
        self.sounds = [-1] * 4
        self.last = [-1] * 4
        self._length = [0] * 4
        self._came = [2 * LEAP + 2] * 4

    def copy(self) -> Past:
        """The same, to go its own way."""
        other = Past()
        other.sounds, other.last = self.sounds.copy(), self.last.copy()
        other._length, other._came = self._length.copy(), self._came.copy()
        return other

    def before(self) -> list[int]:
        """The words of the columns before the first voice."""
        held = _held(np.array(self._length)).tolist()
        pairs = [_apart(self.sounds[one], self.sounds[other], *ABOVE) for one, other in PAIRS]
        return [*(height + 1 for height in self.last), *held, *self._came, *pairs]

    def after(self, own: int, word: int) -> list[int]:
        """The words of the columns that follow from what a voice does."""
        height = self.height(own, word)
        others = [_apart(height, self.last[other], -APART, APART) for other in range(4) if other != own]
        return [height + 1, _apart(height, self.last[own], -LEAP, LEAP), *others]

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


def _held(length: Ints) -> Ints:
    """The word for having been held for so many steps: exact up to 16, then coarser."""
    coarse = np.where(length <= 32, 16 + (length - 13) // 4, 21 + np.minimum((length - 29) // 16, 3))
    return np.where(length <= 16, length, coarse)


def _distance(one: Ints, other: Ints, low: int, high: int) -> Ints:
    return np.where((one < 0) | (other < 0), high - low + 1, np.clip(one - other, low, high) - low)


def _apart(one: int, other: int, low: int, high: int) -> int:
    return high - low + 1 if one < 0 or other < 0 else min(max(one - other, low), high) - low
