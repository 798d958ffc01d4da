"""`kapelle engrave`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import FileError
from .opening import open_music
from .output import count, shown
from .writing import check_folder, check_free, write_all

if TYPE_CHECKING:
    from ..rendering.sheet import Sheet

SHEETS = (".pdf", ".png", ".svg", ".ly", ".musicxml")
"""What sheet music can be written as."""


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ends in .pdf, .png, .svg, .ly or .musicxml.  [beside the music, .pdf]",
)
@click.option("--parts", is_flag=True, help="One more file for each part, named after its number and name.")
@click.option("--short-score", is_flag=True, help="Soprano, alto, tenor and bass on two staves instead of four.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
def engrave(music: Path, to: Path | None, parts: bool, short_score: bool, force: bool) -> None:
    """Make sheet music of the file MUSIC.

    A PNG or SVG holds one page; several pages are numbered. Played music is put on simple parts of the beat first.

    \b
    kapelle engrave folk-7.mid
    kapelle engrave song.mid --to song.pdf --parts
    """
    score = open_music(music)
    target = to or music.with_suffix(".pdf")
    if target.suffix.lower() not in SHEETS:
        raise FileError(f"{shown(target)}: expected --to to end in {', '.join(SHEETS)}")
    check_folder(target.parent)
    if not force:
        check_free(target)

    from ..rendering.sheet import Sheet

    sheet = Sheet.of(score if score.title else score.replace(title=shown(music.stem)))
    contents = _files(sheet.short() if short_score else sheet, target)
    if parts:
        for number, part in enumerate(sheet.parts, 1):
            contents |= _files(part, target.with_stem(f"{target.stem}-{number}-{_file_name(part.name)}"))
    write_all(contents.items(), force)
    for path in contents:
        click.echo(shown(path))
    click.echo(f"    {_facts(sheet)}")


def _files(sheet: Sheet, path: Path) -> dict[Path, bytes]:
    """What each file of some sheet music holds: pictures of several pages are numbered."""
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        return {path: sheet.pdf()}
    if suffix == ".ly":
        return {path: sheet.lilypond().encode()}
    if suffix == ".musicxml":
        return {path: sheet.musicxml()}
    pages = sheet.png_pages() if suffix == ".png" else [page.encode() for page in sheet.svg_pages()]
    if len(pages) == 1:
        return {path: pages[0]}
    return {path.with_stem(f"{path.stem}-{number}"): page for number, page in enumerate(pages, 1)}


def _file_name(name: str) -> str:
    """A part's name as files are named in any system.

    >>> _file_name("Violin I / solo"), _file_name("???")
    ('violin-i-solo', 'part')
    """
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")[:40] or "part"


def _facts(sheet: Sheet) -> str:
    score = sheet.score
    bars = len(score.bars()) - 1 - bool(score.pickup)
    return ", ".join((count(len(sheet.parts), "part"), count(bars, "bar"), count(score.num_notes, "note")))
