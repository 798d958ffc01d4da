"""The readable text form: exact both ways, and clear about what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.errors import FileError, KapelleError
from kapelle.files.text import decode, encode
from kapelle.music import Key, Meter, Notes, Score, Spans, TempoMap, Track
from strategies import scores

GOLDEN = Path(__file__).parent / "golden"

EXAMPLE = Score(
    24,
    (
        Track(
            Notes.of([(0, 12, 76, 80), (12, 12, 75, 80), (24, 12, 76, 80), (24, 36, 45, 60), (52, 3, 70, 50)]),
            name='Right "hand"',
            pedal=Spans([24], [30]),
        ),
        Track(Notes.of([(24, 6, 36, 100), (42, 6, 38, 90)]), is_drum=True, name=""),
        Track(Notes.of([]), program=40, name="Silent"),
    ),
    TempoMap([0, 60], [120.0, 66.6]),
    (Meter(0, 3, 8), Meter(60, 4, 4)),
    (Key.parse("A minor"), Key.parse("Bb major", 50)),
    pickup=24,
    title="Für Elise\n(sketch)",
)


@given(scores())
def test_what_is_written_is_read_back_exactly(score: Score) -> None:
    assert decode(encode(score)) == score


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_every_key_comes_back(tonic: int, mode: str) -> None:
    score = Score(24, keys=(Key(0, tonic, mode),))
    assert decode(encode(score)) == score


@pytest.mark.parametrize("title", ["\ud800", "a\u2028b\x85c", "# no comment", '\\"\r\n\t\0'])
def test_titles_may_hold_anything(title: str) -> None:
    score = Score(24, (Track(Notes.of([(0, 1, 60, 1)]), name=title),), title=title)
    assert decode(encode(score)) == score


def test_a_score_of_a_million_bars_and_more_is_written_without_bars() -> None:
    score = Score(1, (Track(Notes.of([(2**40 - 1, 1, 60, 1)])),))
    assert decode(encode(score)) == score


def test_the_text_looks_like_this() -> None:
    assert encode(EXAMPLE).decode() == (GOLDEN / "example.txt").read_text(encoding="utf-8")


def test_windows_line_ends_blank_lines_and_comments_do_no_harm() -> None:
    text = encode(EXAMPLE).decode().replace("\n", "\r\n\r\n")
    assert decode(b"\xef\xbb\xbf" + text.encode()) == EXAMPLE


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("note      0    12  76  80", "note 0 12 76", "line 13: expected onset, duration, pitch and velocity .* got 3"),
        ("note      0    12  76  80", "note 0 12 128 80", "line 13: note pitch must be 0..127, got 128"),
        ("note      0    12  76  80", "note 0 12 x 80", "line 13: .*'x'"),
        ("note      0    12  76  80", f"note 0 {9**99} 76 80", "line 13: "),
        ("note      0    12  76  80", "knote 0 12 76 80", "line 13: expected note, pedal, .* got 'knote'"),
        ("meter 60 4/4", "meter 60 4/5", "line 8: expected a metre such as"),
        ("meter 60 4/4", "meter 60", "line 8: expected something like '0 4/4'"),
        ("key 0 A minor", "key 0 H minor", "line 9: expected a key in major or minor"),
        ("tempo 0 120.0", "tempo 1 120.0", "do not fit together: tempo onsets must start at 0"),
        ("tempo 0 120.0\ntempo 60 66.6\n", "", "do not fit together: a tempo map"),
        ("track program 0", "track program 200", "line 12: track program must be 0..127, got 200"),
        ('"Right \\"hand\\""', "Right hand", "line 12: expected text in double quotes"),
        ("pedal    24    30", "pedal 24 0", "line 12: span duration"),
        ("pickup 24", "pickup 99", "a pickup must be shorter"),
        ("pickup 24", "note 0 1 60 1", "line 4: expected a line 'track' before the first note"),
        ("Kapelle score", "Other score", "starts with 'Kapelle score"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, line: str) -> None:
    text = encode(EXAMPLE).decode()
    assert old in text
    with pytest.raises(FileError, match=line):
        decode(text.replace(old, new, 1).encode())


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_give_a_score_or_an_error(body: bytes) -> None:
    for data in (body, b"Kapelle score, form 1\n" + body, encode(EXAMPLE)[:200] + body):
        message = ""
        try:
            decode(data)
        except KapelleError as error:
            message = str(error)
        assert "\n" not in message
