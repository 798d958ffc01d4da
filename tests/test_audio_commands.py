"""`kapelle render` and `kapelle play`, as typed, with players and ports that only seem to be there."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kapelle import save
from kapelle.cli import playing
from kapelle.cli.playing import events_of, perform
from kapelle.cli.rendering import LARGEST_SOUNDFONT
from kapelle.errors import FileError
from kapelle.music import Notes, Score, Spans, TempoMap, Track
from sf2_bytes import soundfont
from terminal import Terminal

soundfile = pytest.importorskip("soundfile")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Commands in a folder with a short piece of two tracks, riff.mid; no program is on the PATH."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    violin = Track(Notes.of([(0, 12, 69, 90), (12, 12, 72, 90)]), program=40, name="Fiddle")
    bass = Track(Notes.of([(0, 24, 45, 90)]), program=32)
    save(Score(24, (violin, bass), tempos=TempoMap.constant(60), title="Riff"), "riff.mid")
    return Terminal(None, tmp_path / "home", capsys)


def add_program(name: str, body: str) -> None:
    """A program on the PATH: a script in Python."""
    path = Path(os.environ["PATH"], name)
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n{body}\n", "utf-8")
    path.chmod(0o755)


def sound_of(name: str) -> np.ndarray:
    frames: np.ndarray = soundfile.read(io.BytesIO(Path(name).read_bytes()), always_2d=True)[0]
    return frames


# -- render ---------------------------------------------------------------------------------------


def test_a_piece_becomes_a_wav_beside_it(desk: Terminal) -> None:
    said = desk.run("render riff.mid")
    assert said.out.splitlines() == ["riff.wav", "    2 tracks, 0:01"]
    assert 0.85 < np.abs(sound_of("riff.wav")).max() < 0.9


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_the_suffix_says_what_kind_of_file_it_is(desk: Terminal, suffix: str) -> None:
    desk.run(f"render riff.mid --to sounds/Riff.{suffix.upper()}")
    with soundfile.SoundFile(f"sounds/Riff.{suffix.upper()}") as file:
        assert file.title == "Riff"
        coding = {"ogg": "VORBIS", "opus": "OPUS", "mp3": "MPEG_LAYER_III"}
        assert file.subtype == coding.get(suffix, "PCM_16")


def test_stems_are_named_after_number_and_name_and_add_up(desk: Terminal) -> None:
    said = desk.run("render riff.mid --to song.wav --stems")
    names = ["song.wav", "song-1-fiddle.wav", "song-2-acoustic-bass.wav"]
    assert said.out.splitlines()[:3] == names
    whole, fiddle, bass = map(sound_of, names)
    assert np.abs(fiddle + bass - whole).max() < 3 / 32768


def test_a_soundfont_of_ones_own_is_played_and_what_it_lacks_is_told(desk: Terminal) -> None:
    Path("my.sf2").write_bytes(soundfont())
    said = desk.run("render riff.mid --soundfont my.sf2")
    assert "the soundfont has not program 40 (Violin): bank 0, program 0 plays it" in said.err
    assert np.abs(sound_of("riff.wav")).max() > 0.8


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("render riff.mid --to riff.aac", r"riff\.aac: expected --to to end in \.wav, \.flac, \.ogg, \.opus, \.mp3"),
        ("render riff.mid --to riff", "expected --to to end in"),
        ("render nothing.mid", r"nothing\.mid: cannot be read"),
        ("render riff.mid --soundfont riff.mid", r"riff\.mid: expected a soundfont"),
        ("render riff.mid --soundfont none.sf2", r"none\.sf2: expected a soundfont.*got nothing"),
        ("render riff.mid --soundfont .", "got a folder"),
        ("render riff.mid --soundfont huge.sf2", "at most 1,024 MB, got 1,025 MB"),
        ("render riff.mid --soundfont cut.sf2", r"cut\.sf2: expected"),
        ("render empty.mid", "expected a score with notes to play"),
        ("render riff.mid --engine fluidsynth", "needs the program fluidsynth"),
        ("render riff.mid --engine fluidsynth --stems", "got both"),
        ("render riff.mid --engine timidity", "timidity"),
        ("render riff.mid --to riff.mid/riff.wav", "expected a folder"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line_and_leaves_nothing(desk: Terminal, words: str, expected: str) -> None:
    save(Score(24), "empty.mid")
    Path("cut.sf2").write_bytes(soundfont()[:4800])
    with open("huge.sf2", "wb") as file:
        file.truncate(LARGEST_SOUNDFONT + 2**20)
    before = desk.files()
    desk.refuses(words, expected)
    assert desk.files() == before


def test_no_file_is_replaced_unless_it_is_said(desk: Terminal) -> None:
    Path("song-2-acoustic-bass.wav").write_bytes(b"mine")
    desk.refuses("render riff.mid --to song.wav --stems", r"song-2-acoustic-bass\.wav: exists.*replace it with --force")
    assert desk.files() == ["riff.mid", "song-2-acoustic-bass.wav"]
    desk.run("render riff.mid --to song.wav --stems --force")
    assert len(sound_of("song-2-acoustic-bass.wav"))


def test_a_full_disk_leaves_no_file(desk: Terminal) -> None:
    said = desk.separately("render riff.mid --to song.wav --stems", most_bytes=100_000)
    assert said.is_refusal
    assert desk.files() == ["riff.mid"]


def test_a_stem_that_cannot_be_written_takes_the_others_with_it(
    desk: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Path, data: bytes, force: bool) -> None:
        if "bass" in path.name:
            raise FileError(f"{path}: cannot be written: no space left on device")
        path.write_bytes(data)

    monkeypatch.setattr("kapelle.files.write_atomically", write)
    desk.refuses("render riff.mid --stems", "no space left")
    assert desk.files() == ["riff.mid"]


def test_a_piece_that_is_too_long_for_a_wav_is_told_what_holds_it(desk: Terminal) -> None:
    save(Score(24, (Track(Notes.of([(0, 24 * 8000, 60, 80)])),), tempos=TempoMap.constant(60)), "long.mid")
    desk.refuses("render long.mid", r"\.wav files hold at most 120 minutes, got 133; \.mp3, \.ogg and \.opus hold six")


# -- FluidSynth -----------------------------------------------------------------------------------

FLUIDSYNTH = """
import struct
words = sys.argv[1:]
assert Path(words[-1]).read_bytes()[:4] == b"MThd" and Path(words[-2]).read_bytes()[:4] == b"RIFF"
data = struct.pack("<8f", 0, 0, 0.1, -0.1, 0.2, -0.2, 0, 0) * 1000
rate = int(words[words.index("-r") + 1])
head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 2, rate, rate * 8, 8, 32) + b"data" + struct.pack("<I", len(data))
Path(words[words.index("-F") + 1]).write_bytes(b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data)
"""


def test_fluidsynth_plays_where_it_is_asked_for(desk: Terminal) -> None:
    add_program("fluidsynth", FLUIDSYNTH)
    desk.run("render riff.mid --engine fluidsynth")
    sound = sound_of("riff.wav")
    assert sound.shape == (4000, 2)
    assert np.abs(sound).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("print('no room', file=sys.stderr); sys.exit(3)", "fluidsynth failed with code 3: no room"),
        ("", "fluidsynth failed with code 0: it says nothing more"),
    ],
)
def test_a_fluidsynth_that_fails_is_told_in_one_line(desk: Terminal, body: str, expected: str) -> None:
    add_program("fluidsynth", body)
    desk.refuses("render riff.mid --engine fluidsynth", expected)
    assert desk.files() == ["riff.mid"]


# -- play -----------------------------------------------------------------------------------------


class Port:
    """What python-rtmidi gives, as far as it is used."""

    names: Sequence[str] = ("Midi Through:0", "FLUID Synth (1)", "Piano")
    fault: Exception | None = None
    opened: str | None = None
    closed = False
    sent: list[tuple[float, list[int]]]

    def __init__(self) -> None:
        Port.sent = []
        Port.closed = False
        if self.fault is not None:
            raise self.fault

    def get_ports(self) -> list[str]:
        return list(self.names)

    def open_port(self, number: int) -> None:
        Port.opened = self.names[number]

    def send_message(self, message: list[int]) -> None:
        self.sent.append((time.perf_counter(), message))

    def close_port(self) -> None:
        Port.closed = True


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> type[Port]:
    monkeypatch.setitem(sys.modules, "rtmidi", SimpleNamespace(MidiOut=Port))  # type: ignore[arg-type]
    for name, value in (("names", Port.names), ("fault", None), ("opened", None)):
        monkeypatch.setattr(Port, name, value)
    return Port


def test_the_first_player_that_is_there_gets_a_wav_which_is_gone_afterwards(desk: Terminal) -> None:
    add_program("aplay", "Path('heard').write_bytes(Path(sys.argv[-1]).read_bytes()); print(sys.argv[-1])")
    add_program("ffplay", "Path('wrong').touch()")
    said = desk.run("play riff.mid")
    assert said.out == "riff.mid, 0:01, through aplay; Ctrl-C stops it\n"
    assert desk.files() == ["heard", "riff.mid"]
    assert len(sound_of("heard")) > 40_000


def test_a_player_that_fails_gives_way_to_the_next(desk: Terminal) -> None:
    add_program("paplay", "sys.exit(1)")
    add_program("ffplay", "Path('heard').touch()")
    Path("my.sf2").write_bytes(soundfont())
    said = desk.run("play riff.mid --soundfont my.sf2")
    assert [line.split()[-4] for line in said.out.splitlines()] == ["paplay;", "ffplay;"]
    assert "heard" in desk.files()


def test_a_player_that_complains_and_ends_at_once_has_not_played(desk: Terminal, ports: type[Port]) -> None:
    add_program("ffplay", "print('no card', file=sys.stderr)")
    ports.names = ()
    desk.refuses("play riff.mid", "ffplay failed with code 0: no card, nor a MIDI port; make a file.*kapelle render")


def test_without_a_player_the_first_port_that_leads_somewhere_is_played(desk: Terminal, ports: type[Port]) -> None:
    said = desk.run("play riff.mid")
    assert ports.opened == "FLUID Synth (1)"
    assert said.out == "riff.mid, 0:01, to the MIDI port FLUID Synth (1); Ctrl-C stops it\n"
    played = [message for _, message in ports.sent if message[0] & 0xF0 == 0x90]
    assert sorted(message[1] for message in played) == [45, 69, 72]
    assert ports.closed


def test_a_port_is_found_by_a_part_of_its_name_and_a_wrong_one_lists_them(desk: Terminal, ports: type[Port]) -> None:
    add_program("aplay", "sys.exit('not asked for')")
    desk.run("play riff.mid --port piano")
    assert ports.opened == "Piano"
    desk.refuses("play riff.mid --port organ", "no MIDI port with 'organ' in its name; there are Midi Through:0, FLUID")
    ports.names = ()
    desk.refuses("play riff.mid --port organ", "there is none at all")


@pytest.mark.parametrize("fault", [SystemError("no ALSA"), RuntimeError("no ALSA"), ValueError("no ALSA")])
def test_whatever_a_port_raises_is_told_in_one_line(desk: Terminal, ports: type[Port], fault: Exception) -> None:
    ports.fault = fault
    desk.refuses("play riff.mid --port piano", "the MIDI port cannot be opened: no ALSA")
    desk.refuses("play riff.mid", "there is no program that plays sound.*nor a MIDI port; make a file")


def test_without_rtmidi_a_port_needs_its_extra(desk: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)  # type: ignore[arg-type]
    desk.refuses("play riff.mid --port piano", r"needs the extra 'play'")
    desk.refuses("play riff.mid", "nor a MIDI port")


def test_what_cannot_be_played_is_told(desk: Terminal) -> None:
    save(Score(24), "empty.mid")
    desk.refuses("play empty.mid", "expected notes to play")
    desk.refuses("play riff.mid --port piano --soundfont my.sf2", "got both")


# -- in time --------------------------------------------------------------------------------------

PIECE = Score(
    24,
    (
        Track(Notes.of([(0, 24, 60, 80), (24, 24, 60, 90)]), program=5, pedal=Spans(np.array([12]), np.array([24]))),
        Track(Notes.of([(24, 12, 38, 100)]), is_drum=True),
    ),
    tempos=TempoMap(np.array([0, 24]), np.array([60.0, 120.0])),
)


def test_each_message_has_its_time_and_what_ends_goes_before_what_starts() -> None:
    events = events_of(PIECE)
    assert [at for at, _ in events] == sorted(at for at, _ in events)
    assert events[0] == (0.0, [0xC0, 5])
    assert [message for at, message in events if at == 1.0] == [[0x80, 60, 64], [0x90, 60, 90], [0x99, 38, 100]]
    assert [at for at, message in events if message[:2] == [0xB0, 64]] == [0.5, 1.25]


def test_more_tracks_than_channels_share_those_of_their_program() -> None:
    tracks = [Track(Notes.of([(0, 24, 60, 80)]), program=number % 10) for number in range(60)]
    programs: dict[int, int] = {}
    for _, message in events_of(Score(24, tuple(tracks))):
        if message[0] & 0xF0 == 0xC0:
            assert programs.setdefault(message[0] & 15, message[1]) == message[1]
    assert len(programs) == 10
    assert 9 not in programs


class Clock:
    """Time that passes only while one sleeps, and each time a little longer than asked."""

    def __init__(self, late: float = 0.0) -> None:
        self.at, self.late = 100.0, late

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.at += seconds + self.late


def test_messages_are_sent_when_they_are_due() -> None:
    clock = Clock(late=0.0005)
    sent: list[tuple[float, list[int]]] = []
    events = events_of(PIECE)
    perform(events, lambda message: sent.append((clock.at - 100, message)), clock.now, clock.sleep)
    for (due, message), (at, same) in zip(events, sent, strict=False):
        assert same == message
        assert due <= at <= due + 0.0006
    silent = [message for _, message in sent[len(events) :]]
    assert {message[0] & 15 for message in silent if message[1] == 123} == set(range(16))


def test_ctrl_c_silences_every_note(desk: Terminal, ports: type[Port], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(events: Any, send: Any) -> None:
        clock = Clock()

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            if clock.at > 100.2:
                raise KeyboardInterrupt

        perform(events, send, clock.now, sleep)

    monkeypatch.setattr(playing, "perform", interrupted)
    said = desk.run_any("play riff.mid")
    assert said.code == 130
    last = [message for _, message in ports.sent[-48:]]
    assert {(message[0], message[1]) for message in last} == {
        (0xB0 | channel, controller) for channel in range(16) for controller in (64, 120, 123)
    }
    assert ports.closed
