"""`kapelle train`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import CorpusError, KapelleError, MissingExtra, RunError
from .asked import Asked
from .keeping import free_path, keep_style, tell_style
from .music import read_music, tell_corpus
from .output import count as counted
from .output import plain, shown
from .processes import only_helps, together
from .progress import ProgressLine
from .words import Number

if TYPE_CHECKING:
    from ..corpora import Corpus
    from ..styles import Style

LISTENED = "recordings"
"""The corpus that --listen is short for."""

NETWORKS = (
    "stepwise; voices or chorale for music in four voices; chords or biaxial for music as a picture; or a reference "
    "network: softology, skuldur, textbook, event, bachbot for four voices, johnson and deepj as pictures; or musicvae "
    "for windows of a few bars, and the published ones: cat-mel_2bar_small, cat-mel_2bar_big, "
    "cat-mel_2bar_med_chords, cat-drums_2bar_small, cat-drums_2bar_big, groovae_2bar_humanize, "
    "nade-drums_2bar_reduced, nade-drums_2bar_full, flat-mel_16bar, hierdec-mel_16bar, hier-mel_16bar, "
    "flat-trio_16bar, hierdec-trio_16bar, hier-trio_16bar, hier-multiperf_vel_1bar_med, hier-multiperf_vel_1bar_big, "
    "hier-multiperf_vel_1bar_med_chords, hier-multiperf_vel_1bar_big_chords.  [stepwise, or musicvae with --kind]"
)
"""Help for the option --network."""

CURVE_WIDTH, CURVE_HEIGHT = 24, 12
"""Characters of the curve in the line that tells how far a run is; lines of the curves above it."""

Made = TypeVar("Made")


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Of the new style, as typed later.")
@click.option(
    "--corpus",
    help="A collection that comes along instead of a folder: folk, chorale, essen; or one that reads a FOLDER: piano "
    "and composers of composers' folders, bands of lead, bass and drums, groove of the drummers' dataset, recordings "
    "of sound.",
)
@click.option("--listen", is_flag=True, help="FOLDER holds recordings: learn what is heard in them.")
@click.option("--from", "base", help="A style to go on from, such as piano: what a small folder needs.")
@click.option("--on", help="A style of windows whose space is to be yours, in seconds: your clips on top of it.")
@click.option("--resume", is_flag=True, help="Go on with the run of this name, with the files of FOLDER added.")
@click.option("--network", help=NETWORKS)
@click.option("--kind", help="Of windows: melody, bass, drums, kit, trio, quartet, band.  [melody]")
@click.option("--bars", type=Number(int, "2", 1, 32), help="Of a window.  [2]")
@click.option("--track", "tracks", multiple=True, help="Who plays a part of a window, as in melody=Flute or bass=3.")
@click.option("--dynamics", is_flag=True, help="Windows tell loudness and timing too.")
@click.option(
    "--hear",
    "hears",
    multiple=True,
    type=click.Choice(("nothing", "hits", "tap", "hats")),
    help="What is heard of a window before it is told, several in turn: hits for kapelle groove, tap for drumify, "
    "hats, and nothing for compose, morph and steer.",
)
@click.option("--minutes", type=Number(float, "10"), help="Longest time.  [10, or none with --epochs]")
@click.option("--epochs", type=Number(int, "20", 1), help="Passes over the music.  [as many as fit]")
@click.option(
    "--mixable", is_flag=True, help="Each folder in FOLDER is a manner, such as a composer, to be mixed later."
)
@click.option("--save-every", type=Number(int, "25", 1), help="Save the style after every so many epochs.")
@click.option("--keep", type=Number(int, "10", 1), help="Keep so many saved epochs, the latest.  [all]")
@click.option("--seed", type=Number(int, "7", 0, 2**32 - 1), help="Of every random choice.  [0]")
@click.option("--threads", type=Number(int, "2", 1, 256), help="Of the processor.  [1]")
@click.option("--processes", type=Number(int, "2", 1, 256), help="That train together, each with its threads.  [1]")
@click.option("--device", help="Where to train: cpu, or cuda for a GPU.  [cpu]")
@click.option("--out", type=click.Path(path_type=Path), help="The style's file.  [among your styles]")
@click.option("--tensorboard", is_flag=True, help="Keep the curves for TensorBoard too, in the run's folder.")
@click.option("--force", is_flag=True, help="Replace a style and a run that exist.")
def train(**typed: Any) -> None:
    """Learn a style from the music in FOLDER and the folders in it; FOLDER may be one file.

    The run is kept beside the style: after Ctrl-C, a crash or a power cut --resume goes on with it.

    \b
    kapelle train ~/music/rancid --name rancid --minutes 10
    kapelle train ~/music/nocturnes --name nocturnes --from piano
    kapelle train --name rancid --resume
    """
    if typed.pop("listen"):
        if typed["corpus"] not in (None, LISTENED):
            raise CorpusError(f"expected --listen or --corpus {typed['corpus']}, got both; leave one out")
        typed["corpus"] = LISTENED
    asked = Asked(**typed)
    if asked.minutes is not None and not 0 < asked.minutes <= 10_080:
        raise KapelleError(f"expected --minutes above 0, up to a week (10080), got {asked.minutes:g}")
    if only_helps(asked.processes, asked.device):
        return
    if asked.tensorboard:
        need("tensorboard", "TensorBoard", "watch")
    path = free_path(asked.name, asked.out, asked.force or asked.resume)
    way = _resumed if asked.resume else _personal if asked.on is not None else _learnt
    style = way(asked, path)
    tell_style(style, keep_style(style, path, asked.force or asked.resume), asked.out is None)


def _learnt(asked: Asked, path: Path) -> Style:
    from ..styles import learn, load_style, run_path

    check_network(asked.network_name)
    window = asked.window
    run = run_path(path)
    if not asked.force and (run / "manifest.json").exists():
        raise RunError(f"{shown(run)}: a run of that name was begun; go on with --resume, or begin anew with --force")
    base = None if asked.base is None else load_style(asked.base)
    music, title = read_music(asked.folder, asked.corpus)
    tell_corpus(music)
    return _trained(
        asked,
        run,
        lambda progress, tell, parallel: learn(
            music,
            asked.name,
            asked.network_name,
            asked.minutes,
            asked.epochs,
            asked.seed or 0,
            asked.threads,
            base=base,
            run=run,
            force=asked.force,
            save_every=asked.save_every,
            keep=asked.keep,
            source=asked.source,
            command=asked.command,
            title=f"{title}, {counted(window['bars'], 'bar')}" if window else title,
            progress=progress,
            tell=tell,
            parallel=parallel,
            window=window,
            mixable=asked.mixable,
        ),
    )


def _personal(asked: Asked, path: Path) -> Style:
    """The space of some clips over the network of another style; there is no run."""
    from ..styles.personal import personal
    from .walking import open_windows

    idle = ("resume", "network", "minutes", "epochs", "kind", "bars", "save_every", "keep", "processes", "device")
    given = ["from"] * (asked.base is not None) + ["track"] * bool(asked.tracks)
    if given := given + [name.replace("_", "-") for name in idle if getattr(asked, name)]:
        raise KapelleError(f"expected --on alone, got --{given[0]} too: the network stays as it is; leave one out")
    base = open_windows(asked.on or "")
    music, title = read_music(asked.folder, asked.corpus)
    tell_corpus(music)
    return personal(music, asked.name, base, title, asked.command, lambda line: click.echo(plain(line)))


def _resumed(asked: Asked, path: Path) -> Style:
    """Go on with a run: as it was, or with more time or more music than it had."""
    from ..styles import go_on, resume, run_path

    for option, value in (
        ("--from", asked.base),
        ("--network", asked.network),
        ("--seed", asked.seed),
        ("--mixable", asked.mixable or None),
    ):
        if value is not None:
            raise RunError(f"expected {option} only where a run begins, got it with --resume; leave it out")
    check_network("stepwise")
    run = run_path(path)
    source = run_source(run)
    before = Path(source["folder"]) if source["folder"] else None
    old, _ = read_music(before, source["corpus"])
    if asked.folder is None and asked.corpus is None:
        if asked.minutes is None and asked.epochs is None:
            return _trained(asked, run, lambda progress, tell, parallel: resume(run, old, progress, tell, parallel))
        music = old
    else:
        more, _ = read_music(asked.folder, asked.corpus)
        music = old if more.fingerprint == old.fingerprint else _together(old, more)
    tell_corpus(music)
    return _trained(
        asked,
        run,
        lambda progress, tell, parallel: go_on(
            run,
            music,
            asked.minutes,
            asked.epochs,
            command=asked.command,
            progress=progress,
            tell=tell,
            parallel=parallel,
        ),
    )


def run_source(run: Path) -> dict[str, str | None]:
    """Where the music of a run comes from."""
    from ..training.run import RunFolder

    source: dict[str, str | None] = RunFolder(run).manifest["source"]
    return source


def _together(old: Corpus, more: Corpus) -> Corpus:
    from ..corpora import Corpus

    credit = dict.fromkeys((*old.attribution, *more.attribution))
    licence = "; ".join(dict.fromkeys(filter(None, (old.licence, more.licence))))
    return Corpus.of(old.name, (*old.pieces, *more.pieces), (*old.skipped, *more.skipped), licence, credit)


def check_network(name: str) -> None:
    """Refuse before the long run what would be refused after the music has been read."""
    from ..networks import is_latent

    is_latent(name)
    need("torch", "training", "train")


def need(module: str, what: str, extra: str) -> None:
    """Refuse what cannot be done without an optional library, without importing it yet."""
    import importlib.util

    if importlib.util.find_spec(module) is None:
        raise MissingExtra(what, extra)


def watched(work: Callable[[Any, Callable[[str], None]], Made], board: Path | None = None) -> Made:
    """Do long work, with a line that tells how far it is, and with curves for TensorBoard in a run's folder."""
    from ..rendering import sparkline

    with ProgressLine("learning") as line, _board(board, line.say) as drawn:
        rows: list[Any] = []
        looks: list[float] = []

        def progress(share: float, cost: float, row: Any) -> None:
            if row is not None and (not rows or row is not rows[-1]):
                rows.append(row)
                if row.valid == row.valid:
                    looks.append(row.valid)
                    _draw_curves(line, rows)
            held_out = f", held out {looks[-1]:.2f} {sparkline(looks, CURVE_WIDTH)}" if looks else ""
            line.tell(share, f"{cost:.2f} nats a note{held_out}")
            if drawn is not None:
                drawn.show(row)

        return work(progress, line.say)


def _draw_curves(line: ProgressLine, rows: Sequence[Any]) -> None:
    """The curves so far above the line, where there are curves and a terminal to draw them in."""
    from ..rendering import LEAST_WIDTH, terminal_curves
    from ..styles.curves import points_of

    if line.terminal and len(rows) > 1 and line.room >= LEAST_WIDTH:
        encoding = (getattr(sys.stderr, "encoding", None) or "ascii").lower()
        line.draw(terminal_curves(points_of(rows), line.room, CURVE_HEIGHT, plain=not encoding.startswith("utf")))


def _trained(asked: Asked, run: Path, work: Callable[[Any, Callable[[str], None], Any], Style]) -> Style:
    """Train together with the processes that are asked for."""
    with together(asked.processes, asked.device) as parallel:
        board = run if asked.tensorboard else None
        return watched(lambda progress, tell: work(progress, tell, parallel), board)


def _board(run: Path | None, tell: Callable[[str], None]) -> Any:
    if run is None:
        return nullcontext()
    from ..training.board import Board

    return Board(run, tell)
