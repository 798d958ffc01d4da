"""Where in the bars the notes of a melody stand: tempo, metre and grid, found together."""

from __future__ import annotations

import io
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..music import IntArray, Meter

STEPS_PER_QUARTER = 4
"""The grid is of sixteenths."""

METERS = ("2/4", "3/4", "4/4", "6/8")
"""What is listened for; 2/2 is heard as 4/4."""

TABLE = "meters.npz"
"""How notes stand in the bars of fiddle tunes, counted by benchmarks/listening_meters.py."""

_TYPICAL = {"2/4": (90, 0.40, 0.3), "3/4": (112, 0.40, 0.3), "4/4": (112, 0.40, 0.0), "6/8": (150, 0.35, 0.3)}
"""For each metre the usual quarters a minute, how far e-fold they spread, and what the metre costs beforehand."""

_SLOWEST, _FASTEST, _TEMPOS = 36.0, 272.0, 90
"""Quarters a minute that are tried, and how many of them."""

_TOLD_SPREAD, _TOLD_TEMPOS = 1.08, 9
"""A tempo that is told may be off by so much."""

_JITTER, _RUBATO = 0.025, 0.02
"""Seconds by which a note is early or late; and the part of the way from the last note by which it is."""

_FOLLOWS_TIME, _FOLLOWS_TEMPO, _DRIFT = 0.6, 0.15, 1.17
"""How much of a note's deviation moves the grid, how much the tempo, and how far the tempo may go from its start."""

_SMOOTH_ADVANCE, _SMOOTH_DEGREE = 20.0, 5.0
"""Counts of what is usual that are added to what was counted at a place."""

_DEGREES, _REPEATS = 1.2, 2.5
"""The weight of where the notes of the scale stand, and of bars that repeat earlier ones."""

_RIVALS = 1.5
"""A tempo that many times as fast or slow is another reading of the same notes."""


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """One way to write a melody down.

    Attributes:
        meter: its metre.
        first: sixteenths from the start of a bar to the first note, 0 and up.
        place: sixteenths from the first note to each note, ascending from 0, shape (N,).
        quarters_per_minute: the tempo.
        cost: minus the logarithm of how likely it is, up to a constant that all readings share.
    """

    meter: Meter
    first: int
    place: IntArray
    quarters_per_minute: float
    cost: float


