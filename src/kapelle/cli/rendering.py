"""`kapelle render`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import FileError, WishError
from .opening import open_music
from .output import clock, count, plain, shown
from .writing import check_folder, check_free, write_all

if TYPE_CHECKING:
    from ..music import Score
    from ..rendering.audio import SoundFont

LARGEST_SOUNDFONT = 2**30
"""Bytes; the largest banks that are passed around have half of it."""

LONG = 600
"""Seconds of music from which on the user is told how long it will be."""


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ends in .wav, .flac, .ogg, .opus or .mp3.  [beside the music, .wav]",
)
@click.option("--soundfont", type=click.Path(path_type=Path), metavar="FILE", help="An .sf2 or .sf3 bank of sounds.")
@click.option("--stems", is_flag=True, help="One more file for each track, named after its number and name.")
@click.option(
    "--engine",
    type=click.Choice(["kapelle", "fluidsynth"]),
    default="kapelle",
    help="What plays: kapelle, or FluidSynth where it is installed.  [kapelle]",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
def render(music: Path, to: Path | None, soundfont: Path | None, stems: bool, engine: str, force: bool) -> None:
    """Make sound of the file MUSIC.

    \b
    kapelle render folk-7.mid --to folk-7.mp3
    kapelle render song.mid --soundfont my.sf2 --stems
    """
    from ..rendering.audio import SUFFIXES, stem_names

    target = to or music.with_suffix(".wav")
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(f"{shown(target)}: expected --to to end in {', '.join(SUFFIXES)}")
    if stems and engine == "fluidsynth":
        raise WishError("expected --stems or --engine fluidsynth, got both: the stems are Kapelle's own to play")
    check_folder(target.parent)
    score = open_music(music)
    names = stem_names(score) if stems else {}
    paths = [target, *(target.with_stem(f"{target.stem}-{name}") for name in names.values())]
    if not force:
        check_free(*paths)
    bank = None if soundfont is None else open_soundfont(soundfont)
    score = score if score.title else score.replace(title=plain(music.stem))
    seconds = _tell_length(score, suffix, bank)
    contents = (
        _by_fluidsynth(score, suffix, soundfont) if engine == "fluidsynth" else _sounds(score, suffix, bank, stems)
    )
    write_all(zip(paths, contents, strict=True), force)
    for path in paths:
        click.echo(shown(path))
    click.echo(f"    {count(len([track for track in score.tracks if len(track.notes)]), 'track')}, {clock(seconds)}")


def open_soundfont(path: Path) -> SoundFont:
    """The bank of sounds in a file.

    Raises:
        FileError: if there is none, or it is damaged; the line starts with its path.
    """
    from ..rendering.audio import read_soundfont

    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "nothing" if not path.exists() else "a device or a pipe"
            raise FileError(f"expected a soundfont, an .sf2 or .sf3 file, got {what}")
        size = path.stat().st_size
        if size > LARGEST_SOUNDFONT:
            raise FileError(f"expected a soundfont of at most {LARGEST_SOUNDFONT >> 20:,} MB, got {size >> 20:,} MB")
        return read_soundfont(path.read_bytes())
    except FileError as error:
        raise FileError(f"{shown(path)}: {error}") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise FileError(f"{shown(path)}: cannot be read: {reason}") from None


def _tell_length(score: Score, suffix: str, bank: SoundFont | None) -> float:
    """How many seconds it will last; sounds that are replaced, and a long wait, are told."""
    from ..rendering.audio import performed

    performance = performed(score, suffix, bank)
    for remark in performance.remarks:
        click.echo(remark, err=True)
    if performance.seconds > LONG:
        click.echo(f"{clock(performance.seconds)} of music: this takes a while", err=True)
    return performance.seconds


def _sounds(score: Score, suffix: str, bank: SoundFont | None, stems: bool) -> Iterator[bytes]:
    """What the files hold, one after the other: the whole, and each stem."""
    from ..rendering.audio import stems_to_audio, to_audio

    yield to_audio(score, suffix, bank)
    if stems:
        for _, data in stems_to_audio(score, suffix, bank):
            yield data


def _by_fluidsynth(score: Score, suffix: str, soundfont: Path | None) -> Iterator[bytes]:
    """What FluidSynth makes of a score, with the reverberation and chorus it has of itself.

    Raises:
        FileError: if it is not installed, or fails.
    """
    from importlib.resources import as_file

    from ..files.midi import encode as to_midi
    from ..rendering.audio import bundled_file, encode, rate_of

    program = shutil.which("fluidsynth")
    if program is None:
        raise FileError("--engine fluidsynth needs the program fluidsynth, which is not installed; or leave it out")
    with tempfile.TemporaryDirectory(prefix="kapelle-") as folder, as_file(bundled_file()) as bundled:
        midi, wav = Path(folder, "score.mid"), Path(folder, "sound.wav")
        midi.write_bytes(to_midi(score))
        options = ["-niq", "-r", str(rate_of(suffix)), "-O", "float", "-T", "wav", "-F", str(wav)]
        bank = str((soundfont or bundled).absolute())
        try:
            done = subprocess.run([program, *options, bank, str(midi)], capture_output=True, timeout=3600)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FileError(f"fluidsynth failed: {plain(str(error))}") from None
        said = plain(done.stderr.decode("utf-8", "replace")) or "it says nothing more"
        if done.returncode or not wav.is_file():
            raise FileError(f"fluidsynth failed with code {done.returncode}: {said[:300]}")
        yield encode(_normalised(wav), suffix, score.title)


def _normalised(wav: Path) -> Iterator[Any]:
    """The blocks of a sound file, brought to Kapelle's peak."""
    import soundfile

    from ..rendering.audio import gain_of, peak_of

    def blocks() -> Iterator[Any]:
        with soundfile.SoundFile(wav) as file:
            yield from file.blocks(2**16, dtype="float32", always_2d=True)

    gain = gain_of(max(map(peak_of, blocks()), default=0.0))
    for block in blocks():
        yield block * gain
