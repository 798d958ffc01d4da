"""Windows of bars: the laws of the codec, who plays which part, and what is told of a file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.codecs.bars import KINDS, BarsCodec, Vocabulary
from kapelle.codecs.bars.drums import CLASSES, KIT, NINE, class_of
from kapelle.codecs.bars.roles import alone, assign
from kapelle.codecs.bars.vocabulary import GIVEN, HELD, STRUCK
from kapelle.errors import CodecError, StyleError
from kapelle.music import Meter, Notes, Score, Track, slice_bars, transpose
from strategies import monophonic_notes, notes, scores

METERS = ("4/4", "3/4", "6/8", "7/8", "5/16")
LOUD = (20, 60, 100)


@st.composite
def vocabularies(draw: st.DrawFn) -> Vocabulary:
    """Any kind, on any grid, with loudness and timing or without."""
    return Vocabulary(
        draw(st.sampled_from(sorted(KINDS))),
        draw(st.sampled_from([1, 2, 3])),
        draw(st.sampled_from([4, 12])),
        METERS,
        48,
        60,
        draw(st.sampled_from([(), LOUD])),
        draw(st.sampled_from([0, 4])),
    )


def random_window(codec: BarsCodec, meter: str, seed: int) -> np.ndarray:
    """Any words, as sparse as music; nothing is told of what is not struck, and nothing held that was not struck."""
    rng = np.random.default_rng(seed)
    steps = codec.empty(meter)
    for at, field in enumerate(codec.vocabulary.fields):
        size = codec.layout[GIVEN + at][1]
        words = rng.integers(0, size, len(steps))
        if field.what == "event":
            words[rng.random(len(steps)) < 0.6] = HELD if field.key < 0 else 0
            if field.key < 0:
                silent = bool(words[0] < STRUCK)
                for place, word in enumerate(words.tolist()):
                    silent = word == 0 or (silent and word == HELD)
                    words[place] = 0 if silent else word
        else:
            words[steps[:, GIVEN + field.event] < field.strikes] = 0
            if field.what == "timing" and steps[0, GIVEN + field.event] >= field.strikes:
                words[0] = max(words[0], codec.vocabulary.timing)  # nothing starts before the window
        steps[:, GIVEN + at] = words
    return steps


def complete(codec: BarsCodec, steps: np.ndarray) -> bool:
    """Whether every part plays that has to, so that the parts are found again."""
    if codec.vocabulary.loose:
        return codec.num_notes(steps) > 0
    for number in range(len(codec.vocabulary.parts)):
        own = [
            GIVEN + at
            for at, field in enumerate(codec.vocabulary.fields)
            if field.part == number and field.what == "event"
        ]
        floor = STRUCK if codec.vocabulary.parts[number] != "drums" else 1
        if not (steps[:, own] >= floor).any():
            return False
    return True


@given(vocabulary=vocabularies(), meter=st.sampled_from(METERS), seed=st.integers(0, 2**32 - 1))
def test_any_words_decode_to_a_score_inside_the_window(vocabulary: Vocabulary, meter: str, seed: int) -> None:
    codec = BarsCodec(vocabulary)
    rng = np.random.default_rng(seed)
    steps = codec.empty(meter)
    for column, (_, size, given_) in enumerate(codec.layout):
        if not given_:
            steps[:, column] = rng.integers(0, size, len(steps))
    score = codec.decode(steps)
    assert score.end <= vocabulary.bars * Meter.parse(meter).bar_length(score.ticks_per_quarter)
    assert score.meters[0].name == meter
    for track in score.tracks:
        if not track.is_drum:
            assert (track.notes.end[:-1] <= track.notes.onset[1:]).all()


@given(vocabulary=vocabularies(), meter=st.sampled_from(METERS), seed=st.integers(0, 2**32 - 1))
def test_what_is_decoded_can_be_encoded_again(vocabulary: Vocabulary, meter: str, seed: int) -> None:
    codec = BarsCodec(vocabulary)
    steps = random_window(codec, meter, seed)
    if not complete(codec, steps):
        return
    np.testing.assert_array_equal(codec.encode(codec.decode(steps)), steps)


@given(line=monophonic_notes(step=6, pitches=(48, 60)), bars=st.integers(1, 4))
def test_a_line_on_the_grid_comes_back_to_the_tick(line: Notes, bars: int) -> None:
    inside = line.where((line.end <= bars * 96) & (line.onset < bars * 96))
    if not len(inside):
        return
    score = Score(24, (Track(inside, 40),))
    back = BarsCodec(Vocabulary("melody", bars, low=48, high=60)).canonical(score).tracks[0].notes
    assert (back.onset // 20).tolist() == inside.onset.tolist()
    assert (back.end // 20).tolist() == inside.end.tolist()
    assert back.pitch.tolist() == inside.pitch.tolist()


@given(score=scores())
def test_what_is_kept_of_any_score_is_kept_once_more(score: Score) -> None:
    codec = BarsCodec(Vocabulary("melody", 2, 12, ("4/4", "3/4", "6/8"), 0, 127, LOUD, 4))
    try:
        once = codec.canonical(score)
    except CodecError:
        return
    assert codec.canonical(once) == once


@given(score=scores(), kind=st.sampled_from(["melody", "drums", "trio"]), bars=st.integers(1, 3))
def test_every_bar_of_a_score_gives_a_window_or_a_reason(score: Score, kind: str, bars: int) -> None:
    codec = BarsCodec(Vocabulary(kind, bars, 4, ("4/4", "3/4", "6/8"), 0, 127))
    try:
        found, dropped = codec.windows(score)
    except CodecError:
        return
    assert len(found) + dropped.total() == max(len(score.bars()) - bars, 1)
    assert len(codec.starts(score)) == len(found)
    for steps in found:
        codec.decode(steps)


@given(line=monophonic_notes(max_notes=40, step=24, pitches=(48, 60)))
def test_a_window_is_what_encoding_those_bars_gives(line: Notes) -> None:
    score = Score(24, (Track(line),))
    codec = BarsCodec(Vocabulary("melody", 2, low=48, high=60))
    if not len(line):
        return
    found, _ = codec.windows(score)
    for steps, bar in zip(found, codec.starts(score), strict=True):
        np.testing.assert_array_equal(steps, codec.encode(slice_bars(score, bar, bar + 2)))


@given(hits=notes(max_notes=20, until=96 * 2))
def test_the_timing_of_a_hit_is_kept_where_there_is_a_word_for_it(hits: Notes) -> None:
    codec = BarsCodec(Vocabulary("drums", 2, velocities=LOUD, timing=3))
    try:
        back = codec.canonical(Score(24, (Track(hits, is_drum=True),)))
    except CodecError:
        return
    classes = class_of(NINE)
    for onset, pitch in zip(back.tracks[0].notes.onset.tolist(), back.tracks[0].notes.pitch.tolist(), strict=True):
        assert onset % 20 == 0
        assert onset // 20 in hits.onset[classes[hits.pitch] == NINE.index(pitch)]


def test_a_long_note_under_a_short_one_ends_where_that_starts() -> None:
    rows = [(0, 96, 60, 80), (24, 24, 72, 80)]
    back = BarsCodec(Vocabulary("melody", 1)).canonical(Score(24, (Track(Notes.of(rows)),)))
    assert (back.tracks[0].notes.end // 20).tolist() == [24, 48]


@pytest.mark.parametrize("keys", [NINE, KIT])
def test_every_drum_key_sounds_as_some_drum(keys: tuple[int, ...]) -> None:
    hits = Notes.of([(number * 6 % 192, 3, number, 90) for number in range(128)])
    codec = BarsCodec(Vocabulary("drums" if keys == NINE else "kit", 2))
    back = codec.canonical(Score(24, (Track(hits, is_drum=True),)))
    assert set(back.tracks[0].notes.pitch.tolist()) <= set(keys)
    assert all(class_of(NINE)[key] == number for number, own in enumerate(CLASSES.values()) for key in own)


def test_a_note_from_before_the_window_is_struck_at_its_start() -> None:
    score = Score(24, (Track(Notes.of([(0, 24, 60, 80), (72, 72, 64, 80), (144, 24, 65, 80), (168, 24, 67, 80)])),))
    steps = BarsCodec(Vocabulary("melody", 1)).encode(score, bar=1)
    assert steps[0, GIVEN] == STRUCK + 64 - 21
    assert steps[1, GIVEN] == HELD


def line(pitch: int, name: str = "", program: int = 0, chords: bool = False, count: int = 8) -> Track:
    rows = [(24 * place, 24, pitch + place % 3, 80) for place in range(count)]
    rows += [(onset, length, own + 4, 80) for onset, length, own, _ in rows] if chords else []
    return Track(Notes.of(rows), program, name=name)


DRUMS = Track(Notes.of([(24 * place, 6, 36, 90) for place in range(8)]), is_drum=True)


def test_the_lead_is_named_so_or_the_highest_line_and_the_bass_is_named_so_or_deep() -> None:
    high, low, chords = line(76), line(40), line(84, chords=True)
    assert assign(Score(24, (chords, low, high)), ("melody",)) == [high]
    sung = line(64, "Lead vocals")
    assert assign(Score(24, (high, sung)), ("melody",)) == [sung]
    assert assign(Score(24, (chords, low, high, DRUMS)), ("lead", "bass", "drums")) == [high, low, DRUMS]
    electric = line(60, program=33)
    assert assign(Score(24, (high, low, electric)), ("lead", "bass")) == [high, electric]
    assert assign(Score(24, (chords,)), ("melody",)) == [chords]
    assert assign(Score(24, (chords, low)), ("lead", "bass")) == [chords, low]
    assert assign(Score(24, (high, line(70), low, DRUMS)), KINDS["quartet"]) == [high, line(70), low, DRUMS]


def test_a_band_is_whoever_there_is_by_their_instruments_and_the_others_are_silent() -> None:
    rhythm, solo, pad = line(60, program=30, chords=True), line(62, program=27), line(72, program=89, chords=True)
    sung, low = line(67, "Vocals", 53), line(40, program=34)
    score = Score(24, (rhythm, solo, pad, sung, low, DRUMS))
    codec = BarsCodec(Vocabulary("band", 2))
    silent = Track(Notes.of([]))
    assert codec.players(score) == [sung, rhythm, solo, silent, pad, silent, low, DRUMS]
    (window,), _ = codec.windows(score)
    told = codec.decode(window)
    assert [track.name for track in told.tracks] == ["Lead", "Guitar 1", "Guitar 2", "Strings", "Bass", "Drums"]
    assert [track.program for track in told.tracks] == [0, 29, 29, 48, 33, 0]
    np.testing.assert_array_equal(codec.encode(told), window)


def test_a_band_of_one_is_no_window_and_nobody_is_no_band() -> None:
    codec = BarsCodec(Vocabulary("band", 2))
    found, dropped = codec.windows(Score(24, (line(70, "Melody"),)))
    assert (len(found), dict(dropped)) == (0, {"fewer than 2 parts play": 1})
    with pytest.raises(CodecError, match="no track for any of lead, guitar, keys"):
        codec.windows(Score(24, ()))


def test_a_band_that_goes_on_gets_who_was_missing() -> None:
    codec = BarsCodec(Vocabulary("band", 2))
    score = Score(24, (line(70, "Melody"), DRUMS))
    more = codec.encode(Score(24, (line(70, "Melody"), line(40, program=33), DRUMS)))
    longer = codec.appended(score, more)
    assert [track.name for track in longer.tracks] == ["Melody", "", "Bass"]
    assert [int(track.notes.onset.min()) // longer.ticks_per_quarter for track in longer.tracks] == [0, 0, 8]


def test_fills_of_a_few_notes_do_not_lead() -> None:
    tune, fill = line(70, count=40), line(90, count=3)
    assert assign(Score(24, (fill, tune)), ("melody",)) == [tune]


def test_the_user_says_who_leads() -> None:
    first, second = line(76, "Flute"), line(70, "Oboe")
    score = Score(24, (first, second))
    assert assign(score, ("melody",), {"melody": "oboe"}) == [second]
    assert assign(score, ("melody",), {"melody": "1"}) == [first]
    with pytest.raises(CodecError, match="no track 'Horn' for the melody"):
        assign(score, ("melody",), {"melody": "Horn"})


def test_a_score_without_drums_has_no_trio_and_says_so() -> None:
    with pytest.raises(CodecError, match="no track for drums"):
        BarsCodec(Vocabulary("trio")).windows(Score(24, (line(76), line(40))))


@given(line=monophonic_notes(max_notes=30))
def test_a_line_stands_alone_and_chords_do_not(line: Notes) -> None:
    assert alone(line) == 1.0
    twice = Notes.of([(o, d, p, 80) for o, d in zip(line.onset, line.duration, strict=True) for p in (50, 55, 60)])
    assert len(twice) < 3 or alone(twice) < 0.7


def test_training_hears_lines_in_other_keys_and_drums_as_they_are() -> None:
    codec = BarsCodec(Vocabulary("trio", 1, low=30, high=90))
    steps = codec.encode(Score(24, (line(70), line(40), DRUMS)))
    rng = np.random.default_rng(0)
    shifts = set()
    for _ in range(60):
        other = codec.decode(codec.augment(steps, rng))
        shift = int(other.tracks[0].notes.pitch[0]) - 70
        lines = codec.decode(steps)
        moved = transpose(lines, shift)
        assert other.tracks == moved.tracks
        shifts.add(shift)
    assert shifts == set(range(-6, 6))


def test_a_codec_narrows_to_its_music_and_survives_json() -> None:
    waltz = Score(24, (line(70, program=40, count=30),), meters=(Meter.parse("3/4"),))
    codec = BarsCodec.for_scores([waltz], bars=4, asked={"melody": "1"})
    own = codec.vocabulary
    assert (own.meters, own.programs, own.low, own.high, own.per_quarter) == (("3/4",), (40,), 65, 77, 4)
    triplets = Notes.of([(8 * place, 8, 60 + place % 5, 80) for place in range(48)])
    assert BarsCodec.for_scores([Score(24, (Track(triplets),))]).vocabulary.per_quarter == 12
    again = BarsCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again.vocabulary == own
    assert again.asked == codec.asked
    for damaged in ({}, {"vocabulary": {}}, {"vocabulary": codec.to_json()["vocabulary"] | {"version": 9}}):
        with pytest.raises(StyleError):
            BarsCodec.from_json(damaged)


def test_what_cannot_be_a_window_is_refused_in_one_line() -> None:
    codec = BarsCodec(Vocabulary("melody", 2))
    with pytest.raises(CodecError, match="expected whole bars in one metre of 4/4, got 5/4"):
        codec.encode(Score(24, (line(70),), meters=(Meter.parse("5/4"),)))
    with pytest.raises(CodecError, match="no track"):
        codec.encode(Score(24, ()))
    with pytest.raises(CodecError, match="kind of melody"):
        Vocabulary("opera")
    with pytest.raises(CodecError, match="1 to 32 bars"):
        Vocabulary("melody", 33)
    with pytest.raises(CodecError, match="got none that has it: no track for drums"):
        BarsCodec.for_scores([Score(24, (line(70),))], kind="drums")
