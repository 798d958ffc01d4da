"""Loops and silences: exact on what is planted, equal to a slow search that follows the definition."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.evaluation import longest_loop, longest_silence, looped_bars
from kapelle.evaluation.loops import MAX_BARS, bar_position
from kapelle.music import Meter, Notes, Score, Track, transpose
from strategies import scores

COMMON_TIME = (Meter(),)


def score_of(rows, meters=COMMON_TIME):
    """A score of one track, 4 ticks a quarter, from rows of (onset, duration, pitch)."""
    return Score(4, (Track(Notes.of([(*row, 80) for row in rows])),), meters=meters)


def loops_by_definition(score):
    """(start, period, repetitions) of every loop, the repetitions as many as there are, by trying everything."""
    rows = sorted(
        (int(onset), index, int(pitch), int(duration))
        for index, track in enumerate(score.tracks)
        for onset, pitch, duration in zip(track.notes.onset, track.notes.pitch, track.notes.duration, strict=True)
    )
    onsets = sorted({row[0] for row in rows})
    found = []
    for start in onsets:
        for period in {later - start for later in onsets if later > start}:
            length = np.diff(bar_position(score.bars(), np.array([start, start + period])))[0]
            if length > MAX_BARS + 1e-9:
                continue

            def stretch(index, start=start, period=period):
                begin = start + index * period
                return [(row[0] - begin, *row[1:]) for row in rows if begin <= row[0] < begin + period]

            times = 1
            while stretch(times) == stretch(0):
                times += 1
            if times >= 2:
                found.append((start, period, times))
    return found


small = st.lists(st.tuples(st.integers(0, 14), st.integers(1, 2), st.integers(60, 61)), max_size=14).map(score_of)
patterns = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 4), st.integers(50, 70)), min_size=1, max_size=5)


@given(st.one_of(small, scores(max_tracks=2, max_notes=5, ticks_per_quarter=1)))
def test_looped_bars_are_those_of_the_definition(score):
    covered = set()
    for start, period, times in loops_by_definition(score):
        covered |= set(range(start + 2 * period, start + times * period))
    ticks = np.array(sorted(covered), np.int64)
    bars = score.bars()
    expected = (bar_position(bars, ticks + 1) - bar_position(bars, ticks)).sum()
    assert looped_bars(score) == pytest.approx(expected)


@given(st.one_of(small, scores(max_tracks=2, max_notes=5, ticks_per_quarter=1)))
def test_the_longest_loop_is_one_of_the_definition_and_none_is_longer(score):
    loops = loops_by_definition(score)
    loop = longest_loop(score)
    if loop is None:
        assert not loops
        return
    assert (loop.start, loop.period, loop.repetitions) in loops
    bars = score.bars()

    def after_second_time(start, period, times):
        begin, stop = bar_position(bars, np.array([start, start + times * period]))
        return (stop - begin) * (times - 2) / times

    assert loop.looped_bars == pytest.approx(max(after_second_time(*each) for each in loops))


@given(patterns, st.integers(3, 12), st.integers(0, 5))
def test_a_planted_loop_is_found_in_full(pattern, times, lead):
    rows = {(onset - min(row[0] for row in pattern), duration, pitch) for onset, duration, pitch in pattern}
    planted = [
        (16 * lead + 8 * time + onset, duration, pitch) for time in range(times) for onset, duration, pitch in rows
    ]
    # What stands before and after is unlike the pattern.
    before = [(16 * bar, 3, 20 + bar) for bar in range(lead)]
    after = [(16 * lead + 8 * times, 5, 100)]
    score = score_of(before + planted + after)
    loop = longest_loop(score)
    assert loop is not None
    assert loop.looped_bars >= (times - 2) / 2 - 1e-9
    assert loop.start >= 16 * lead
    assert loop.stop <= 16 * lead + 8 * times
    assert looped_bars(score) >= (times - 2) / 2 - 1e-9


@pytest.mark.parametrize("times", [3, 8, 500])
def test_one_note_for_ever_is_a_loop_of_one_note(times):
    loop = longest_loop(score_of([(4 * index, 4, 60) for index in range(times)]))
    assert loop is not None
    assert (loop.start, loop.period, loop.period_notes, loop.repetitions) == (0, 4, 1, times)
    assert loop.bars == times / 4


@pytest.mark.parametrize("change", [(0, 0, 1), (0, 1, 0), (1, 0, 0)])
def test_a_change_of_pitch_duration_or_onset_ends_a_loop(change):
    rows = [(4 * index, 2, 60) for index in range(16)]
    rows[8] = tuple(a + b for a, b in zip(rows[8], change, strict=True))
    assert looped_bars(score_of(rows)) < looped_bars(score_of([(4 * index, 2, 60) for index in range(16)])) - 0.5


def test_a_loop_in_one_part_is_none_while_another_part_goes_on():
    stuck = Track(Notes.of([(4 * index, 4, 60, 80) for index in range(16)]))
    tune = Track(Notes.of([(4 * index, 4, 70 + index, 80) for index in range(16)]))
    assert longest_loop(Score(4, (stuck, tune))) is None
    assert looped_bars(Score(4, (stuck,))) == 3.5


def test_a_loop_that_breaks_off_inside_its_pattern_counts_as_far_as_its_last_whole_turn():
    # A B C five times, then A B: the last whole turn is C A B.
    turns = [(4 * index, 4, 60 + index % 3) for index in range(17)]
    score = score_of([*turns, (68, 8, 90)])
    loop = longest_loop(score)
    assert loop is not None
    assert (loop.start, loop.repetitions) == (0, 5)
    assert looped_bars(score) == pytest.approx((17 - 6) / 4)


def test_a_pattern_longer_than_four_bars_is_no_loop():
    tune = [(16 * bar, 16, 60 + bar) for bar in range(5)]
    assert longest_loop(score_of([(80 * time + onset, d, p) for time in range(3) for onset, d, p in tune])) is None


@given(scores(max_notes=8))
def test_velocity_and_transposition_do_not_change_loops(score):
    lowered = score.replace(
        tracks=tuple(t.replace(notes=t.notes.replace(pitch=t.notes.pitch // 2)) for t in score.tracks)
    )
    louder = lowered.replace(
        tracks=tuple(t.replace(notes=t.notes.replace(velocity=np.full(len(t.notes), 99))) for t in lowered.tracks)
    )
    expected = looped_bars(lowered)
    assert looped_bars(louder) == expected
    assert looped_bars(transpose(lowered, 7)) == expected


@given(scores())
def test_the_longest_silence_is_a_stretch_where_nothing_sounds_and_no_longer_one_exists(score):
    silence = longest_silence(score)
    sounding = np.zeros(score.end, bool) if score.end < 200_000 else None
    if sounding is None:
        return
    for track in score.tracks:
        for onset, end in zip(track.notes.onset, track.notes.end, strict=True):
            sounding[onset:end] = True
    assert not sounding[silence.start : silence.start + silence.duration].any()
    runs = "".join("x" if sounds else "." for sounds in sounding).split("x")
    assert silence.duration == max(len(run) for run in runs)


def test_silence_is_measured_in_the_bars_of_its_metre():
    score = score_of([(0, 4, 60), (100, 4, 60)], meters=(Meter(), Meter(16, 3, 4)))
    assert longest_silence(score).bars == pytest.approx(0.75 + 84 / 12)


def test_loops_of_500_notes_are_found_within_a_blink():
    rng = np.random.default_rng(0)
    score = score_of([(2 * i, 2, int(pitch)) for i, pitch in enumerate(rng.integers(48, 84, 500))])
    longest_loop(score)
    start = time.perf_counter()
    longest_loop(score)
    # 2 ms on a laptop core; the margin is for a busy machine.
    assert time.perf_counter() - start < 0.1
