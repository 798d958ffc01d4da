"""`kapelle report` and `kapelle pick`: what can be done with a run when it is over, or while it goes on."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ..errors import RunError
from .music import read_music
from .output import megabytes, shown
from .progress import ProgressLine
from .words import Number
from .writing import make_folder


@click.command()
@click.argument("name")
def report(name: str) -> None:
    """Write up the run of the style NAME: curves, figures, samples, and how much of them is copied.

    The report lies in the run's folder, as a page, as pictures and as JSON.

    \b
    kapelle report chopin
    """
    from ..files import save, write_atomically
    from ..styles import picked, run_path
    from ..styles.report import report as written
    from ..training.run import RunFolder

    folder = RunFolder(run_path(_style_path(name)))
    manifest = folder.manifest
    source = manifest["source"] or {"folder": None, "corpus": None}
    music, _ = read_music(Path(source["folder"]) if source["folder"] else None, source["corpus"])
    if music.fingerprint != manifest["corpus"]["fingerprint"]:
        raise RunError(
            f"the music of the run of '{name}' has changed since: expected the very files it learnt from, to compare "
            "with; put them back, or go on with what is there now: kapelle train --resume"
        )
    with ProgressLine("composing and comparing"):
        found = written(picked(folder.path), music, manifest, folder.rows, folder.ended)
    contents = {"report.html": found.html.encode(), "report.json": found.to_json().encode()}
    contents |= {"report.png": found.png, "report.gif": found.gif}
    for file, data in contents.items():
        write_atomically(folder.path / file, data, force=True)
    make_folder(folder.path / "samples")
    for seed, score in enumerate(found.samples):
        save(score, folder.path / "samples" / f"seed-{seed}.mid", force=True)
    click.echo(found.verdict)
    for file in ("report.html", "report.png", "report.gif", "report.json", "samples"):
        click.echo(shown(folder.path / file))


@click.command()
@click.argument("name")
@click.option("--epoch", type=Number(int, "150", 1), help="One that was saved on the way.  [the best]")
def pick(name: str, epoch: int | None) -> None:
    """Make a saved epoch of a run, or the best one, the style NAME.

    \b
    kapelle pick chopin --epoch 150
    kapelle pick chopin
    """
    from ..styles import picked, run_path, save_style

    path = _style_path(name)
    style = picked(run_path(path), epoch)
    save_style(style, path, force=True)
    click.echo(f"{shown(path)} ({megabytes(path.stat().st_size)}): epoch {style.card.figures['epochs']:.4g}")
    click.echo(f"now: kapelle compose {shlex.quote(name)}")


def _style_path(name: str) -> Path:
    """Where the style of a run lies, or is to lie."""
    from ..styles import SUFFIX, style_path

    return Path(name) if name.endswith(SUFFIX) else style_path(name)
