"""A score made ready for the page: what was written stays, what was played can be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.files.musicxml import canonical
from kapelle.files.musicxml.rhythm import Bar
from kapelle.music import QUALITIES, ChordSymbol, Key, Meter, Notes, Score, TempoMap, Track, name_chord
from kapelle.rendering.sheet import Sheet, for_page
from kapelle.rendering.sheet.beats import on_beats, tracked_beats
from kapelle.rendering.sheet.leadsheet import chord_symbols
from kapelle.rendering.sheet.quantising import GRID, quantised_onsets
from strategies import monophonic_notes, scores

GENTLE = st.integers(0, 2**32 - 1)


def line(pitches: list[int], step: int = 24, length: int | None = None) -> Notes:
    return Notes.of((step * place, length or step, pitch, 80) for place, pitch in enumerate(pitches))


def played(notes: Notes, seed: int, unit: int = 480) -> Notes:
    """Notes on a grid of 24 as a person plays them: a little early or late, let go before the next one."""
    rng = np.random.default_rng(seed)
    onset = np.maximum(notes.onset * unit // 24 + rng.integers(-8, 9, len(notes)), 0)
    return Notes(onset, np.maximum(notes.duration * unit // 24 * 8 // 10, 1), notes.pitch, notes.velocity)


# -- laws -----------------------------------------------------------------------------------------


@given(scores())
def test_what_is_ready_for_the_page_is_as_musicxml_gives_it_back(score: Score) -> None:
    ready = for_page(score)
    assert canonical(ready) == ready


@given(scores())
def test_no_pitch_of_a_pitched_part_is_lost_but_doubles(score: Score) -> None:
    ready = for_page(score)
    kept = [track for track in score.tracks if len(track.notes)]
    if not kept:
        return
    for before, after in zip(kept, ready.tracks, strict=True):
        assert set(after.notes.pitch.tolist()) == set(before.notes.pitch.tolist())


@given(monophonic_notes(20, 6))
def test_written_music_is_left_alone_note_for_note(notes: Notes) -> None:
    assume(len(notes))
    legato = notes.replace(duration=np.append(np.diff(notes.onset), 24))
    ready = for_page(Score(24, (Track(legato, 40),)))
    scale = ready.ticks_per_quarter // 24
    assert ready.tracks[0].notes == legato.replace(onset=legato.onset * scale, duration=legato.duration * scale)


@given(st.lists(st.sampled_from([12, 24, 24, 36, 48]), min_size=8, max_size=40), GENTLE)
def test_what_a_person_plays_from_a_page_comes_back_as_the_page(durations: list[int], seed: int) -> None:
    starts = np.cumsum([0, *durations[:-1]]).tolist()
    pitches = [60 + 7 * place % 12 for place in range(len(durations))]
    page = Notes.of((at, each, pitch, 80) for at, each, pitch in zip(starts, durations, pitches, strict=True))
    ready = for_page(Score(480, (Track(played(page, seed), 40),)))
    got = ready.tracks[0].notes
    assert got.onset.tolist() == page.onset.tolist()
    assert got.duration[:-1].tolist() == page.duration[:-1].tolist()


@given(scores(drums=False))
def test_every_note_lies_in_the_bars(score: Score) -> None:
    ready = for_page(score)
    for track in ready.tracks:
        if len(track.notes):
            assert track.notes.duration.min() >= 1
            assert track.notes.end.max() <= ready.bars()[-1]


def test_music_of_weeks_is_refused_before_anything_is_made_of_it() -> None:
    rows = [(2**34 * at, 7, 60, 80) for at in range(40)]
    with pytest.raises(FileError, match="100000 quarters"):
        for_page(Score(480, (Track(Notes.of(rows)),)))


def test_music_that_creeps_is_put_on_a_page_in_no_time() -> None:
    rows = [(480 * 2000 * at + 97 * at % 480, 333, 60, 80) for at in range(40)]
    ready = for_page(Score(480, (Track(Notes.of(rows)),), TempoMap.constant(1.0)))
    assert ready.num_notes == 40


# -- onsets and ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onsets", "expected"),
    [
        ([0, 0.26, 0.49, 0.74, 1.01], [0, 6, 12, 18, 24]),
        ([0, 0.34, 0.66, 1.0], [0, 8, 16, 24]),
        ([0, 0.98, 2.02], [0, 24, 48]),
        ([0.03, 0.47], [0, 12]),
        ([0, 0.11, 1.0], [0, 3, 24]),
        ([0.0, 0.02, 0.04, 1.0], [0, 0, 0, 24]),
    ],
)
def test_onsets_go_to_the_plainest_part_of_the_beat_that_fits(onsets: list[float], expected: list[int]) -> None:
    assert quantised_onsets(np.array(onsets)).tolist() == expected


@given(st.lists(st.floats(0, 50, allow_nan=False), min_size=1, max_size=40))
def test_onsets_stay_in_order_and_move_by_less_than_half_a_beat(drawn: list[float]) -> None:
    onsets = np.sort(np.array(drawn))
    found = quantised_onsets(onsets)
    assert (np.abs(found / GRID - onsets) <= 0.5 + 1e-9).all()


def test_detached_notes_are_written_full_without_a_rest_after_each() -> None:
    staccato = Notes.of((24 * at, 10, 60 + at % 5, 80) for at in range(32))
    assert for_page(Score(24, (Track(staccato, 40),))).tracks[0].notes.duration.max() >= 12
    sixteenths = Notes.of((12 * at, 6, 60 + at % 5, 80) for at in range(32))
    assert set(for_page(Score(24, (Track(sixteenths, 40),))).tracks[0].notes.duration.tolist()[:-1]) == {12}
    eighths = Notes.of((12 * at, 5, 60 + at % 5, 80) for at in range(32))
    assert set(for_page(Score(24, (Track(eighths, 40),))).tracks[0].notes.duration.tolist()[:-1]) == {12}


def test_a_bass_that_sounds_on_under_a_melody_is_held_in_a_voice_of_its_own() -> None:
    melody = [(24 * at + 1, 20, 72 + at % 3, 80) for at in range(16)]
    bass = [(96 * at + 1, 92, 60, 80) for at in range(4)]
    got = for_page(Score(24, (Track(Notes.of(melody + bass), 24),))).tracks[0].notes
    assert set(got.duration[got.pitch == 60].tolist()) == {96}


def test_a_drum_stroke_lasts_to_the_next_one_or_to_the_next_beat() -> None:
    strokes = Notes.of([(0, 1, 38, 90), (12, 1, 38, 90), (24, 1, 38, 90), (72, 90, 38, 90), (0, 1, 36, 90)])
    got = for_page(Score(24, (Track(strokes, is_drum=True),))).tracks[0].notes
    assert sorted(zip(got.onset.tolist(), got.duration.tolist(), got.pitch.tolist(), strict=True)) == [
        (0, 12, 38), (0, 24, 36), (12, 12, 38), (24, 24, 38), (72, 24, 38),
    ]  # fmt: skip


@given(scores())
def test_each_drum_stroke_is_one_head_without_a_tie(score: Score) -> None:
    ready = for_page(score)
    if score.meters[0].denominator <= 4 and len(score.meters) == 1 and not score.pickup:
        bar = Bar(ready.meters[0], ready.ticks_per_quarter)
        for track in ready.tracks:
            if track.is_drum:
                scale = ready.ticks_per_quarter // GRID
                assert all(length % scale == 0 for length in track.notes.duration.tolist())
                assert bar.length >= track.notes.duration.max()


# -- beats ----------------------------------------------------------------------------------------


def test_a_regular_pulse_is_tracked_where_it_is() -> None:
    onset = 1.0 + 0.5 * np.arange(40)
    beats = tracked_beats(onset, np.ones(40))
    near = np.abs(beats[:, None] - onset).min(axis=0)
    assert (near < 0.03).all()


def test_played_music_gets_the_bars_that_are_heard_whatever_the_file_counts() -> None:
    rng = np.random.default_rng(3)
    accents = [(at, 60 + 12 * (at % 4 == 0) - 24 * (at % 4 == 0), 110 if at % 4 == 0 else 60) for at in range(64)]
    rows = [(round(737 + 611 * at + rng.normal(0, 6)), 550, pitch, loud) for at, pitch, loud in accents]
    ready = for_page(Score(480, (Track(Notes.of(rows)),)))
    assert ready.tracks[0].notes.onset.tolist() == [24 * at for at in range(64)]
    assert ready.meters == (Meter(),)


def test_a_recording_that_begins_between_beats_is_moved_onto_them() -> None:
    shifted = line([60, 62, 64, 65] * 12, step=240)
    moved = shifted.replace(onset=shifted.onset + 37)
    assert (on_beats(Score(480, (Track(moved, 40),))).tracks[0].notes.onset % 240 == 0).all()


# -- keys, tempos, names, chords ------------------------------------------------------------------


def test_c_major_in_a_file_gives_way_to_the_key_that_is_clearly_heard() -> None:
    scale = [62, 64, 66, 67, 69, 71, 73, 74] * 4
    heard = for_page(Score(24, (Track(line(scale), 40),), keys=(Key(),)))
    assert heard.keys[0].name == "D major"
    plain = for_page(Score(24, (Track(line([60, 62, 64, 65, 66, 67, 69, 71]), 40),), keys=(Key(),)))
    assert plain.keys[0].name == "C major"


def test_of_rubato_only_tempos_remain_that_hold_for_bars() -> None:
    rng = np.random.default_rng(1)
    onset = np.arange(0, 96 * 32, 24)
    rate = np.where(onset < 96 * 16, 80.0, 140.0) * rng.uniform(0.95, 1.05, len(onset))
    score = Score(24, (Track(line([60] * 128), 40),), TempoMap(onset, rate))
    found = for_page(score).tempos.quarters_per_minute
    assert len(found) == 2
    assert abs(found[0] - 80) < 5
    assert abs(found[1] - 140) < 8


def test_parts_are_called_by_their_names_or_their_instruments() -> None:
    tracks = (
        Track(line([72]), 40, name=" Anna's  fiddle:"),
        Track(line([60]), 40, name="Track 2"),
        Track(line([60]), 40, name="http://example.org"),
        Track(line([38]), is_drum=True),
    )
    names = [track.name for track in for_page(Score(24, tracks)).tracks]
    assert names == ["Anna's fiddle", "Violin 1", "Violin 2", "Drums"]
    assert for_page(Score(24, tracks[:1])).tracks[0].name == ""


def test_a_melody_with_chords_has_chord_symbols_and_other_music_has_none() -> None:
    chords = Notes.of(
        (96 * at, 96, root + third, 60) for at, root in enumerate((48, 53, 55, 48)) for third in (0, 4, 7)
    )
    melody = Track(line([72, 74, 76, 77] * 4), 73)
    sheet = Score(24, (melody, Track(chords)), keys=(Key(),))
    assert [(at // 96, symbol.name(Key())) for at, symbol in chord_symbols(sheet)] == [
        (0, "C"), (1, "F"), (2, "G"), (3, "C"),
    ]  # fmt: skip
    assert chord_symbols(Score(24, (melody,))) == []
    assert chord_symbols(Score(24, (melody, melody))) == []
    assert chord_symbols(Score(24, (Track(chords), Track(chords)))) == []


@pytest.mark.parametrize(
    ("pitches", "name"),
    [
        ((60, 64, 67), "C"), ((57, 60, 64), "Am"), ((55, 59, 62, 65), "G7"), ((64, 67, 72), "C/E"),
        ((62, 65, 69, 72), "Dm7"), ((59, 62, 65), "Bdim"), ((60, 65, 67), "Csus4"), ((60, 67), "C5"),
        ((53, 57, 60, 64), "Fmaj7"),
    ],
)  # fmt: skip
def test_chords_are_named_as_musicians_name_them(pitches: tuple[int, ...], name: str) -> None:
    symbol = name_chord(np.array(pitches))
    assert symbol is not None
    assert symbol.name(Key()) == name


@given(st.integers(0, 11), st.sampled_from(QUALITIES))
def test_a_chord_in_root_position_has_a_name_with_its_own_notes(root: int, quality: object) -> None:
    pitches = np.array([48 + root + interval for interval in quality.intervals])  # type: ignore[attr-defined]
    symbol = name_chord(pitches)
    assert isinstance(symbol, ChordSymbol)
    assert {(symbol.root + interval) % 12 for interval in symbol.quality.intervals} == set((pitches % 12).tolist())


def test_one_note_or_a_cluster_has_no_name() -> None:
    assert name_chord(np.array([60])) is None
    assert name_chord(np.array([60, 61, 62])) is None


# -- parts ----------------------------------------------------------------------------------------


def test_each_part_has_its_own_notes_and_the_two_hands_of_a_player_are_one_part() -> None:
    tracks = (Track(line([72] * 8), 73, name="Flute"), Track(line([72] * 8)), Track(line([48] * 8)))
    sheet = Sheet.of(Score(24, tracks, title="Duo"))
    assert [(part.name, len(part.score.tracks)) for part in sheet.parts] == [("Flute", 1), ("Piano", 2)]
    assert [part.score.title for part in sheet.parts] == ["Duo – Flute", "Duo – Piano"]


def test_a_part_alone_is_called_after_its_instrument() -> None:
    (part,) = Sheet.of(Score(24, (Track(line([72] * 8), 40, name="Fiddle"),), title="Tune")).parts
    assert (part.name, part.score.title) == ("Violin", "Tune – Violin")


def test_empty_bars_of_a_part_are_counted_together_up_to_the_next_sign() -> None:
    late = Track(Notes.of([(96 * 8, 96, 60, 80)]), 73, name="Flute")
    early = Track(Notes.of([(0, 96 * 9, 48, 80)]), 42, name="Cello")
    score = Score(24, (late, early), keys=(Key(), Key(96 * 4, 7)))
    text = Sheet.of(score).parts[0].musicxml().decode()
    assert text.count("<multiple-rest>4</multiple-rest>") == 2
    assert "multiple-rest" not in Sheet.of(score).musicxml().decode()
