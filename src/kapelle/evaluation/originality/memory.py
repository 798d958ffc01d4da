"""What a style remembers of its pieces: enough to tell a copy, too little to tell a piece."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kapelle.music import IntArray, Score
from kapelle.music.notes import check_int

from .lines import Hashes, Line, Passage, grams, lines, mixed, move, passage

GRAM = 12
"""Notes in a row that are hashed together."""

BITS = 4.5
"""Bits of the filter for each distinct gram; with them an unknown gram seems known in 11.5 % of cases."""

MOST_BYTES = 1_000_000
"""A corpus of more than 1.7 million distinct grams has fewer bits for each."""

LIMIT = 16
"""The longest passage, in notes, that counts as no copy where there are too few held-out pieces to say."""

LEAST_PIECES = 8
"""Fewer held-out pieces say nothing about what is usual."""


@dataclass(frozen=True, eq=False)
class Memory:
    """A filter of hashes of all runs of `gram` notes in the pieces a style was learnt from.

    A passage is copied, as far as this can tell, where every run in it is known. No run that is in the pieces is ever
    missed. One that is not seems known with the probability `false_positives`, so a passage that has nothing of the
    pieces in it comes out `gram + n` notes long with that to the power of n + 1. Runs of different pieces that
    overlap count as one passage.

    Attributes:
        bits: the filter, eight bits in each, uint8, shape (bytes,).
        limit: notes that the longest passage of a piece may have: 95 % of held-out human pieces have no longer one.
        gram: notes that are hashed together; shorter passages are not seen.
        probes: bits that each hash sets.

    Source: Bloom 1970, "Space/time trade-offs in hash coding with allowable errors".
    """

    bits: NDArray[np.uint8]
    limit: int
    gram: int
    probes: int

    def __post_init__(self) -> None:
        if self.bits.dtype != np.uint8 or self.bits.ndim != 1 or not 1 <= len(self.bits) <= MOST_BYTES:
            raise ValueError(f"a memory needs a row of bytes, got {self.bits.dtype} of shape {self.bits.shape}")
        check_int(self.gram, "notes in a gram", 2, 1000)
        check_int(self.probes, "probes of a memory", 1, 64)
        check_int(self.limit, "the limit of a memory", self.gram, 10**9)

    @classmethod
    def of(cls, scores: Iterable[Score], held_out: Sequence[Score] = ()) -> Memory:
        """The memory of the pieces a style was learnt from.

        Args:
            scores: the pieces.
            held_out: human pieces of the same corpus that were not learnt from, and are not parts of those that were.
                They say which passages any two pieces share; with fewer than `LEAST_PIECES` the limit is `LIMIT`.
        """
        hashes = [grams(line.moves, GRAM - 1) for score in scores for line in lines(score)]
        known = np.unique(np.concatenate([np.empty(0, np.uint64), *hashes]))
        size = min(max(math.ceil(len(known) * BITS / 8), 1), MOST_BYTES)
        # So many probes leave half of the bits unset, where a filter errs least.
        probes = max(round(8 * size / max(len(known), 1) * math.log(2)), 1)
        flags = np.zeros(8 * size, np.uint8)
        for place in _places(known, probes, 8 * size):
            flags[place] = 1
        memory = cls(np.packbits(flags), LIMIT, GRAM, probes)
        if len(held_out) < LEAST_PIECES:
            return memory
        usual = np.quantile([found.notes if (found := memory.longest(score)) else 0 for score in held_out], 0.95)
        return replace(memory, limit=max(math.ceil(usual), GRAM))

    @property
    def false_positives(self) -> float:
        """How probably an unknown gram seems known."""
        return float((np.unpackbits(self.bits).mean()) ** self.probes)

    def longest(self, score: Score, start: int = 0) -> Passage | None:
        """The longest passage of a score that the pieces have too; None if none has `gram` notes.

        Args:
            score: any.
            start: ticks; notes before do not count.
        """
        best: tuple[int, int, Line] | None = None
        for line in lines(score, start):
            known = self.knows(line.moves)
            breaks = np.flatnonzero(np.concatenate(([True], ~known, [True])))
            runs = np.diff(breaks) - 1
            longest = int(runs.argmax())
            if runs[longest] and (best is None or runs[longest] > best[0]):
                best = int(runs[longest]), int(breaks[longest]), line
        if best is None:
            return None
        run, first, line = best
        return passage(score, line, first, self.gram + run - 1)

    def knows(self, moves: IntArray) -> NDArray[np.bool_]:
        """Whether each run of `gram` notes seems to be in the pieces.

        Args:
            moves: as of `Line.moves`, rows of any shape (..., N).

        Returns:
            Shape (..., max(N + 2 - gram, 0)).
        """
        hashes = grams(moves, self.gram - 1)
        known = np.ones(hashes.shape, bool)
        for place in _places(hashes, self.probes, 8 * len(self.bits)):
            known &= (self.bits[place >> np.uint64(3)] << (place & np.uint64(7)).astype(np.uint8)) & 128 != 0
        return known

    def watch(self, limit: int | None = None) -> Watch:
        """A watch over a piece as it is written.

        Args:
            limit: notes that no passage may exceed, at least `gram`; None for `limit`.
        """
        return Watch(self, self.limit if limit is None else limit)

    def to_json(self) -> dict[str, int]:
        """Everything but the bits, as plain values."""
        return {"limit": self.limit, "gram": self.gram, "probes": self.probes}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], bits: NDArray[Any]) -> Memory:
        """The memory that `to_json` described.

        Raises:
            ValueError: if it is damaged; LookupError or TypeError if something is missing.
        """
        return cls(bits, values["limit"], values["gram"], values["probes"])


class Watch:
    """Hears a piece as it is written, and says which notes would go on with a copy for too long.

    Args:
        memory: of the pieces that must not be copied.
        limit: notes that no passage may exceed, at least `memory.gram`.
    """

    def __init__(self, memory: Memory, limit: int) -> None:
        check_int(limit, "the limit of a passage", memory.gram, 10**9)
        self.memory = memory
        self.limit = limit
        self._voices: dict[int, _Voice] = {}

    def copy(self) -> Watch:
        """A watch that has heard as much and goes its own way from here."""
        other = copy(self)
        other._voices = self._voices.copy()
        return other

    def write(self, track: int, onset: int, pitch: int) -> None:
        """Tell the next note of a track, in order of onset and then descending pitch.

        Args:
            track: any number of its own for each pitched track.
            onset: 24ths of a quarter.
            pitch: MIDI number.
        """
        last = self._voices.get(track)
        if last is None:
            self._voices[track] = _Voice(onset, pitch, (), self.limit - 1)
        else:
            moves = (*last.moves, int(last.moves_to(onset)[pitch]))[1 - self.limit :]
            self._voices[track] = _Voice(onset, pitch, moves, max(last.wait - 1, 0))

    def forbidden(self, track: int, onset: int) -> NDArray[np.bool_]:
        """Which pitches of a next note would make a passage of the track longer than the limit, shape (128,)."""
        last = self._voices.get(track)
        if last is None or last.wait:
            return np.zeros(128, bool)
        unknown = np.flatnonzero(~self.memory.knows(np.array(last.moves)))
        if len(unknown):
            # Until this run is so far back that it no longer counts, there is nothing to look for.
            self._voices[track] = replace(last, wait=int(unknown[-1]) + 1)
            return np.zeros(128, bool)
        before = np.tile(np.array(last.moves[len(last.moves) + 2 - self.memory.gram :], np.int64), (128, 1))
        return self.memory.knows(np.column_stack([before, last.moves_to(onset)]))[:, 0]


@dataclass(frozen=True, slots=True)
class _Voice:
    """A track as it was heard.

    Attributes:
        onset, pitch: of its last note.
        moves: the last of its moves, one less than a passage of the limit has notes.
        wait: notes that must still be written before its last notes can be a passage of the limit.
    """

    onset: int
    pitch: int
    moves: tuple[int, ...]
    wait: int

    def moves_to(self, onset: int) -> IntArray:
        """The move to each pitch at an onset, shape (128,)."""
        return move(np.full(128, onset - self.onset), np.arange(128) - self.pitch)


def _places(hashes: Hashes, probes: int, size: int) -> Iterable[Hashes]:
    """For each probe the bit of each hash."""
    for _ in range(probes):
        hashes = mixed(hashes)
        yield hashes % np.uint64(size)
