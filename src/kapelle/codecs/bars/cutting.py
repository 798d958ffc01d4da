"""A score on the grid, bar by bar, and the windows that are cut from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import CodecError
from ...music import IntArray, Score, Track
from .drums import class_of
from .roles import Asked, assign
from .vocabulary import GIVEN, HELD, SILENT, STRUCK, Vocabulary

Steps = NDArray[np.int32]
Tiles = list[tuple[slice, Steps]]
"""Windows, each with the steps of a score that it covers."""

NEAR = 0.25
"""Steps by which an onset may miss the grid and still lie on it."""
ON_GRID = 0.75
"""Share of the onsets of a window's lines that must lie on the grid."""
MAX_QUARTERS = 2**16
"""Longer scores are not read."""
FEWEST_NOTES = 2
"""Fewer onsets than this in a line are no music."""
FEWEST_PARTS = 2
"""So many parts play at least where any may be missing."""


@dataclass(frozen=True, eq=False)
class Laid:
    """A score laid on the grid.

    Attributes:
        steps: what sounds, shape (steps of all bars, columns), as if it were one window.
        sounding: word of the pitch that sounds in each step, for each line, 0 for none, shape (steps, lines).
        off_grid: onsets of lines in each step that are off the grid, shape (steps,).
        bars: first step of each bar, and where the last one stops, shape (bars + 1,).
        meters: for each bar the index of its metre; -1 where it is cut short or the metre is not known.
        grid: from the score's ticks to steps.
    """

    steps: Steps
    sounding: IntArray
    off_grid: IntArray
    bars: IntArray
    meters: IntArray
    grid: Grid


