"""`kapelle listen`, and `kapelle train --listen`, as typed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kapelle import load, load_style
from kapelle.corpora import get
from kapelle.errors import CorpusError
from singing import RATE, sung
from terminal import Terminal


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """An empty folder to type commands in."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    return Terminal(None, tmp_path / "home", capsys)


def hum(name: str, seed: int = 0, count: int = 12) -> list[int]:
    """A recording of somebody humming; the pitches come back."""
    rng = np.random.default_rng(seed)
    pitches = [60 + (0, 2, 4, 5, 7, 9, 11)[step] for step in rng.integers(0, 7, count)]
    rows = [(0.3 + 0.5 * at, 0.45, pitch) for at, pitch in enumerate(pitches)]
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(name, sung(rows, rng), RATE)
    return pitches


def test_a_recording_becomes_a_file_of_music(desk: Terminal) -> None:
    pitches = hum("hum.wav")
    said = desk.run("listen hum.wav --to tunes/tune.mid")
    lines = [line.split()[0] for line in said.out.splitlines()]
    assert lines == ["heard", "tuning", "tempo", "metre", "key", "tunes/tune.mid"]
    assert "sure" in said.out
    assert said.err == ""
    score = load("tunes/tune.mid")
    assert score.tracks[0].notes.pitch.tolist() == pitches
    assert score.title == "hum"


def test_it_lies_beside_the_recording_if_nothing_else_is_said_and_replaces_nothing(desk: Terminal) -> None:
    hum("hum.flac")
    assert desk.run("listen hum.flac").out.splitlines()[-1] == "hum.mid"
    desk.refuses("listen hum.flac", r"hum\.mid: exists already; choose another name, or replace it with --force")
    desk.run("listen hum.flac --force --tempo 60 --meter 4/4")
    assert load("hum.mid").meters[0].name == "4/4"


def test_a_recording_can_be_kept_as_it_was_played(desk: Terminal) -> None:
    hum("hum.wav")
    said = desk.run("listen hum.wav --as-played --to played.mid")
    assert "tempo" not in said.out
    onset = load("played.mid").tempos.seconds(load("played.mid").tracks[0].notes.onset, 500)
    assert np.abs(onset - (0.3 + 0.5 * np.arange(12))).max() < 0.1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("listen none.wav", r"none\.wav: cannot be read: no such file"),
        ("listen .", r"expected one recording, got a folder"),
        ("listen text.wav", r"text\.wav: expected a recording that can be played"),
        ("listen silence.wav", r"silence\.wav: expected a recording with sound, got 1\.0 seconds of silence"),
        ("listen empty.wav", r"empty\.wav: expected a recording, but the file is empty"),
        (
            "listen hum.wav --to tune.xyz",
            r"tune\.xyz: expected a file name that ends in .*\.mid, .*got the suffix \.xyz",
        ),
        ("listen hum.wav --to tune", r"tune: expected a file name that ends in .*got no suffix"),
        ("listen hum.wav --to hum.wav", r"hum\.wav: exists already"),
        ("listen hum.wav --meter 5/4", r"metre to listen for to be one of 2/4, .*got 5/4"),
        ("listen hum.wav --tempo 1000", r"20 to 300 beats a minute, got 1000"),
        ("listen hum.wav --tempo fast", r"expected --tempo .*got 'fast'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line_and_leaves_no_file(desk: Terminal, words: str, expected: str) -> None:
    hum("hum.wav", count=4)
    Path("text.wav").write_text("not a sound")
    soundfile.write("silence.wav", np.zeros(8000), 8000)
    soundfile.write("empty.wav", np.zeros(0), 8000)
    before = desk.files()
    desk.refuses(words, expected)
    assert desk.files() == before


def test_a_pipe_is_not_waited_for(desk: Terminal) -> None:
    os.mkfifo("pipe.wav")
    desk.refuses("listen pipe.wav", r"expected one recording, got a device or a pipe")


def test_several_notes_at_once_are_pointed_out(desk: Terminal) -> None:
    time = np.arange(3 * RATE) / RATE
    sound = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277.2, 329.6)) * np.minimum(1, 8 * (time % 1))
    soundfile.write("chord.wav", 0.3 * sound, RATE)
    said = desk.run_any("listen chord.wav")
    assert "several notes seem to sound at once: --polyphonic listens for them" in said.err


# -- recordings as a corpus -----------------------------------------------------------------------


def test_a_folder_of_recordings_is_a_corpus_and_what_gives_no_notes_is_left_out(desk: Terminal) -> None:
    for seed in range(2):
        hum(f"songs/more/song {seed}.ogg", seed)
    hum("songs/short.wav", 5, 3)
    soundfile.write("songs/silence.wav", np.zeros(8000), 8000)
    Path("songs/broken.mp3").write_bytes(b"\xff\xfb" * 50)
    Path("songs/notes.txt").write_text("not a recording")
    corpus = get("recordings").load(Path("songs"))
    assert sorted(piece.name for piece in corpus.pieces) == ["song 0", "song 1"]
    reasons = dict(corpus.skipped)
    assert sorted(reasons) == ["broken.mp3", "short.wav", "silence.wav"]
    assert reasons["short.wav"] == "fewer than 8 notes were heard"
    assert "silence" in reasons["silence.wav"]


def test_a_folder_without_recordings_is_refused(desk: Terminal) -> None:
    Path("empty").mkdir()
    with pytest.raises(CorpusError, match=r"expected recordings .* found none"):
        get("recordings").load(Path("empty"))
    with pytest.raises(CorpusError, match="there is no nothing"):
        get("recordings").load(Path("nothing"))
    soundfile.write("empty/silence.wav", np.zeros(8000), 8000)
    with pytest.raises(CorpusError, match=r"none was heard: .*silence"):
        get("recordings").load(Path("empty"))


@pytest.mark.slow
def test_a_style_is_learnt_from_recordings_and_composes(desk: Terminal) -> None:
    pytest.importorskip("torch")
    for seed in range(3):
        hum(f"live/song {seed}.wav", seed, 20)
    soundfile.write("live/silence.wav", np.zeros(8000), 8000)
    said = desk.run("train live --listen --name live --minutes 0.3 --epochs 1 --threads 1 --network textbook")
    assert "silence.wav: expected a recording with sound" in said.out
    assert "read 3 pieces, " in said.out
    assert load_style("live").compose(bars=2, seed=1).num_notes > 0
    desk.refuses("train live --listen --corpus folk --name other", r"--listen or --corpus folk, got both")
    desk.refuses("train live --name other", r"recordings are learnt from with --listen")
