"""MusicXML: what is written is what is read, here and by music21, and strangers' bytes do no harm."""

from __future__ import annotations

import io
import random
import time
import warnings
import zipfile
from collections import Counter
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.files.musicxml import archive, canonical, decode, encode
from kapelle.files.musicxml.rhythm import Bar
from kapelle.music import Key, Meter, Notes, Score, TempoMap, Track
from strategies import scores

GOLDEN = Path(__file__).parent / "golden"
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def small_piece() -> Score:
    """A pickup, a tie over a barline, two voices, a triplet, a change of metre and key, and drums."""
    piano = Notes.of(
        [
            (0, 24, 67, 80),
            (24, 96, 72, 90), (24, 48, 64, 70), (72, 48, 66, 70),
            (120, 8, 74, 80), (128, 8, 73, 80), (136, 8, 74, 80), (144, 24, 76, 80), (168, 48, 79, 80),
            (216, 36, 78, 80), (252, 36, 74, 80),
        ]
    )  # fmt: skip
    drums = Notes.of([(tick, 12, key, 100) for tick, key in ((24, 36), (24, 42), (48, 42), (72, 38), (96, 42))])
    return Score(
        24,
        (Track(piano, 40, name="Violin"), Track(drums, is_drum=True, name="Drums")),
        TempoMap(np.array([0, 120]), np.array([96.0, 112.5])),
        (Meter(), Meter(216, 6, 8)),
        (Key.parse("C major"), Key.parse("D major", 216)),
        pickup=24,
        title="Two Bars & More",
    )


def notes_of(tree: ElementTree.Element) -> list[ElementTree.Element]:
    return list(tree.iter("note"))


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


def as_music21_reads(data: bytes) -> tuple[list[Counter[tuple[Fraction, Fraction, int | None]]], list[Fraction]]:
    """For each part its notes as (onset, duration, pitch) in quarters; the lengths of all voices of all measures."""
    music21 = pytest.importorskip("music21")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = music21.converter.parseData(data.decode(), format="musicxml")
    parts: list[list[tuple[Fraction, Fraction, int | None, str, str]]] = []
    lengths = []
    for part in read.parts:
        if not str(part.id).endswith("-Staff2"):
            parts.append([])
        for measure in part.getElementsByClass("Measure"):
            start = Fraction(measure.getOffsetBySite(part))
            voices = list(measure.voices) or [measure]
            for voice in voices:
                lengths.append(sum((Fraction(e.quarterLength) for e in voice.notesAndRests), Fraction(0)))
                name = str(voice.id) if len(voices) > 1 else ""
                for element in voice.notes:
                    for note in getattr(element, "notes", [element]):
                        pitch = note.pitch.midi if hasattr(note, "pitch") else None
                        tie = note.tie.type if note.tie else ""
                        row = (start + Fraction(element.offset), Fraction(element.quarterLength), pitch, tie, name)
                        parts[-1].append(row)
    return [merged(rows) for rows in parts], lengths


def merged(
    rows: list[tuple[Fraction, Fraction, int | None, str, str]],
) -> Counter[tuple[Fraction, Fraction, int | None]]:
    """Notes with their ties joined, in the same voice where two could be meant."""
    open_notes: list[list] = []
    found = []
    for onset, duration, pitch, tie, voice in sorted(
        rows, key=lambda row: (row[0], row[3] not in ("stop", "continue"))
    ):
        if tie in ("stop", "continue"):
            fitting = [note for note in open_notes if note[2] == pitch and note[0] + note[1] == onset]
            note = min(fitting, key=lambda note: note[3] != voice)
            open_notes.remove(note)
            note[1] += duration
            note[3] = voice
        else:
            note = [onset, duration, pitch, voice]
            found.append(note)
        if tie in ("start", "continue"):
            open_notes.append(note)
    assert not open_notes
    return Counter((onset, duration, pitch) for onset, duration, pitch, _ in found)


def expected_notes(score: Score) -> list[Counter[tuple[Fraction, Fraction, int | None]]]:
    unit = score.ticks_per_quarter
    return [
        Counter(
            (Fraction(onset, unit), Fraction(duration, unit), None if track.is_drum else pitch)
            for onset, duration, pitch in zip(
                track.notes.onset.tolist(), track.notes.duration.tolist(), track.notes.pitch.tolist(), strict=True
            )
        )
        for track in score.tracks
    ]


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
    line = [(24 * place, 24, pitch, 80) for place, pitch in enumerate((66, 65, 65, 66, 66, 61))]
    score = Score(24, (Track(Notes.of(line), 40),), keys=(Key.parse("G major"),))
    notes = [note for note in notes_of(ElementTree.fromstring(encode(score))) if note.find("pitch") is not None]
    shown = [note.findtext("accidental") for note in notes]
    assert shown == [None, "natural", None, "sharp", None, "sharp"]


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


# Reading


def test_a_packed_file_reads_as_the_plain_one_does() -> None:
    plain = encode(small_piece())
    assert decode(packed(plain)) == decode(plain)


