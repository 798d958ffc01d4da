"""Music as a picture: what the frames codec keeps, on which grid, and the bugs of its ancestors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from kapelle.codecs.frames import FramesCodec, Vocabulary
from kapelle.codecs.frames.codec import KEYS, KIND, METER, POSITION
from kapelle.codecs.frames.vocabulary import HEADER, HELD, STRUCK
from kapelle.codecs.words import METERS
from kapelle.errors import CodecError, StyleError, WishError
from kapelle.music import Key, Meter, Notes, Score, Track, Wishes
from strategies import scores
from test_codecs import check_wishes, random_walk

SIXTEENTHS = FramesCodec(Vocabulary(4, 48, 72, (36, 38), (0, 40), (40, 104)))
C4 = KEYS + 60 - 48


def score_of(*rows: tuple[int, int, int, int], **changes: object) -> Score:
    """A score of (onset, duration, pitch, velocity), 24 ticks a quarter."""
    return Score(24, (Track(Notes.of(list(rows))),), **changes)  # type: ignore[arg-type]


def rows_of(score: Score, track: int = 0) -> list[tuple[int, int, int]]:
    notes = score.tracks[track].notes
    return list(zip(notes.onset.tolist(), notes.duration.tolist(), notes.pitch.tolist(), strict=True))


def silent_walk(codec: FramesCodec, wishes: Wishes, most: int = 400) -> np.ndarray:
    """What comes of a network that never wants to play: the first word that is allowed."""
    walk, rows = codec.walk(wishes), []
    while not walk.finished and len(rows) < most:
        row = []
        for column, (_, _, is_given) in enumerate(codec.layout):
            row.append(walk.given(column) if is_given else int(walk.allowed(column).argmax()))
            walk.put(column, row[-1])
        rows.append(row)
    return np.array(rows, np.int32)


def test_a_repeated_note_is_told_from_a_held_one() -> None:
    held, repeated = score_of((0, 24, 60, 80)), score_of((0, 12, 60, 80), (12, 12, 60, 80))
    loud = STRUCK + 1
    assert SIXTEENTHS.encode(held)[len(HEADER) :, C4].tolist() == [loud, HELD, HELD, HELD, 0]
    assert SIXTEENTHS.encode(repeated)[len(HEADER) :, C4].tolist() == [loud, HELD, loud, HELD, 0]
    assert rows_of(SIXTEENTHS.canonical(repeated)) == [(0, 12, 60), (12, 12, 60)]


def test_notes_that_sound_in_the_last_frame_are_switched_off() -> None:
    score = SIXTEENTHS.decode(SIXTEENTHS.encode(score_of((0, 48, 60, 80), (24, 24, 64, 80))))
    assert rows_of(score) == [(0, 48, 60), (24, 24, 64)]
    assert score.end == 48


def test_a_note_that_is_shorter_than_a_frame_still_sounds() -> None:
    assert rows_of(SIXTEENTHS.canonical(score_of((0, 24, 62, 80), (24, 1, 60, 80)))) == [(0, 24, 62), (24, 6, 60)]


def test_where_one_track_lifts_a_key_another_one_goes_on_holding_it() -> None:
    long, short = Notes.of([(0, 48, 60, 80)]), Notes.of([(12, 6, 60, 80)])
    score = SIXTEENTHS.canonical(Score(24, (Track(long), Track(short))))
    assert rows_of(score) == [(0, 12, 60), (12, 36, 60)]


def test_drums_are_no_pitches_and_have_keys_of_their_own() -> None:
    drums = Track(Notes.of([(0, 6, 36, 80), (24, 6, 38, 80)]), is_drum=True)
    score = SIXTEENTHS.canonical(Score(24, (Track(Notes.of([(0, 48, 60, 80)])), drums)))
    assert [track.is_drum for track in score.tracks] == [False, True]
    assert rows_of(score) == [(0, 48, 60)]
    assert rows_of(score, 1) == [(0, 6, 36), (24, 6, 38)]


@pytest.mark.parametrize("sign", ["3/4", "5/4", "7/8", "9/8", "3/2"])
def test_no_metre_cuts_a_piece_off(sign: str) -> None:
    meter = Meter.parse(sign)
    bar = meter.bar_length(24)
    score = score_of(*((bar * index, bar, 60 + index, 80) for index in range(5)), meters=(meter,))
    kept = SIXTEENTHS.canonical(score)
    assert rows_of(kept) == rows_of(score)
    assert kept.meters == (meter,)


def test_bar_lines_stand_where_a_pickup_and_a_new_metre_put_them() -> None:
    meters = (Meter(0, 4, 4), Meter(24 + 96, 3, 4))
    score = score_of(*((24 * beat, 24, 60, 80) for beat in range(8)), meters=meters, pickup=24)
    steps = SIXTEENTHS.encode(score)
    position = steps[len(HEADER) :, POSITION]
    assert np.flatnonzero(position == 0).tolist() == [4, 20, 32]
    # A new metre is told while the old one is still in force.
    assert [METERS[meter] for meter in steps[len(HEADER) + 19 : len(HEADER) + 22, METER]] == ["4/4", "4/4", "3/4"]
    kept = SIXTEENTHS.canonical(score)
    assert kept.meters == meters
    assert kept.pickup == 24


@given(score=scores().filter(lambda score: score.num_notes > 0))
def test_loudness_is_always_one_that_midi_has(score: Score) -> None:
    for track in FramesCodec().canonical(score).tracks:
        assert track.notes.velocity.min() >= 1
        assert track.notes.velocity.max() <= 127


def test_loudness_is_told_only_where_there_are_several() -> None:
    quiet = [score_of((0, 24, 60, 50), (24, 24, 62, 52))]
    assert FramesCodec.for_scores(quiet).vocabulary.velocities == (56,)
    assert len(FramesCodec.for_scores([*quiet, score_of((0, 24, 60, 110))]).vocabulary.velocities) == 2


def test_pitches_out_of_range_sound_octaves_away() -> None:
    score = score_of((0, 24, 35, 80), (24, 24, 100, 80))
    assert rows_of(SIXTEENTHS.canonical(score)) == [(0, 24, 59), (24, 24, 64)]


def line(step: int, count: int = 120) -> Score:
    return score_of(*((step * index, step, 60, 80) for index in range(count)))


def grid_of(*pieces: Score) -> int:
    return FramesCodec.for_scores(pieces).vocabulary.per_quarter


def test_the_grid_is_the_coarsest_that_the_music_lies_on() -> None:
    assert grid_of(line(6)) == 4
    assert grid_of(line(8)) == 12
    assert grid_of(line(3)) == 24
    assert grid_of(line(6), line(4, 3)) == 12


def test_a_few_ornaments_make_no_grid_finer_but_few_notes_lose_nothing() -> None:
    ornament = score_of((0, 2, 60, 80), (2, 2, 62, 80), (4, 20, 60, 80))
    assert grid_of(line(6), ornament) == 12  # nothing would be lost
    played = line(6).replace(tracks=(Track(Notes.of([(6 * n + (n % 40 == 0), 5, 60, 80) for n in range(120)])),))
    assert grid_of(played) == 4
    assert grid_of(score_of((0, 5, 60, 80), (6, 6, 60, 80))) == 24


def test_notes_that_are_a_little_late_lie_on_their_grid() -> None:
    late = Notes.of([(160 * index + 4, 65, 60, 80) for index in range(120)])
    assert grid_of(Score(480, (Track(late),))) == 12


def test_music_that_is_played_freely_is_told_in_sixteenths() -> None:
    rng = np.random.default_rng(0)
    onset = np.sort(rng.choice(480 * 100, 300, replace=False))
    free = Score(480, (Track(Notes.of([(int(time), 100, 60, 80) for time in onset])),))
    assert grid_of(free) == 4


@given(
    seed=st.integers(0, 2**32 - 1),
    bars=st.integers(1, 4),
    meter=st.sampled_from([None, "4/4", "5/8"]),
    key=st.sampled_from([None, "D minor"]),
    polyphony=st.sampled_from([None, 1, 3]),
    lineup=st.sampled_from([None, (0,), (40, 128), (128,)]),
)
def test_walks_on_a_coarse_grid_reach_their_end_with_every_wish(
    seed: int, bars: int, meter: str | None, key: str | None, polyphony: int | None, lineup: tuple[int, ...] | None
) -> None:
    wishes = Wishes(
        bars=bars, meter=meter and Meter.parse(meter), key=key and Key.parse(key), polyphony=polyphony, low=50, high=70,
        lineup=lineup,
    )  # fmt: skip
    steps = random_walk(SIXTEENTHS, wishes, seed, most=2000)
    assert steps[-1, KIND] == SIXTEENTHS.vocabulary.kind_index["end"]
    score = SIXTEENTHS.decode(steps)
    check_wishes(score, wishes, finished=True)
    assert SIXTEENTHS.canonical(score) == score


@pytest.mark.parametrize("bars", [1, 3])
def test_who_never_wants_to_play_still_begins_and_ends_in_time(bars: int) -> None:
    score = SIXTEENTHS.decode(silent_walk(SIXTEENTHS, Wishes(bars=bars, meter=Meter.parse("3/4"))))
    assert len(score.bars()) - 1 == bars
    assert score.num_notes == min(bars, 2)


@pytest.mark.slow
def test_few_notes_on_a_fine_grid_are_composed_to_their_end() -> None:
    # A piece is given up after many steps, which are frames here: there are many more of them than of notes.
    def slow(seed: int) -> Score:
        rows = [(96 * bar, 96, 60 + (seed + bar) % 5, 80) for bar in range(5)]
        return score_of((0, 1, 55, 80), (1, 11, 57, 80), *rows)

    style = tiny.learn(tiny.corpus(4, slow), "slow", "biaxial", epochs=1, minutes=None, time_dims=(8,), note_dims=(8,))
    assert style.codec.steps_per_quarter == 24
    told: list[str] = []
    style.compose(bars=8, polyphony=1, seed=0, repetition=1, tell=told.append)
    assert not [line for line in told if "found no end" in line]


def test_a_walk_that_goes_on_starts_no_note_before_its_time() -> None:
    walk = SIXTEENTHS.walk(Wishes(bars=2, lineup=(0,)), not_before=30)
    for row in range(len(HEADER) + 6):
        for column, (_, _, is_given) in enumerate(SIXTEENTHS.layout):
            mask = None if is_given else walk.allowed(column)
            if KEYS <= column <= C4:
                assert mask is not None
                assert mask[STRUCK:].any() == (row == len(HEADER) + 5)
            if mask is None:
                walk.put(column, walk.given(column))
            else:
                frame = SIXTEENTHS.vocabulary.kind_index["frame"]
                pickup = SIXTEENTHS.vocabulary.kind_index["pickup 0"]
                wanted = next((word for word in (frame, pickup) if column == KIND and mask[word]), int(mask.argmax()))
                walk.put(column, wanted)


class Deaf:
    """A watch that forbids all pitches but one."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, int]] = []

    def copy(self) -> Deaf:
        return self

    def write(self, track: int, onset: int, pitch: int) -> None:
        self.heard.append((track, onset, pitch))

    def forbidden(self, track: int, onset: int) -> np.ndarray:
        return np.arange(128) != 60


