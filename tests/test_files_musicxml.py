"""MusicXML: what is written is what is read, here and by music21."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from kapelle.files.musicxml import canonical, decode, encode
from kapelle.files.musicxml.rhythm import Bar
from kapelle.music import Key, Meter, Notes, Score, Track
from notation import as_music21_reads, expected_notes, notes_of, small_piece
from strategies import scores

GOLDEN = Path(__file__).parent / "golden"
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# Round trips


@QUIET
@given(scores())
def test_what_is_written_is_read_back_as_the_canonical_score(score: Score) -> None:
    assert decode(encode(score)) == canonical(score)


@QUIET
@given(scores())
def test_the_canonical_score_is_its_own_canonical_score(score: Score) -> None:
    assert canonical(canonical(score)) == canonical(score)


@QUIET
@given(scores(ticks_per_quarter=24))
def test_no_note_on_the_grid_is_moved_cut_or_lost(score: Score) -> None:
    back = decode(encode(score))
    scale = back.ticks_per_quarter // 24
    for track, read in zip(score.tracks, back.tracks, strict=False):
        expected = track.notes.replace(onset=track.notes.onset * scale, duration=track.notes.duration * scale)
        assert read.notes == expected


@QUIET
@given(scores())
def test_the_canonical_score_has_the_bars_of_the_score(score: Score) -> None:
    written = canonical(score)
    if 4 * 24 % max(meter.denominator for meter in score.meters) == 0 and score.ticks_per_quarter == 24:
        assert (written.bars() == score.bars() * (written.ticks_per_quarter // 24)).all()


@QUIET
@given(scores())
def test_every_voice_fills_its_measure_or_is_left_out(score: Score) -> None:
    bars = np.diff(canonical(score).bars()).tolist()
    for part in ElementTree.fromstring(encode(score)).iter("part"):
        for length, measure in zip(bars, part.iter("measure"), strict=True):
            filled: Counter[str] = Counter()
            for note in measure.iter("note"):
                if note.find("chord") is None:
                    filled[note.findtext("voice", "")] += int(note.findtext("duration", "0"))
            assert filled
            assert set(filled.values()) == {length}


def test_a_small_piece_is_written_as_the_golden_file() -> None:
    assert encode(small_piece()).decode() == (GOLDEN / "small_piece.musicxml").read_text("utf-8")


def test_a_piece_of_five_tracks_and_64_bars_is_written_within_a_second() -> None:
    rng = np.random.default_rng(5)
    tracks = tuple(
        Track(Notes.of((int(24 * i), 24, int(rng.integers(40, 80)), 80) for i in range(256)), program)
        for program in (0, 24, 32, 40, 56)
    )
    begin = time.process_time()
    encode(Score(24, tracks))
    assert time.process_time() - begin < 1.0


# music21 as the second reader


@settings(QUIET, max_examples=15)
@given(scores(max_tracks=2, ticks_per_quarter=24))
def test_music21_reads_every_note_where_it_is(score: Score) -> None:
    notes, _ = as_music21_reads(encode(score))
    assert notes == expected_notes(canonical(score))


def test_music21_reads_the_small_piece_with_full_measures() -> None:
    notes, lengths = as_music21_reads(encode(small_piece()))
    assert notes == expected_notes(small_piece())
    assert set(lengths) == {Fraction(1), Fraction(4), Fraction(3)}


def test_music21_and_kapelle_agree_about_real_lead_sheets(shared_data: Path) -> None:
    music21 = pytest.importorskip("music21")
    files = sorted((shared_data / "folk" / "openewld").glob("*.mxl"))[:8]
    for file in files:
        score = decode(file.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = music21.converter.parse(file, forceSource=True).toSoundingPitch()
        theirs: Counter[tuple[Fraction, int]] = Counter()
        for note in read.flatten().notes:
            if (
                "Harmony" not in note.classes
                and not note.duration.isGrace
                and not (note.tie and note.tie.type != "start")
            ):
                theirs.update((Fraction(note.offset), pitch.midi) for pitch in note.pitches)
        mine: Counter[tuple[Fraction, int]] = Counter()
        for track in score.tracks:
            ticks = zip(track.notes.onset.tolist(), track.notes.pitch.tolist(), strict=True)
            mine.update((Fraction(onset, score.ticks_per_quarter), pitch) for onset, pitch in ticks)
        assert mine == theirs, file.name


# How it looks


def test_notes_that_overlap_stand_in_two_voices_and_the_higher_one_is_the_first() -> None:
    score = Score(24, (Track(Notes.of([(0, 96, 60, 80), (24, 24, 72, 80)]), 40),))
    voices = {
        note.findtext("pitch/step", "") + note.findtext("pitch/octave", ""): note.findtext("voice")
        for note in notes_of(ElementTree.fromstring(encode(score)))
        if note.find("pitch") is not None
    }
    assert voices == {"C5": "1", "C4": "2"}


def test_a_wide_piano_part_has_two_staves_and_a_narrow_one_has_one() -> None:
    wide = Track(Notes.of([(0, 96, 36, 80), (0, 24, 72, 80), (24, 24, 76, 80), (96, 96, 43, 80), (96, 96, 79, 80)]))
    tree = ElementTree.fromstring(encode(Score(24, (wide,))))
    assert tree.findtext("part/measure/attributes/staves") == "2"
    assert [clef.findtext("sign") for clef in tree.iter("clef")] == ["G", "F"]
    narrow = Track(Notes.of([(0, 96, 60, 80), (96, 96, 72, 80)]))
    assert ElementTree.fromstring(encode(Score(24, (narrow,)))).find("part/measure/attributes/staves") is None


def test_accidentals_are_shown_once_in_a_bar_and_not_when_the_signature_has_them() -> None:
    line = [(12 * place, 12, pitch, 80) for place, pitch in enumerate((66, 62, 65, 65, 62, 66, 66, 61))]
    score = Score(24, (Track(Notes.of(line), 40),), keys=(Key.parse("G major"),))
    notes = [note for note in notes_of(ElementTree.fromstring(encode(score))) if note.find("pitch") is not None]
    shown = [note.findtext("accidental") for note in notes]
    assert shown == [None, None, "natural", None, None, "sharp", None, "sharp"]


def test_a_piece_without_a_key_gets_the_signature_that_its_notes_suggest() -> None:
    scale = [(24 * place, 24, pitch, 80) for place, pitch in enumerate((62, 64, 66, 67, 69, 71, 73, 74))]
    tree = ElementTree.fromstring(encode(Score(24, (Track(Notes.of(scale), 40),))))
    assert tree.findtext("part/measure/attributes/key/fifths") == "2"
    assert tree.find(".//accidental") is None


def test_a_percussion_staff_has_no_key_signature_and_each_drum_its_own_instrument() -> None:
    drums = ElementTree.fromstring(encode(small_piece())).findall("part")[1]
    assert drums.find("measure/attributes/key") is None
    assert drums.findtext("measure/attributes/clef/sign") == "percussion"
    heads = {
        instrument.get("id"): note.findtext("notehead")
        for note in notes_of(drums)
        if (instrument := note.find("instrument")) is not None
    }
    assert heads == {"P2-I37": None, "P2-I43": "x", "P2-I39": None}


@pytest.mark.parametrize(
    ("meter", "spans", "expected"),
    [
        ("4/4", [(0, 8), (8, 16), (16, 24), (24, 96)], ["eighth3", "eighth3", "eighth3", "half."]),
        ("4/4", [(0, 12), (12, 36), (36, 48), (48, 96)], ["eighth", "quarter", "eighth", "half"]),
        ("4/4", [(0, 36), (36, 60), (60, 96)], ["quarter.", "eighth", "eighth", "quarter."]),
        ("4/4", [(0, 16), (16, 32), (32, 48), (48, 96)], ["quarter3", "quarter3", "quarter3", "half"]),
        ("6/8", [(0, 36), (36, 60), (60, 72)], ["quarter.", "quarter", "eighth"]),
        ("6/8", [(0, 72)], ["half."]),
        ("3/4", [(0, 18), (18, 24), (24, 72)], ["eighth.", "16th", "half"]),
    ],
)
def test_rhythms_are_written_as_players_know_them(
    meter: str, spans: list[tuple[int, int]], expected: list[str]
) -> None:
    written = Bar(Meter.parse(meter), 24).values([(start, stop, False) for start, stop in spans])
    shown = [
        value.type + "." * value.dots + (str(value.tuplet[0]) if value.tuplet else "")
        for values in written
        for value in values
    ]
    assert shown == expected
