"""Laws of the values: checked where they enter, read-only, equal when they say the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.music import Key, Meter, Notes, Score, Spans, TempoMap, Track, Wishes
from strategies import keys, meters, notes, scores, spans, tempo_maps, tracks


def arrays_of(value: Any) -> list[Any]:
    return [getattr(value, field.name) for field in dataclasses.fields(value)]


# -- order, equality, hashes ----------------------------------------------------------------------


@given(notes(), st.randoms(use_true_random=False))
def test_notes_are_equal_in_whatever_order_they_came(some: Notes, random: Any) -> None:
    rows = list(zip(some.onset, some.duration, some.pitch, some.velocity, strict=True))
    random.shuffle(rows)
    other = Notes.of(rows)
    assert other == some
    assert hash(other) == hash(some)


@given(notes())
def test_notes_stand_in_order_of_onset_pitch_from_high_to_low_and_duration(some: Notes) -> None:
    rows = list(zip(some.onset, -some.pitch, some.duration, some.velocity, strict=True))
    assert rows == sorted(rows)


@given(scores())
def test_a_score_that_was_taken_apart_and_put_together_is_equal_and_hashes_alike(score: Score) -> None:
    def again(track: Track) -> Track:
        columns = (np.array(column) for column in arrays_of(track.notes))
        pedal = Spans(track.pedal.onset.copy(), track.pedal.duration.tolist())
        return Track(Notes(*columns), track.program, track.is_drum, track.name, pedal)

    other = Score(
        np.int64(score.ticks_per_quarter),
        [again(track) for track in score.tracks],
        TempoMap(score.tempos.onset.tolist(), score.tempos.quarters_per_minute.tolist()),
        list(score.meters),
        list(score.keys),
        score.pickup,
        score.title,
        list(score.fermatas),
    )
    assert other == score
    assert hash(other) == hash(score)


@given(scores(), scores())
def test_equal_scores_hash_alike_and_another_title_makes_another_score(one: Score, other: Score) -> None:
    if one == other:
        assert hash(one) == hash(other)
    assert one.replace() == one
    assert one.replace(title=one.title + "!") != one


@given(notes(max_notes=6))
def test_notes_that_differ_in_one_value_are_not_equal(some: Notes) -> None:
    if len(some):
        assert some.replace(velocity=some.velocity % 127 + 1) != some
        assert some.where(np.arange(len(some)) > 0) != some
    assert some != "notes"
    assert some.where(np.ones(len(some), bool)) == some


@given(st.one_of(notes(), spans(), tempo_maps()))
def test_arrays_are_read_only(value: Any) -> None:
    for array in arrays_of(value):
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1


@given(notes())
def test_changing_the_arrays_that_were_given_changes_no_note(some: Notes) -> None:
    columns = [column.copy() for column in arrays_of(some)]
    made = Notes(*columns)
    for column in columns:
        column[:] = 1
    assert made == some


@given(tracks(), meters(), keys())
def test_values_are_frozen(track: Track, signs: tuple[Meter, ...], tones: tuple[Key, ...]) -> None:
    for value in (track, track.notes, *signs, *tones, Score(24), Wishes()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, 0)


@given(notes())
def test_ends_are_onsets_and_durations(some: Notes) -> None:
    assert (some.end == some.onset + some.duration).all()


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=8))
def test_a_union_covers_the_same_ticks_with_gaps_between(pairs: list[tuple[int, int]]) -> None:
    union = Spans.union([onset for onset, _ in pairs], [duration for _, duration in pairs])
    covered = {tick for onset, duration in pairs for tick in range(onset, onset + duration)}
    spans_of = zip(union.onset.tolist(), union.end.tolist(), strict=True)
    assert [tick for start, end in spans_of for tick in range(start, end)] == sorted(covered)
    assert (union.onset[1:] > union.end[:-1]).all()


# -- time -----------------------------------------------------------------------------------------


@given(tempo_maps(), st.lists(st.integers(0, 4000), min_size=2, unique=True), st.sampled_from([1, 24, 480]))
def test_seconds_rise_with_ticks(tempos: TempoMap, ticks: list[int], unit: int) -> None:
    seconds = tempos.seconds(np.sort(ticks), unit)
    assert (np.diff(seconds) > 0).all()
    assert float(tempos.seconds(0, unit)) == 0.0


@given(tempo_maps(), st.lists(st.integers(0, 4000), min_size=1), st.sampled_from([1, 24, 480]))
def test_ticks_are_found_again_from_their_seconds(tempos: TempoMap, ticks: list[int], unit: int) -> None:
    knots = np.append(tempos.onset, 5000)
    seconds = tempos.seconds(np.array(ticks), unit)
    assert np.interp(seconds, tempos.seconds(knots, unit), knots) == pytest.approx(np.array(ticks), abs=1e-6)


@given(tempo_maps(), st.integers(1, 4000), st.sampled_from([1, 24, 480]))
def test_the_mean_tempo_takes_as_long_as_the_tempos(tempos: TempoMap, until: int, unit: int) -> None:
    constant = TempoMap.constant(tempos.mean(until))
    assert float(constant.seconds(until, unit)) == pytest.approx(float(tempos.seconds(until, unit)))


@given(tempo_maps(), st.integers(0, 2000))
def test_a_tempo_holds_from_its_tick_on(tempos: TempoMap, tick: int) -> None:
    rate = [float(rate) for onset, rate in zip(tempos.onset, tempos.quarters_per_minute, strict=True) if onset <= tick]
    lasts = float(tempos.seconds(tick + 1, 24) - tempos.seconds(tick, 24))
    assert lasts == pytest.approx(60 / (rate[-1] * 24), rel=1e-6)


@given(scores())
def test_a_score_ends_with_its_last_note_and_counts_all_notes(score: Score) -> None:
    ends = [int(end) for track in score.tracks for end in track.notes.end]
    assert score.end == max(ends, default=0)
    assert score.num_notes == len(ends)
    assert score.seconds == float(score.tempos.seconds(score.end, score.ticks_per_quarter))


@given(scores(), scores())
def test_the_end_follows_the_tracks_however_often_it_was_asked_for(one: Score, other: Score) -> None:
    assert one.end == one.end
    assert one.replace(tracks=other.tracks).end == other.end
    assert one == one.replace()
    assert hash(one) == hash(one.replace())
    assert repr(one) == repr(one.replace())


# -- what is refused ------------------------------------------------------------------------------

REFUSED: list[tuple[str, Any, str]] = [
    ("an onset before the start", lambda: Notes([-1], [1], [60], [80]), "-1"),
    ("an onset beyond all music", lambda: Notes([2**40 + 1], [1], [60], [80]), str(2**40 + 1)),
    ("a note of no length", lambda: Notes([0], [0], [60], [80]), "got 0"),
    ("a pitch below 0", lambda: Notes([0], [1], [-2], [80]), "-2"),
    ("a pitch above 127", lambda: Notes([0, 1], [1, 1], [60, 128], [80, 80]), "128"),
    ("a pitch that a byte would wrap", lambda: Notes([0], [1], np.array([200], np.uint8), [80]), "200"),
    ("velocity 0, which is silence", lambda: Notes([0], [1], [60], [0]), "got 0"),
    ("velocity 128", lambda: Notes([0], [1], [60], [128]), "128"),
    ("a fraction of a tick", lambda: Notes([0.5], [1], [60], [80]), "float64"),
    ("a fraction of a tick in a row", lambda: Notes.of([(0.5, 1, 60, 80)]), "float64"),
    ("rows of five", lambda: Notes.of([(0, 1, 60, 80, 5)] * 4), r"\(4, 5\)"),
    ("a table of onsets", lambda: Notes(np.zeros((2, 2), int), [1], [60], [80]), r"\(2, 2\)"),
    ("columns of two lengths", lambda: Notes([0, 1], [1], [60], [80]), r"\[2, 1, 1, 1\]"),
    ("tracks of more notes than there are", lambda: Notes.of_tracks([0], [1], [60], [80], [1, 1]), "1 notes, got 2"),
    ("overlapping spans", lambda: Spans([0, 5], [10, 3]), r"\[5, 8\) after \[0, 10\)"),
    ("a span of no length", lambda: Spans([0], [0]), "got 0"),
    ("spans without durations", lambda: Spans([0, 5], [1]), "2 and 1"),
    ("a tempo of 0", lambda: TempoMap([0, 9], [120.0, 0.0]), r"got 0\.0"),
    ("a tempo that is no number", lambda: TempoMap([0], [float("nan")]), "nan"),
    ("a tempo without end", lambda: TempoMap([0], [float("inf")]), "inf"),
    ("tempos out of order", lambda: TempoMap([0, 9, 5], [1.0, 2.0, 3.0]), r"\[0 9 5\]"),
    ("no tempo at the start", lambda: TempoMap([3], [120.0]), r"\[3\]"),
    ("a tempo without an onset", lambda: TempoMap([0], [120.0, 90.0]), r"\(2,\)"),
    ("a tempo that is no list", lambda: TempoMap([0], 120), r"\(\)"),
    ("a program above 127", lambda: Track(Notes.of([]), 128), "128"),
    ("half a program", lambda: Track(Notes.of([]), 1.5), r"1\.5"),
    ("a unit of 0", lambda: Score(0), "got 0"),
    ("half a tick", lambda: Score(24.5), r"24\.5"),
    ("a unit that overflows", lambda: Score(10**30), str(10**30)),
    ("no metre", lambda: Score(24, meters=()), r"got \[\]"),
    ("no metre at the start", lambda: Score(24, meters=(Meter(4),)), r"got \[4\]"),
    ("metres out of order", lambda: Score(24, meters=(Meter(), Meter(9), Meter(5))), r"\[0, 9, 5\]"),
    ("two keys at once", lambda: Score(24, keys=(Key(7), Key(7))), r"\[7, 7\]"),
    ("a pickup of a whole bar", lambda: Score(24, pickup=96), "96"),
    ("a pickup before the start", lambda: Score(24, pickup=-3), "-3"),
    ("a metre before the start", lambda: Meter(-1), "-1"),
    ("a metre between ticks", lambda: Meter(0.5), r"0\.5"),
    ("a metre beyond all music", lambda: Meter(2**70), str(2**70)),
    ("a bar of nothing", lambda: Meter(0, 0), "got 0"),
    ("a note value that is none", lambda: Meter(0, 3, 6), "got 6"),
    ("a key before the start", lambda: Key(-1), "-1"),
    ("a tonic above 11", lambda: Key(0, 12), "12"),
    ("a tonic between keys", lambda: Key(0, 1.5), r"1\.5"),
    ("a mode of another kind", lambda: Key(0, 0, "dorian"), "'dorian'"),
    ("no bars", lambda: Wishes(bars=0), "got 0"),
    ("half a bar", lambda: Wishes(bars=2.5), r"2\.5"),
    ("too many notes", lambda: Wishes(notes=100_001), "from 1 to 100,000, got 100001; leave it out"),
    ("silence", lambda: Wishes(polyphony=0), "got 0"),
    ("no time", lambda: Wishes(seconds=0), "got 0"),
    ("a time that is no number", lambda: Wishes(seconds=float("nan")), "nan"),
    ("a tempo that nobody plays", lambda: Wishes(tempo=1000), "1000"),
    ("a range upside down", lambda: Wishes(low=70, high=60), r"Bb4 \(70\) to C4 \(60\)"),
    ("a range below 0", lambda: Wishes(low=-1), "-1"),
    ("a range between keys", lambda: Wishes(high=60.5), r"60\.5"),
    ("two lengths", lambda: Wishes(bars=4, seconds=9), "several"),
]


@pytest.mark.parametrize(("make", "shown"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_is_refused_with_what_came(make: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=shown) as error:
        make()
    assert "\n" not in str(error.value)


def test_the_widest_wishes_are_accepted() -> None:
    for wish in ({"bars": 1}, {"bars": 10_000}, {"notes": 100_000}, {"seconds": 36_000}, {"polyphony": 1_000}):
        Wishes(**wish, tempo=10, low=0, high=127, key=Key(), meter=Meter())
    assert Wishes() == Wishes(low=0, high=127)
