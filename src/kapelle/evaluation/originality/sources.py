"""A full index of pieces: every passage of theirs can be found in it, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kapelle.music import IntArray, Score

from .lines import Hashes, Line, Passage, bars_of, grams, lines, mixed, passage, windows

BEATS = (4, 8, 16)
"""Lengths of the windows that are compared."""

INTERVALS = (6, 8, 12, 16)
"""Lengths of the melodic n-grams that are compared."""

_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Sources:
    """The pieces that were learnt from, indexed.

    Attributes:
        names: of the pieces.
        scores: the pieces.
        windows: for each of `BEATS` the distinct hashes of their windows, ascending.
        grams: for each of `INTERVALS` the distinct hashes of their melodic n-grams, ascending.
    """

    names: tuple[str, ...]
    scores: tuple[Score, ...]
    windows: Mapping[int, Hashes]
    grams: Mapping[int, Hashes]
    _row: _Row
    _sorted: IntArray

    @classmethod
    def of(cls, pieces: Iterable[tuple[str, Score]]) -> Sources:
        """The index of (name, score) pairs."""
        pieces = tuple(pieces)
        names, scores = tuple(name for name, _ in pieces), tuple(score for _, score in pieces)
        row = _Row.of(scores, 0)
        return cls(
            names,
            scores,
            {beats: _distinct([windows(score, beats) for score in scores]) for beats in BEATS},
            {width: _distinct([melody(score, width) for score in scores]) for width in INTERVALS},
            row,
            _suffixes(row.words),
        )

    def longest(self, score: Score) -> Passage | None:
        """The longest passage of a score that a source has too; None if it has no two pitched notes in a row."""
        return self.longest_of([score])[0]

    def longest_of(self, scores: Iterable[Score]) -> list[Passage | None]:
        """`longest` of each score, all looked up at once."""
        scores = tuple(scores)
        row = _Row.of(scores, len(self._row.words))
        length, place = self._matches(row)
        found: list[Passage | None] = []
        for index, score in enumerate(scores):
            first, stop = row.piece_starts[index : index + 2]
            best = first + int(length[first:stop].argmax()) if stop > first else 0
            found.append(self._passage(score, row, best, int(place[best])) if stop > first and length[best] else None)
        return found

    def _passage(self, score: Score, row: _Row, here: int, there: int) -> Passage:
        _, line, first = row.find(here)
        source, source_line, source_first = self._row.find(there)
        # The hashes only say where to look; what is copied is read from the notes.
        mine, theirs = line.moves[first:], source_line.moves[source_first:]
        width = min(len(mine), len(theirs))
        differs = np.flatnonzero(mine[:width] != theirs[:width])
        notes = 1 + int(differs[0] if len(differs) else width)
        found = passage(score, line, first, notes)
        bars = bars_of(self.scores[source], source_line, source_first, notes)
        return Passage(found.notes, found.beats, found.track, found.bars, self.names[source], bars)

    def _matches(self, row: _Row) -> tuple[IntArray, IntArray]:
        """For each place of a row the most words that stand there and somewhere here, and where here, shape (W,)."""
        own = self._row
        here = np.arange(len(row.words))
        low, high = np.zeros_like(here), np.full_like(here, len(self._sorted))
        length, place = np.zeros_like(here), np.zeros_like(here)
        # The neighbours of where a suffix would stand in the order share most with it, and the search meets both.
        while (low < high).any():
            middle = np.minimum((low + high) // 2, len(self._sorted) - 1)
            there = self._sorted[middle]
            shared = _shared(row, here, own, there)
            better = shared > length
            length[better], place[better] = shared[better], there[better]
            after = row.words[here + shared] > own.words[there + shared]
            searching = low < high
            low = np.where(searching & after, middle + 1, low)
            high = np.where(searching & ~after, middle, high)
        return length, place


@dataclass(frozen=True, eq=False)
class _Row:
    """The moves of all lines of some scores in one row, each line closed by a word that stands nowhere else.

    Attributes:
        words: shape (W,).
        lines: one after the other.
        owner: for each line, whose score it is.
        line_starts: where each line starts in the row, and where the row ends.
        piece_starts: where each score starts in the row, and where the row ends.
        sums: of the hashed words before each place, each times a power of _BASE, shape (W + 1,).
        powers: of _BASE, shape (W + 1,).
    """

    words: IntArray
    lines: list[Line]
    owner: list[int]
    line_starts: IntArray
    piece_starts: IntArray
    sums: Hashes
    powers: Hashes

    @classmethod
    def of(cls, scores: Iterable[Score], taken: int) -> _Row:
        """The row of scores; closing words are below those of a row of `taken` words."""
        found: list[Line] = []
        owner: list[int] = []
        words: list[IntArray] = []
        sizes: list[int] = []
        for index, score in enumerate(scores):
            sizes.append(0)
            for line in lines(score):
                words.append(np.append(line.moves, -1 - taken - len(found)))
                sizes[-1] += len(words[-1])
                found.append(line)
                owner.append(index)
        row = np.concatenate([np.empty(0, np.int64), *words])
        line_sizes = [len(line.onset) for line in found]
        powers = np.multiply.accumulate(np.append(np.uint64(1), np.full(len(row), _BASE)))
        sums = np.append(np.uint64(0), (mixed(row) * powers[:-1]).cumsum())
        return cls(row, found, owner, np.cumsum([0, *line_sizes]), np.cumsum([0, *sizes]), sums, powers)

    def find(self, place: int) -> tuple[int, Line, int]:
        """Whose score a place belongs to, which line, and which of its notes."""
        line = int(self.line_starts.searchsorted(place, side="right")) - 1
        return self.owner[line], self.lines[line], place - int(self.line_starts[line])


def melody(score: Score, width: int) -> Hashes:
    """Hashes of every `width` successive intervals of the top lines of the pitched tracks, shape (N,)."""
    return np.concatenate([np.empty(0, np.uint64), *(grams(line.top, width) for line in lines(score))])


def found(hashes: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which hashes stand in the ascending `known`, shape of `hashes`."""
    if not len(known):
        return np.zeros(len(hashes), bool)
    return np.asarray(known[np.minimum(known.searchsorted(hashes), len(known) - 1)] == hashes)


def _distinct(hashes: list[Hashes]) -> Hashes:
    return np.unique(np.concatenate([np.empty(0, np.uint64), *hashes]))


def _suffixes(words: IntArray) -> IntArray:
    """Where the suffixes of a row start, in their order; shape of `words`. By doubling the prefix sorted by."""
    rank = np.unique(words, return_inverse=True)[1]
    width = 1
    while len(words) and rank.max() + 1 < len(words):
        following = np.append(rank[width:] + 1, np.zeros(min(width, len(words)), np.int64))
        rank = np.unique(rank * (len(words) + 1) + following, return_inverse=True)[1]
        width *= 2
    return rank.argsort()


def _shared(row: _Row, here: IntArray, other: _Row, there: IntArray) -> IntArray:
    """How many words are the same from each place of one row and of another on, shape of `here`."""
    least = np.zeros_like(here)
    most = np.minimum(len(row.words) - here, len(other.words) - there) - 1
    while (least < most).any():
        width = (least + most + 1) // 2
        mine = (row.sums[here + width] - row.sums[here]) * other.powers[there]
        theirs = (other.sums[there + width] - other.sums[there]) * row.powers[here]
        same = mine == theirs
        least = np.where(same, width, least)
        most = np.where(same, most, width - 1)
    return least
