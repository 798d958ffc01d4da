"""`kapelle play`: through a player program of the system, or a MIDI port."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import FileError, MissingExtra, WishError
from .opening import open_music
from .output import clock, plain, shown
from .rendering import open_soundfont

if TYPE_CHECKING:
    from ..music import Score

PLAYERS: tuple[tuple[str, ...], ...] = (
    ("afplay", "{}"),
    ("pw-play", "{}"),
    ("paplay", "{}"),
    ("aplay", "-q", "{}"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "{}"),
    ("powershell", "-NoProfile", "-Command", "(New-Object Media.SoundPlayer '{}').PlaySync()"),
)
"""Programs that play a WAV file and end with it: of macOS, of Linux with PipeWire, PulseAudio or ALSA, of FFmpeg, of
Windows. The first that is there is taken, and the next if it fails."""

_SILENT = "midi through"
"""A port that Linux always has, and that leads nowhere by itself."""

Event = tuple[float, list[int]]


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@click.option("--soundfont", type=click.Path(path_type=Path), metavar="FILE", help="An .sf2 or .sf3 bank of sounds.")
@click.option("--port", metavar="NAME", help="Play through the MIDI port of this name, or part of one.")
def play(music: Path, soundfont: Path | None, port: str | None) -> None:
    """Play the file MUSIC through the system's audio, or with --port to a MIDI instrument. Ctrl-C stops it.

    \b
    kapelle play folk-7.mid
    kapelle play folk-7.mid --port "FLUID Synth"
    """
    if port is not None and soundfont is not None:
        raise WishError("expected --port or --soundfont, got both: what listens at a MIDI port has sounds of its own")
    score = open_music(music)
    if not score.num_notes:
        raise FileError(f"{shown(music)}: expected notes to play, got none")
    bank = None if soundfont is None else open_soundfont(soundfont)
    players = [] if port is not None else [player for player in PLAYERS if shutil.which(player[0])]
    if players:
        failure = play_aloud(score, bank, players, shown(music))
        if not failure:
            return
    else:
        failure = "there is no program that plays sound, such as afplay, pw-play, aplay or ffplay"
    output, name = open_port(port, failure)
    try:
        click.echo(f"{shown(music)}, {clock(score.seconds)}, to the MIDI port {plain(name)}; Ctrl-C stops it")
        perform(events_of(score), output.send_message)
    finally:
        output.close_port()


def play_aloud(score: Score, bank: Any, players: list[tuple[str, ...]], name: str) -> str:
    """Play through the first program that can; why the last of them could not, if none can."""
    from ..rendering.audio import to_audio

    failure = ""
    with tempfile.TemporaryDirectory(prefix="kapelle-") as folder:
        wav = Path(folder, "sound.wav")
        wav.write_bytes(to_audio(score, ".wav", bank))
        for program, *options in players:
            click.echo(f"{name}, {clock(score.seconds)}, through {program}; Ctrl-C stops it")
            command = [program, *(option.replace("{}", str(wav)) for option in options)]
            start = time.monotonic()
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
            except OSError as error:
                failure = f"{program} failed: {plain(str(error))}"
                continue
            said = plain(done.stderr.decode("utf-8", "replace"))[:100]
            # ffplay finds no loudspeaker, says so, ends at once, and calls that success.
            if not done.returncode and not (said and time.monotonic() - start < score.seconds / 2):
                return ""
            failure = f"{program} failed with code {done.returncode}" + (f": {said}" if said else "")
    return failure


def open_port(wanted: str | None, failure: str) -> tuple[Any, str]:
    """A MIDI output that is open, and its name.

    Args:
        wanted: its name or a part of it; None for any that leads somewhere.
        failure: why a port is looked for, where none is wanted by name.

    Raises:
        MissingExtra: if a port is wanted and python-rtmidi is not installed.
        FileError: if there is no such port, or it cannot be opened.
    """
    otherwise = f"{failure}, nor a MIDI port; make a file to play elsewhere: kapelle render"
    try:
        import rtmidi
    except ImportError:
        if wanted is None:
            raise FileError(otherwise) from None
        raise MissingExtra("a MIDI port", "play") from None
    try:
        with _quiet():
            output = rtmidi.MidiOut()
        names = [str(name) for name in output.get_ports()]
        fitting = [
            number
            for number, name in enumerate(names)
            if (wanted.casefold() in name.casefold() if wanted is not None else _SILENT not in name.casefold())
        ]
        if fitting:
            output.open_port(fitting[0])
            return output, names[fitting[0]]
    except Exception as error:
        # Without a sound card rtmidi raises SystemError, without drivers errors of its own.
        if wanted is None:
            raise FileError(otherwise) from None
        raise FileError(f"the MIDI port cannot be opened: {plain(str(error))}") from None
    if wanted is None:
        raise FileError(otherwise)
    known = f"there are {', '.join(map(plain, names))}" if names else "there is none at all"
    raise FileError(f"there is no MIDI port with {wanted!r} in its name; {known}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep off the terminal what a library in C says of a missing sound card: it is told in our own line."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def events_of(score: Score) -> list[Event]:
    """What is sent, in order: seconds from the start, and a MIDI message.

    Each track has a channel, drums the tenth. Beyond fifteen the tracks share channels, those of one program first.
    """
    import numpy as np

    events: list[tuple[float, int, list[int]]] = []
    for track, channel in zip(score.tracks, _channels(score), strict=True):
        if not len(track.notes):
            continue

        def seconds(ticks: Any) -> list[float]:
            times: list[float] = np.atleast_1d(score.tempos.seconds(ticks, score.ticks_per_quarter)).tolist()
            return times

        notes, pedal = track.notes, track.pedal
        if not track.is_drum:
            events.append((0.0, 0, [0xC0 | channel, track.program]))
        events += [(at, 3, [0xB0 | channel, 64, 127]) for at in seconds(pedal.onset)]
        events += [(at, 2, [0xB0 | channel, 64, 0]) for at in seconds(pedal.end)]
        pitches = notes.pitch.tolist()
        events += [(at, 1, [0x80 | channel, pitch, 64]) for at, pitch in zip(seconds(notes.end), pitches, strict=True)]
        rows = zip(seconds(notes.onset), pitches, notes.velocity.tolist(), strict=True)
        events += [(at, 4, [0x90 | channel, pitch, velocity]) for at, pitch, velocity in rows]
    # What ends at a time ends before something starts.
    events.sort(key=lambda event: event[:2])
    return [(at, message) for at, _, message in events]


def _channels(score: Score) -> list[int]:
    free = [channel for channel in range(16) if channel != 9]
    melodic = [track for track in score.tracks if not track.is_drum]
    crowded = len(melodic) > len(free)
    seats: dict[int, int] = {}
    channels = []
    for number, track in enumerate(score.tracks):
        seat = 0 if track.is_drum else seats.setdefault(track.program if crowded else -1 - number, len(seats))
        channels.append(9 if track.is_drum else free[seat % len(free)])
    return channels


def perform(
    events: list[Event],
    send: Callable[[list[int]], None],
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    start: float | None = None,
) -> None:
    """Send each message at its time from the start, or from now, and silence everything at the end, however it comes
    about.
    """
    try:
        start = now() if start is None else start
        for at, message in events:
            while (wait := start + at - now()) > 0:
                # Woken a little early, since a long sleep may last too long by more than a short one.
                sleep(wait if wait < 0.002 else min(wait - 0.001, 0.5))
            send(message)
    finally:
        for channel in range(16):
            for controller in (64, 123, 120):
                send([0xB0 | channel, controller, 0])
