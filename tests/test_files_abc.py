"""Files in ABC notation give the music that stands in them, or one line that says what is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.corpora import load_folder
from kapelle.errors import FileError
from kapelle.files import abc, format_of, formats, load, load_all, save
from kapelle.music import Score

HEAD = "X:1\nT:Test\nM:4/4\nL:1/8\nK:C\n"
SCALE = "CDEF GABc|cBAG FEDC|]\n"


def read(body: str, head: str = HEAD) -> Score:
    return abc.decode((head + body).encode())


def heard(score: Score, track: int = 0) -> list[tuple[Fraction, Fraction, int]]:
    """Onset and length in quarters, and pitch, in order."""
    notes, unit = score.tracks[track].notes, score.ticks_per_quarter
    rows = zip(notes.onset.tolist(), notes.duration.tolist(), notes.pitch.tolist(), strict=True)
    return sorted((Fraction(onset, unit), Fraction(length, unit), pitch) for onset, length, pitch in rows)


def pitches(body: str, head: str = HEAD) -> list[int]:
    return [pitch for *_, pitch in heard(read(body, head))]


def lengths(body: str, head: str = HEAD) -> list[Fraction]:
    return [length for _, length, _ in heard(read(body, head))]


def assert_is_one_line(error: FileError) -> None:
    assert "\n" not in str(error)


# Laws.

NAMES = ("=C", "^C", "=D", "_E", "=E", "=F", "^F", "=G", "_A", "=A", "_B", "=B")


def written(pitch: int) -> str:
    """A pitch with its accidental: middle C is =C, the one above =c, the one below =C,."""
    octave, name = pitch // 12 - 5, NAMES[pitch % 12]
    return name + "," * -octave if octave <= 0 else name.lower() + "'" * (octave - 1)


def length_written(units: Fraction) -> str:
    return {Fraction(1): "", Fraction(1, 2): "/"}.get(units, str(units))


PITCHES = st.lists(st.integers(24, 108), max_size=4, unique=True).map(sorted)
UNITS = st.sampled_from([Fraction(n, d) for n in (1, 2, 3, 4, 6, 7) for d in (1, 2, 4)])
LINES = st.lists(st.tuples(PITCHES, UNITS), min_size=1, max_size=10).filter(
    lambda line: any(chord for chord, _ in line)
)


def line_written(line: list[tuple[list[int], Fraction]], breaks: list[bool]) -> str:
    """Rests, notes and chords in eighths, with a bar line here and there."""
    words = []
    for index, (chord, units) in enumerate(line):
        names = "".join(map(written, chord))
        word = "z" if not chord else names if len(chord) == 1 else f"[{names}]"
        words.append(word + length_written(units) + (" | " if breaks and breaks[index % len(breaks)] else " "))
    return "".join(words) + "|]\n"


def line_heard(line: list[tuple[list[int], Fraction]]) -> list[tuple[Fraction, Fraction, int]]:
    rows, at = [], Fraction(0)
    for chord, units in line:
        rows += [(at, units / 2, pitch) for pitch in chord]
        at += units / 2
    return rows


@given(LINES, st.lists(st.booleans(), max_size=5))
def test_what_is_written_is_heard_wherever_the_bar_lines_stand(
    line: list[tuple[list[int], Fraction]], breaks: list[bool]
) -> None:
    assert heard(read(line_written(line, breaks), "X:1\nM:none\nL:1/8\nK:C\n")) == line_heard(line)


@given(st.lists(LINES, min_size=2, max_size=3))
def test_each_voice_is_a_track_whichever_way_the_voices_are_told(
    lines: list[list[tuple[list[int], Fraction]]],
) -> None:
    written_lines = [line_written(line, []) for line in lines]
    apart = "".join(f"V:{number}\n{line}" for number, line in enumerate(written_lines))
    inline = "".join(f"[V:{number}] {line}" for number, line in enumerate(written_lines))
    score = read(apart)
    assert score == read(inline)
    assert [heard(score, track) for track in range(len(lines))] == [line_heard(line) for line in lines]
    assert [track.name for track in score.tracks] == [str(number) for number in range(len(lines))]


@given(st.text("ABCdefg^_=,'/23456789|:[]{}()<>-&zxZ\"!%\n VKMLQ\\", max_size=80), st.booleans())
def test_any_text_gives_music_or_one_line(body: str, with_head: bool) -> None:
    try:
        score = read(body, HEAD if with_head else "X:1\n")
    except FileError as error:
        assert_is_one_line(error)
    else:
        assert score.num_notes
        assert score.bars()[-1] >= score.end


@given(st.binary(max_size=60))
def test_any_bytes_give_music_or_one_line(data: bytes) -> None:
    for head in (b"", b"X:1\nK:C\n"):
        try:
            abc.decode(head + data)
        except FileError as error:
            assert_is_one_line(error)


# What a person can read.


def test_a_heading_tells_title_tempo_metre_and_key() -> None:
    score = read("GABc d2g2|]", "X:1\nT:The Reel\nT:Its other name\nM:C|\nL:1/8\nQ:1/2=100\nK:G\n")
    assert (score.title, score.meters[0].name, score.keys[0].name) == ("The Reel", "2/2", "G major")
    assert score.tempos.quarters_per_minute.tolist() == [200]
    assert (score.tracks[0].program, score.tracks[0].name) == (0, "")
    assert read(SCALE).tempos.quarters_per_minute.tolist() == [120]


@pytest.mark.parametrize(
    ("key", "name", "sharp_or_flat"),
    [
        ("D", "D major", "FC"),
        ("Ddor", "A minor", ""),
        ("D Dorian", "A minor", ""),
        ("Amix", "D major", "FC"),
        ("A Mixolydian", "D major", "FC"),
        ("F lyd", "C major", ""),
        ("Ephr", "A minor", ""),
        ("Bloc", "A minor", ""),
        ("Gm", "G minor", "BE"),
        ("F#m clef=treble", "F# minor", "FCG"),
        ("Bb major", "Bb major", "BE"),
        ("D ^g", "D major", "FCG"),
        ("Hp", "D major", "FC"),
    ],
)
def test_a_key_with_its_mode_alters_its_notes(key: str, name: str, sharp_or_flat: str) -> None:
    score = read("CDEFGAB|]", f"X:1\nM:7/8\nL:1/8\nK:{key}\n")
    natural = pitches("CDEFGAB|]")
    moved = {letter for letter, now, plain in zip("CDEFGAB", heard(score), natural, strict=True) if now[2] != plain}
    assert (score.keys[0].name, moved) == (name, set(sharp_or_flat))


@pytest.mark.parametrize("key", ["none", "clef=bass", "bass", "", "D exp"])
def test_a_field_that_names_no_key_alters_nothing(key: str) -> None:
    score = read("CDEFGAB|]", f"X:1\nM:7/8\nL:1/8\nK:{key}\n")
    assert not score.keys
    assert [pitch for *_, pitch in heard(score)] == [60, 62, 64, 65, 67, 69, 71]


def test_accidentals_hold_in_their_bar_and_octave_in_chords_and_over_ties() -> None:
    assert pitches("^FFf F|F|]") == [66, 66, 77, 66, 65]
    assert pitches("[^FA]F [FA]2|]") == [66, 69, 66, 66, 69]
    assert heard(read("C6 ^F2-|F2 F6|]"))[1:] == [(3, 2, 66), (5, 3, 65)]


def test_metre_key_tempo_and_unit_may_change_in_lines_of_their_own_and_inside() -> None:
    own = read("F8|\nM:3/4\nL:1/4\nQ:1/4=90\nK:G\nF3|]")
    inside = read("F8|[M:3/4][L:1/4][Q:1/4=90][K:G] F3|]")
    assert own == inside
    assert [(meter.onset, meter.name) for meter in own.meters] == [(0, "4/4"), (96, "3/4")]
    assert [(key.onset, key.name) for key in own.keys] == [(0, "C major"), (96, "G major")]
    assert (own.tempos.onset.tolist(), own.tempos.quarters_per_minute.tolist()) == ([0, 96], [120, 90])
    assert heard(own) == [(0, 4, 65), (4, 3, 66)]


def test_tuplets_dotted_pairs_ties_and_chords_last_as_long_as_they_should() -> None:
    third, half = Fraction(1, 3), Fraction(1, 2)
    assert lengths("(3ccc c2 (2c2c2|]") == [third] * 3 + [1] + [3 * half] * 2
    assert lengths("(5:4:5ccccc|]") == [Fraction(2, 5)] * 5
    assert lengths("c>d e<f g>>a|]") == [Fraction(n, 8) for n in (6, 2, 2, 6, 7, 1)]
    assert heard(read("[CE]4- [CE]2 [C-E]2|C8|]")) == [(0, 3, 60), (0, 3, 64), (3, 1, 64), (3, 5, 60)]
    assert read("(7:8:7ccccccc|]").ticks_per_quarter == 168


def test_a_pickup_a_short_bar_and_a_free_metre_stand_as_written() -> None:
    score = read("G2|c8|d6:|\n|:G2|e8|]")
    assert (score.pickup, score.bars().tolist()) == (24, [0, 24, 120, 216, 312])
    assert read("c8|d6|e8|f8|]").bars().tolist() == [0, 96, 168, 264, 360]
    assert read("c6|d10|e2|]", HEAD.replace("4/4", "none")).tracks[0].notes.onset.tolist() == [0, 72, 192]


def test_repeats_are_taken_once_and_of_endings_the_last() -> None:
    assert pitches("|:c8|1 d8:|2 e8|]f8|]") == [72, 76, 77]
    assert pitches("c8|[1 d8:|[2 e8:|[3 f8|]") == [72, 77]
    assert pitches("c8|1,3 d8:|2,4 e8|]") == [72, 76]


def test_ornaments_words_graces_chord_symbols_and_remarks_are_passed_over() -> None:
    assert heard(read('"Am"~c2 !trill!d2 {ef}.g2 +fermata+uva2|% end\nw: la la la\n[r: so] (c4 y2 Tc4)|]')) == heard(
        read("c2d2g2a2|c4c4|]")
    )


def test_voices_have_names_programs_rests_of_bars_and_a_common_bar_grid() -> None:
    body = "V:1\nG2|c8|d8|]\nV:2\n|C8-|C8|]\nV:3\nz2|Z2|]\n"
    head = (
        "X:1\nM:4/4\nL:1/8\n%%MIDI program 52\n"
        'V:1 name="Flute solo"\n%%MIDI program 73\nV:2 nm=Bass\n%%MIDI program 1 42\nV:3\nK:C\n'
    )
    score = read(body, head)
    assert [(track.name, track.program) for track in score.tracks] == [("Flute solo", 73), ("Bass", 42)]
    assert heard(score, 0) == [(0, 1, 67), (1, 4, 72), (5, 4, 74)]
    assert score.pickup == 24
    assert pitches("Z2|C8|]") == [60]
    assert heard(read("Z2|C8 & E4 G4|]")) == [(8, 2, 64), (8, 4, 60), (10, 2, 67)]


def test_drums_are_a_drum_track() -> None:
    assert read(f"%%MIDI channel 10\n{SCALE}").tracks[0].is_drum


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_bytes_are_utf_8_or_latin_1_and_lines_end_in_any_way(encoding: str, newline: str) -> None:
    text = (HEAD + SCALE).replace("Test", "Für Elise").replace("\n", newline)
    score = abc.decode(text.encode(encoding))
    assert (score.title, score.num_notes) == ("Für Elise", 16)


def test_an_empty_line_ends_the_tune() -> None:
    assert read(f"{SCALE}\nA bad Egg: add beef\n").num_notes == 16


# Files.


def book(count: int = 3) -> str:
    tunes = [f"X:{n}\nT:Tune {n}\nL:1/8\nK:C\n{'CDEFGABc'[n:]}{'cdefgabc'[:n]} c>d e4|]\n" for n in range(1, count + 1)]
    return "A book of tunes\nM:3/4\n\n" + "\n".join(tunes)


def test_a_file_loads_as_its_first_tune_and_the_head_of_the_file_holds_for_all(tmp_path: Path) -> None:
    path = tmp_path / "book.ABC"
    path.write_text(book())
    assert (load(path).title, load(path).meters[0].name) == ("Tune 1", "3/4")
    scores = [score for score in load_all(path) if isinstance(score, Score)]
    assert [score.title for score in scores] == ["Tune 1", "Tune 2", "Tune 3"]
    assert {score.meters[0].name for score in scores} == {"3/4"}


def test_a_folder_takes_every_tune_and_tells_which_ones_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "book.abc").write_text(book() + "\nX:4\nM:5/3\nK:C\nCDEFGABc|]\n\nX:5\nK:C\nCDE|]\n")
    corpus = load_folder(tmp_path)
    assert [(piece.name, piece.source) for piece in corpus.pieces] == [
        (f"Tune {n}", f"book.abc, {n}") for n in (1, 2, 3)
    ]
    assert dict(corpus.skipped) == {
        "book.abc, 4": "expected a metre such as M:6/8, got M:5/3",
        "book.abc, 5": "fewer than 8 notes",
    }


def test_abc_is_not_offered_for_writing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a\.abc: ABC is read but not written; choose \.musicxml or \.mid$"):
        save(read(SCALE), tmp_path / "a.abc")
    with pytest.raises(FileError) as caught:
        save(read(SCALE), tmp_path / "a.xyz")
    assert ".abc" not in str(caught.value)
    assert "ABC" in formats()
    assert "ABC" not in formats(to_write=True)
    assert not list(tmp_path.iterdir())


def test_reading_needs_no_other_library() -> None:
    code = (
        "import sys; sys.modules['music21'] = None\n"
        "from kapelle.files import format_of\n"
        f"assert format_of('a.abc').decode({(HEAD + SCALE).encode()!r}).num_notes == 16\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert format_of("a.abc") is abc


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "expected ABC notation"),
        ("\0\1\2", "expected ABC notation"),
        ("Dear all,\nhere is a tune", "expected ABC notation"),
        ("X:1\nK:C\n", "expected a tune with notes, got one without any"),
        (HEAD + "z8|]", "expected a tune with notes"),
        (HEAD.replace("4/4", "4/5") + SCALE, "expected a metre such as M:6/8, got M:4/5"),
        (HEAD.replace("4/4", "fast") + SCALE, "expected a metre such as M:6/8, got M:fast"),
        (HEAD.replace("1/8", "0") + SCALE, "expected a length of notes such as L:1/8, got L:0"),
        (HEAD + "C'''''''|]", "range of MIDI, 0 to 127"),
        (HEAD + "C9999999|]", "up to six digits, got 9999999"),
        (HEAD + "C999999|]", "may have 100,000 quarters"),
        (HEAD + "Z999999|C|]", "may have 100,000 quarters"),
        (HEAD + "".join(f"[V:{n}]C" for n in range(200)), "may have 128 voices"),
        (HEAD + "^" * 190_000, "expected a tune with notes"),
        (HEAD + "C" * 200_000, "may have 200,000 characters"),
    ],
)
def test_a_strange_file_is_refused_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "strange.abc"
    path.write_text(text)
    with pytest.raises(FileError, match=re.escape(line)) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
