"""A choir on two staves: nothing is lost, and who sings what can be seen."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapelle.errors import FileError
from kapelle.files.musicxml import decode
from kapelle.music import Notes, Score, Track
from kapelle.rendering.sheet import Sheet

VOICES = {"Soprano": (60, 79), "Alto": (55, 74), "Tenor": (48, 67), "Bass": (40, 60)}


@st.composite
def choirs(draw: st.DrawFn) -> Score:
    """Four voices that may cross, meet and rest; every one sings at least once."""
    tracks = []
    for name, (low, high) in VOICES.items():
        lengths = draw(st.lists(st.sampled_from([12, 24, 36, 48]), min_size=1, max_size=8))
        onset, rows = draw(st.sampled_from([0, 0, 24])), []
        for length in lengths:
            rows.append((onset, length, draw(st.integers(low, high)), 80))
            onset += length
        tracks.append(Track(Notes.of(rows), 52, name=name))
    return Score(24, tuple(tracks), title="Hymn")


def sung(score: Score) -> Counter[tuple[int, int, int]]:
    unit = score.ticks_per_quarter // 24
    return Counter(
        (onset // unit, duration // unit, pitch)
        for track in score.tracks
        for onset, duration, pitch in zip(*(getattr(track.notes, x).tolist() for x in NAMES), strict=True)
    )


NAMES = ("onset", "duration", "pitch")


@given(choirs())
def test_every_note_of_the_choir_is_on_its_two_staves(score: Score) -> None:
    short = Sheet.of(score).short()
    [part] = decode(short.musicxml()).tracks
    assert sung(Score(decode(short.musicxml()).ticks_per_quarter, (part,))) == sung(short.score) == sung(score)


@given(choirs())
def test_soprano_and_alto_share_the_upper_staff_and_point_away_from_each_other(score: Score) -> None:
    tree = ElementTree.fromstring(Sheet.of(score).short().musicxml())
    assert [element.text for element in tree.iter("staves")] == ["2"]
    clefs = [(clef.findtext("sign"), clef.findtext("line")) for clef in tree.iter("clef")]
    assert clefs == [("G", "2"), ("F", "4")]
    voices: dict[str, set[str]] = {"1": set(), "2": set()}
    for note in tree.iter("note"):
        if note.find("pitch") is not None:
            voices[note.findtext("staff") or ""].add(note.findtext("voice") or "")
    assert len(voices["1"]) == len(voices["2"]) == 2
    assert not voices["1"] & voices["2"]


def test_lilypond_has_the_same_two_staves() -> None:
    tracks = [Track(Notes.of([(0, 96, low + 7, 80)]), 52, name=name) for name, (low, _) in VOICES.items()]
    text = Sheet.of(Score(24, tuple(tracks))).short().lilypond()
    assert text.count("\\new Staff") == 2
    assert text.count("\\voiceOne") == text.count("\\voiceTwo") == 2


def test_what_is_no_choir_is_refused_with_its_parts() -> None:
    score = Score(24, (Track(Notes.of([(0, 24, 60, 80)]), 40, name="Fiddle"),))
    with pytest.raises(FileError, match="soprano, alto, tenor and bass for a short score"):
        Sheet.of(score).short()
