"""Drums as drummers read them: a stroke is written as long as it takes to the next one, at most to the next beat."""

from __future__ import annotations

import numpy as np

from ...files.musicxml.voices import FEET
from ...music import IntArray, Notes
from .quantising import GRID

_PLAIN = np.array([1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 36])
"""Ticks of what one note can be, up to a beat."""


def written_strokes(notes: Notes, beats: IntArray, unit: int) -> Notes:
    """Strokes with the lengths that they are written with; how long a drum's key was held says nothing.

    Hands and feet are a stream each; a stroke that is there twice is written once.

    Args:
        notes: on the grid.
        beats: where beats start, up to one after the last stroke, shape (B,).
        unit: ticks a quarter, a multiple of `GRID`.
    """
    feet = np.isin(notes.pitch, FEET)
    rows: list[tuple[int, int, int, int]] = []
    for mask in (~feet, feet):
        stream = notes.where(mask)
        onsets = np.unique(stream.onset)
        if not len(onsets):
            continue
        beat_end = beats[np.searchsorted(beats, onsets, side="right")]
        end = np.minimum(beat_end, np.append(onsets[1:], beat_end[-1]))
        # One note head each, no tie: the rest of the time is silence.
        length = _PLAIN[np.searchsorted(_PLAIN, (end - onsets) * GRID // unit, side="right") - 1] * unit // GRID
        until = dict(zip(onsets.tolist(), (onsets + length).tolist(), strict=True))
        loudest: dict[tuple[int, int], int] = {}
        for at, pitch, velocity in zip(
            stream.onset.tolist(), stream.pitch.tolist(), stream.velocity.tolist(), strict=True
        ):
            loudest[at, pitch] = max(velocity, loudest.get((at, pitch), 0))
        rows += [(at, until[at] - at, pitch, velocity) for (at, pitch), velocity in loudest.items()]
    return Notes.of(rows)