def test_a_packed_file_with_a_damaged_container_is_read_all_the_same() -> None:
    plain = encode(small_piece())
    assert decode(packed(plain, container=b"<container><rootfile full-path='Ol' Man.xml'/></container>")) == decode(
        plain
    )


def packed(plain: bytes, container: bytes | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive_file:
        content = b'<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
        archive_file.writestr("META-INF/container.xml", container or content)
        archive_file.writestr("score.xml", plain)
    return out.getvalue()


def document(measures: str, part_list: str = "") -> bytes:
    return f"""<score-partwise><part-list><score-part id="P1"><part-name>Solo</part-name>{part_list}</score-part>
    </part-list><part id="P1">{measures}</part></score-partwise>""".encode()


def note(step: str, octave: int, duration: int, inner: str = "") -> str:
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{inner}{pitch}<duration>{duration}</duration></note>"


def test_grace_notes_and_cues_are_dropped_and_chords_are_kept() -> None:
    grace = "<note><grace/><pitch><step>D</step><octave>5</octave></pitch></note>"
    bar = grace + note("C", 4, 2) + note("E", 4, 2, "<chord/>") + note("G", 4, 2, "<cue/>")
    score = decode(document(f"<measure><attributes><divisions>1</divisions></attributes>{bar}</measure>"))
    assert score.tracks[0].notes == Notes.of([(0, 48, 64, 80), (0, 48, 60, 80)])


def test_a_transposing_part_is_read_at_sounding_pitch_and_key() -> None:
    signs = (
        "<attributes><divisions>1</divisions><key><fifths>2</fifths></key>"
        "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>"
    )
    score = decode(document(f"<measure>{signs}{note('D', 4, 4)}</measure>"))
    assert score.tracks[0].notes.pitch.tolist() == [60]
    assert score.keys == (Key.parse("C major"),)


def test_divisions_of_five_and_of_three_meet_in_an_exact_unit() -> None:
    fives = f"<measure><attributes><divisions>5</divisions></attributes>{note('C', 4, 1) * 20}</measure>"
    threes = f"<measure><attributes><divisions>3</divisions></attributes>{note('C', 4, 1) * 12}</measure>"
    score = decode(document(fives + threes))
    assert score.ticks_per_quarter == 120
    assert set(score.tracks[0].notes.duration.tolist()) == {24, 40}


def test_a_bar_that_is_split_at_a_repeat_keeps_its_barlines() -> None:
    time_sign = "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    bars = [f"{time_sign}{note('C', 4, 4)}", note("C", 4, 3), note("C", 4, 1), note("C", 4, 4)]
    score = decode(document("".join(f"<measure>{bar}</measure>" for bar in bars)))
    assert score.bars().tolist() == [0, 96, 168, 192, 288]


def test_a_metronome_mark_and_dynamics_are_read() -> None:
    marks = (
        "<attributes><divisions>1</divisions></attributes><direction><direction-type><metronome>"
        "<beat-unit>quarter</beat-unit><beat-unit-dot/><per-minute>60</per-minute></metronome></direction-type>"
        "</direction><direction><direction-type><dynamics><ff/></dynamics></direction-type></direction>"
    )
    score = decode(document(f"<measure>{marks}{note('C', 4, 4)}</measure>"))
    assert score.tempos == TempoMap.constant(90.0)
    assert score.tracks[0].notes.velocity.tolist() == [112]


# Strangers' files


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 no archive",
        b"<score-partwise>",
        b"<html/>",
        b"<score-timewise/>",
        document("<measure><attributes><divisions>0</divisions></attributes></measure>"),
        document(f"<measure>{note('C', 4, 10**15)}</measure>"),
        document(f"<measure>{note('C', 4, 1).replace('>1<', '>1e999999999<')}</measure>"),
        document(f"<measure>{note('C', 4, 1).replace('>1<', '>nan<')}</measure>"),
        b"<a>" * 100 + b"</a>" * 100,
    ],
)
def test_what_is_no_music_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(FileError) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def test_a_billion_laughs_are_refused_before_they_are_told() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE score-partwise [<!ENTITY l0 "ha">{laughs}]><score-partwise>&l9;</score-partwise>'
    with pytest.raises(FileError, match="entities"):
        decode(bomb.encode())


def test_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 2**16)
    with pytest.raises(FileError, match="larger"):
        decode(packed(b" " * 2**20 + encode(small_piece())))


def test_a_tree_of_too_many_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ELEMENTS", 100)
    with pytest.raises(FileError, match="100 elements"):
        decode(encode(small_piece()))


@QUIET
@given(st.integers(0, 2**32))
def test_a_damaged_file_gives_a_score_or_a_file_error(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(encode(small_piece()))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.choice(b'0123456789-<>/&"aC \xff')
        elif kind == 1:
            del data[at : at + rng.randint(1, 40)]
        elif kind == 2:
            data[at:at] = data[rng.randrange(len(data)) :][: rng.randint(1, 60)]
        else:
            at = bytes(data).find(b">", at) + 1
            data[at:at] = rng.choice([b"9", b"-", b"0", b"e9", b"<rest/>", b"<chord/>", b"<backup/>"])
    try:
        score = decode(bytes(data))
    except FileError:
        return
    assert decode(encode(score)) == canonical(score)
