"""Scores as rows of numbers that are the same in every key, so that what two of them share can be found.

Times are in 24ths of a quarter, the grid on which Kapelle learns and composes. Durations, velocities, instruments,
tempo and drums do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kapelle.music import IntArray, Score
from kapelle.music.edit import rescale

Hashes = NDArray[np.uint64]

GRID = 24
"""Places in a quarter at which an onset can stand."""

LEAST_NOTES = 5
"""A window with fewer notes says nothing about copying, and does not count."""

_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Line:
    """The notes of a pitched track in order of onset and then descending pitch, doubles left out.

    Attributes:
        track: its index in the score.
        onset: 24ths of a quarter, shape (N,).
        pitch: MIDI numbers, shape (N,).
    """

    track: int
    onset: IntArray
    pitch: IntArray

    @property
    def moves(self) -> IntArray:
        """The time and the interval from each note to the next, as one number, shape (N - 1,)."""
        return move(np.diff(self.onset), np.diff(self.pitch))

    @property
    def top(self) -> IntArray:
        """The intervals of the highest notes of each onset, shape (onsets - 1,)."""
        first = np.append(True, self.onset[1:] != self.onset[:-1])
        return np.asarray(np.diff(self.pitch[first]))


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of notes of one track that a piece learnt from has too, in whatever key.

    Attributes:
        notes: how many.
        beats: from its first onset to its last.
        track: index of the track.
        bars: first and last bar that it touches, as musicians count them: a pickup is bar 0.
        source: name of the piece it is copied from; empty where that is not known.
        source_bars: its bars there.
    """

    notes: int
    beats: float
    track: int
    bars: tuple[int, int]
    source: str = ""
    source_bars: tuple[int, int] | None = None

    def __str__(self) -> str:
        text = f"{self.notes} notes in {_bars(self.bars)}"
        return text + (f", as in {_bars(self.source_bars)} of {self.source}" if self.source_bars else "")


def move(gap: IntArray, interval: IntArray) -> IntArray:
    """A time between onsets and an interval as one number >= 0."""
    return gap * 256 + interval + 128


def lines(score: Score, start: int = 0) -> list[Line]:
    """The lines of a score, one for each pitched track with notes that begin at `start` ticks or later."""
    found = []
    for index, track in enumerate(score.tracks):
        first = int(track.notes.onset.searchsorted(start))
        if not track.is_drum and first < len(track.notes):
            onset = rescale(track.notes.onset[first:], score.ticks_per_quarter, GRID)
            found.append(Line(index, *_in_order(onset, track.notes.pitch[first:])))
    return found


def passage(score: Score, line: Line, first: int, notes: int) -> Passage:
    """The passage of so many notes of a line that begins with its note `first`."""
    ends = line.onset[[first, first + notes - 1]]
    beats = _beats(score)
    length = np.diff(np.interp(ends, beats, np.arange(len(beats))))[0]
    return Passage(notes, round(float(length), 3), line.track, bars_of(score, line, first, notes))


def bars_of(score: Score, line: Line, first: int, notes: int) -> tuple[int, int]:
    """The bars in which so many notes of a line begin, from its note `first` on; a pickup is bar 0."""
    starts = rescale(score.bars(), score.ticks_per_quarter, GRID)
    at = np.searchsorted(starts, line.onset[[first, first + notes - 1]], side="right") - (score.pickup > 0)
    return int(at[0]), int(at[1])


def windows(score: Score, num_beats: int) -> Hashes:
    """A hash of what all pitched tracks together do in so many beats, from each beat on, shape (windows,).

    Two windows are alike if the onsets in them stand at the same places and the pitches there differ by one
    transposition. Windows with fewer than `LEAST_NOTES` notes, and those that reach beyond the last bar, are left out.
    """
    voices = lines(score)
    beats = _beats(score)
    if not voices or len(beats) <= num_beats:
        return np.empty(0, np.uint64)
    onset, pitch = _in_order(np.concatenate([v.onset for v in voices]), np.concatenate([v.pitch for v in voices]))
    start = beats[:-num_beats]
    first, stop = onset.searchsorted(start), onset.searchsorted(beats[num_beats:])
    full = stop - first >= LEAST_NOTES
    start, first, size = start[full], first[full], (stop - first)[full]
    if not len(size):
        return np.empty(0, np.uint64)
    edge = size.cumsum() - size
    note = np.arange(size.sum()) + np.repeat(first - edge, size)
    place = onset[note] - np.repeat(start, size)
    height = pitch[note] - np.repeat(pitch[first], size)
    return np.asarray(np.add.reduceat(mixed(move(place, height)), edge))


def grams(numbers: IntArray, width: int) -> Hashes:
    """A hash of every `width` successive numbers of rows of any shape (..., N), shape (..., max(N - width + 1, 0))."""
    words = mixed(numbers)
    count = max(numbers.shape[-1] - width + 1, 0)
    hashed = np.zeros((*numbers.shape[:-1], count), np.uint64)
    for place in range(width):
        hashed = hashed * _STEP + words[..., place : place + count]
    return mixed(hashed)


def mixed(numbers: NDArray[np.int64] | Hashes) -> Hashes:
    """Numbers spread over 64 bits, each to one of its own.

    Source: the finaliser of SplitMix64, Steele, Lea and Flood 2014.
    """
    words = numbers.astype(np.uint64) + _STEP
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _in_order(onset: IntArray, pitch: IntArray) -> tuple[IntArray, IntArray]:
    """Notes by onset and then descending pitch, each once."""
    place = np.unique(onset * 128 + (127 - pitch))
    return place >> 7, 127 - (place & 127)


def _beats(score: Score) -> IntArray:
    """Where beats start, and where the last bar ends, in 24ths of a quarter, ascending, shape (beats + 1,)."""
    return np.unique(rescale(np.array(list(_beat_ticks(score))), score.ticks_per_quarter, GRID))


def _beat_ticks(score: Score) -> Iterator[int]:
    bars = score.bars().tolist()
    for start, stop in pairwise(bars):
        yield from range(start, stop, score.meter_at(start).beat_length(score.ticks_per_quarter))
    yield bars[-1]


def _bars(bars: tuple[int, int]) -> str:
    return f"bar {bars[0]}" if bars[0] == bars[1] else f"bars {bars[0]} to {bars[1]}"
