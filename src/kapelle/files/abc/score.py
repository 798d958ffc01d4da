"""A tune of bars as a score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ...errors import FileError
from ...music import Key, Meter, Notes, Score, TempoMap, Track
from ..barring import Layout, Measure, as_written, fit_bars
from .bars import Bar, Event
from .tune import Tune

VELOCITY = 80
TEMPO = 120.0

_COARSEST, _FINEST = 24, 10080


def score_of(tune: Tune) -> Score:
    """The tune, each voice a track, bars standing where the metre has them if they add up, else as written.

    Raises:
        FileError: if it has no notes.
    """
    layouts = _layouts(tune)
    unit = _unit(tune, layouts)
    tracks = [
        Track(notes, voice.program or 0, voice.is_drum, voice.name)
        for voice, layout in zip(tune.voices, layouts, strict=True)
        if len(notes := notes_of(voice.bars, layout, unit))
    ]
    if not tracks:
        raise FileError("expected a tune with notes, got one without any")
    bars, layout = tune.bars, layouts[0]
    return Score(
        unit,
        tuple(tracks),
        _tempos(bars, layout, unit),
        meters_of(bars, layout, unit),
        keys_of(bars, layout, unit),
        ticks(layout.pickup, unit),
        tune.title,
    )


def measures_of(bars: Sequence[Bar]) -> list[Measure]:
    """What of bars says whether they add up; one without a metre is measured as 4/4."""
    return [
        Measure(bar.length, Fraction(4 * numerator, denominator), bar.opens_section)
        for bar in bars
        for numerator, denominator in [bar.meter or (4, 4)]
    ]


def notes_of(bars: Sequence[Bar], layout: Layout, unit: int) -> Notes:
    """The notes of a voice, tied ones as one; what is shorter than a tick lasts one.

    Args:
        bars: in order.
        layout: where they stand.
        unit: ticks per quarter.
    """
    rows: list[list[int]] = []
    tied: dict[int, list[int]] = {}
    for event, bar_onset in _events(bars, layout):
        start = bar_onset + event.start
        onset, end = ticks(start, unit), ticks(start + event.length, unit)
        sounding: dict[int, list[int]] = {}
        for pitch in event.pitches:
            row = tied.get(pitch)
            if row is not None and row[0] + row[1] == onset:
                row[1] = end - row[0]
            else:
                row = [onset, max(end - onset, 1), pitch, VELOCITY]
                rows.append(row)
            sounding[pitch] = row
        tied = sounding if event.tied else {}
    return Notes(*np.array(rows, np.int64).reshape(-1, 4).T)


def meters_of(bars: Sequence[Bar], layout: Layout, unit: int) -> tuple[Meter, ...]:
    """The metres, one again where it has to begin anew because a bar did not fill it; 4/4 if there is none."""
    found: list[Meter] = []
    for index, (bar, onset) in enumerate(zip(bars, layout.onsets, strict=True)):
        meter = Meter(ticks(onset, unit), *(bar.meter or (4, 4)))
        if not found or index in layout.restarts or found[-1].name != meter.name:
            found.append(meter)
    return tuple(found)


def keys_of(bars: Sequence[Bar], layout: Layout, unit: int) -> tuple[Key, ...]:
    """The keys that are named, each where it changes."""
    found: list[Key] = []
    for bar, onset in zip(bars, layout.onsets, strict=True):
        key = None if bar.key is None else Key.from_fifths(*bar.key, onset=ticks(onset, unit))
        if key is not None and (not found or (found[-1].tonic, found[-1].mode) != (key.tonic, key.mode)):
            found.append(key)
    return tuple(found)


def ticks(quarters: Fraction, unit: int) -> int:
    """The nearest tick."""
    return round(quarters * unit)


def _events(bars: Sequence[Bar], layout: Layout) -> Iterator[tuple[Event, Fraction]]:
    for bar, onset in zip(bars, layout.onsets, strict=True):
        for event in bar.events:
            if event.pitches and event.length > 0:
                yield event, onset


def _tempos(bars: Sequence[Bar], layout: Layout, unit: int) -> TempoMap:
    rates = {0: TEMPO}
    for bar, onset in zip(bars, layout.onsets, strict=True):
        rate = bar.quarters_per_minute or TEMPO
        if rate != list(rates.values())[-1]:
            rates[ticks(onset, unit)] = rate
    return TempoMap(np.array(list(rates)), np.array(list(rates.values())))


def _layouts(tune: Tune) -> list[Layout]:
    """Where the bars of each voice stand: in all voices alike if they have as many, a short one being waited for."""
    measures = [measures_of(voice.bars) for voice in tune.voices]
    if len({len(voice) for voice in measures}) == 1:
        longest = [replace(bar[0], length=max(part.length for part in bar)) for bar in zip(*measures, strict=True)]
        measures = [longest] * len(measures)
    try:
        if any(bar.meter is None for bar in tune.bars):
            raise FileError("no metre")
        return [fit_bars(voice) for voice in measures]
    except FileError:
        return [as_written(voice) for voice in measures]


def _unit(tune: Tune, layouts: Sequence[Layout]) -> int:
    """Ticks a quarter such that every time is a whole number of them, as far as 10,080 go."""
    unit = _COARSEST
    for voice, layout in zip(tune.voices, layouts, strict=True):
        for event, onset in _events(voice.bars, layout):
            start = onset + event.start
            unit = math.lcm(unit, start.denominator, (start + event.length).denominator)
            if unit > _FINEST:
                return _FINEST
    return unit
