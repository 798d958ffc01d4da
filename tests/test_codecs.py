"""The laws of every codec: what is written is read back, every step is allowed, every walk is music."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kapelle.codecs import Codec, codec_from_json, codecs
from kapelle.errors import CodecError
from kapelle.music import Key, Meter, Notes, Score, Spans, TempoMap, Track, Wishes, transpose
from strategies import scores

CODECS = [codec() for codec in codecs().values() if not codec.in_windows]
each_codec = pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)

SOME = Score(
    24,
    (
        *(Track(Notes.of([(0, 24, 46, 80), (24, 24, 74, 40)]), program) for program in (0, 25, 30)),
        Track(Notes.of([(0, 24, 36, 80), (24, 24, 42, 80)]), is_drum=True),
    ),
)
# A column for each of 88 keys and 47 drums takes most of the time of a walk, and tells no more than these.
each_walked = pytest.mark.parametrize(
    "codec", [codec.for_scores([SOME]) if codec.keys else codec for codec in CODECS], ids=lambda codec: codec.name
)


def sounding(score: Score) -> bool:
    return score.num_notes > 0


def tells(codec: Codec, score: Score) -> bool:
    """Whether the codec has anything to tell of a score: one of voices has nothing to tell of drums alone."""
    try:
        codec.encode(score)
    except CodecError:
        return False
    return True


def moved(track: Track, ticks: int) -> Track:
    return track.replace(notes=track.notes.replace(onset=track.notes.onset + ticks))


def random_walk(codec: Codec, wishes: Wishes, seed: int, most: int = 400) -> np.ndarray:
    """Steps drawn evenly among what the masks allow."""
    rng = np.random.default_rng(seed)
    walk = codec.walk(wishes)
    rows = []
    while not walk.finished and len(rows) < most:
        row = []
        for column, (_, size, is_given) in enumerate(codec.layout):
            if is_given:
                word = walk.given(column)
            else:
                mask = walk.allowed(column)
                assert mask.shape == (size,)
                assert mask.any(), f"nothing may follow in {codec.layout[column][0]}"
                words = np.flatnonzero(mask)
                word = int(words[rng.integers(len(words))])
            row.append(walk.put(column, word))
        rows.append(row)
    return np.array(rows, np.int32)


@each_codec
@given(score=scores().filter(sounding))
def test_decoding_what_was_encoded_gives_the_canonical_score(codec: Codec, score: Score) -> None:
    assume(tells(codec, score))
    assert codec.decode(codec.encode(score)) == codec.canonical(score)


@each_codec
@given(score=scores().filter(sounding))
def test_canonical_is_idempotent(codec: Codec, score: Score) -> None:
    assume(tells(codec, score))
    once = codec.canonical(score)
    assert codec.canonical(once) == once


@each_codec
@given(score=scores(ticks_per_quarter=24).filter(sounding), sign=st.sampled_from(["4/4", "3/4", "6/8"]))
def test_silent_bars_before_the_first_note_are_not_told(codec: Codec, score: Score, sign: str) -> None:
    assume(tells(codec, score))
    meter = Meter.parse(sign)
    plain = score.replace(
        tracks=tuple(track.replace(pedal=Spans.none()) for track in score.tracks),
        tempos=TempoMap.constant(90),
        meters=(meter,),
        pickup=0,
    )
    ticks = 5 * meter.bar_length(24)
    later = plain.replace(
        tracks=tuple(moved(track, ticks) for track in plain.tracks),
        fermatas=tuple(onset + ticks for onset in plain.fermatas),
    )
    assert codec.canonical(later) == codec.canonical(plain)


def sounds_before_its_last_tick(score: Score, bar: int) -> bool:
    """Whether anything sounds in a bar before its last tick."""
    start, stop = score.bars()[bar], score.bars()[bar + 1] - 1
    return any(((track.notes.onset < stop) & (track.notes.end > start)).any() for track in score.tracks)


@each_codec
@given(score=scores().filter(sounding))
def test_every_encoded_step_is_allowed_and_what_is_given_is_right(codec: Codec, score: Score) -> None:
    assume(tells(codec, score))
    # Where a bar's last frame is the first that sounds, which key it is follows from what was last struck.
    assume(not codec.keys or all(sounds_before_its_last_tick(codec.canonical(score), bar) for bar in (0, -2)))
    steps = codec.encode(score)
    paid = codec.paid(steps)
    walk = codec.walk()
    for row, pays in zip(steps, paid, strict=True):
        assert not walk.finished
        for column, (name, _, is_given) in enumerate(codec.layout):
            if is_given:
                assert walk.given(column) == row[column], name
                assert not pays[column]
            else:
                mask = walk.allowed(column)
                assert mask[row[column]], name
                if not pays[column]:
                    assert mask.sum() == 1
            walk.put(column, int(row[column]))
    assert walk.finished


@each_codec
@given(score=scores().filter(sounding))
def test_a_metre_wished_for_what_follows_changes_nothing_of_what_is_heard(codec: Codec, score: Score) -> None:
    assume(tells(codec, score))
    walk = codec.walk(Wishes(meter=Meter.parse("7/8")))
    for row in codec.encode(score)[:-1]:
        for column, (name, _, is_given) in enumerate(codec.layout):
            if is_given:
                assert walk.given(column) == row[column], name
            walk.put(column, int(row[column]))


@each_walked
@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    bars=st.none() | st.integers(1, 6),
    meter=st.sampled_from([None, "4/4", "3/4", "7/8", "1/16", "16/4"]),
    key=st.sampled_from([None, "D minor", "F# major"]),
    polyphony=st.sampled_from([None, 1, 3]),
    monophonic=st.booleans(),
    lineup=st.sampled_from([None, (0,), (25, 30, 30, 128)]),
)
def test_every_walk_through_the_masks_decodes_to_a_score_with_every_wish(
    codec: Codec,
    seed: int,
    bars: int | None,
    meter: str | None,
    key: str | None,
    polyphony: int | None,
    monophonic: bool,
    lineup: tuple[int, ...] | None,
) -> None:
    wishes = Wishes(
        bars=bars,
        meter=meter and Meter.parse(meter),
        key=key and Key.parse(key),
        polyphony=polyphony,
        monophonic=monophonic,
        lineup=lineup,
        low=40,
        high=80,
    )
    steps = random_walk(codec, wishes, seed)
    score = codec.decode(steps)
    check_wishes(score, wishes, finished=len(steps) < 400)


def check_wishes(score: Score, wishes: Wishes, finished: bool) -> None:
    pitched = [track.notes for track in score.tracks if not track.is_drum]
    for notes in pitched:
        assert ((notes.pitch >= wishes.low) & (notes.pitch <= wishes.high)).all()
        if wishes.key is not None:
            assert set((notes.pitch % 12).tolist()) <= wishes.key.pitch_classes
    if wishes.meter is not None:
        assert [meter.name for meter in score.meters] == [wishes.meter.name]
    if wishes.key is not None:
        assert score.keys[0].name == wishes.key.name
    if wishes.bars is not None and finished:
        assert len(score.bars()) - 1 == wishes.bars + (score.pickup > 0)
    if wishes.lineup is not None:
        heard = Counter(128 if track.is_drum else track.program for track in score.tracks)
        assert heard <= Counter(wishes.lineup)
    if wishes.monophonic:
        assert all((notes.end[:-1] <= notes.onset[1:]).all() for notes in pitched)
    if wishes.polyphony is not None:
        onset = np.concatenate([notes.onset for notes in pitched] or [np.empty(0, int)])
        end = np.concatenate([notes.end for notes in pitched] or [np.empty(0, int)])
        assert all(((onset <= at) & (end > at)).sum() <= wishes.polyphony for at in onset)


@each_walked
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), notes=st.integers(1, 20))
def test_a_wish_for_notes_gives_exactly_so_many(codec: Codec, seed: int, notes: int) -> None:
    score = codec.decode(random_walk(codec, Wishes(notes=notes), seed, most=2000))
    assert score.num_notes == notes


@each_codec
@given(score=scores().filter(sounding))
def test_a_codec_survives_json(codec: Codec, score: Score) -> None:
    assume(tells(codec, score))
    narrow = codec.for_scores([score])
    again = codec_from_json(json.loads(json.dumps(narrow.to_json())))
    assert again.layout == narrow.layout
    assert np.array_equal(again.encode(score), narrow.encode(score))


@each_codec
@given(score=scores().filter(sounding))
def test_a_codec_narrowed_to_a_score_keeps_all_of_it(codec: Codec, score: Score) -> None:
    assume(tells(codec, score))
    assert codec.for_scores([score]).canonical(score) == codec.canonical(score)


@each_codec
@given(score=scores().filter(sounding), seed=st.integers(0, 1000))
def test_augmenting_transposes_the_tune_and_its_key_and_keeps_every_time(codec: Codec, score: Score, seed: int) -> None:
    assume(tells(codec, score))
    score = codec.canonical(score)
    other = codec.decode(codec.augment(codec.encode(score), np.random.default_rng(seed)))

    def same_but_tempo(left: Score, right: Score) -> bool:
        return left.replace(tempos=right.tempos) == right

    fits = []
    for semitones in range(-6, 6):
        try:
            fits.append(same_but_tempo(transpose(score, semitones), other))
        except ValueError:
            fits.append(False)
    assert any(fits)
    assert abs(other.tempos.mean(1) - score.tempos.mean(1)) <= max(2.5, 0.08 * score.tempos.mean(1))


@each_codec
def test_who_wants_to_go_on_beyond_the_last_bar_closes_the_piece(codec: Codec) -> None:
    if codec.layout[0][0] != "advance":
        pytest.skip("each step of this codec takes as long")
    # Left with no advance but 0, a network would pile up notes at the last onset.
    codec = codec.for_scores([Score(24, (Track(Notes.of([(0, 24, 60, 80)])),))])
    walk = codec.walk(Wishes(bars=2, meter=Meter.parse("4/4")))
    rows: list[list[int]] = []
    while not walk.finished:
        row: list[int] = []
        for column, (name, _, is_given) in enumerate(codec.layout):
            allowed = None if is_given else np.flatnonzero(walk.allowed(column))
            # A quarter further each time, whether or not there is room for it.
            wanted = 24 if name == "advance" and len(rows) > 5 else 0
            word = walk.given(column) if allowed is None else int(allowed[np.abs(allowed - wanted).argmin()])
            row.append(walk.put(column, word))
        rows.append(row)
    score = codec.decode(np.array(rows, np.int32))
    assert score.tracks[0].notes.onset.tolist() == [24 * beat for beat in range(8)]