@dataclass(frozen=True, eq=False, slots=True)
class _Usage:
    """What is usual in a metre of B steps a bar, as logarithms of probabilities.

    Attributes:
        advance: of going from a place so many steps on, shape (B, steps + 1).
        first, last: of a place being that of the first or the last note, shape (B,).
        degree: of a degree at a place, beside what it is anywhere, shape (B, 12).
    """

    advance: NDArray[np.float64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    degree: NDArray[np.float64]


def readings(
    onset: NDArray[np.float64],
    pitch: IntArray,
    tonic: int,
    meters: Sequence[str] = METERS,
    quarters_per_minute: float | None = None,
) -> list[Reading]:
    """The ways to write down notes that follow one another, the likeliest first.

    For each metre and tempo the cheapest way through the places of the bar is found (Viterbi), each way following
    its own tempo. What it costs: notes off the grid, and places, steps and degrees that are seldom in that metre.
    Bars that repeat what stood one, two or four bars before make a reading cheaper.

    Source:
        A hidden Markov model of metre as in Raphael 2002 and Nakamura et al. 2017. Differs: the tempo is followed
        along each path, and repetition counts.

    Args:
        onset: seconds, ascending, shape (N,), N >= 1.
        pitch: MIDI numbers, shape (N,).
        tonic: of the key, 0..11.
        meters: some of `METERS`, or 2/2.
        quarters_per_minute: the tempo, if it is known.
    """
    low, high = _SLOWEST, _FASTEST
    count = _TEMPOS
    if quarters_per_minute is not None:
        low, high = quarters_per_minute / _TOLD_SPREAD, quarters_per_minute * _TOLD_SPREAD
        count = _TOLD_TEMPOS
    step = 60 / STEPS_PER_QUARTER / np.geomspace(high, low, count)
    degree = (np.asarray(pitch) - tonic) % 12
    found = []
    for name in meters:
        table = "4/4" if name == "2/2" else name
        usage = _usage()[table]
        typical, spread, rare = _TYPICAL[table]
        before = rare + np.log(60 / STEPS_PER_QUARTER / step / typical) ** 2 / (2 * spread**2)
        for cost, first, place in _paths(onset, degree, usage, step, before):
            slope = np.polyfit(place, onset, 1)[0] if len(place) > 2 else np.nan
            tempo = 60 / STEPS_PER_QUARTER / slope if slope > 0 else (quarters_per_minute or typical)
            cost -= _REPEATS * _repeats(place, pitch, len(usage.first))
            found.append(Reading(Meter.parse(name), first, place, float(tempo), cost))
    return sorted(found, key=lambda reading: reading.cost)


def _paths(
    onset: NDArray[np.float64],
    degree: IntArray,
    usage: _Usage,
    step: NDArray[np.float64],
    before: NDArray[np.float64],
) -> list[tuple[float, int, IntArray]]:
    """The best ways of rival tempos: their costs, first places in the bar, and places from the first note on."""
    steps, places = len(step), len(usage.first)
    at = np.arange(places)
    cost = before[:, None] - usage.first - usage.degree[:, degree[0]]
    length = np.repeat(step[:, None], places, axis=1)
    grid = np.full((steps, places), onset[0])
    source = np.zeros((len(onset), steps, places), np.int8)
    advance = np.zeros((len(onset), steps, places), np.int32)
    rows = np.arange(steps)[:, None]
    far = usage.advance.shape[1] - 1
    for index in range(1, len(onset)):
        # From each place three ways go on: to the nearest step of the grid, and to its neighbours.
        nearest = np.round((onset[index] - grid) / length)
        ways = np.maximum(nearest[:, None] + np.array([[-1], [0], [1]]), 1)
        off = onset[index] - grid[:, None] - ways * length[:, None]
        spread = np.hypot(_JITTER, _RUBATO * ways * length[:, None])
        moves = ways.astype(np.int64)
        usual = usage.advance[at, np.minimum(moves, far)]
        total = cost[:, None] + off**2 / (2 * spread**2) + np.log(spread / _JITTER) - usual
        target = ((at + moves) % places).reshape(steps, -1)
        # Written in order of falling cost, the cheapest way to each place is written last.
        order = np.argsort(-total.reshape(steps, -1), axis=1)
        best = np.full((steps, places), -1)
        best[rows, np.take_along_axis(target, order, 1)] = order
        reached = best >= 0
        best = np.maximum(best, 0)
        came = best % places
        moved, missed = (np.take_along_axis(values.reshape(steps, -1), best, 1) for values in (moves, off))
        cost = np.where(reached, np.take_along_axis(total.reshape(steps, -1), best, 1), np.inf)
        cost = cost - usage.degree[:, degree[index]]
        old = length[rows, came]
        grid = grid[rows, came] + moved * old + _FOLLOWS_TIME * missed
        length = old + np.clip(_FOLLOWS_TEMPO * missed / np.maximum(moved, 2), -0.05 * old, 0.05 * old)
        length = np.clip(length, step[:, None] / _DRIFT, step[:, None] * _DRIFT)
        source[index], advance[index] = came, moved
    cost = cost - usage.last
    return [_traced(cost, source, advance, tempo) for tempo in _rivals(cost.min(axis=1), step)]


def _rivals(cost: NDArray[np.float64], step: NDArray[np.float64]) -> list[int]:
    """The cheapest tempo, then the cheapest of those far from it, and so on, three in all."""
    found: list[int] = []
    left = np.isfinite(cost)
    while left.any() and len(found) < 3:
        found.append(int(np.where(left, cost, np.inf).argmin()))
        ratio = step / step[found[-1]]
        left &= (ratio > _RIVALS) | (ratio < 1 / _RIVALS)
    return found


def _traced(
    cost: NDArray[np.float64], source: NDArray[np.int8], advance: NDArray[np.int32], tempo: int
) -> tuple[float, int, IntArray]:
    place = int(cost[tempo].argmin())
    total = float(cost[tempo, place])
    moves = np.zeros(len(source), np.int64)
    for index in range(len(source) - 1, 0, -1):
        moves[index] = advance[index, tempo, place]
        place = int(source[index, tempo, place])
    return total, place, np.cumsum(moves)


def _repeats(place: IntArray, pitch: IntArray, bar: int) -> float:
    """How many more notes, or steps between notes, come again after one, two or four bars than after any time."""
    if len(place) < 4:
        return 0.0
    whole = int(place[-1])
    same = [_comes_again(place, pitch, lag) for lag in range(2, min(48, whole // 2 + 1))]
    later = [_comes_again(place, pitch, lag) for lag in (bar, 2 * bar, 4 * bar) if lag < 0.75 * whole]
    return float(np.mean(later) - np.mean(same)) if later and same else 0.0


def _comes_again(place: IntArray, pitch: IntArray, lag: int) -> float:
    later = np.searchsorted(place, place[:-1] + lag).clip(0, len(place) - 2)
    meets = place[later] == place[:-1] + lag
    here, step, rise = np.arange(len(place) - 1), np.diff(place), np.diff(pitch)
    pitches = pitch[later] == pitch[here]
    moves = (rise[later] == rise[here]) & (step[later] == step[here])
    return float((meets * (0.5 * pitches + 0.5 * moves)).sum())


@cache
def _usage() -> dict[str, _Usage]:
    """What is usual in each metre, from the counts that come with the package."""
    data = pkgutil.get_data(__package__, TABLE)
    assert data is not None, "the package lacks its table of metres"
    with np.load(io.BytesIO(data), allow_pickle=False) as counts:
        return {name: _smoothed(*(counts[f"{name} {what}"] for what in FIELDS)) for name in METERS}


FIELDS = ("advance", "first", "last", "degree")
"""What is counted of each metre: see `_Usage`."""


def _smoothed(advance: IntArray, first: IntArray, last: IntArray, degree: IntArray) -> _Usage:
    bar, far = advance.shape[0], advance.shape[1]
    target = (np.arange(bar)[:, None] + np.arange(far)) % bar
    landed = np.zeros(bar)
    np.add.at(landed, target, advance)
    any_place = (advance.sum(axis=0) + 0.3) * ((landed + 1) / (landed + 1).sum())[target]
    any_place[:, 0] = 0
    moves = advance + _SMOOTH_ADVANCE * any_place / any_place.sum(axis=1, keepdims=True)
    moves[:, 0] = 0
    begins = (first + 0.5) / (first + 0.5).sum()
    ends = (last + 0.5) / (advance.sum(axis=1) + 5)
    anywhere = degree.sum(axis=0) / degree.sum() + 1e-9
    sounds = degree + _SMOOTH_DEGREE * anywhere
    return _Usage(
        np.log(np.maximum(moves / moves.sum(axis=1, keepdims=True), 1e-6)),
        np.log(begins),
        np.log(ends / ends.sum()),
        _DEGREES * np.log(sounds / sounds.sum(axis=1, keepdims=True) / anywhere),
    )
