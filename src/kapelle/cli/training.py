"""`kapelle train`."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import CorpusError, FileError, KapelleError, MissingExtra
from .output import clock, count, megabytes, plain, shown, table
from .progress import ProgressLine
from .styles import COUNTS, pieces_line
from .words import Number
from .writing import check_folder, make_folder

if TYPE_CHECKING:
    from ..corpora import Corpus
    from ..styles import Style

SUFFIX = ".safetensors"
MOST_SKIPPED = 10
"""So many files that are left out are listed; the others are counted."""


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Of the new style, as typed later.")
@click.option(
    "--corpus",
    help="A collection that comes along instead of a folder: folk, chorale, essen; or piano, which reads a FOLDER "
    "of composers' folders.",
)
@click.option(
    "--network",
    default="stepwise",
    help="stepwise, or one of the reference networks softology, skuldur, textbook, event.  [stepwise]",
)
@click.option("--minutes", type=Number(float, "10"), default=10.0, help="Longest time.  [10]")
@click.option("--epochs", type=Number(int, "20", 1), help="Most passes over the music.  [as many as fit]")
@click.option("--seed", type=Number(int, "7", 0, 2**32 - 1), default=0, help="Of every random choice.  [0]")
@click.option("--threads", type=Number(int, "2", 1, 256), help="Of the processor.  [all]")
@click.option("--out", type=click.Path(path_type=Path), help="The style's file.  [among your styles]")
@click.option("--force", is_flag=True, help="Replace a style that exists.")
def train(
    folder: Path | None,
    name: str,
    corpus: str | None,
    network: str,
    minutes: float,
    epochs: int | None,
    seed: int,
    threads: int | None,
    out: Path | None,
    force: bool,
) -> None:
    """Learn a style from the music in FOLDER and the folders in it; FOLDER may be one file.

    Ctrl-C ends the run early and keeps the best so far.

    \b
    kapelle train ~/music/rancid --name rancid --minutes 10
    kapelle train --corpus folk --name folk
    """
    if not 0 < minutes <= 10_080:
        raise KapelleError(f"expected --minutes above 0, up to a week (10080), got {minutes:g}")
    path = _free_path(name, out, force)
    _check_network(network)
    music, title = _music(folder, corpus)
    _tell_corpus(music)
    style = _learn(
        music,
        name=name,
        network_name=network,
        minutes=minutes,
        epochs=epochs,
        seed=seed,
        threads=threads,
        title=title,
        command=_command(folder, name, corpus, network, minutes, epochs, seed, threads),
    )
    _tell_style(style, _save(style, path, force), out is None)


def _free_path(name: str, out: Path | None, force: bool) -> Path:
    """Where the style is to lie; nothing is written yet, but it is made sure that it can be."""
    from ..styles import style_path

    path = style_path(name) if out is None else out
    if path.suffix != SUFFIX:
        raise FileError(f"{shown(path)}: expected --out to be a file that ends in {SUFFIX}")
    if not force and os.path.lexists(path):
        other = "another --name" if out is None else "another --out"
        raise FileError(f"{shown(path)}: exists already; take {other}, or replace it with --force")
    if path.is_dir():
        raise FileError(f"{shown(path)}: expected a style's file, got a folder; take another name")
    check_folder(path.parent)
    return path


def _check_network(name: str) -> None:
    """Refuse before the long run what would be refused after the music has been read."""
    import importlib.util

    from ..networks import Columns, network

    network(name, Columns.of([("any", 2, False)]))
    if importlib.util.find_spec("torch") is None:
        raise MissingExtra("training", "train")


def _music(folder: Path | None, name: str | None) -> tuple[Corpus, str]:
    """The corpus that was asked for, and a title for what is learnt from it."""
    from ..corpora import get, load_folder

    with ProgressLine("reading music") as line:

        def tell(done: int, of_all: int) -> None:
            line.tell(done / of_all)

        if name is None:
            if folder is None:
                raise CorpusError("expected a FOLDER of music or a --corpus, got neither; see kapelle train --help")
            return load_folder(folder, tell), plain(folder.resolve().name)
        source = get(name)
        reads_folder = getattr(source, "READS_FOLDER", False)
        if reads_folder and folder is None:
            raise CorpusError(f"the corpus {name} is read from files: expected its FOLDER too, got none")
        if not reads_folder and folder is not None:
            raise CorpusError(f"expected a FOLDER of music or the corpus {name}, got both; leave one out")
        return source.load(folder, tell), source.TITLE


def _tell_corpus(corpus: Corpus) -> None:
    """What there is to learn from, and what was left out and why."""
    if corpus.skipped:
        click.echo(f"left out {count(len(corpus.skipped), 'file')}:")
        for source, reason in corpus.skipped[:MOST_SKIPPED]:
            click.echo(f"  {plain(source)}: {plain(reason)}")
        if len(corpus.skipped) > MOST_SKIPPED:
            reasons = "; ".join(f"{plain(reason)} ({times})" for reason, times in corpus.reasons.most_common(5))
            click.echo(f"  and {len(corpus.skipped) - MOST_SKIPPED} more; in all: {reasons}")
    click.echo(
        f"read {count(len(corpus.pieces), 'piece')}, {count(corpus.num_notes, 'note')}, "
        f"{clock(corpus.seconds)} of music; a part is held out, never learnt from, to measure by"
    )


def _learn(corpus: Corpus, **wishes: Any) -> Style:
    from ..styles import learn

    with ProgressLine("learning") as line:

        def tell(share: float, cost: float, look: Any) -> None:
            held_out = "" if look is None else f", {look.valid:.2f} held out"
            line.tell(share, f"{cost:.2f} nats a note{held_out}")

        return learn(corpus, progress=tell, **wishes)


def _save(style: Style, path: Path, force: bool) -> Path:
    """Save the style; if that fails now, after the long run, it is saved elsewhere rather than lost."""
    from ..styles import save_style

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


def _tell_style(style: Style, path: Path, by_name: bool) -> None:
    rows = [(name, f"{value:.4g}") for name, value in style.card.figures.items() if name not in COUNTS]
    rows += [("pieces", line) for line in (pieces_line(style.card),) if line]
    click.echo(f"learnt in {clock(style.card.seconds)}; nats per note say how well it foretells, lower is better")
    for line in table(rows):
        click.echo(f"  {line}")
    for remark in style.card.remarks:
        click.echo(f"  {remark}")
    typed = style.name if by_name else shown(path)
    click.echo(f"{shown(path)} ({megabytes(path.stat().st_size)})")
    click.echo(f"now: kapelle compose {shlex.quote(typed)}")


def _command(
    folder: Path | None,
    name: str,
    corpus: str | None,
    network: str,
    minutes: float,
    epochs: int | None,
    seed: int,
    threads: int | None,
) -> str:
    """What makes this style again, without where folders lie on this machine."""
    words = ["kapelle", "train"]
    if folder is not None:
        words.append(plain(folder.resolve().name))
    if corpus is not None:
        words += ["--corpus", corpus]
    words += ["--name", name, "--network", network, "--minutes", f"{minutes:g}"]
    if epochs is not None:
        words += ["--epochs", str(epochs)]
    words += ["--seed", str(seed)]
    if threads is not None:
        words += ["--threads", str(threads)]
    return shlex.join(words)
