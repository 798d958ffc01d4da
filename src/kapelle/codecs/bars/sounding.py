"""From windows to notes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...music import Notes, Track
from .vocabulary import GIVEN, HELD, STRUCK, Field, Vocabulary, loud_beats

TICKS_PER_QUARTER = 480


def track_of(steps: NDArray[np.int32], part: int, vocabulary: Vocabulary) -> Track:
    """What steps (T, F) in one metre tell of a part; what is held where nothing sounds is silent."""
    name, rows = vocabulary.parts[part], []
    for at, field in enumerate(vocabulary.fields):
        if field.part == part and field.what == "event":
            rows += _notes(steps, at, field, vocabulary)
    notes = Notes.of(rows)
    if name == "drums":
        return Track(notes, 0, True, "Drums")
    return Track(notes, vocabulary.programs[part], name=vocabulary.titles[part])


def _notes(
    steps: NDArray[np.int32], at: int, field: Field, vocabulary: Vocabulary
) -> list[tuple[int, int, int, int]]:  # fmt: skip
    """The notes of one column of events, in ticks."""
    words, tick = steps[:, GIVEN + at], TICKS_PER_QUARTER // vocabulary.per_quarter
    struck = np.flatnonzero(words >= field.strikes)
    onset = struck * tick
    loud = loud_beats(vocabulary.meters[int(steps[0, 0])], vocabulary.per_quarter)[steps[struck, 2]]
    for other, told in enumerate(vocabulary.fields):
        if told.event == at and told.what == "loudness":
            loud = np.array(vocabulary.velocities)[steps[struck, GIVEN + other]]
        elif told.event == at:
            late = (steps[struck, GIVEN + other] - vocabulary.timing) / (2 * vocabulary.timing)
            onset = np.maximum(onset + np.round(late * tick).astype(np.int64), 0)
    if field.key >= 0:
        end = onset + tick // 2
        pitch = np.full(len(struck), field.key)
    else:
        stops = np.append(np.flatnonzero(words != HELD), len(words))
        end = stops[np.searchsorted(stops, struck, side="right")] * tick
        # A note ends where the next one starts, however early that is.
        next_onset = np.append(onset[1:], len(words) * tick)
        end = np.minimum(end, next_onset) if len(struck) else end
        pitch = words[struck] - STRUCK + vocabulary.low
    length = np.maximum(end - onset, 1)
    return list(zip(onset.tolist(), length.tolist(), pitch.tolist(), loud.tolist(), strict=True))


__all__ = ["TICKS_PER_QUARTER", "track_of"]
