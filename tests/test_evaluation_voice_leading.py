"""The rules of part-writing, each broken once on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.errors import KapelleError
from kapelle.evaluation import VoiceLeading, voice_leading
from kapelle.music import Notes, Score, Track
from kapelle.music.edit import transpose

QUARTER = 24

# G major to C major, as in any hymn book.
CADENCE = ((71, 67, 62, 55), (72, 67, 64, 48))


def piece(*chords: tuple[int, int, int, int]) -> Score:
    """Chords from soprano to bass, a quarter each; 0 is a rest."""
    voices = zip(*chords, strict=True)
    tracks = [
        Track(Notes.of([(at * QUARTER, QUARTER, pitch, 80) for at, pitch in enumerate(voice) if pitch]))
        for voice in voices
    ]
    return Score(QUARTER, tuple(tracks))


def breaches(*chords: tuple[int, int, int, int]) -> VoiceLeading:
    return voice_leading([piece(*chords)])


def test_a_cadence_from_the_book_breaks_no_rule() -> None:
    assert breaches(*CADENCE) == VoiceLeading(chords=2)


@pytest.mark.parametrize(
    ("chords", "broken"),
    [
        # Soprano and alto in fifths.
        (((72, 65, 60, 53), (74, 67, 59, 53)), {"parallels": 1}),
        # Soprano and bass in octaves, tenor and bass in fifths.
        (((72, 64, 55, 48), (74, 65, 57, 50)), {"parallels": 2}),
        (((84, 67, 64, 48),), {"ranges": 1}),
        (((72, 67, 64, 35), (72, 67, 64, 36)), {"ranges": 1}),
        (((67, 72, 64, 48),), {"crossings": 1}),
        # The leading note leaps up to the fifth in the soprano, and falls to it in the alto, which may.
        (((71, 65, 62, 55), (79, 64, 60, 48)), {"leading_notes": 1}),
        (((74, 71, 62, 55), (72, 67, 64, 48)), {}),
        (((74, 71, 62, 55), (72, 74, 64, 48)), {"crossings": 1}),
        # C, D, E and F on the first beat; on the second it may.
        (((77, 64, 62, 48),), {"dissonances": 1}),
        (((72, 67, 64, 48), (77, 64, 62, 48)), {}),
        # A seventh chord without its fifth, and one with it.
        (((77, 67, 59, 55),), {}),
        (((77, 62, 59, 55),), {}),
    ],
)
def test_each_breach_is_found_where_it_is_and_nowhere_else(
    chords: tuple[tuple[int, int, int, int], ...], broken: dict[str, int]
) -> None:
    assert breaches(*chords) == replace(VoiceLeading(chords=len(chords)), **broken)


def test_a_voice_that_rests_or_stays_is_in_no_parallel() -> None:
    assert breaches((72, 0, 60, 53), (74, 67, 60, 50)).parallels == 0
    assert breaches((72, 65, 60, 53), (72, 65, 60, 53)).parallels == 0


def test_a_chord_that_lasts_is_counted_once_and_a_passing_note_makes_another() -> None:
    tracks = [Track(Notes.of([(0, 4 * QUARTER, pitch, 80)])) for pitch in (67, 64, 48)]
    moving = Track(Notes.of([(at * QUARTER, QUARTER, pitch, 80) for at, pitch in enumerate((72, 74, 76, 77))]))
    assert voice_leading([Score(QUARTER, (moving, *tracks))]).chords == 4


chords = st.tuples(*(st.integers(low, high) for low, high in ((60, 74), (55, 70), (48, 65), (40, 57))))


@given(st.lists(chords, min_size=1, max_size=6), st.integers(-4, 4))
def test_all_but_the_ranges_is_the_same_in_every_key(rows: list[tuple[int, int, int, int]], semitones: int) -> None:
    here, there = breaches(*rows), voice_leading([transpose(piece(*rows), semitones)])
    assert replace(here, ranges=0) == replace(there, ranges=0)


@given(st.lists(chords, min_size=1, max_size=4), st.lists(chords, min_size=1, max_size=4))
def test_breaches_of_several_pieces_add_up(
    one: list[tuple[int, int, int, int]], other: list[tuple[int, int, int, int]]
) -> None:
    assert voice_leading([piece(*one), piece(*other)]) == breaches(*one) + breaches(*other)


def test_rates_are_of_a_hundred_chords() -> None:
    rates = VoiceLeading(chords=50, parallels=2, dissonances=1).per_hundred
    assert rates["parallels"] == pytest.approx(4)
    assert rates["dissonances"] == pytest.approx(2)
    assert not any(np.isnan(list(VoiceLeading().per_hundred.values())))


def test_a_piece_that_is_not_in_four_voices_is_refused_in_a_line() -> None:
    with pytest.raises(KapelleError, match=r"four voices.*got 1 "):
        voice_leading([Score(QUARTER, (Track(Notes.of([(0, 24, 60, 80)])),))])
