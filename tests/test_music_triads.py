"""Chord lines: every symbol stands for one of 49 words, and what is more than a triad is told."""

from __future__ import annotations

import pytest

from kapelle.music import TRIADS, parse_chord, parse_chords, triad_name
from kapelle.music.triads import KINDS, ROOTS


def test_every_word_is_the_word_of_its_own_name() -> None:
    assert len(TRIADS) == 49
    assert [parse_chord(triad_name(word)).word for word in range(49)] == list(range(49))
    assert all(parse_chord(triad_name(word)).plain for word in range(49))


@pytest.mark.parametrize("root", range(12))
@pytest.mark.parametrize("kind", range(4))
def test_every_triad_has_the_notes_of_its_kind(root: int, kind: int) -> None:
    assert TRIADS[1 + 12 * kind + root] == {(root + step) % 12 for step in KINDS[kind]}
    spellings = (("", "maj", "M"), ("m", "min", "-"), ("aug", "+"), ("dim", "°", "o"))[kind]
    assert {parse_chord(ROOTS[root] + sign).word for sign in spellings} == {1 + 12 * kind + root}


@pytest.mark.parametrize(
    ("symbol", "triad"),
    [
        ("G7", "G"), ("Cmaj7", "C"), ("CΔ", "C"), ("Am7", "Am"), ("Dm(maj7)", "Dm"), ("F6/9", "F"), ("E9", "E"),
        ("Asus4", "A"), ("D7sus4", "D"), ("Gsus2", "G"), ("Bm7b5", "Bdim"), ("Bø", "Bdim"), ("Cdim7", "Cdim"),
        ("G7#5", "Gaug"), ("C+7", "Caug"), ("Db13", "C#"), ("E5", "E"), ("Cadd9", "C"), ("F#m11", "F#m"),
        ("Am/G", "Am"), ("C7b9", "C"), ("Cb", "B"), ("E#", "F"),
    ],
)  # fmt: skip
def test_sevenths_suspensions_and_basses_are_taken_for_their_triad(symbol: str, triad: str) -> None:
    chord = parse_chord(symbol)
    assert triad_name(chord.word) == triad
    assert chord.plain == (symbol in ("Cb", "E#"))


def test_a_line_is_read_with_any_marks_between_and_says_what_it_took_for_what() -> None:
    words, told = parse_chords(" Am | F, C7  N.C. C7|")
    assert [triad_name(word) for word in words] == ["Am", "F", "C", "N.C.", "C"]
    assert told == ["C7 as C"]


@pytest.mark.parametrize("text", ["", "|", "H", "Am Q", "Cfoo", "C/", "am", "C" + " C" * 1024])
def test_what_is_no_line_of_chords_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as error:
        parse_chords(text)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 150
