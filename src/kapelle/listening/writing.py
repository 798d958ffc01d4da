"""A score with bars, out of notes as they were performed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..music import IntArray, Key, Meter, Notes, Score, TempoMap, Track, key_fit
from .meters import METERS, STEPS_PER_QUARTER, Reading, readings
from .performed import Performed

TICKS_PER_QUARTER = 24
_STEP = TICKS_PER_QUARTER // STEPS_PER_QUARTER

TEMPOS = (20.0, 300.0)
"""Beats a minute that may be told."""

KNOWN_METERS = (*METERS, "2/2")

_TOGETHER = 0.045
"""Seconds within which notes begin together."""

_LAST_IS_TONIC = 0.1
"""What a key whose tonic is the last note gains, as a correlation with the key's profile."""

_KEY_SHARPNESS, _READING_SHARPNESS = 12.0, 0.1
"""From how well a key fits, and from the cost of a reading, to how sure it is: set so that of what is told with 80
per cent, about 80 per cent is right."""

_LEGATO = 0.6
"""A note that sounds for this part of the way to the next is written up to it."""

_LONGEST_GAP = 2
"""Steps: so short a rest is articulation, and not written."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure something is, 0..1 each.

    Attributes:
        tempo: that the tempo is neither half, nor double, nor another.
        meter: that the metre is of this kind: in two or four, in three, or in 6/8.
        key: that it is this one of the 24 keys.
    """

    tempo: float
    meter: float
    key: float


def written(
    played: Performed, tempo: float | None, meter: str | None, title: str, one_voice: bool
) -> tuple[Score, Certainty]:
    """The score that a performance is of, and how sure that is.

    Args:
        played: at least one note.
        tempo: beats a minute of the metre, if it is known; 20 to 300.
        meter: one of `KNOWN_METERS`, if it is known.
        one_voice: whether notes follow one another, so that a short gap between two is no rest.

    Raises:
        FileError: if the tempo or the metre is none that can be listened for.
    """
    if meter is not None and meter not in KNOWN_METERS:
        raise FileError(f"expected the metre to listen for to be one of {', '.join(KNOWN_METERS)}, got {meter}")
    if tempo is not None and not TEMPOS[0] <= tempo <= TEMPOS[1]:
        raise FileError(f"expected a tempo of {TEMPOS[0]:g} to {TEMPOS[1]:g} beats a minute, got {tempo:g}")
    event = np.cumsum(np.diff(played.onset, prepend=played.onset[0] - 1) > _TOGETHER) - 1
    starts = np.flatnonzero(np.diff(event, prepend=-1))
    onset = np.add.reduceat(played.onset, starts) / np.bincount(event)
    top = np.maximum.reduceat(played.pitch, starts)
    key, key_certainty = _key(played)
    found = _readings(onset, top, key.tonic, tempo, meter)
    best = found[0]
    place = best.place[event]
    until = _ends(played, best, onset, place, one_voice)
    score = _score(played, best, place, until, key, title)
    weight = np.exp(-_READING_SHARPNESS * (np.array([reading.cost for reading in found]) - best.cost))
    weight /= weight.sum()
    alike = np.array([_kind(reading.meter) == _kind(best.meter) for reading in found])
    pace = np.array([reading.quarters_per_minute for reading in found]) / best.quarters_per_minute
    same = np.abs(pace - 1) < 0.04
    return score, Certainty(float(weight[same].sum()), float(weight[alike].sum()), key_certainty)


def _readings(
    onset: NDArray[np.float64], pitch: IntArray, tonic: int, tempo: float | None, meter: str | None
) -> list[Reading]:
    if tempo is None:
        return readings(onset, pitch, tonic, METERS if meter is None else (meter,))
    found = []
    for name in METERS if meter is None else (meter,):
        # A tempo is told in beats, which are another part of the bar in each metre.
        quarters = tempo * Meter.parse(name).beat_quarters
        found += readings(onset, pitch, tonic, (name,), quarters)
    return sorted(found, key=lambda reading: reading.cost)


def _kind(meter: Meter) -> str:
    return "compound" if meter.is_compound else "triple" if meter.numerator == 3 else "duple"


def _key(played: Performed) -> tuple[Key, float]:
    """The key, from its profile and the last note, and how sure it is."""
    lasts = np.minimum(played.end - played.onset, 2.0)
    fit = key_fit(np.bincount(played.pitch % 12, weights=lasts, minlength=12)).copy()
    last = played.pitch[played.onset >= played.onset[-1] - _TOGETHER].min() % 12
    fit[[last, last + 12]] += _LAST_IS_TONIC
    sure = np.exp(_KEY_SHARPNESS * (fit - fit.max()))
    best = int(fit.argmax())
    return Key(0, best % 12, "minor" if best >= 12 else "major"), float(1 / sure.sum())


def _ends(played: Performed, best: Reading, onset: NDArray[np.float64], place: IntArray, one_voice: bool) -> IntArray:
    """The step at which each note ends, at least one after its own."""
    step = 60 / STEPS_PER_QUARTER / best.quarters_per_minute
    after = best.place[-1] + np.arange(1, 65)
    times = np.concatenate([onset, onset[-1] + step * np.arange(1, 65)])
    exact = np.interp(played.end, times, np.concatenate([best.place, after]))
    until: IntArray = np.maximum(np.round(exact).astype(np.int64), place + 1)
    if not one_voice:
        return until
    follows, sounds = np.diff(place), (played.end[:-1] - played.onset[:-1]) / np.diff(played.onset)
    gap = place[1:] - until[:-1]
    fills = (sounds >= _LEGATO) | (gap <= _LONGEST_GAP) | (follows <= _LONGEST_GAP)
    until[:-1] = np.where(fills | (gap < 0), place[1:], until[:-1])
    # The last note is held as long as notes are written, not to the end of the breath.
    nice = np.array([1, 2, 3, 4, 6, 8, 12, 16])
    until[-1] = place[-1] + nice[np.abs(np.log(nice / max(exact[-1] - place[-1], 0.5))).argmin()]
    return until


def _score(played: Performed, best: Reading, place: IntArray, until: IntArray, key: Key, title: str) -> Score:
    bar = best.meter.bar_length(TICKS_PER_QUARTER)
    first = best.first * _STEP
    # Half a bar or less before the first full one is a pickup; more is a bar that begins with a rest.
    pickup = bar - first if first and bar - first <= bar // 2 else 0
    start = 0 if pickup else first
    notes = Notes(start + place * _STEP, (until - place) * _STEP, played.pitch, played.velocity)
    tempo = TempoMap.constant(round(best.quarters_per_minute, 1))
    return Score(TICKS_PER_QUARTER, (Track(notes),), tempo, (best.meter,), (key,), pickup, title)