def test_a_watch_hears_every_pitch_and_is_obeyed() -> None:
    watch = Deaf()
    walk = SIXTEENTHS.walk(Wishes(bars=2, meter=Meter.parse("2/4"), lineup=(0,)), watch=watch)
    rows, rng = [], np.random.default_rng(1)
    while not walk.finished:
        row = []
        for column, (_, _, is_given) in enumerate(SIXTEENTHS.layout):
            word = walk.given(column) if is_given else int(rng.choice(np.flatnonzero(walk.allowed(column))))
            row.append(walk.put(column, word))
        rows.append(row)
    score = SIXTEENTHS.decode(np.array(rows, np.int32))
    assert set(score.tracks[0].notes.pitch.tolist()) == {60}
    assert len(watch.heard) == score.num_notes


def test_a_wish_that_no_key_can_fulfil_is_refused() -> None:
    with pytest.raises(WishError, match="line-up and a range"):
        SIXTEENTHS.walk(Wishes(lineup=(12,)))
    with pytest.raises(WishError, match="metre such as"):
        SIXTEENTHS.walk(Wishes(meter=Meter(0, 4, 64)))


def test_steps_of_another_style_and_damaged_descriptions_are_refused() -> None:
    steps = SIXTEENTHS.encode(score_of((0, 24, 60, 80)))
    for wrong in (steps[:, 1:], steps[:3], np.where(steps == steps.max(), 10_000, steps), steps[::-1]):
        with pytest.raises(CodecError, match="expected"):
            SIXTEENTHS.decode(wrong)
    for damage in ({"version": 99}, {"per_quarter": 5}, {"kinds": []}, {"low": None}):
        values = SIXTEENTHS.to_json()
        with pytest.raises(StyleError):
            FramesCodec.from_json({**values, "vocabulary": {**values["vocabulary"], **damage}})
    with pytest.raises(StyleError, match="no vocabulary"):
        FramesCodec.from_json({})


def test_words_of_another_corpus_find_their_nearest() -> None:
    other = FramesCodec(Vocabulary(4, 40, 80, (), (1,), (8, 40, 72, 104)))
    words = SIXTEENTHS.nearest_words(other)
    assert set(words) == {name for name, _, _ in SIXTEENTHS.layout}
    assert words["pitch 60"].tolist() == [0, HELD, STRUCK + 1, STRUCK + 3]
    kinds = other.vocabulary.kinds
    assert kinds[words["kind"][SIXTEENTHS.vocabulary.kind_index["program 40"]]] == "program 1"
    assert kinds[words["kind"][SIXTEENTHS.vocabulary.kind_index["frame"]]] == "frame"
