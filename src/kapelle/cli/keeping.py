"""Where a style that was learnt goes, and what is said of it."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import FileError
from .output import clock, megabytes, shown, table
from .styles import COUNTS, pieces_line
from .writing import check_folder, make_folder

if TYPE_CHECKING:
    from ..styles import Style


def free_path(name: str, out: Path | None, replaces: bool) -> Path:
    """Where a style is to lie; nothing is written yet, but it is made sure that it can be."""
    from ..styles import SUFFIX, style_path

    path = style_path(name) if out is None else out
    if path.suffix != SUFFIX:
        raise FileError(f"{shown(path)}: expected --out to be a file that ends in {SUFFIX}")
    if not replaces and os.path.lexists(path):
        other = "another --name" if out is None else "another --out"
        raise FileError(f"{shown(path)}: exists already; take {other}, or replace it with --force")
    if path.is_dir():
        raise FileError(f"{shown(path)}: expected a style's file, got a folder; take another name")
    check_folder(path.parent)
    return path


def keep_style(style: Style, path: Path, force: bool) -> Path:
    """Save the style; if that fails now, after the long run, it is saved elsewhere rather than lost."""
    from ..styles import SUFFIX, save_style

    try:
        make_folder(path.parent)
        return save_style(style, path, force)
    except FileError as error:
        for folder in (Path.cwd(), Path(tempfile.gettempdir())):
            for number in range(100):
                spare = folder / f"{path.stem}{f'-{number}' if number else ''}{SUFFIX}"
                if os.path.lexists(spare):
                    continue
                try:
                    save_style(style, spare)
                except FileError:
                    break
                raise FileError(f"{error}; so as not to lose the style, it was saved as {shown(spare)}") from None
        raise


def tell_style(style: Style, path: Path, by_name: bool) -> None:
    """What a style has become, where its file lies, and what to type next."""
    rows = [(name, f"{value:.4g}") for name, value in style.card.figures.items() if name not in COUNTS]
    rows += [("pieces", line) for line in (pieces_line(style.card),) if line]
    nats = any("nats per note" in name for name, _ in rows)
    more = "; nats per note say how well it foretells, lower is better" if nats else ""
    click.echo(f"learnt in {clock(style.card.seconds)}{more}")
    for line in table(rows):
        click.echo(f"  {line}")
    for remark in style.card.remarks:
        click.echo(f"  {remark}")
    typed = style.name if by_name else shown(path)
    click.echo(f"{shown(path)} ({megabytes(path.stat().st_size)})")
    click.echo(f"now: kapelle compose {shlex.quote(typed)}")
