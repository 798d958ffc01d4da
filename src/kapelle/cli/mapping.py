"""`kapelle map`: where the clips of a folder lie in the space of a style."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import FileError, KapelleError
from .output import count, plain, shown
from .progress import ProgressLine
from .walking import open_windows, style_option
from .writing import check_folder, check_free, write_all

if TYPE_CHECKING:
    from ..music import Score

FORMS = (".json", ".png", ".svg")
MOST_TOLD = 10


@click.command("map")
@click.argument("folder", type=click.Path(path_type=Path))
@style_option("melody")
@click.option(
    "--out", "outs", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Ends in .json, .png or .svg; may be given more than once.  [map.json and map.png]",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace files that exist.")
def map_(folder: Path, style: str, outs: tuple[Path, ...], force: bool) -> None:
    """Map the clips in FOLDER: those that sound alike lie close.

    Of a long piece the windows are mapped that do not overlap. The JSON has the place of each clip, and the plane.

    \b
    kapelle map loops --style drums --out map.json --out map.png
    """
    from ..rendering import map_to_png, map_to_svg

    outs = outs or (Path("map.json"), Path("map.png"))
    for out in outs:
        if out.suffix.lower() not in FORMS:
            raise FileError(f"{shown(out)}: expected --out to end in {', '.join(FORMS)}")
        check_folder(out.parent)
    if not force:
        check_free(*outs)
    composer = open_windows(style)
    told: list[str] = []
    found = composer.map(_scores(folder, told), told.append)
    for line in told[:MOST_TOLD]:
        click.echo(plain(line), err=True)
    if len(told) > MOST_TOLD:
        click.echo(f"and {len(told) - MOST_TOLD} more that give no window", err=True)
    names = [name for name, _ in found.clips]
    pieces = len(set(names))
    about = f"{count(len(names), 'clip')} of {count(pieces, 'piece')}; {found.share:.0%} of how they differ is seen"
    drawn = names, found.places, f"{shown(folder.resolve().name)} in the space of {composer.name}", about
    made = {
        ".json": lambda: (json.dumps({"style": composer.name, **found.to_json()}, indent=1) + "\n").encode(),
        ".png": lambda: map_to_png(*drawn),
        ".svg": lambda: map_to_svg(*drawn).encode(),
    }
    write_all(((out, made[out.suffix.lower()]()) for out in outs), force)
    for out in outs:
        click.echo(shown(out))
    click.echo(f"    {about}")


def _scores(folder: Path, told: list[str]) -> dict[str, Score]:
    """The music in a folder by the paths of its files; what cannot be read is told."""
    from ..corpora.folder import walk
    from ..files import holds_music, load

    if not folder.is_dir():
        raise FileError(f"{shown(folder)}: expected a folder of clips")
    files = [file for file in walk(folder, []) if holds_music(file)]
    scores: dict[str, Score] = {}
    with ProgressLine("reading") as line:
        for number, file in enumerate(files, 1):
            name = shown(file.relative_to(folder))
            try:
                scores[name] = load(file)
            except KapelleError as error:
                told.append(f"{name}: {str(error).removeprefix(f'{file}: ')}")
            line.tell(number / len(files))
    if not scores:
        raise FileError(f"{shown(folder)}: expected files of music, found none that can be read")
    return scores
