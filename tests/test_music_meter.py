"""Laws of bars: they cover the music, ascend, and stand where the metres say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.music import Meter, Notes, Score, Track, bar_starts
from strategies import METERS, scores

ALL_METERS = [Meter(0, n, d) for n in (1, 2, 3, 4, 5, 6, 7, 9, 12, 64) for d in (1, 2, 4, 8, 16, 32, 64)]


@given(scores())
def test_bars_begin_at_0_ascend_and_cover_every_note(score: Score) -> None:
    bars = score.bars()
    assert bars[0] == 0
    assert len(bars) >= 2
    assert (np.diff(bars) > 0).all()
    assert bars[-1] >= score.end


@given(scores())
def test_no_bar_comes_after_the_last_note(score: Score) -> None:
    assert score.bars()[-2] < max(score.end, 1)


@given(scores())
def test_a_pickup_is_the_first_bar(score: Score) -> None:
    if score.pickup:
        assert score.bars()[1] == score.pickup


@given(scores())
def test_a_bar_has_the_length_of_its_metre_or_is_cut_short_by_the_next(score: Score) -> None:
    bars = score.bars().tolist()
    changes = {meter.onset for meter in score.meters}
    for index, (start, stop) in enumerate(itertools.pairwise(bars)):
        if index == 0 and score.pickup:
            continue
        length = score.meter_at(start).bar_length(score.ticks_per_quarter)
        assert stop - start == length or (stop - start < length and stop in changes)


@given(scores())
def test_every_change_of_metre_stands_on_a_bar_line(score: Score) -> None:
    bars = score.bars().tolist()
    for meter in score.meters:
        if score.pickup <= meter.onset <= bars[-1]:
            assert meter.onset in bars


@given(scores(), st.integers(1, 2000))
def test_longer_music_has_the_same_first_bar_lines(score: Score, more: int) -> None:
    signs = (score.meters, score.pickup, score.ticks_per_quarter)
    short = bar_starts(*signs, score.end)
    long = bar_starts(*signs, score.end + more)
    assert long[: len(short)].tolist() == short.tolist()


def test_a_metre_that_changes_inside_a_bar_cuts_it_short() -> None:
    score = Score(24, (Track(Notes.of([(0, 200, 60, 80)])),), meters=(Meter(), Meter(30, 3, 4)))
    assert score.bars().tolist() == [0, 30, 102, 174, 246]


def test_a_metre_that_changes_in_the_pickup_holds_after_it() -> None:
    score = Score(24, (Track(Notes.of([(0, 100, 60, 80)])),), meters=(Meter(), Meter(10, 3, 4)), pickup=24)
    assert score.bars().tolist() == [0, 24, 96, 168]


def test_a_score_without_notes_has_one_bar() -> None:
    assert Score(24).bars().tolist() == [0, 96]
    assert Score(24, pickup=24).bars().tolist() == [0, 24]


@pytest.mark.parametrize("meter", ALL_METERS, ids=lambda meter: meter.name)
def test_a_metre_is_read_back_from_its_name(meter: Meter) -> None:
    assert Meter.parse(meter.name) == meter
    assert Meter.parse(f" {meter.numerator} / {meter.denominator} ", onset=5) == Meter(
        5, meter.numerator, meter.denominator
    )


@pytest.mark.parametrize("meter", ALL_METERS, ids=lambda meter: meter.name)
def test_a_bar_is_made_of_whole_beats(meter: Meter) -> None:
    beats = meter.bar_quarters / meter.beat_quarters
    assert beats == round(beats) == meter.numerator / (3 if meter.is_compound else 1)


@pytest.mark.parametrize(("numerator", "denominator"), METERS)
def test_a_bar_and_a_beat_have_whole_ticks_in_any_unit(numerator: int, denominator: int) -> None:
    meter = Meter(0, numerator, denominator)
    for unit in (1, 2, 24, 480):
        assert meter.bar_length(unit) >= 1
        assert meter.beat_length(unit) >= 1
        assert meter.bar_length(unit) <= max(1, meter.bar_quarters * unit)


def test_beats_are_what_a_conductor_beats() -> None:
    beats = {"4/4": 1.0, "3/4": 1.0, "2/2": 2.0, "6/8": 1.5, "12/8": 1.5, "3/8": 0.5, "9/16": 0.75}
    assert {name: Meter.parse(name).beat_quarters for name in beats} == beats


@pytest.mark.parametrize("text", ["", "3", "3/5", "0/4", "65/4", "3/4/4", "-3/4", "3/128"])
def test_what_is_no_metre_is_refused_with_what_came(text: str) -> None:
    with pytest.raises(ValueError, match="expected a metre such as 3/4 or 6/8") as error:
        Meter.parse(text)
    assert f"got {text}" in str(error.value) or f"got {text!r}" in str(error.value)
