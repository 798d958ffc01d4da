"""How music is written: names of pitches, clefs, hands, voices of drums, dynamics, beams, names of parts."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.files.musicxml import decode, encode
from kapelle.files.musicxml.canonical import canonical
from kapelle.files.musicxml.clefs import BASS, LEFT, RIGHT, TREBLE, View, usual_views, views_by_bar
from kapelle.files.musicxml.dynamics import dynamics_by_bar
from kapelle.files.musicxml.hands import left_hand, pairs_of_hands
from kapelle.files.musicxml.names import abbreviation
from kapelle.files.musicxml.spelling import spellings
from kapelle.files.musicxml.staves import groups, staves
from kapelle.music import Key, Meter, Notes, Score, Track
from strategies import notes, scores

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def line(pitches: list[int], step: int = 24, velocity: int = 80) -> Notes:
    return Notes.of((step * place, step, pitch, velocity) for place, pitch in enumerate(pitches))


def names(pitches: list[int], key: str) -> list[str]:
    found = spellings(Score(24, (Track(line(pitches), 40),), keys=(Key.parse(key),)))
    spelt = [found[24 * place, pitch] for place, pitch in enumerate(pitches)]
    return [step + "#" * alter + "b" * -alter for step, alter, _ in spelt]


def tree_of(score: Score) -> ElementTree.Element:
    return ElementTree.fromstring(encode(score))


# -- names of pitches -----------------------------------------------------------------------------


@given(scores())
def test_every_name_means_its_pitch(score: Score) -> None:
    for (_, pitch), (step, alter, octave) in spellings(score).items():
        assert 12 * (octave + 1) + STEPS[step] + alter == pitch
        assert abs(alter) <= 2


@given(scores())
def test_every_pitched_note_has_a_name(score: Score) -> None:
    found = spellings(score)
    for track in score.tracks:
        if not track.is_drum:
            assert all(
                pair in found for pair in zip(track.notes.onset.tolist(), track.notes.pitch.tolist(), strict=True)
            )


@pytest.mark.parametrize("fifths", range(-5, 7))
def test_the_notes_of_a_major_scale_need_no_accidental(fifths: int) -> None:
    key = Key.from_fifths(fifths, "major")
    scale = [60 + key.tonic + step for step in (0, 2, 4, 5, 7, 9, 11, 12)]
    score = Score(24, (Track(line(scale), 40),), keys=(key,))
    assert tree_of(score).find(".//accidental") is None


def test_a_note_between_two_steps_rises_as_a_sharp_and_falls_as_a_flat() -> None:
    assert names([60, 61, 62, 64, 67], "C major") == ["C", "C#", "D", "E", "G"]
    assert names([67, 64, 62, 61, 60], "C major")[3] in ("Db", "C#")
    assert names([69, 70, 69, 65, 69], "F major")[1] == "Bb"
    assert names([69, 68, 69, 72, 76], "A minor")[1] == "G#"


# -- clefs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("clef", "pitch"), [(TREBLE, 71), (BASS, 50)])
def test_the_middle_line_of_a_clef_is_the_pitch_that_stands_there(clef: object, pitch: int) -> None:
    assert clef.middle == pitch // 12 * 7 + [0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6][pitch % 12]  # type: ignore[attr-defined]


def bars_of(*pitches: int) -> list[np.ndarray]:
    return [np.array([pitch] * 6) if pitch else np.zeros(0, np.int64) for pitch in pitches]


def test_a_passage_far_off_the_staff_gets_another_clef_and_a_single_bar_does_not() -> None:
    assert {view.clef for view in views_by_bar(bars_of(50, 50, 50, 76, 76, 76, 76, 50, 50, 50), LEFT)} == {BASS, TREBLE}
    assert {view.clef for view in views_by_bar(bars_of(50, 50, 62, 50, 50), LEFT)} == {BASS}


def test_a_very_high_passage_stands_under_an_octave_line_and_a_high_one_on_ledger_lines() -> None:
    assert views_by_bar(bars_of(76, 98, 98, 98, 76), RIGHT)[2] == View(TREBLE, 1)
    assert set(views_by_bar(bars_of(76, 84, 84, 76), RIGHT)) == {View(TREBLE)}


def test_silent_bars_change_nothing() -> None:
    path = views_by_bar(bars_of(50, 0, 0, 76, 76, 76, 76), LEFT)
    assert [view.clef for view in path] == [BASS, BASS, BASS, TREBLE, TREBLE, TREBLE, TREBLE]


def test_instruments_have_the_clefs_their_players_read() -> None:
    first = {program: usual_views(program, "", median)[0].clef for program, median in ((41, 60), (42, 50), (40, 74))}
    assert [first[program].sign for program in (41, 42, 40)] == ["C", "F", "G"]
    assert usual_views(25, "", 55)[0].clef.octave == -1
    assert usual_views(33, "", 35)[0].clef.octave == -1
    assert usual_views(52, "Tenor", 57)[0].clef.octave == -1


@given(scores())
def test_every_bar_of_every_staff_has_a_view(score: Score) -> None:
    bars = len(score.bars()) - 1
    assert all(len(staff.views) == bars for part in staves(score) for staff in part)


@given(scores(drums=False))
def test_octave_lines_begin_and_end_in_turn(score: Score) -> None:
    for part in tree_of(score).iter("part"):
        for staff in ("1", "2"):
            kinds = [
                shift.get("type") == "stop"
                for direction in part.iter("direction")
                if direction.findtext("staff", "1") == staff
                for shift in direction.iter("octave-shift")
            ]
            assert kinds == [bool(place % 2) for place in range(len(kinds))]


def test_a_metre_that_goes_on_after_a_bar_cut_short_has_no_second_sign() -> None:
    score = Score(24, (Track(line([60] * 12), 40),), meters=(Meter(), Meter(96 + 48), Meter(96 + 48 + 96, 3, 4)))
    signs = [(time.findtext("beats"), time.get("print-object")) for time in tree_of(score).iter("time")]
    assert signs == [("4", None), ("4", "no"), ("3", None)]


# -- hands, groups and voices ---------------------------------------------------------------------


@given(notes(pitches=(21, 108)))
def test_the_left_hand_never_plays_above_the_right_at_one_moment(drawn: Notes) -> None:
    left = left_hand(drawn)
    for onset in np.unique(drawn.onset):
        here = drawn.onset == onset
        if (left & here).any() and (~left & here).any():
            assert drawn.pitch[left & here].max() <= drawn.pitch[~left & here].min()


def test_an_accompaniment_stays_in_one_hand() -> None:
    bass = [(24 * at, 24, pitch, 70) for at, pitch in enumerate([48, 55, 60, 55] * 4)]
    melody = [(48 * at, 48, pitch, 80) for at, pitch in enumerate([72, 74, 76, 77, 79, 77, 76, 74])]
    both = Notes.of(bass + melody)
    assert both.where(left_hand(both)) == Notes.of(bass)


def test_two_piano_tracks_are_the_hands_of_one_player_and_three_are_not() -> None:
    right, left = Track(line([72, 74]), name="A"), Track(line([48, 50]), name="B")
    assert pairs_of_hands((right, left)) == [(0, 1)]
    assert pairs_of_hands((left, right)) == []
    assert pairs_of_hands((right, left, right)) == []
    named = (right, right.replace(name="RH"), left.replace(name="LH"))
    assert pairs_of_hands(named) == [(1, 2)]


def test_strings_have_a_bracket_and_hands_a_brace() -> None:
    quartet = tuple(Track(line([60, 62]), program) for program in (40, 40, 41, 42))
    piano = (Track(line([72, 74])), Track(line([48, 50])))
    found = groups(Score(24, (*quartet, *piano)))
    assert [(group.first, group.last, group.symbol) for group in found] == [(0, 3, "bracket"), (4, 5, "brace")]


def test_hands_of_a_drummer_have_stems_up_and_feet_stems_down() -> None:
    strokes = Notes.of([(0, 24, 36, 90), (0, 24, 42, 90), (24, 24, 38, 90), (48, 24, 36, 90)])
    tree = tree_of(Score(24, (Track(strokes, is_drum=True),)))
    stems = {
        note.find("instrument").get("id"): note.findtext("stem")
        for note in tree.iter("note")
        if note.find("rest") is None
    }  # type: ignore[union-attr]
    assert stems == {"P1-I37": "down", "P1-I43": "up", "P1-I39": "up"}


def test_a_bar_of_feet_alone_has_stems_down_too() -> None:
    strokes = Notes.of([(0, 24, 36, 90), (48, 24, 36, 90), (96, 24, 42, 90)])
    tree = tree_of(Score(24, (Track(strokes, is_drum=True),)))
    assert [note.findtext("stem") for note in tree.iter("note") if note.find("rest") is None] == ["down", "down", "up"]


# -- dynamics, beams, names -----------------------------------------------------------------------


def test_equal_loudness_has_no_dynamics() -> None:
    score = Score(24, (Track(line([60] * 32), 40),))
    assert dynamics_by_bar(score.tracks[0].notes, score.bars()) == {}


def test_a_change_that_holds_is_marked_and_a_loud_bar_is_not() -> None:
    loudness = [50] * 16 + [96] * 4 + [50] * 12 + [100] * 32
    rows = [(24 * place, 24, 60, velocity) for place, velocity in enumerate(loudness)]
    score = Score(24, (Track(Notes.of(rows), 40),))
    assert dynamics_by_bar(score.tracks[0].notes, score.bars()) == {0: "p", 8: "f"}


@given(st.lists(st.integers(1, 127), min_size=1, max_size=60))
def test_a_dynamic_differs_from_the_one_before(velocities: list[int]) -> None:
    rows = [(24 * place, 24, 60, velocity) for place, velocity in enumerate(velocities)]
    score = Score(24, (Track(Notes.of(rows), 40),))
    marks = list(dynamics_by_bar(score.tracks[0].notes, score.bars()).values())
    assert all(before != after for before, after in itertools.pairwise(marks))


@pytest.mark.parametrize(
    ("durations", "beams"),
    [
        ([12] * 8, ["begin", "continue", "continue", "end"] * 2),
        ([12, 12, 12, 6, 6, 48], ["begin", "end", "begin", "continue", "end", None]),
        ([24, 12, 12, 48], [None, "begin", "end", None]),
    ],
)
def test_beams_hold_half_a_bar_of_eighths_and_else_a_beat(durations: list[int], beams: list[str | None]) -> None:
    starts = np.cumsum([0, *durations[:-1]]).tolist()
    score = Score(24, (Track(Notes.of((at, each, 67, 80) for at, each in zip(starts, durations, strict=True)), 40),))
    assert [note.findtext("beam[@number='1']") for note in tree_of(score).iter("note")] == beams


@pytest.mark.parametrize(
    ("name", "short"), [("Violin 2", "Vln. 2"), ("Piano", "Pno."), ("Electric Bass", "E. B."), ("???", "???"), ("", "")]
)
def test_later_lines_have_short_names(name: str, short: str) -> None:
    assert abbreviation(name) == short


# -- fermatas --------------------------------------------------------------------------------------


def test_a_fermata_stands_over_every_voice_that_begins_there_and_over_the_last_of_tied_notes() -> None:
    held = Notes.of([(0, 72, 60, 80), (72, 120, 59, 80)])
    score = Score(24, (Track(line([72, 74, 76, 77, 79]), 52), Track(held, 52)), fermatas=(24, 72))
    tree = tree_of(score)
    over = [
        [note.find("notations/fermata") is not None for note in part.iter("note") if note.find("rest") is None]
        for part in tree.findall("part")
    ]
    assert over == [[False, True, False, True, False], [False, False, True]]
    assert decode(encode(score)).fermatas == (24, 72)


def test_a_fermata_over_nothing_is_not_written() -> None:
    score = Score(24, (Track(line([72, 74]), 52),), fermatas=(12, 24, 96))
    assert decode(encode(score)) == canonical(score)
    assert canonical(score).fermatas == (24,)
