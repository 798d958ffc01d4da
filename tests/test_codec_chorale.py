"""The chorale codec: four voices on a grid of sixteenths, each kept as the voice it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.codecs.chorale import ChoraleCodec, lines
from kapelle.codecs.chorale.codec import KIND, PHRASE, UNTIL, VOICE
from kapelle.codecs.chorale.walk import ChoraleWalk
from kapelle.errors import CodecError, WishError
from kapelle.evaluation import VoiceLeading, voice_leading
from kapelle.music import Key, Meter, Notes, Score, TempoMap, Track, Wishes, partwriting
from kapelle.music.partwriting import RULES
from strategies import monophonic_notes

CODEC = ChoraleCodec()
VOICES = ("Soprano", "Alto", "Tenor", "Bass")
QUARTER = 24


def choir(*voices: list[tuple[int, int, int]], meter: str = "4/4", pickup: int = 0, **others: object) -> Score:
    """A score from (onset, duration, pitch) of each voice, in ticks of 24 a quarter."""
    tracks = tuple(
        Track(Notes.of([(*row, 80) for row in rows]), 52, name=name) for name, rows in zip(VOICES, voices, strict=False)
    )
    return Score(
        QUARTER, tracks, TempoMap.constant(72), (Meter.parse(meter),), (Key.parse("G major"),), pickup, **others
    )


def told(score: Score, codec: ChoraleCodec = CODEC) -> list[tuple[str, list[int]]]:
    """Kind and the words of the four voices of each step after the header."""
    steps = codec.encode(score)[codec.header_steps :]
    return [(codec.vocabulary.kinds[row[KIND]], row[list(VOICE)].tolist()) for row in steps]


def kept(score: Score) -> bool:
    """Whether the codec keeps a score as it is, tempo aside."""
    other = CODEC.decode(CODEC.encode(score))
    return other.replace(tempos=score.tempos) == score


def test_voices_that_cross_and_meet_stay_the_voices_they_are() -> None:
    score = choir([(0, 24, 67), (24, 24, 60)], [(0, 48, 62)], [(0, 24, 62), (24, 24, 66)], [(0, 48, 62)])
    assert kept(score)


def test_a_note_that_is_struck_again_is_not_one_that_is_held() -> None:
    again, held = choir([(0, 24, 67), (24, 24, 67)]), choir([(0, 48, 67)])
    assert kept(again)
    assert kept(held)
    assert told(again) != told(held)
    assert [words[0] for _, words in told(again)[:5]] == [67 + 2, 0, 0, 0, 67 + 2]


def test_a_rest_inside_a_voice_is_told_once() -> None:
    score = choir([(0, 24, 67), (48, 24, 69)], [(0, 72, 60)])
    assert kept(score)
    assert [words[0] for _, words in told(score)] == [69, 0, 0, 0, 1, 0, 0, 0, 71, 0, 0, 0, 0]


@pytest.mark.parametrize(("meter", "pickup"), [("3/4", 24), ("4/4", 24), ("4/4", 12), ("3/2", 48), ("6/8", 0)])
def test_any_metre_and_a_pickup_are_kept(meter: str, pickup: int) -> None:
    score = choir([(0, 24, 67), (24, 48, 69), (72, 96, 71)], [(0, 168, 60)], meter=meter, pickup=pickup)
    assert kept(score)
    steps = CODEC.encode(score)
    bar = Meter.parse(meter).bar_length(QUARTER) // 6
    assert (steps[CODEC.header_steps :, 0] == np.arange(len(steps) - CODEC.header_steps) % bar).all()


def test_a_pickup_with_nothing_after_it_is_the_end_of_a_bar() -> None:
    score = CODEC.canonical(choir([(0, 24, 67)], pickup=24))
    assert score.pickup == 0
    assert score.tracks[0].notes.onset.tolist() == [72]
    assert kept(score)


@pytest.mark.parametrize("pickup", [0, 24])
def test_where_a_line_begins_it_is_told_how_far_its_fermata_is(pickup: int) -> None:
    tune = [(24 * beat, 24, 60 + beat % 5) for beat in range(12)]
    score = choir(tune, pickup=pickup, fermatas=(96, 264))
    assert kept(score)
    body = CODEC.encode(score)[CODEC.header_steps :]
    silent = 12 if pickup else 0
    assert body[silent:, PHRASE].nonzero()[0].tolist() == [0, 17]
    assert body[silent, PHRASE] == 17
    assert body[silent + 17, PHRASE] == 28
    assert body[silent : silent + 17, UNTIL].tolist() == list(range(17, 0, -1))
    assert CODEC.paid(CODEC.encode(score))[CODEC.header_steps + silent :, PHRASE].nonzero()[0].tolist() == [0, 17, 45]


def test_a_fermata_beyond_sight_is_told_when_it_comes_near() -> None:
    slow = choir([(96 * bar, 96, 60) for bar in range(20)], fermatas=(96 * 15,))
    assert kept(slow)
    body = CODEC.encode(slow)[CODEC.header_steps :]
    assert body[:, PHRASE].nonzero()[0].tolist() == [192]
    assert body[192, PHRASE] == 16 * 15 - 192 + 1


@given(
    fermatas=st.lists(st.integers(1, 9), unique=True, min_size=1, max_size=5).map(sorted),
    meter=st.sampled_from(["4/4", "3/4", "6/8"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=15)
def test_fermatas_are_in_the_bars_that_are_wished_and_in_no_others(fermatas: list[int], meter: str, seed: int) -> None:
    wishes = Wishes(bars=9, meter=Meter.parse(meter), fermatas=tuple(fermatas))
    score = walked(CODEC.walk(wishes), seed)
    lines = score.bars()
    assert [
        int(np.searchsorted(lines, onset, side="right")) - (score.pickup > 0) for onset in score.fermatas
    ] == fermatas


def test_a_new_metre_begins_with_its_first_sixteenth() -> None:
    score = choir([(0, 96, 67), (96, 72, 69)]).replace(meters=(Meter.parse("4/4"), Meter.parse("3/4", 96)))
    assert kept(score)
    assert told(score)[16][0] == "meter 3/4"
    assert len(told(score)) == 16 + 12 + 1


def test_voices_are_known_by_their_names_whatever_the_order() -> None:
    score = choir([(0, 24, 67)], [(0, 24, 64)], [(0, 24, 60)], [(0, 24, 48)])
    mixed = score.replace(tracks=tuple(score.tracks[index] for index in (3, 1, 0, 2)))
    assert np.array_equal(CODEC.encode(mixed), CODEC.encode(score))
    two = score.replace(tracks=(score.tracks[3], score.tracks[0]))
    assert [track.name for track in CODEC.decode(CODEC.encode(two)).tracks] == ["Soprano", "Bass"]


def test_tracks_of_other_names_are_voices_from_the_first_on_and_the_fifth_is_left_out() -> None:
    tracks = tuple(Track(Notes.of([(0, 24, 70 - index, 80)]), 40, name=f"part {index}") for index in range(5))
    kept_tracks = CODEC.canonical(Score(QUARTER, tracks)).tracks
    assert [track.notes.pitch.tolist() for track in kept_tracks] == [[70], [69], [68], [67]]
    assert {track.program for track in kept_tracks} == {40}


def test_a_voice_sings_the_highest_of_notes_that_start_together_and_each_up_to_the_next() -> None:
    chords = Track(Notes.of([(0, 48, 60, 80), (0, 12, 64, 80), (24, 24, 62, 80)]), 52, name="Soprano")
    notes = CODEC.canonical(Score(QUARTER, (chords,))).tracks[0].notes
    assert notes.pitch.tolist() == [64, 62]
    assert notes.onset.tolist() == [0, 24]
    assert notes.duration.tolist() == [12, 24]


def test_what_is_off_the_grid_goes_to_the_nearest_sixteenth_and_keeps_one() -> None:
    score = Score(480, (Track(Notes.of([(0, 470, 60, 80), (490, 20, 62, 80)]), 52, name="Soprano"),))
    notes = CODEC.canonical(score).tracks[0].notes
    assert list(zip(notes.onset.tolist(), notes.duration.tolist(), strict=True)) == [(0, 24), (24, 6)]


def test_drums_alone_are_refused_with_a_reason() -> None:
    drums = Track(Notes.of([(0, 24, 36, 80)]), is_drum=True)
    with pytest.raises(CodecError, match="pitched"):
        CODEC.encode(Score(QUARTER, (drums,)))


def test_a_narrow_codec_moves_what_is_out_of_its_range_by_octaves() -> None:
    narrow = ChoraleCodec.for_scores([choir([(0, 24, 60), (24, 24, 72)])])
    assert (narrow.vocabulary.low, narrow.vocabulary.high) == (54, 78)
    assert narrow.canonical(choir([(0, 24, 90), (24, 24, 30)])).tracks[0].notes.pitch.tolist() == [78, 54]
    assert narrow.canonical(choir([(0, 24, 91)])).tracks[0].notes.pitch.tolist() == [67]


@settings(max_examples=10)
@given(voices=st.lists(monophonic_notes(pitches=(36, 81)).filter(len), min_size=4, max_size=4))
def test_four_voices_on_the_grid_are_kept_note_for_note(voices: list[Notes]) -> None:
    first = min(int(notes.onset.min()) for notes in voices)
    voices = [notes.replace(onset=notes.onset - first, velocity=np.full(len(notes), 80)) for notes in voices]
    tracks = tuple(Track(notes, 52, name=name) for notes, name in zip(voices, VOICES, strict=True))
    assert kept(Score(QUARTER, tracks, meters=(Meter.parse("4/4"),)))


@given(words=st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=40))
def test_what_follows_from_the_voices_is_the_same_step_by_step_and_at_once(words: list[list[int]]) -> None:
    past, rows = lines.Past(), []
    for row in words:
        # A voice that is silent cannot fall silent.
        row[:] = [0 if word == 1 and past.sounds[voice] < 0 else word for voice, word in enumerate(row)]
        after = [[row[own], *past.after(own, row[own])] for own in lines.ORDER]
        rows.append([*past.before(), *(word for words_of_one in after for word in words_of_one)])
        past.step(row)
    sounds, struck = lines.heard(np.array(words))
    table = lines.told(sounds, struck)
    assert table.tolist() == rows
    sizes = [size for part in lines.columns(8) for _, size, _ in part]
    assert (table < sizes).all()
    assert (table >= 0).all()


@given(seed=st.integers(0, 99), shift=st.integers(-6, 5))
def test_another_key_changes_heights_and_no_distance(seed: int, shift: int) -> None:
    rng = np.random.default_rng(seed)
    words = np.where(rng.random((20, 4)) < 0.5, 0, rng.choice([1, 9, 12, 30], (20, 4)))
    words[0] = 9  # nobody falls silent before having sung
    sounds, struck = lines.heard(words)
    names = [name for part in lines.columns(64) for name, _, _ in part]
    here, there = lines.told(sounds, struck), lines.told(np.where(sounds < 0, -1, sounds + shift), struck)
    assert np.array_equal(lines.transposed(here, names, shift), there)
    same = np.array([name.split()[0] not in lines.FIRST_HEIGHT for name in names])
    assert np.array_equal(here[:, same], there[:, same])


def test_a_line_that_comes_again_is_expected_to_go_on_as_before() -> None:
    tune = [60, 62, 64, 65, 67]
    sounds = np.array([[pitch, pitch - 5, pitch - 9, pitch - 17] for pitch in [*tune, 50, *tune[:3]]])
    sounds[6:, 1] = 55  # the alto does something else
    names = [name for part in lines.columns(128) for name, _, _ in part]
    table = lines.told(sounds, np.ones(sounds.shape, bool))
    again = dict(zip(names, table[8].tolist(), strict=True))
    assert (again["length"], again["echo S"]) == (0, 0)
    assert (again["length S"], again["again S"]) == (2, 3 + 64), "two notes of the tune have come again"
    assert (again["length B"], again["again B"]) == (2, 3 + 47)
    assert again["S as before"] == 1
    sounds[6:, 1] = sounds[:3, 1]
    again = dict(zip(names, lines.told(sounds, np.ones(sounds.shape, bool))[8].tolist(), strict=True))
    assert again["length"] == 2
    assert [again[f"echo {voice}"] - 3 for voice in partwriting.VOICES] == [64, 59, 55, 47]
    assert again["S as before"] == 4


def test_only_who_sings_pays() -> None:
    score = choir([(0, 48, 67)], [(0, 48, 60)], pickup=24)
    steps = CODEC.encode(score)
    paid = CODEC.paid(steps)[CODEC.header_steps :]
    assert not paid[:12].any(), "the silence before a pickup follows from the pickup"
    assert paid[12:16, [KIND, VOICE[0], VOICE[1]]].all()
    assert not paid[:, VOICE[2:]].any()
    assert paid[20].nonzero()[0].tolist() == [KIND], "the end is told by the kind alone"


def written(codec: ChoraleCodec, score: Score, seed: int, *arguments: object, **wishes: object) -> Score:
    """A score some voices of which are written as chance has it."""
    return walked(codec.walk(Wishes(**wishes), given=codec.given(score, *arguments)), seed)


def walked(walk: ChoraleWalk, seed: int, sings: bool = False) -> Score:
    """What a walk becomes as chance has it; all go on singing if that is wanted."""
    codec, rng, rows = walk.codec, np.random.default_rng(seed), []
    silence = dict.fromkeys(VOICE, 1)
    while not walk.finished:
        row = []
        for column, (_, _, is_given) in enumerate(codec.layout):
            choices = [walk.given(column)] if is_given else np.flatnonzero(walk.allowed(column)).tolist()
            if len(choices) > 1 and sings:
                choices = [word for word in choices if word != silence.get(column)]
            row.append(walk.put(column, int(rng.choice(choices))))
        rows.append(row)
    return codec.decode(np.array(rows, np.int32))


def test_fermatas_that_are_given_stay_and_others_are_chosen_only_where_none_are() -> None:
    tune = [(24 * beat, 24, 60 + beat % 5) for beat in range(12)]
    assert written(CODEC, choir(tune, fermatas=(72, 264)), 1, (1,)).fermatas == (72, 264)
    given_in_advance = CODEC.given(choir(tune), (1,))
    assert not given_in_advance.shown[:, PHRASE].any()


def test_fermatas_that_cannot_be_are_refused() -> None:
    with pytest.raises(WishError, match=r"fermatas in the 8 bars of the piece, got one in bar 9"):
        CODEC.walk(Wishes(bars=8, fermatas=(9,)))
    with pytest.raises(WishError, match="got one in notes"):
        CODEC.walk(Wishes(notes=8, fermatas=(1,)))
    for bars in ((0,), (3, 2), (2, 2)):
        with pytest.raises(ValueError, match="fermata"):
            Wishes(fermatas=bars)


@settings(max_examples=10)
@given(seed=st.integers(0, 99))
def test_voices_that_are_given_stay_note_for_note_and_the_others_are_written(seed: int) -> None:
    tune = choir([(0, 24, 67), (24, 48, 69), (96, 24, 71)], pickup=24)
    score = written(CODEC, tune, seed, (1, 2, 3), low=40, high=60)
    assert score.tracks[0].notes == tune.tracks[0].notes
    assert [track.name for track in score.tracks] == list(VOICES)
    assert all(40 <= pitch <= 60 for track in score.tracks[1:] for pitch in track.notes.pitch)
    assert score.pickup == 24
    assert max(track.notes.end.max() for track in score.tracks) == 120


@settings(max_examples=10)
@given(seed=st.integers(0, 99))
def test_bars_are_written_anew_and_those_around_stay(seed: int) -> None:
    whole = [(0, 96, 60), (96, 288, 62)]
    score = choir([(24 * beat, 24, 70 + beat % 5) for beat in range(16)], whole, whole, whole)
    other = written(CODEC, score, seed, (0, 2), 1, 3)
    assert other.tracks[1] == score.tracks[1]
    for track, same in ((0, 0), (2, 2)):
        before, after = score.tracks[track].notes, other.tracks[same].notes
        assert np.array_equal(before.pitch[before.onset < 96], after.pitch[after.onset < 96])
    sung = other.tracks[0].notes
    assert [row for row in zip(sung.onset.tolist(), sung.pitch.tolist(), strict=True) if row[0] >= 288] == [
        (24 * beat, 70 + beat % 5) for beat in range(12, 16)
    ]
    tenor = other.tracks[2].notes
    assert tenor.pitch[tenor.onset <= 288][-1] == 62, "what was held goes on, or starts anew"
    assert tenor.end.max() == 384


def cadences(rules: tuple[str, ...], seed: int) -> VoiceLeading:
    """What becomes of a soprano, and of all four voices, over dominants and tonics, as chance has it."""
    bars = [[(48 * beat, 48, pitch) for beat, pitch in enumerate(pair * 6)] for pair in ([65, 64], [62, 60], [43, 48])]
    hymn = choir([(0, 576, 67)], *bars)
    wishes = {"low": 67, "high": 72, "key": Key.parse("C major")}, {"low": 34, "high": 84}
    scores = [
        walked(CODEC.walk(Wishes(**wish, rules=rules), given=CODEC.given(hymn, voices)), seed, sings=True)
        for wish, voices in zip(wishes, ((0,), (0, 1, 2, 3)), strict=True)
    ]
    return voice_leading(scores)


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 99))
@settings(max_examples=8)
def test_a_rule_that_is_wished_is_obeyed_everywhere(rule: str, seed: int) -> None:
    assert getattr(cadences((rule,), seed), rule) == 0


def test_without_the_wish_chance_breaks_every_rule() -> None:
    found = sum((cadences((), seed) for seed in range(8)), VoiceLeading())
    assert all(getattr(found, rule) for rule in RULES)


@pytest.mark.parametrize("rule", ["parallels", "crossings"])
def test_rules_hold_against_voices_that_are_given_and_told_later(rule: str) -> None:
    bass = [(12 * place, 12, 48 + 7 * (place % 3)) for place in range(24)]
    whole = choir([(0, 288, 72)], [(0, 288, 64)], [(0, 288, 60)], bass)
    for seed in range(8):
        score = walked(CODEC.walk(Wishes(rules=(rule,)), given=CODEC.given(whole, (0, 1, 2))), seed, sings=True)
        assert getattr(voice_leading([score]), rule) == 0


def test_a_rule_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="expected rules of parallels, ranges, crossings, leading_notes, got 'fifths'"):
        Wishes(rules=("fifths",))


def test_voices_and_bars_that_there_are_not_cannot_be_written() -> None:
    tune = choir([(0, 96, 67)])
    for arguments in ((), (4,)), ((1,), 1), ((1,), 0, 3):
        with pytest.raises(CodecError, match="to be written"):
            CODEC.given(tune, *arguments)


def test_a_line_up_that_no_voice_can_have_is_refused() -> None:
    narrow = ChoraleCodec.for_scores([choir([(0, 24, 60)])])
    with pytest.raises(WishError, match="line-up"):
        narrow.walk(Wishes(lineup=(0, 128)))


def test_the_chorales_of_music21_are_kept_but_for_notes_shorter_than_a_sixteenth() -> None:
    music21 = pytest.importorskip("music21")
    from kapelle.corpora.chorale import parse_chorales

    folder = Path(music21.__file__).parent / "corpus" / "bach"
    names = ("bwv66.6", "bwv26.6", "bwv10.7", "bwv153.1", "bwv190.7", "bwv432")
    pieces, _ = parse_chorales([path for name in names for path in folder.glob(f"{name}.*")])
    assert len(pieces) == len(names)
    for piece in pieces:
        other = CODEC.decode(CODEC.encode(piece.score))
        assert other == CODEC.canonical(piece.score)
        for track, same in zip(piece.score.tracks, other.tracks, strict=True):
            on_grid = not (track.notes.onset % 6).any() and not (track.notes.duration % 6).any()
            assert (track.notes == same.notes) == on_grid, piece.name
