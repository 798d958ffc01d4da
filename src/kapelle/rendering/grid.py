"""The one mapping from ticks and pitches to pixels: bars in systems, pitches in rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kapelle.music import IntArray, Score

from . import palette

MARGIN = 24
KEYS_WIDTH = 10
NUMBERS_HEIGHT = 18
DRUM_ROW = 12
PEDAL_ROW = 6
SYSTEM_GAP = 18
LANE_GAP = 6
MAX_SYSTEMS = 40
"""More would make a picture that no viewer opens; a longer piece gets denser systems instead."""

_QUARTER = 46
"""Pixels a quarter in pieces of up to `_SHORT_PIECE` quarters: eight bars of 4/4 on a page 1,600 wide."""
_SHORT_PIECE = 256
_WIDEST_QUARTER = 110


@dataclass(frozen=True, slots=True)
class Grid:
    """Where ticks and pitches stand on the page.

    Attributes:
        left: x of the start of every system.
        bars: starts of bars and the end of the last, ticks, shape (bars + 1,).
        first_bar: the first bar of each system, then the number of bars, shape (systems + 1,).
        starts: the first tick of each system, then the end of the last, shape (systems + 1,).
        first_top: y of the first system.
        scale: pixels a tick, the same in all systems.
        row: pixels a pitch.
        low: pitch of the lowest row.
        rows: pitched rows, 0 if there are only drums.
        drums: drum keys in use, from the top row down.
        pedals: indices of the tracks with a pedal line.
    """

    left: int
    bars: IntArray
    first_bar: IntArray
    starts: IntArray
    first_top: int
    scale: float
    row: int
    low: int
    rows: int
    drums: tuple[int, ...]
    pedals: tuple[int, ...]

    @property
    def systems(self) -> int:
        """How many systems there are."""
        return len(self.first_bar) - 1

    @property
    def pedal_y(self) -> int:
        """Where the pedal lines begin, below the top of a system."""
        return NUMBERS_HEIGHT + self.rows * self.row

    @property
    def drum_y(self) -> int:
        """Where the drum lane begins, below the top of a system."""
        gap = LANE_GAP if self.rows and self.drums else 0
        return self.pedal_y + PEDAL_ROW * len(self.pedals) + gap

    @property
    def height(self) -> int:
        """Pixels of one system."""
        return self.drum_y + DRUM_ROW * len(self.drums)

    @property
    def bottom(self) -> int:
        """Where the last system ends."""
        return int(self.top(self.systems - 1)) + self.height

    def top(self, system: Any) -> Any:
        """y of a system, or of an array of systems."""
        return self.first_top + system * (self.height + SYSTEM_GAP)

    def x(self, tick: Any, system: Any) -> IntArray:
        """The pixel column of ticks in systems, kept between the edges of the systems; arrays of one shape."""
        inside = np.clip(tick, self.starts[system], self.starts[np.asarray(system) + 1])
        return np.asarray(self.left + np.rint((inside - self.starts[system]) * self.scale), np.int64)

    def system_of(self, tick: IntArray) -> NDArray[np.intp]:
        """The system in which each tick lies."""
        return np.clip(np.searchsorted(self.starts, tick, side="right") - 1, 0, self.systems - 1)

    def width(self, system: int) -> int:
        """Pixels from the start of a system to its last bar line, at least 1."""
        return max(int(self.x(self.starts[system + 1], system)) - self.left, 1)

    def lanes(self, system: int) -> list[tuple[int, int]]:
        """(y, height) of the pitched lane and of the drum lane, where there are any."""
        top = self.top(system)
        lanes = [(top + NUMBERS_HEIGHT, self.rows * self.row), (top + self.drum_y, len(self.drums) * DRUM_ROW)]
        return [lane for lane in lanes if lane[1]]


def make_grid(score: Score, width: int, top: int) -> Grid:
    """The grid of a score on a page of `width` pixels whose systems begin at `top`."""
    used = {int(pitch) for track in score.tracks if track.is_drum for pitch in np.unique(track.notes.pitch)}
    drums = sorted(used, key=palette.drum_place, reverse=True)
    low, rows = _pitch_rows(score, bool(drums))
    left = MARGIN + (72 if drums else 30) + (KEYS_WIDTH if rows else 0)
    inner = width - left - MARGIN
    bars = score.bars()
    first_bar = _break_into_systems(bars, score.pickup, score.ticks_per_quarter, inner)
    starts = bars[first_bar]
    return Grid(
        left=left,
        bars=bars,
        first_bar=first_bar,
        starts=starts,
        first_top=top,
        scale=min(inner / int(np.diff(starts).max()), _WIDEST_QUARTER / score.ticks_per_quarter),
        row=min(max((330 if len(first_bar) < 10 else 290) // max(rows, 1), 4), 11),
        low=low,
        rows=rows,
        drums=tuple(drums),
        pedals=tuple(i for i, track in enumerate(score.tracks) if len(track.pedal) and not track.is_drum and rows),
    )


def _pitch_rows(score: Score, drums: bool) -> tuple[int, int]:
    """The lowest pitch shown and how many: what is played, a row of air on both sides, an octave at least.

    The rows are not kept inside 0..127, so that a transposed score has the same shape.
    """
    pitched = [track.notes.pitch for track in score.tracks if not track.is_drum and len(track.notes)]
    if not pitched:
        return (60, 0) if drums else (60, 13)
    low, high = min(int(p.min()) for p in pitched) - 1, max(int(p.max()) for p in pitched) + 1
    missing = max(13 - (high - low + 1), 0)
    return low - missing // 2, high - low + 1 + missing


def _break_into_systems(bars: IntArray, pickup: int, ticks_per_quarter: int, inner: int) -> IntArray:
    """The first bar of each system, then the number of bars; a pickup goes with the first system's bars.

    Longer pieces get denser by the square root of their length, which shares the growth between the height
    of the picture and its density.
    """
    total = int(bars[-1])
    stretch = max(1.0, (total / ticks_per_quarter / _SHORT_PIECE) ** 0.5)
    room = max(inner / _QUARTER * stretch * ticks_per_quarter, total / (MAX_SYSTEMS - 1))
    lead = int(pickup > 0)
    count = len(bars) - 1
    lengths = np.diff(bars)[lead:]
    if len(lengths) and lengths.min() == lengths.max():
        each = max(int(room // lengths[0]), 1)
        # Phrases come in fours, so a new line begins with one wherever the page allows it.
        each -= each % 4 if each > 4 else 0
        return np.array([0, *range(lead + each, count, each), count], np.int64)
    starts = [0]
    while starts[-1] < count:
        begin = int(bars[starts[-1]]) + (pickup if len(starts) == 1 else 0)
        fitting = int(np.searchsorted(bars, begin + room, side="right")) - 1
        starts.append(min(max(fitting, starts[-1] + 1), count))
    return np.array(starts, np.int64)