def lay(score: Score, vocabulary: Vocabulary, asked: Asked | None = None) -> Laid:
    """A score on the grid of a vocabulary; bars in unknown metres have room, but are of no use.

    Raises:
        CodecError: if there is nobody to play a part, or the score is longer than MAX_QUARTERS.
    """
    if score.end > MAX_QUARTERS * score.ticks_per_quarter:
        raise CodecError(f"longer than {MAX_QUARTERS} quarters")
    tracks = assign(score, vocabulary.parts, asked, vocabulary.loose)
    ticks = score.bars()
    length = np.diff(ticks)
    known = {name: number for number, name in enumerate(vocabulary.meters)}
    signs = [score.meter_at(int(tick)) for tick in ticks[:-1]]
    # A pickup is as long as it is: it is the last of a bar whose start is not there.
    whole = [bars == sign.bar_length(score.ticks_per_quarter) for bars, sign in zip(length, signs, strict=True)]
    meters = np.array([known.get(sign.name, -1) if w else -1 for sign, w in zip(signs, whole, strict=True)])
    room = -(-length * vocabulary.per_quarter // score.ticks_per_quarter)
    for bar, number in enumerate(meters):
        if number >= 0:
            room[bar] = vocabulary.bar_steps[number]
    bars = np.concatenate(([0], np.cumsum(room)))
    grid = Grid(ticks, bars, vocabulary.per_quarter / score.ticks_per_quarter)
    steps = np.zeros((int(bars[-1]), len(vocabulary.layout)), np.int32)
    sounding = np.zeros((len(steps), len(vocabulary.lines)), np.int64)
    off_grid = np.zeros(len(steps), np.int64)
    for bar, number in enumerate(meters):
        steps[bars[bar] : bars[bar + 1], 0] = max(number, 0)
        here = np.arange(room[bar])
        steps[bars[bar] : bars[bar + 1], 2] = np.minimum(here, max(vocabulary.bar_steps) - 1)
    for number, track in enumerate(tracks):
        if vocabulary.parts[number] == "drums":
            _lay_drums(track, number, grid, vocabulary, steps)
        else:
            place = vocabulary.lines.index(number)
            off_grid += _lay_line(track, number, grid, vocabulary, steps, sounding[:, place])
    return Laid(steps, sounding, off_grid, bars, meters, grid)


@dataclass(frozen=True, eq=False)
class Grid:
    """From ticks to steps.

    Attributes:
        ticks: of the bar lines.
        bars: their steps.
        rate: steps a tick.
    """

    ticks: IntArray
    bars: IntArray
    rate: float

    def step(self, tick: IntArray) -> tuple[IntArray, NDArray[np.float64]]:
        """The nearest step of each tick, and by how many steps the tick comes later, -0.5..0.5."""
        bar = np.clip(np.searchsorted(self.ticks, tick, side="right") - 1, 0, len(self.ticks) - 2)
        place = (tick - self.ticks[bar]) * self.rate
        step = np.floor(place + 0.5)
        return self.bars[bar] + step.astype(np.int64), place - step

    def tick(self, step: IntArray, late: NDArray[np.float64]) -> IntArray:
        """The tick of what comes by some steps later than a step, 0 or more."""
        bar = np.clip(np.searchsorted(self.bars, step, side="right") - 1, 0, len(self.bars) - 2)
        tick = self.ticks[bar] + (step - self.bars[bar] + late) / self.rate
        return np.maximum(np.round(tick).astype(np.int64), 0)


def _lay_line(
    track: Track, part: int, grid: Grid, vocabulary: Vocabulary, steps: Steps, sounding: IntArray
) -> IntArray:
    """Fill in the columns of a line: the highest note of each step, each until the next. Gives what is off the grid."""
    notes = track.notes
    inside = (notes.pitch >= vocabulary.low) & (notes.pitch <= vocabulary.high)
    onset, late = grid.step(notes.onset[inside])
    end = np.maximum(grid.step(notes.end[inside])[0], onset + 1)
    pitch, velocity = notes.pitch[inside], notes.velocity[inside]
    # Of the notes of a step the highest stays.
    order = np.lexsort((-pitch, onset))
    order = order[np.append(True, onset[order][1:] != onset[order][:-1])] if len(order) else order
    order = order[onset[order] < len(steps)]
    onset, end, pitch, velocity = (column[order] for column in (onset, end, pitch, velocity))
    late = late[order]
    if len(onset):
        end[:-1] = np.minimum(end[:-1], onset[1:])
    end = np.minimum(end, len(steps))
    word = STRUCK + pitch - vocabulary.low
    column = {field.what: GIVEN + at for at, field in enumerate(vocabulary.fields) if field.part == part}
    for start, stop, own in zip(onset.tolist(), end.tolist(), word.tolist(), strict=True):
        steps[start:stop, column["event"]] = HELD
        steps[start, column["event"]] = own
        sounding[start:stop] = own
    _tell(column, onset, velocity, late, vocabulary, steps)
    return np.bincount(onset[np.abs(late) > NEAR], minlength=len(steps))


def _lay_drums(track: Track, part: int, grid: Grid, vocabulary: Vocabulary, steps: Steps) -> None:
    """Fill in the columns of the drums: of the hits of one class in a step the loudest stays."""
    notes = track.notes
    onset, late = grid.step(notes.onset)
    classes = class_of(vocabulary.drum_keys)[notes.pitch]
    for number, key in enumerate(vocabulary.drum_keys):
        mine = np.flatnonzero((classes == number) & (onset < len(steps)))
        mine = mine[np.argsort(notes.velocity[mine], kind="stable")]
        column = {
            field.what: GIVEN + at
            for at, field in enumerate(vocabulary.fields)
            if field.part == part and field.key == key
        }
        steps[onset[mine], column["event"]] = 1
        _tell(column, onset[mine], notes.velocity[mine], late[mine], vocabulary, steps)


def _tell(
    column: dict[str, int], onset: IntArray, velocity: IntArray, late: NDArray[np.float64], vocabulary: Vocabulary,
    steps: Steps,
) -> None:  # fmt: skip
    if "loudness" in column:
        loud = np.abs(velocity[:, None] - np.array(vocabulary.velocities)).argmin(axis=1)
        steps[onset, column["loudness"]] = loud
    if "timing" in column:
        word = np.floor(late * 2 * vocabulary.timing + 0.5).astype(np.int64) + vocabulary.timing
        steps[onset, column["timing"]] = np.clip(word, 0, 2 * vocabulary.timing - 1)


def window(laid: Laid, bar: int, vocabulary: Vocabulary) -> Steps:
    """The window from a bar on, of bars that are there; what sounds on from before is struck at its start."""
    bars = min(vocabulary.bars, len(laid.meters) - bar)
    start, stop = int(laid.bars[bar]), int(laid.bars[bar + bars])
    steps = laid.steps[start:stop].copy()
    for bar_of_window in range(bars):
        first = int(laid.bars[bar + bar_of_window]) - start
        steps[first:, 1] = bar_of_window
    places = {part: place for place, part in enumerate(vocabulary.lines)}
    for at, field in enumerate(vocabulary.fields):
        if field.what == "event" and field.key < 0 and steps[0, GIVEN + at] == HELD:
            steps[0, GIVEN + at] = laid.sounding[start, places[field.part]]
            for told, other in enumerate(vocabulary.fields):
                if other.event == at:
                    usual = vocabulary.timing if other.what == "timing" else len(vocabulary.velocities) // 2
                    steps[0, GIVEN + told] = usual
    return steps


def cut(laid: Laid, vocabulary: Vocabulary) -> tuple[list[tuple[int, Steps]], Counter[str]]:
    """All windows of whole bars, each with its first bar, and why others are none; one for each bar of the score."""
    found, dropped, seen = [], Counter[str](), set()
    for bar in range(max(len(laid.meters) - vocabulary.bars + 1, 1)):
        reason = _fault(laid, bar, vocabulary)
        if reason is None:
            steps = window(laid, bar, vocabulary)
            reason = _silence(steps, vocabulary) or ("the same as an earlier window" if steps.tobytes() in seen else "")
            if not reason:
                seen.add(steps.tobytes())
                found.append((bar, steps))
                continue
        dropped[reason] += 1
    return found, dropped


def _fault(laid: Laid, bar: int, vocabulary: Vocabulary) -> str | None:
    meters = laid.meters[bar : bar + vocabulary.bars]
    if len(meters) < vocabulary.bars:
        return "fewer bars than a window"
    if (meters < 0).any():
        return "a pickup, a bar cut short, or a metre that is not learnt"
    if (meters != meters[0]).any():
        return "the metre changes"
    start, stop = int(laid.bars[bar]), int(laid.bars[bar + vocabulary.bars])
    if not vocabulary.timing and len(vocabulary.lines):
        events = [GIVEN + at for at, field in enumerate(vocabulary.fields) if field.what == "event" and field.key < 0]
        struck = int((laid.steps[start:stop, events] >= STRUCK).sum())
        if laid.off_grid[start:stop].sum() > (1 - ON_GRID) * struck:
            return "notes off the grid"
    return None


def _silence(steps: Steps, vocabulary: Vocabulary) -> str:
    """Which part is silent for more than half of the bars, or for any bar where the window has two at most.

    Where parts may be missing, whether all but one are.
    """
    faults = list(_faults(steps, vocabulary))
    if vocabulary.loose:
        return f"fewer than {FEWEST_PARTS} parts play" if len(vocabulary.parts) - len(faults) < FEWEST_PARTS else ""
    return faults[0] if faults else ""


def _faults(steps: Steps, vocabulary: Vocabulary) -> Iterator[str]:
    """Why each part that does not play does not."""
    most = 0 if vocabulary.bars <= 2 else vocabulary.bars // 2
    for number, name in enumerate(vocabulary.parts):
        columns = [
            GIVEN + at for at, field in enumerate(vocabulary.fields) if field.part == number and field.what == "event"
        ]
        sounds = (steps[:, columns] != SILENT).any(axis=1)
        silent = sum(not sounds[steps[:, 1] == bar].any() for bar in range(vocabulary.bars))
        if silent > most:
            yield f"the {name} {'are' if name == 'drums' else 'is'} silent"
        elif name != "drums" and (steps[:, columns] >= STRUCK).sum() < FEWEST_NOTES:
            yield f"the {name} has fewer than {FEWEST_NOTES} notes"


__all__ = ["Grid", "Laid", "Steps", "cut", "lay", "window"]
