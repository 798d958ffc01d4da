"""What of a score MusicXML holds."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ...errors import FileError
from ...music import Key, Meter, Notes, Score, Spans, TempoMap, Track, resample, with_detected_key

MAX_QUARTERS = 100_000

GRID = 24
"""Ticks a quarter in what is written: it holds thirty-second notes and triplets of them."""

FINE_GRID = 48
"""The grid for the few scores that need sixty-fourth notes."""


def canonical(score: Score) -> Score:
    """The score as it comes back from a MusicXML file.

    - The unit of time is 24 ticks a quarter, to which onsets and ends are rounded; 48 if the score fits it exactly
      but 24 not, or has a metre such as 5/64.
    - A score without keys has the one that `detect_key` finds; one of drums alone has none.
    - Keys stand at the start of their bar, and signs that change nothing are gone, as are metres and tempos after
      the last bar. A first bar that a metre cuts short is a pickup.
    - Names and titles are one line of printable characters.
    - Fermatas stand where a note begins. A drum track has program 0. Pedals are gone. A score without tracks has an
      empty one.

    Raises:
        FileError: if the score is longer than 100,000 quarters.
    """
    check_length(score)
    score = resample(score, _grid(score))
    tracks = tuple(
        Track(track.notes, 0 if track.is_drum else track.program, track.is_drum, one_line(track.name), Spans.none())
        for track in score.tracks
    )
    bars = score.bars()
    tempos = score.tempos
    sounding = tempos.onset < bars[-1]
    length = int(bars[1])
    return Score(
        ticks_per_quarter=score.ticks_per_quarter,
        tracks=tracks or (Track(Notes.of([])),),
        tempos=TempoMap(tempos.onset[sounding], tempos.quarters_per_minute[sounding]),
        meters=_meters(score),
        keys=_keys(score) or with_detected_key(score).keys,
        pickup=length if length < score.meters[0].bar_length(score.ticks_per_quarter) else 0,
        title=one_line(score.title),
        fermatas=tuple(onset for onset in score.fermatas if any(onset in track.notes.onset for track in tracks)),
    )


def check_length(score: Score) -> None:
    """Raise FileError if a score is longer than 100,000 quarters."""
    if score.end > MAX_QUARTERS * score.ticks_per_quarter:
        quarters = score.end // score.ticks_per_quarter
        raise FileError(
            f"a score for notation may have {MAX_QUARTERS} quarters, this one has {quarters}; clip it first"
        )


def one_line(text: str) -> str:
    """Text without what XML cannot hold, its spaces and line breaks each made one space.

    >>> one_line(" Für\\n Elise \\x00")
    'Für Elise'
    """
    return " ".join(re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text).split())


def _grid(score: Score) -> int:
    if any(4 * GRID * meter.numerator % meter.denominator for meter in score.meters):
        return FINE_GRID
    times = [np.concatenate((track.notes.onset, track.notes.end)) for track in score.tracks]
    every = np.concatenate([*times, np.array([score.pickup], np.int64)])

    def fits(grid: int) -> bool:
        return not np.any(every * grid % score.ticks_per_quarter)

    return FINE_GRID if not fits(GRID) and fits(FINE_GRID) else GRID


def _meters(score: Score) -> tuple[Meter, ...]:
    """The metres that a reader of the bars can tell: where one differs or follows a bar cut short."""
    bars = score.bars().tolist()
    found = [replace(score.meters[0], onset=0)]
    for index in range(1, len(bars) - 1):
        meter = score.meter_at(bars[index])
        short = index > 1 and bars[index] - bars[index - 1] < found[-1].bar_length(score.ticks_per_quarter)
        if short or meter.name != found[-1].name:
            found.append(replace(meter, onset=bars[index]))
    return tuple(found)


def _keys(score: Score) -> tuple[Key, ...]:
    # A percussion staff has no signature, and engravers show one that is marked as hidden.
    if score.tracks and all(track.is_drum for track in score.tracks):
        return ()
    bars = score.bars()
    at_bar = {
        int(bars[np.searchsorted(bars, key.onset, side="right") - 1]): key for key in score.keys if key.onset < bars[-1]
    }
    found: list[Key] = []
    for onset, key in at_bar.items():
        if not found or (found[-1].tonic, found[-1].mode) != (key.tonic, key.mode):
            found.append(replace(key, onset=onset))
    return tuple(found)
