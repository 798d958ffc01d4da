"""Reading MusicXML: what other programs write, and strangers' bytes, which do no harm."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.files.musicxml import archive, canonical, decode, encode
from kapelle.music import Key, Notes, TempoMap
from notation import small_piece

QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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
