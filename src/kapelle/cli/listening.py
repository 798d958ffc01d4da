"""`kapelle listen`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import FileError
from .output import clock, count, plain, shown, table
from .words import Number
from .writing import bytes_of, check_folder, check_free, write_all

if TYPE_CHECKING:
    from ..listening import Heard


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Music, sheet music or sound, as its suffix says.  [beside the recording, .mid]",
)
@click.option("--polyphonic", is_flag=True, help="Several notes sound at once: a piano, a guitar.")
@click.option("--tempo", type=Number(float, "96"), help="Beats a minute, 20 to 300, if you know it.")
@click.option("--meter", metavar="METER", help="2/4, 3/4, 4/4, 6/8 or 2/2, if you know it.")
@click.option("--as-played", is_flag=True, help="Each note when it was played, without bars.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def listen(
    recording: Path,
    to: Path | None,
    polyphonic: bool,
    tempo: float | None,
    meter: str | None,
    as_played: bool,
    force: bool,
) -> None:
    """Write down the music in the file RECORDING: a melody that is hummed, whistled, sung or played.

    \b
    kapelle listen hum.wav --to tune.mid
    kapelle listen guitar.mp3 --polyphonic --to notes.mid
    """
    if recording.is_dir():
        raise FileError(f"{shown(recording)}: expected one recording, got a folder")
    target = to or recording.with_suffix(".mid")
    check_target(target)
    check_folder(target.parent)
    if not force:
        check_free(target)
    heard = hear(recording, polyphonic, tempo, meter)
    content = bytes_of(heard.as_played if as_played else heard.score, target)
    write_all([(target, content)], force)
    if not polyphonic and not heard.is_one_voice:
        click.echo("several notes seem to sound at once: --polyphonic listens for them", err=True)
    for line in table(_told(heard, as_played)):
        click.echo(line)
    click.echo(shown(target))


def check_target(path: Path) -> None:
    """Refuse a file that nothing can be written to, before any work.

    Raises:
        FileError: if no format has its suffix.
    """
    from ..files import format_of
    from ..rendering import SUFFIXES

    if path.suffix.lower() not in SUFFIXES:
        format_of(path, to_write=True)


def hear(path: Path, polyphonic: bool = False, tempo: float | None = None, meter: str | None = None) -> Heard:
    """What is heard in the recording in a file.

    Raises:
        FileError: if there is no such file, no recording in it, or nothing to be heard; the line starts with its path.
    """
    from ..corpora.recordings import open_recording
    from ..listening import melody_of, notes_of

    recording = open_recording(path)
    try:
        return (notes_of if polyphonic else melody_of)(recording, tempo, meter, plain(path.stem))
    except FileError as error:
        raise FileError(f"{shown(path)}: {error}") from None


def _told(heard: Heard, as_played: bool) -> list[tuple[str, str]]:
    """What was heard, and how sure of it we are."""
    score, sure = heard.score, heard.certainty
    rows = [("heard", f"{count(score.num_notes, 'note')} in {clock(heard.as_played.seconds)}")]
    if abs(heard.tuning) >= 0.05:
        rows.append(
            ("tuning", f"{abs(100 * heard.tuning):.0f} cents {'above' if heard.tuning > 0 else 'below'} A = 440")
        )
    if as_played:
        return rows
    meter = score.meters[0]
    tempo = score.tempos.quarters_per_minute[0] / meter.beat_quarters
    return [
        *rows,
        ("tempo", f"{tempo:.0f} beats a minute, {sure.tempo:.0%} sure"),
        ("metre", f"{meter.name}, {sure.meter:.0%} sure"),
        ("key", f"{score.keys[0].name}, {sure.key:.0%} sure"),
    ]
