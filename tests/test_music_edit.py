"""Laws of the edits: what they keep, what they move, and where they are exact."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kapelle.music import (
    Key,
    Meter,
    Notes,
    Score,
    Spans,
    Track,
    beside,
    clip,
    merge,
    quantise,
    resample,
    slice_bars,
    swing,
    transpose,
    with_detected_key,
)
from strategies import UNITS, scores

Row = tuple[int, int, int, int]


def rows(track: Track) -> list[Row]:
    notes = track.notes
    return list(zip(*(column.tolist() for column in (notes.onset, notes.duration, notes.pitch, notes.velocity))))  # noqa: B905


def pedal_ticks(track: Track) -> set[int]:
    return {
        tick
        for start, end in zip(track.pedal.onset.tolist(), track.pedal.end.tolist(), strict=True)
        for tick in range(start, end)
    }


def is_plain_in_its_pickup(score: Score) -> bool:
    """Whether no metre changes inside the pickup; such a change cannot be told once the pickup is cut."""
    return not any(0 < meter.onset < score.pickup for meter in score.meters)


# -- transpose ------------------------------------------------------------------------------------


@given(scores(), st.integers(-127, 127))
def test_transposing_there_and_back_gives_the_same_score(score: Score, semitones: int) -> None:
    pitched = [track.notes.pitch for track in score.tracks if not track.is_drum and len(track.notes)]
    assume(all(pitch.min() + semitones >= 0 and pitch.max() + semitones <= 127 for pitch in pitched))
    there = transpose(score, semitones)
    assert transpose(there, -semitones) == score


@given(scores(), st.integers(-12, 12))
def test_transposing_moves_pitched_notes_and_keys_and_leaves_drums_and_time(score: Score, semitones: int) -> None:
    pitched = [track.notes.pitch for track in score.tracks if not track.is_drum and len(track.notes)]
    assume(all(pitch.min() + semitones >= 0 and pitch.max() + semitones <= 127 for pitch in pitched))
    moved = transpose(score, semitones)
    for before, after in zip(score.tracks, moved.tracks, strict=True):
        shift = 0 if before.is_drum else semitones
        expected = [(onset, duration, pitch + shift, velocity) for onset, duration, pitch, velocity in rows(before)]
        assert Counter(rows(after)) == Counter(expected)
    assert [key.tonic for key in moved.keys] == [(key.tonic + semitones) % 12 for key in score.keys]
    assert moved.bars().tolist() == score.bars().tolist()


def test_transposing_out_of_the_midi_range_is_refused_with_the_pitch() -> None:
    score = Score(24, (Track(Notes.of([(0, 24, 120, 80)])),))
    with pytest.raises(ValueError, match="128"):
        transpose(score, 8)


# -- clip and slice_bars --------------------------------------------------------------------------


@given(scores(), st.integers(0, 400), st.integers(1, 400))
def test_a_clip_keeps_exactly_what_sounds_in_the_stretch(score: Score, start: int, length: int) -> None:
    stop = start + length
    part = clip(score, start, stop)
    assert len(part.tracks) == len(score.tracks)
    for before, after in zip(score.tracks, part.tracks, strict=True):
        expected = [
            (max(onset, start) - start, min(onset + duration, stop) - max(onset, start), pitch, velocity)
            for onset, duration, pitch, velocity in rows(before)
            if onset < stop and onset + duration > start
        ]
        assert Counter(rows(after)) == Counter(expected)
        kept = {tick - start for tick in pedal_ticks(before) if start <= tick < stop}
        assert pedal_ticks(after) == kept


@given(scores(), st.integers(0, 400), st.integers(1, 400))
def test_a_clip_is_in_the_metre_key_and_tempo_of_its_stretch(score: Score, start: int, length: int) -> None:
    part = clip(score, start, start + length)
    for tick in {0, length // 2, length - 1}:
        before, after = score.meter_at(start + tick), part.meter_at(tick)
        assert (after.numerator, after.denominator) == (before.numerator, before.denominator)
        keys = [[(key.tonic, key.mode) for key in signs if key.onset <= at][-1:] for signs, at in
                ((score.keys, start + tick), (part.keys, tick))]  # fmt: skip
        assert keys[0] == keys[1]
    lasts = float(np.diff(score.tempos.seconds(np.array([start, start + length]), score.ticks_per_quarter))[0])
    assert float(part.tempos.seconds(length, part.ticks_per_quarter)) == pytest.approx(lasts, rel=1e-9)


@given(scores(), st.integers(0, 400), st.integers(1, 400))
def test_a_clip_has_the_bar_lines_of_its_stretch(score: Score, start: int, length: int) -> None:
    assume(is_plain_in_its_pickup(score))
    part = clip(score, start, start + length)
    inside = {int(bar) - start for bar in score.bars() if 0 < bar - start < part.end}
    assert {int(bar) for bar in part.bars() if 0 < bar < part.end} == inside


@given(scores(), st.integers(0, 400), st.integers(1, 400))
def test_a_clip_has_the_fermatas_of_its_stretch(score: Score, start: int, length: int) -> None:
    kept = [onset + start for onset in clip(score, start, start + length).fermatas]
    assert kept == [onset for onset in score.fermatas if start <= onset < start + length]


def test_fermatas_move_with_the_unit_and_those_that_meet_are_one() -> None:
    score = Score(96, fermatas=(0, 95, 97, 192))
    assert resample(score, 24).fermatas == (0, 24, 48)
    assert transpose(score, 2).fermatas == score.fermatas


@pytest.mark.parametrize("fermatas", [(3, 2), (2, 2), (-1,)])
def test_fermatas_are_in_order(fermatas: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="fermata"):
        Score(24, fermatas=fermatas)


def test_the_first_bars_of_a_piece_keep_its_pickup() -> None:
    score = Score(24, (Track(Notes.of([(0, 24, 60, 80), (24, 96, 62, 80), (120, 96, 64, 80)])),), pickup=24)
    assert slice_bars(score, 0, 2).bars().tolist() == [0, 24, 120]
    assert slice_bars(score, 1, 3).bars().tolist() == [0, 96, 192]


def test_a_clip_from_the_middle_of_a_bar_begins_with_a_pickup() -> None:
    score = Score(24, (Track(Notes.of([(0, 192, 60, 80)])),))
    assert clip(score, 72, 192).pickup == 24


@given(scores())
def test_the_slices_of_all_bars_hold_every_note_as_often_as_it_has_bars(score: Score) -> None:
    bars = score.bars().tolist()
    assume(len(bars) <= 200)
    slices = [slice_bars(score, bar, bar + 1) for bar in range(len(bars) - 1)]
    for place, track in enumerate(score.tracks):
        joined: Counter[tuple[int, int]] = Counter()
        for start, part in zip(bars, slices, strict=False):
            for onset, duration, pitch, _ in rows(part.tracks[place]):
                joined.update((tick, pitch) for tick in (start + onset, start + onset + duration - 1))
        expected: Counter[tuple[int, int]] = Counter()
        for onset, duration, pitch, _ in rows(track):
            for start, stop in itertools.pairwise(bars):
                if onset < stop and onset + duration > start:
                    ticks = (max(onset, start), min(onset + duration, stop) - 1)
                    expected.update((tick, pitch) for tick in ticks)
        assert joined == expected


@given(scores(), st.data())
def test_a_slice_of_bars_is_the_clip_between_their_bar_lines(score: Score, data: st.DataObject) -> None:
    last = len(score.bars()) - 1
    first = data.draw(st.integers(0, last - 1))
    stop = data.draw(st.integers(first + 1, last))
    assert slice_bars(score, first, stop) == clip(score, int(score.bars()[first]), int(score.bars()[stop]))


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 5), (9, 3)])
def test_a_clip_of_nothing_is_refused_with_its_edges(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match=f"{start} and {stop}"):
        clip(Score(24), start, stop)


def test_bars_that_are_not_there_are_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"bars 0\.\.0, asked for 0\.\.8"):
        slice_bars(Score(24), 0, 9)


# -- quantise, resample ---------------------------------------------------------------------------


@st.composite
def scores_and_steps(draw: st.DrawFn) -> tuple[Score, int]:
    unit = draw(st.sampled_from(UNITS))
    return draw(scores(ticks_per_quarter=unit)), draw(st.sampled_from([n for n in range(1, unit + 1) if unit % n == 0]))


@given(scores_and_steps())
def test_quantised_notes_are_on_the_grid_and_near_where_they_were(drawn: tuple[Score, int]) -> None:
    score, steps = drawn
    step = score.ticks_per_quarter // steps
    coarse = quantise(score, steps)
    assert coarse.ticks_per_quarter == score.ticks_per_quarter
    for before, after in zip(score.tracks, coarse.tracks, strict=True):
        assert not (after.notes.onset % step).any()
        assert not (after.notes.duration % step).any()
        nearest = [(onset + step // 2) // step * step for onset in before.notes.onset.tolist()]
        assert sorted(after.notes.onset.tolist()) == sorted(nearest)
        assert Counter(after.notes.pitch.tolist()) == Counter(before.notes.pitch.tolist())


@given(scores_and_steps())
def test_quantising_twice_changes_nothing_more(drawn: tuple[Score, int]) -> None:
    score, steps = drawn
    once = quantise(score, steps)
    assert quantise(once, steps) == once


def test_steps_that_do_not_fit_the_unit_are_refused_with_both() -> None:
    with pytest.raises(ValueError, match="24 ticks a quarter do not divide into 7 steps"):
        quantise(Score(24), 7)


@given(scores(), st.sampled_from([2, 3, 5, 10, 96]))
def test_resampling_up_and_down_again_is_exact(score: Score, times: int) -> None:
    finer = resample(score, times * score.ticks_per_quarter)
    for before, after in zip(score.tracks, finer.tracks, strict=True):
        assert (after.notes.onset == times * before.notes.onset).all()
        assert (after.notes.duration == times * before.notes.duration).all()
    assert resample(finer, score.ticks_per_quarter) == score


@given(scores(), st.sampled_from(UNITS))
def test_resampling_moves_onsets_and_ends_to_the_nearest_tick(score: Score, unit: int) -> None:
    def nearest(tick: int) -> int:
        return math.floor(Fraction(tick * unit, score.ticks_per_quarter) + Fraction(1, 2))

    other = resample(score, unit)
    for before, after in zip(score.tracks, other.tracks, strict=True):
        expected = [
            (nearest(onset), max(nearest(onset + duration) - nearest(onset), 1), pitch, velocity)
            for onset, duration, pitch, velocity in rows(before)
        ]
        assert Counter(rows(after)) == Counter(expected if unit != score.ticks_per_quarter else rows(before))


@pytest.mark.parametrize("unit", [0, -3, 2**23, 24.5])
def test_a_unit_of_time_out_of_range_is_refused_with_it(unit: int) -> None:
    with pytest.raises(ValueError, match=str(unit)):
        resample(Score(24), unit)


def test_times_too_far_away_for_the_unit_are_refused_rather_than_wrapped() -> None:
    score = Score(1, (Track(Notes.of([(2**40, 1, 60, 80)])),))
    with pytest.raises(ValueError, match="note onset"):
        resample(score, 2**22)


# -- merge and keys -------------------------------------------------------------------------------


@given(scores())
def test_merging_keeps_every_note_and_every_pedal_and_one_track_of_a_kind(score: Score) -> None:
    merged = merge(score)
    for is_drum in (False, True):
        before = [track for track in score.tracks if track.is_drum == is_drum]
        after = [track for track in merged.tracks if track.is_drum == is_drum]
        assert len(after) == (1 if before else 0)
        assert Counter(row for track in before for row in rows(track)) == Counter(
            row for track in after for row in rows(track)
        )
        assert [track.program for track in after] == [track.program for track in before][:1]
        # A pedal that begins where another one ends is one pedal.
        for track in after:
            assert pedal_ticks(track) == set().union(*map(pedal_ticks, before))
    assert merge(merged) == merged


@given(scores())
def test_the_detected_key_stands_alone_at_the_start(score: Score) -> None:
    keyed = with_detected_key(score)
    assert keyed.replace(keys=score.keys) == score
    has_pitch = any(len(track.notes) for track in score.tracks if not track.is_drum)
    assert [key.onset for key in keyed.keys] == ([0] if has_pitch else [])


@given(scores())
def test_eighths_as_they_are_written_do_not_swing(score: Score) -> None:
    assert swing(score, 0.5) == score


@given(scores(), st.floats(0.5, 0.8))
def test_swing_leaves_the_order_and_every_beat_and_moves_nothing_by_a_third_of_one(score: Score, share: float) -> None:
    unit, bars = score.ticks_per_quarter, score.bars()
    swung = swing(score, share)
    for old, new in zip(score.tracks, swung.tracks, strict=True):
        before, after = np.sort(old.notes.onset), np.sort(new.notes.onset)
        assert (np.diff(after) >= 0).all()
        assert np.abs(after - before).max(initial=0) <= 0.3 * unit + 1
        starts = bars[np.searchsorted(bars, before, side="right") - 1]
        on_beat = ((before - starts) % unit == 0) & (starts > 0)
        assert (after[on_beat] == before[on_beat]).all()
    # A metre whose beats have three parts does not swing.
    compound = score.replace(meters=(Meter(0, 6, 8),), pickup=0)
    assert swing(compound, share) == compound


def test_a_pickup_swings_as_the_end_of_its_bar_and_more_than_there_is_is_refused() -> None:
    tune = Score(12, (Track(Notes.of([(0, 6, 60, 80), (6, 6, 62, 80), (12, 6, 64, 80)])),), pickup=6)
    assert swing(tune, 2 / 3).tracks[0].notes.onset.tolist() == [2, 6, 14]
    with pytest.raises(ValueError, match=r"0\.5 to 0\.8.*0\.9"):
        swing(tune, 0.9)


@given(st.lists(scores(), min_size=1, max_size=3))
def test_scores_beside_each_other_keep_all_their_tracks(several: list[Score]) -> None:
    unit = max(score.ticks_per_quarter for score in several)
    together_ = beside(several)
    assert together_.tracks == tuple(track for score in several for track in resample(score, unit).tracks)
    with pytest.raises(ValueError, match="a score"):
        beside([])


def test_edits_leave_what_they_were_given_as_it_was() -> None:
    def make() -> Score:
        track = Track(Notes.of([(3, 30, 60, 80), (40, 100, 64, 80)]), pedal=Spans([0], [50]))
        return Score(24, (track,), meters=(Meter(), Meter(96, 3, 4)), keys=(Key(0, 2),), pickup=5)

    score = make()
    for edit in (transpose, quantise, resample):
        edit(score, 3)
    clip(score, 10, 50)
    slice_bars(score, 0, 1)
    merge(score)
    with_detected_key(score)
    assert score == make()
