"""Hypothesis strategies for the values of music; `from strategies import scores` in any test file.

Each draws small values that shrink well: few notes, low ticks, plain names first. Everything drawn is valid
and may be odd: overlapping notes of one pitch, empty tracks, late pedals, metres that change inside a bar.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from kapelle.music import Key, Meter, Notes, Score, Spans, TempoMap, Track

UNITS = (24, 1, 2, 4, 12, 96, 120, 384, 480, 960, 1024, 10080)
"""Ticks per quarter that are tried: common ones, and 1."""

METERS = ((4, 4), (3, 4), (2, 4), (6, 8), (2, 2), (9, 8), (12, 8), (5, 4), (7, 8), (3, 8), (1, 4), (5, 16), (4, 64))


def notes(max_notes: int = 12, until: int = 960, *, pitches: tuple[int, int] = (0, 127)) -> st.SearchStrategy[Notes]:
    """Up to `max_notes` notes with onsets below `until` ticks; the same pitch may sound twice at once."""
    row = st.tuples(
        st.integers(0, until - 1), st.integers(1, max(until // 2, 1)), st.integers(*pitches), st.integers(1, 127)
    )
    return st.lists(row, max_size=max_notes).map(Notes.of)


def monophonic_notes(
    max_notes: int = 12, step: int = 6, *, pitches: tuple[int, int] = (0, 127)
) -> st.SearchStrategy[Notes]:
    """A line on a grid of `step` ticks: one note at a time, rests between some."""
    row = st.tuples(st.integers(0, 3), st.integers(1, 8), st.integers(*pitches), st.integers(1, 127))

    def lay(rows: list[tuple[int, int, int, int]]) -> Notes:
        now, laid = 0, []
        for rest, length, pitch, velocity in rows:
            laid.append(((now + rest) * step, length * step, pitch, velocity))
            now += rest + length
        return Notes.of(laid)

    return st.lists(row, max_size=max_notes).map(lay)


def spans(max_spans: int = 4, until: int = 960) -> st.SearchStrategy[Spans]:
    """Up to `max_spans` stretches, in order, at least one tick apart."""
    row = st.tuples(st.integers(1, until // 4 or 1), st.integers(1, until // 4 or 1))

    def lay(rows: list[tuple[int, int]]) -> Spans:
        now, laid = 0, []
        for gap, length in rows:
            laid.append((now + gap, length))
            now += gap + length
        table = np.array(laid, np.int64).reshape(-1, 2)
        return Spans(table[:, 0], table[:, 1])

    return st.lists(row, max_size=max_spans).map(lay)


def names() -> st.SearchStrategy[str]:
    """Titles and names of tracks, in any script, with line breaks and quotes too."""
    return st.one_of(st.just(""), st.sampled_from(["Violin", "Für Elise", 'a "b"', "日本語 ♪"]), st.text(max_size=12))


@st.composite
def tracks(draw: st.DrawFn, max_notes: int = 12, until: int = 960, *, drums: bool = True) -> Track:
    """A track with any program; a drum track now and then if `drums`."""
    return Track(
        notes=draw(notes(max_notes, until)),
        program=draw(st.integers(0, 127)),
        is_drum=drums and draw(st.sampled_from([False, False, True])),
        name=draw(names()),
        pedal=draw(st.one_of(st.just(Spans.none()), spans(until=until))),
    )


def _rising(start: int = 0, until: int = 2000, max_size: int = 3) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(start, until), unique=True, max_size=max_size).map(sorted)


@st.composite
def tempo_maps(draw: st.DrawFn, until: int = 2000) -> TempoMap:
    """Up to four tempos of 5 to 600 quarters a minute."""
    onset = [0, *draw(_rising(1, until))]
    size = len(onset)
    return TempoMap(np.array(onset), np.array(draw(st.lists(st.floats(5, 600), min_size=size, max_size=size))))


@st.composite
def meters(draw: st.DrawFn, until: int = 2000) -> tuple[Meter, ...]:
    """Up to four metres, the first at 0; they may change anywhere, inside a bar too."""
    return tuple(Meter(onset, *draw(st.sampled_from(METERS))) for onset in [0, *draw(_rising(1, until))])


@st.composite
def keys(draw: st.DrawFn, until: int = 2000) -> tuple[Key, ...]:
    """Up to three keys, none being the plainest."""
    mode = st.sampled_from(["major", "minor"])
    return tuple(Key(onset, draw(st.integers(0, 11)), draw(mode)) for onset in draw(_rising(0, until)))


@st.composite
def scores(
    draw: st.DrawFn,
    max_tracks: int = 3,
    max_notes: int = 12,
    *,
    drums: bool = True,
    ticks_per_quarter: int | None = None,
) -> Score:
    """Any valid score: up to `max_tracks` tracks, some of them empty, with or without a pickup.

    Args:
        ticks_per_quarter: that unit only; one of `UNITS` without it. Times reach over ten quarters or so,
            with a unit of one tick over many more.
    """
    unit = ticks_per_quarter or draw(st.sampled_from(UNITS))
    until = max(10 * unit, 40)
    signs = draw(meters(until))
    longest = signs[0].bar_length(unit) - 1
    return Score(
        ticks_per_quarter=unit,
        tracks=tuple(draw(st.lists(tracks(max_notes, until, drums=drums), max_size=max_tracks))),
        tempos=draw(tempo_maps(until)),
        meters=signs,
        keys=draw(keys(until)),
        pickup=draw(st.one_of(st.just(0), st.integers(0, longest))),
        title=draw(names()),
        fermatas=tuple(sorted(draw(st.sets(st.integers(0, until), max_size=3)))),
    )
