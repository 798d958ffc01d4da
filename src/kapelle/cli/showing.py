"""`kapelle show`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..errors import FileError
from .opening import open_music
from .output import plain, shown
from .writing import bytes_of, check_folder, check_free, write_all

ROLLS = (".png", ".svg")
"""What a piano roll can be drawn as."""


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="PICTURE", help="A .png or .svg file.  [beside the music]"
)
@click.option("--force", is_flag=True, help="Replace the file that --out names.")
def show(music: Path, out: Path | None, force: bool) -> None:
    """Print the facts of the file MUSIC, and draw it as a piano roll.

    The picture lies beside the music under its name. A file that has that name and is another picture stays:
    then the new one gets a number.

    \b
    kapelle show tunes/folk-7.mid
    kapelle show tunes/folk-7.mid --out poster.svg
    """
    from ..evaluation import facts

    if out is not None:
        _check_out(out, force)
    score = open_music(music)
    for line in facts(score).lines():
        click.echo(plain(line))
    path = out or music.with_suffix(".png")
    check_folder(path.parent)
    content = bytes_of(score, path)
    if out is None:
        path = _own_name(path, content)
    if not _holds(path, content):
        write_all([(path, content)], force)
    click.echo(f"{'picture':<10}{shown(path)}")


def _check_out(out: Path, force: bool) -> None:
    if out.suffix.lower() not in ROLLS:
        raise FileError(f"{shown(out)}: expected --out to end in {' or '.join(ROLLS)}")
    if not force:
        check_free(out)
    check_folder(out.parent)


def _own_name(path: Path, content: bytes) -> Path:
    """The first of NAME.png, NAME-2.png and so on that is free or already is this picture."""
    candidate, number = path, 1
    while os.path.lexists(candidate) and not _holds(candidate, content):
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    if candidate != path:
        click.echo(f"{shown(path)} is another file and stays as it is", err=True)
    return candidate


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False
