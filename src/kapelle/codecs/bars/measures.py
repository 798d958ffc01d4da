"""What can be measured of windows: density, syncopation, register, interval size, repetition, note length; and, where
it is told how they are played, velocity and swing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...music import Meter
from .vocabulary import GIVEN, HELD, STRUCK, Vocabulary

Floats = NDArray[np.float64]


def measured(steps: NDArray[np.int32], vocabulary: Vocabulary) -> dict[str, Floats]:
    """The measures of windows of one metre.

    density: what is struck, in a bar. syncopation: the share of beats at which nothing is struck though something was
    since the beat before. register: mean pitch of the lines. interval: mean size of a line's leaps and steps, in
    semitones. repetition: the share of steps that are as a bar before. length: mean length of a line's notes, in steps.
    velocity: mean velocity of what is struck. swing: how much later what is struck between the eighths comes than what
    is struck on them, in steps; 0 where nothing is struck on one of both.

    Args:
        steps: shape (N, T, F).
        vocabulary: of their codec.

    Returns:
        By name, each of shape (N,); of lines only where there are lines, of how it is played only where that is told.
    """
    events = [(GIVEN + at, field) for at, field in enumerate(vocabulary.fields) if field.event < 0]
    struck = np.stack([steps[:, :, column] >= field.strikes for column, field in events], -1)  # (N, T, E)
    bar = vocabulary.bar_steps[int(steps[0, 0, 0])]
    beat = _beat(steps[0], vocabulary)
    heard = np.asarray(struck.any(-1))
    found = {"density": struck.sum((1, 2)) * bar / steps.shape[1]}
    if beat > 1:
        found["syncopation"] = _syncopation(heard, steps[0, :, 2], beat)
    if vocabulary.bars > 1:
        words = np.stack([steps[:, :, column] for column, _ in events], -1)
        found["repetition"] = (words[:, bar:] == words[:, :-bar]).mean((1, 2))
    lines = [column for column, field in events if field.key < 0]
    if lines:
        pitch = np.concatenate([steps[:, :, column] for column in lines], 1).astype(float)
        rows = [_line(row, STRUCK) for row in pitch]
        for name, values in zip(("register", "interval", "length"), zip(*rows, strict=True), strict=True):
            found[name] = np.array(values)
        found["register"] += vocabulary.low - STRUCK
    if vocabulary.velocities:
        loud = np.array(vocabulary.velocities, float)[_told(steps, vocabulary, "loudness")]
        found["velocity"] = _mean(loud, struck)
    if vocabulary.timing:
        late = _told(steps, vocabulary, "timing") / (2 * vocabulary.timing)
        between = struck & (steps[:, :, 2] % (vocabulary.per_quarter // 2) > 0)[:, :, None]
        there = between.any((1, 2)) & (struck & ~between).any((1, 2))
        found["swing"] = np.where(there, _mean(late, between) - _mean(late, struck & ~between), 0.0)
    return {name: np.asarray(values, np.float64) for name, values in found.items()}


def leaps(steps: NDArray[np.int32], vocabulary: Vocabulary) -> dict[str, float]:
    """By how much a measure can change at the least, by name; those that are not named change by any amount.

    Args:
        steps: a window, shape (T, F).
        vocabulary: of its codec.
    """
    found = {"density": vocabulary.bar_steps[int(steps[0, 0])] / len(steps)}
    beat = _beat(steps, vocabulary)
    return found | ({"syncopation": 1 / len(_beats(steps[:, 2], beat))} if beat > 1 else {})


def _beat(steps: NDArray[np.int32], vocabulary: Vocabulary) -> int:
    """Steps of a beat of a window (T, F)."""
    meter = Meter.parse(vocabulary.meters[int(steps[0, 0])])
    return max(round(meter.beat_quarters * vocabulary.per_quarter), 1)


def _beats(position: NDArray[np.int32], beat: int) -> list[int]:
    """The steps of a window on which a beat is that has one before it."""
    return [at for at in range(1, len(position)) if position[at] % beat == 0]


def _told(steps: NDArray[np.int32], vocabulary: Vocabulary, what: str) -> NDArray[np.int32]:
    """The words of loudness or timing of each column of events, (N, T, E)."""
    return steps[:, :, [GIVEN + at for at, field in enumerate(vocabulary.fields) if field.what == what]]


def _mean(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """The mean of each window's values at some places, 0 where there are none, (N,)."""
    count = np.maximum(where.sum((1, 2)), 1)
    return np.asarray((values * where).sum((1, 2)) / count)


def _syncopation(heard: NDArray[np.bool_], position: NDArray[np.int32], beat: int) -> Floats:
    beats = _beats(position, beat)
    missed = [~heard[:, at] & heard[:, max(at - beat + 1, 0) : at].any(1) for at in beats]
    return np.asarray(np.mean(missed, 0))


def _line(words: Floats, strikes: int) -> tuple[float, float, float]:
    """Mean word, mean leap and mean length of the notes of a line."""
    struck = np.flatnonzero(words >= strikes)
    if not len(struck):
        return 0.0, 0.0, 0.0
    leaps = np.abs(np.diff(words[struck]))
    sounding = len(struck) + int((words == HELD).sum())
    return float(words[struck].mean()), float(leaps.mean()) if len(leaps) else 0.0, sounding / len(struck)


__all__ = ["leaps", "measured"]
