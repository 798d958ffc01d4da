"""The values that every piece of music is made of, held against slow and plain ways to say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.codecs.words import nearest
from kapelle.music import Notes, Spans, TempoMap
from kapelle.music.edit import rescale
from kapelle.music.notes import MAX_TICK

# Few values, so that notes share onsets, pitches and durations.
note_rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 3), st.integers(60, 63), st.integers(1, 3)), max_size=30
)


@given(rows=note_rows)
def test_notes_stand_in_order_of_onset_then_high_pitch_then_duration_then_velocity(
    rows: list[tuple[int, int, int, int]],
) -> None:
    notes = Notes.of(rows)
    found = list(
        zip(
            notes.onset.tolist(),
            notes.duration.tolist(),
            notes.pitch.tolist(),
            notes.velocity.tolist(),
            strict=True,
        )
    )
    assert found == sorted(rows, key=lambda row: (row[0], -row[2], row[1], row[3]))


@given(rows=note_rows)
def test_notes_of_narrow_integers_are_the_notes_of_wide_ones(rows: list[tuple[int, int, int, int]]) -> None:
    onset, duration, pitch, velocity = np.array(rows, np.int64).reshape(-1, 4).T
    narrow = Notes(onset.astype(np.uint32), duration.astype(np.int32), pitch.astype(np.int8), velocity.astype(np.uint8))
    assert narrow == Notes.of(rows)
    assert narrow.pitch.dtype == np.int64


@given(tracks=st.lists(note_rows, max_size=5), late=st.sampled_from([0, MAX_TICK - 5]), narrow=st.sampled_from("iq"))
def test_notes_of_several_tracks_at_once_are_those_of_each_track(
    tracks: list[list[tuple[int, int, int, int]]], late: int, narrow: str
) -> None:
    moved = [[(onset + late, *rest) for onset, *rest in rows] for rows in tracks]
    columns = np.array([row for rows in moved for row in rows], np.int64).reshape(-1, 4).T
    together = Notes.of_tracks(*(columns if late else columns.astype(narrow)), sizes=[len(rows) for rows in tracks])
    assert together == [Notes.of(rows) for rows in moved]
    assert not any(notes.pitch.flags.writeable for notes in together)


@pytest.mark.slow
def test_tracks_too_long_to_be_laid_end_to_end_are_ordered_one_by_one() -> None:
    tracks = 2**17
    onset = np.zeros(2 * tracks, np.int64)
    onset[0] = MAX_TICK
    ones = np.ones(2 * tracks, np.int8)
    first, *others = Notes.of_tracks(onset, ones, ones, ones, sizes=[2] * tracks)
    assert first.onset.tolist() == [0, MAX_TICK]
    assert len(others) == tracks - 1
    assert not any(len(notes) != 2 or notes.onset.any() for notes in others)


def test_notes_keep_no_hold_on_the_arrays_they_were_made_from() -> None:
    onset = np.array([0, 24])
    notes = Notes(onset, [24, 24], [60, 62], [80, 80])
    onset[0] = 7
    assert notes.onset.tolist() == [0, 24]
    with pytest.raises(ValueError, match="read-only"):
        notes.onset[0] = 7


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("onset", -1, "onset must be 0..1099511627776, got -1"),
        ("onset", 2**40 + 1, "onset must be"),
        ("duration", 0, "duration must be 1..1099511627776, got 0"),
        ("pitch", 128, "pitch must be 0..127, got 128"),
        ("velocity", 0, "velocity must be 1..127, got 0"),
        ("velocity", 2**64 - 1, "velocity must be 1..127, got 18446744073709551615"),
        ("pitch", 60.0, "pitch must be a one-dimensional array of integers"),
    ],
)
def test_a_value_out_of_range_is_named(column: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Notes.of([(0, 24, 60, 80)]).replace(**{column: [value]})


def test_no_span_is_the_same_nothing_everywhere() -> None:
    assert Spans.none() is Spans.none()
    assert not len(Spans.none())


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_tempo_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0 and finite"):
        TempoMap([0, 24], [120.0, rate])


@given(
    later=st.lists(st.tuples(st.integers(1, 500), st.floats(20, 300)), max_size=6, unique_by=lambda pair: pair[0]),
    until=st.integers(1, 600),
)
def test_the_mean_tempo_takes_as_long_as_the_tempos_do(later: list[tuple[int, float]], until: int) -> None:
    onset, rate = zip((0, 100.0), *sorted(later), strict=True)
    tempos = TempoMap(onset, rate)
    assert 60 * until / tempos.mean(until) == pytest.approx(float(tempos.seconds(until, 1)))


@given(ticks=st.integers(0, 2**40), old=st.integers(1, 2000), new=st.integers(1, 2000))
def test_rescaled_ticks_are_the_nearest_and_halves_go_up(ticks: int, old: int, new: int) -> None:
    assert int(rescale(ticks, old, new)) == (2 * ticks * new + old) // (2 * old)


@given(words=st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True).map(sorted), value=st.integers(0, 60))
def test_the_nearest_word_is_the_lower_of_two_that_are_as_near(words: list[int], value: int) -> None:
    assert words[int(nearest(value, np.array(words)))] == min(words, key=lambda word: (abs(word - value), word))
