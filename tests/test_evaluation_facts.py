"""Facts: right on small scores told by hand, and sane on every score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.evaluation import facts
from kapelle.music import Key, Meter, Notes, Score, TempoMap, Track, transpose
from strategies import scores


def scale(*keys, is_drum=False, **changes):
    """A scale of C major in eighths, 24 ticks a quarter."""
    notes = Notes.of([(12 * i, 12, pitch, 80) for i, pitch in enumerate([60, 62, 64, 65, 67, 69, 71, 72])])
    return Score(24, (Track(notes, program=40, is_drum=is_drum),), keys=keys).replace(**changes)


def line(*notes, **changes):
    """Notes of a quarter or less, each till the next, from pairs of onset and pitch; 24 ticks a quarter."""
    rows = [(onset, 24, pitch, 80) for onset, pitch in notes]
    rows = [(a, min(24, b - a), p, v) for (a, _, p, v), (b, *_) in zip(rows, [*rows[1:], (1 << 20,)], strict=True)]
    return Score(24, (Track(Notes.of(rows)),)).replace(**changes)


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


@given(st.integers(20, 800), st.sampled_from(["3/8", "4/4", "6/8", "2/2"]))
def test_a_tempo_is_told_alike_before_and_after_the_rounding_of_a_midi_file(halves, name):
    # Wished tempos are whole or halves as a rule, and so are those of the styles in 2/2.
    meter = Meter.parse(name)
    score = scale(meters=(meter,), tempos=TempoMap.constant(halves / 2 * meter.beat_quarters))
    microseconds = round(6e7 / score.tempos.quarters_per_minute[0])
    again = score.replace(tempos=TempoMap.constant(6e7 / microseconds))
    assert facts(score).tempo == facts(again).tempo == (halves + 1) // 2


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (scale(Key(0, 0)), "key       C major"),
        (scale(), "key       C major by ear"),
        (scale(Key(0, 6)), "key       F# major as written; by ear C major"),
        (scale(is_drum=True), "key       (none)"),
        (
            scale(meters=(Meter(0, 6, 8),), tempos=TempoMap.constant(90)),
            "tempo     60 beats a minute, each a dotted quarter",
        ),
        (scale(meters=(Meter(0, 2, 2),), tempos=TempoMap.constant(90)), "tempo     45 beats a minute, each a half"),
        (scale(pickup=12), "length    1 bar after a pickup of an eighth, 0:02"),
        (line((0, 60), pickup=24), "length    a pickup of a quarter, 0:00"),
        (scale(), "at once   one note at a time"),
        (scale(), "silence   less than half a beat"),
        (line((0, 60), (72, 62)), "silence   2 beats at most, from bar 1, beat 2"),
        (line((0, 60), (216, 62)), "silence   2 bars at most, from bar 1, beat 2"),
        (line((0, 60), (72, 62), pickup=24), "silence   2 beats at most, from bar 1"),
        (line((0, 60), (72, 62), meters=(Meter(0, 6, 8),)), "silence   1.3 beats at most, from bar 1, eighth 3"),
        (scale(), "repeats   nothing twice in a row"),
        (line((0, 60), (24, 62), (48, 62), (72, 62)), "repeats   one note 3 times in a row from bar 1, beat 2"),
        (line((0, 60), (12, 60), (24, 62)), "repeats   one note twice in a row from bar 1"),
        (
            line(*((24 * i, 60 + i % 4) for i in range(16))),
            "repeats   4 notes (1 bar) 4 times in a row from bar 1; in all 2 of 4 bars repeat what was heard twice",
        ),
    ],
)
def test_facts_are_told_as_a_musician_would(score, expected):
    assert expected in facts(score).lines()


@given(scores())
def test_the_place_of_a_silence_counted_from_its_bar_line_is_where_it_begins(score):
    told = facts(score)
    place, silence = told.silence_place, told.longest_silence
    meter = score.meter_at(silence.start)
    unit = meter.beat_quarters if place.unit == "beat" else meter.beat_quarters / 3
    counted = score.bars()[place.bar - (not score.pickup)] + (place.count - 1) * unit * score.ticks_per_quarter
    assert place.count >= 1
    assert counted == pytest.approx(silence.start)


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
