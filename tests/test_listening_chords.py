"""Several notes at once, by the network that comes along."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from kapelle import listening
from kapelle.errors import FileError, MissingExtra
from kapelle.listening import RATE, Recording, music_of, notes_of, read_recording
from kapelle.music import Notes, Score, TempoMap, Track
from kapelle.rendering.audio import to_audio
from singing import f1


def chorale(program: int = 0) -> Score:
    """Four voices in quarters, with eighths on top, at 80."""
    chords = [
        (48, 55, 64),
        (53, 60, 57),
        (55, 59, 62),
        (48, 55, 64),
        (45, 57, 60),
        (50, 57, 65),
        (55, 62, 59),
        (48, 64, 55),
    ]
    top = [72, 76, 69, 72, 74, 71, 72, 67, 69, 72, 77, 74, 74, 71, 72, 72]
    rows = [(24 * at, 22, pitch, 70) for at, chord in enumerate(chords) for pitch in chord]
    rows += [(12 * at, 11, pitch, 90) for at, pitch in enumerate(top)]
    return Score(24, (Track(Notes.of(rows), program),), TempoMap.constant(80.0))


def seconds(score: Score) -> list[tuple[float, float, int]]:
    notes = score.tracks[0].notes
    onset, end = (score.tempos.seconds(ticks, score.ticks_per_quarter) for ticks in (notes.onset, notes.end))
    return [(float(a), float(b - a), int(p)) for a, b, p in zip(onset, end, notes.pitch, strict=True)]


@pytest.fixture(scope="module")
def piano() -> Recording:
    pytest.importorskip("onnxruntime")
    return read_recording(to_audio(chorale(), ".wav"))


def test_chords_of_a_piano_are_heard_note_for_note(piano: Recording) -> None:
    heard = notes_of(piano)
    assert f1(seconds(chorale()), seconds(heard.as_played), 0.05) >= 0.9
    assert not heard.is_one_voice


def test_their_tempo_is_found_and_notes_of_a_chord_stand_together(piano: Recording) -> None:
    score = notes_of(piano).score
    pace = score.tempos.quarters_per_minute[0] / 80
    assert min(abs(pace - 1), abs(pace - 0.5), abs(pace - 2)) < 0.04
    onset = score.tracks[0].notes.onset
    assert len(np.unique(onset)) <= 18


def test_a_recording_of_several_voices_is_told_from_one_of_one(piano: Recording) -> None:
    assert music_of(piano).score.num_notes > 30


def test_overlapping_windows_leave_no_seam(piano: Recording) -> None:
    # The same music, begun later by a third of a window, is heard later by as much.
    silence = np.zeros(16 * 256 * 3, np.float32)
    later = notes_of(Recording(np.concatenate([silence, piano.samples]), RATE)).as_played
    shift = len(silence) / RATE
    moved = [(onset - shift, lasts, pitch) for onset, lasts, pitch in seconds(later)]
    assert f1(seconds(notes_of(piano).as_played), moved, 0.025) >= 0.95


@pytest.mark.parametrize("color", [0.0, 0.5])
def test_noise_has_no_notes(color: float) -> None:
    pytest.importorskip("onnxruntime")
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(0, 1, 6 * RATE))
    sound = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1) ** color)
    with pytest.raises(FileError, match="no pitch is heard"):
        notes_of(Recording(sound / np.abs(sound).max(), RATE))


def test_without_onnxruntime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"pip install 'kapelle\[listen\]'"):
        notes_of(Recording(np.sin(np.arange(RATE) / 9), RATE))


def test_the_network_is_the_one_that_its_origin_names() -> None:
    folder = Path(listening.__file__).parent / "basic_pitch"
    digest = hashlib.sha256((folder / "nmp.onnx").read_bytes()).hexdigest()
    assert digest in (folder / "ORIGIN.txt").read_text()
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "Spotify" in (folder / "NOTICE").read_text()
