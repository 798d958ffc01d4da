"""The names of pitches: F sharp or G flat, by the key and by what sounds around.

Names are places on the line of fifths (... Bb F C G D ...). A note takes the name nearest to a centre between the
middle of the key's scale and the names that sound around it, unless another one makes a semitone to the next note
of its part a step, as C# D or Db C.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...music import Key, Notes, Score

Name = tuple[str, int, int]
"""The letter, how many semitones it is raised, and the octave."""

_LETTERS = "FCGDAEB"

_WINDOW_QUARTERS = 6.0
_CONTEXT = 0.7
"""How much what sounds around counts, against the key."""

_STEP = 3.0
"""What a semitone to the next note that is no step costs, in fifths away from the centre; from the last one less."""


def spellings(score: Score) -> dict[tuple[int, int], Name]:
    """The name of every pitch of the pitched tracks, by its onset and MIDI number."""
    tracks = [track.notes for track in score.tracks if not track.is_drum and len(track.notes)]
    if not tracks:
        return {}
    onset = np.concatenate([notes.onset for notes in tracks])
    pitch = np.concatenate([notes.pitch for notes in tracks])
    order = np.argsort(onset, kind="stable")
    onset, pitch = onset[order], pitch[order]
    middle = _centres(onset, pitch, score)
    heard = list(zip(onset.tolist(), pitch.tolist(), strict=True))
    by_note = dict(zip(heard, _nearest(pitch, middle).tolist(), strict=True))
    _lead_by_step(tracks, by_note, dict(zip(heard, middle.tolist(), strict=True)))
    return {(at, each): _name(each, place) for (at, each), place in by_note.items()}


def _middles(onset: NDArray[np.int64], keys: tuple[Key, ...]) -> NDArray[np.float64]:
    """The middle of the scale of the key at each note, on the line of fifths."""
    if not keys:
        return np.full(len(onset), 2.0)
    values = np.array([key.fifths + (3 if key.mode == "minor" else 2) for key in keys], np.float64)
    at = np.searchsorted([key.onset for key in keys], onset, side="right") - 1
    return np.asarray(values[np.maximum(at, 0)])


def _centres(onset: NDArray[np.int64], pitch: NDArray[np.int64], score: Score) -> NDArray[np.float64]:
    """The place on the line of fifths, C being 0, that the name of each note should be near to."""
    middle = _middles(onset, score.keys)
    place = _nearest(pitch, middle)
    reach = _WINDOW_QUARTERS * score.ticks_per_quarter
    first = np.searchsorted(onset, onset - reach)
    stop = np.searchsorted(onset, onset + reach, side="right")
    total = np.concatenate(([0], np.cumsum(place)))
    around = (total[stop] - total[first]) / (stop - first)
    return np.asarray(middle + _CONTEXT * (around - middle))


def _nearest(pitch: NDArray[np.int64], centre: NDArray[np.float64]) -> NDArray[np.int64]:
    place = 7 * pitch % 12
    return np.asarray(place + 12 * np.round((centre - place) / 12).astype(np.int64))


def _lead_by_step(
    tracks: list[Notes], places: dict[tuple[int, int], int], centres: dict[tuple[int, int], float]
) -> None:
    """Give chromatic notes that move by a semitone the name that makes it a step, if it is not far off."""
    for notes in tracks:
        onsets = np.unique(notes.onset).tolist()
        sounding: dict[int, set[int]] = {}
        for at, each in zip(notes.onset.tolist(), notes.pitch.tolist(), strict=True):
            sounding.setdefault(at, set()).add(each)
        for number, at in enumerate(onsets):
            after = onsets[number + 1] if number + 1 < len(onsets) else -1
            before = onsets[number - 1] if number else -1
            for each in sounding[at]:
                centre = centres[at, each]
                costs = []
                for place in (places[at, each] - 12, places[at, each], places[at, each] + 12):
                    cost = abs(place - centre)
                    for other, weight in ((after, _STEP), (before, 0.5 * _STEP)):
                        for semitone in (1, -1):
                            if each + semitone in sounding.get(other, ()):
                                # A step of a semitone upwards lies five fifths down.
                                cost += weight * (places[other, each + semitone] - place != -5 * semitone)
                    costs.append((cost, abs(place - centre), place))
                places[at, each] = min(costs)[2]


def _name(pitch: int, place: int) -> Name:
    alter = (place + 1) // 7
    return _LETTERS[(place + 1) % 7], alter, (pitch - alter) // 12 - 1
