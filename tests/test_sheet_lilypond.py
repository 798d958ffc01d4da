"""LilyPond source: the same music as the MusicXML, and LilyPond takes it without a word."""

from __future__ import annotations

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from kapelle.music import Key, Meter, Notes, Score, TempoMap, Track
from kapelle.rendering.sheet import Sheet, for_page, to_lilypond
from kapelle.rendering.sheet.lilydrums import drum_names
from strategies import scores

STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
NOTE = re.compile(r"(?<![\\a-z\"])([a-g])((?:is)*|(?:es)*)([,']*)(?![a-z])")


def pitch_of(step: str, accidental: str, marks: str) -> int:
    alter = len(accidental) // 2 * (1 if accidental.startswith("is") else -1)
    return 48 + STEPS[step] + alter + 12 * (marks.count("'") - marks.count(","))


@given(scores(drums=False, max_tracks=1))
def test_every_head_of_the_page_has_its_pitch(score: Score) -> None:
    ready = for_page(score)
    text = re.sub(r"\\key \w+ \\\w+|\\clef \"\w+\"", "", "\n".join(
        line for line in to_lilypond(score).splitlines() if line.endswith("|")
    ))  # fmt: skip
    heads = {pitch_of(*match) for match in NOTE.findall(re.sub(r"\\[a-zA-Z]+", "", text))}
    pitched = {pitch for track in ready.tracks for pitch in track.notes.pitch.tolist()}
    assert heads == pitched


@given(scores())
def test_braces_and_angles_are_closed(score: Score) -> None:
    text = re.sub(r'"(\\.|[^"\\])*"', "", to_lilypond(score))
    assert text.count("{") == text.count("}")
    assert len(re.findall(r"<<", text)) == len(re.findall(r">>", text))


def test_a_small_piece_reads_as_a_person_would_write_it() -> None:
    notes = Notes.of([(0, 24, 67, 80), (24, 12, 69, 80), (36, 12, 71, 80), (48, 48, 72, 80), (96, 96, 67, 80)])
    score = Score(24, (Track(notes, 40),), keys=(Key.parse("G major"),), title='The "first"')
    text = to_lilypond(score)
    assert "g'4 a'8[ b'8] c''2 |" in text
    assert "\\key g \\major \\time 4/4" in text
    assert 'title = "The \\"first\\""' in text


def test_triplets_ties_and_chords_are_written() -> None:
    triplet = [(8 * at, 8, 72, 80) for at in range(3)]
    tied = [(24, 96, 60, 80), (24, 96, 64, 80)]
    text = to_lilypond(Score(24, (Track(Notes.of(triplet + tied), 40),)))
    assert "\\tuplet 3/2 { c''8[ c''8 c''8] }" in text
    assert "<c' e'>2.~ |" in text


def test_every_drum_key_has_a_name_of_its_own_as_far_as_there_are_names() -> None:
    assert len(set(drum_names(range(27, 88)).values())) == 61
    assert drum_names([36, 38, 42]) == {36: "bassdrum", 38: "acousticsnare", 42: "closedhihat"}


def piece(seed: int) -> Score:
    """Something of everything: hands, drums, chords, triplets, a pickup, changes of metre, key and tempo."""
    rng = np.random.default_rng(seed)

    def part(low: int, high: int, step: int) -> Notes:
        onsets = np.cumsum(rng.choice([step, step, 2 * step, 8], 60)).tolist()
        return Notes.of(
            (at, int(rng.choice([step, 24, 30])), int(rng.integers(low, high)), int(rng.integers(30, 110)))
            for at in onsets
        )

    return Score(
        24,
        (
            Track(part(40, 84, 12)),
            Track(part(60, 84, 24), 40),
            Track(part(28, 48, 12), 33),
            Track(part(22, 82, 12), is_drum=True),
        ),
        TempoMap(np.array([0, 300]), np.array([96.0, 60.0])),
        (Meter(0, 3, 4), Meter(24 + 72 * 4 + 24, 6, 8), Meter(24 + 72 * 8, 5, 4)),
        (Key.parse("D minor"), Key.parse("F# major", 24 + 72 * 2)),
        pickup=24,
        title="Alles mögliche",
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("lilypond") is None, reason="needs LilyPond")
@pytest.mark.parametrize("seed", range(2))
def test_lilypond_compiles_it_without_error_or_warning(seed: int, tmp_path: Path) -> None:
    sheet = Sheet.of(piece(seed))
    for number, each in enumerate((sheet, sheet.parts[seed])):
        file = tmp_path / f"piece-{number}.ly"
        file.write_text(each.lilypond(), "utf-8")
        run = ["lilypond", "--loglevel=WARNING", "-o", str(tmp_path / f"piece-{number}"), str(file)]
        done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


def test_bars_of_a_page_have_the_lengths_of_the_score() -> None:
    score = for_page(piece(0))
    lengths = np.diff(score.bars()).tolist()
    text = to_lilypond(piece(0))
    sizes = [Fraction(size) for size in re.findall(r"measureLength = #\(ly:make-moment (\d+/\d+)\)", text)]
    assert all(Fraction(length, 96) in {Fraction(3, 4), Fraction(5, 4), Fraction(1, 4), *sizes} for length in lengths)


def test_fermatas_are_written() -> None:
    score = Score(24, (Track(Notes.of([(0, 96, 72, 80), (96, 96, 74, 80)]), 52),), fermatas=(96,))
    assert to_lilypond(score).count("\\fermata") == 1
