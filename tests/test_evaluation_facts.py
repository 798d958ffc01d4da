"""Facts: right on small scores told by hand, and sane on every score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from kapelle.evaluation import facts
from kapelle.music import Key, Meter, Notes, Score, TempoMap, Track, transpose
from strategies import scores


def scale(*keys, is_drum=False, **changes):
    """A scale of C major in eighths, 24 ticks a quarter."""
    notes = Notes.of([(12 * i, 12, pitch, 80) for i, pitch in enumerate([60, 62, 64, 65, 67, 69, 71, 72])])
    return Score(24, (Track(notes, program=40, is_drum=is_drum),), keys=keys).replace(**changes)


def test_a_scale_in_eighths_is_told_as_people_count():
    told = facts(scale(Key(0, 0), meters=(Meter(0, 6, 8),), tempos=TempoMap.constant(90)))
    assert (told.bars, told.num_notes, told.lowest, told.highest) == (2, 8, 60, 72)
    assert (told.quarters_per_minute, told.beats_per_minute) == pytest.approx((90, 60))
    assert told.seconds == pytest.approx(4 * 60 / 90)
    assert (told.mean_polyphony, told.max_polyphony) == (1.0, 1)
    assert told.in_scale == 1.0
    assert told.tracks[0].name == "Violin"


def test_the_tempo_counts_beats_of_the_metre_that_lasts_longest():
    changed = scale(meters=(Meter(0, 2, 2), Meter(12, 3, 4)), tempos=TempoMap.constant(90))
    assert facts(changed).beats_per_minute == pytest.approx(90)


def test_notes_outside_the_key_in_force_are_counted():
    sharp = scale(Key(0, 0), Key(36, 2))
    # D major comes in with the F, which it has not, as it has not the last C.
    assert facts(sharp).in_scale == pytest.approx(6 / 8)


def test_drums_have_no_key_no_range_and_no_polyphony():
    told = facts(scale(is_drum=True))
    assert (told.detected_key, told.lowest, told.mean_polyphony, told.in_scale) == (None, None, 0.0, 0.0)
    assert told.num_notes == 8


def test_a_pickup_is_no_bar():
    told = facts(scale(pickup=24))
    assert (told.bars, told.pickup_quarters) == (1, 1.0)


@given(scores())
def test_polyphony_is_what_a_count_at_every_tick_gives(score):
    notes = [track.notes for track in score.tracks if not track.is_drum]
    if score.end > 100_000:
        return
    count = np.zeros(score.end, int)
    for part in notes:
        for onset, end in zip(part.onset, part.end, strict=True):
            count[onset:end] += 1
    told = facts(score)
    assert told.max_polyphony == count.max(initial=0)
    assert told.mean_polyphony == pytest.approx(count[count > 0].mean() if count.any() else 0.0)


@given(scores())
def test_every_score_has_facts_of_one_line_each(score):
    told = facts(score)
    assert 0 <= told.in_scale <= 1
    assert told.num_notes == sum(track.num_notes for track in told.tracks)
    assert str(told).splitlines() == told.lines()
    assert all(line[:10].strip() and line[10:].strip() for line in told.lines())


@given(scores(drums=False))
def test_transposition_moves_range_and_key_and_leaves_the_rest(score):
    low = score.replace(tracks=tuple(t.replace(notes=t.notes.replace(pitch=t.notes.pitch % 100)) for t in score.tracks))
    told, moved = facts(low), facts(transpose(low, 5))
    assert moved.in_scale == pytest.approx(told.in_scale) or not low.keys
    assert moved.key_certainty == pytest.approx(told.key_certainty)
    assert (moved.looped_bars, moved.mean_polyphony, moved.bars) == (told.looped_bars, told.mean_polyphony, told.bars)
    assert moved.lowest is None or moved.lowest == told.lowest + 5
