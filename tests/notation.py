"""A small piece, and what music21 reads in a document: what several tests of notation share."""

from __future__ import annotations

import warnings
from collections import Counter
from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest

from kapelle.music import Key, Meter, Notes, Score, TempoMap, Track


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
