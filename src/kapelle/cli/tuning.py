"""`kapelle tune`."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import KapelleError, RunError
from .keeping import free_path, keep_style, tell_style
from .music import read_music, tell_corpus
from .output import plain, table
from .training import NETWORKS, check_network, need, watched
from .words import Number

if TYPE_CHECKING:
    from ..styles.study import Trial
    from ..styles.tuning import Tuned

MOST_MINUTES = 10_080


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Of the new style, as typed later.")
@click.option("--corpus", help="A collection that comes along, as for train.")
@click.option("--resume", is_flag=True, help="Go on with the tuning of this name.")
@click.option("--network", help=NETWORKS)
@click.option("--minutes", type=Number(float, "60"), help="For all of it; half goes to trials.  [60]")
@click.option("--trials", type=Number(int, "20", 1, 10_000), help="How many, of equal time.  [as many as fit]")
@click.option("--megabytes", type=Number(float, "5"), help="That the style's file may have.  [5]")
@click.option("--seed", type=Number(int, "7", 0, 2**32 - 1), help="Of every random choice.  [0]")
@click.option("--threads", type=Number(int, "2", 1, 256), help="Of the processor.  [1]")
@click.option("--out", type=click.Path(path_type=Path), help="The style's file.  [among your styles]")
@click.option("--force", is_flag=True, help="Replace a style, a run and a tuning that exist.")
def tune(**typed: Any) -> None:
    """Try out which sizes of a network, and which ways to train it, learn the music in FOLDER best.

    Half of the time goes to short trainings, in the rest the best is trained. All is kept beside the style: after
    Ctrl-C, a crash or a power cut --resume goes on with it; with --minutes or --trials it adds some.

    \b
    kapelle tune ~/music/rancid --name rancid --minutes 60
    kapelle tune --name rancid --resume
    """
    minutes, replaces = typed["minutes"], typed["force"] or typed["resume"]
    if minutes is not None and not 0 < minutes <= MOST_MINUTES:
        raise KapelleError(f"expected --minutes above 0, up to a week ({MOST_MINUTES}), got {minutes:g}")
    if typed["megabytes"] is not None and not (typed["megabytes"] > 0 and math.isfinite(typed["megabytes"])):
        raise KapelleError(f"expected --megabytes above 0, got {typed['megabytes']:g}")
    path = free_path(typed["name"], typed["out"], replaces)
    check_network(typed["network"] or "stepwise")
    need("optuna", "tuning", "tune")
    tuned = _resumed(typed, path) if typed["resume"] else _tuned(typed, path)
    for line in _lines(tuned):
        click.echo(line)
    tell_style(tuned.style, keep_style(tuned.style, path, replaces), typed["out"] is None)


def _tuned(typed: dict[str, Any], path: Path) -> Tuned:
    from ..styles import run_path
    from ..styles.tuning import check_free, tune

    run = run_path(path)
    check_free(run, typed["force"])
    music, title = read_music(typed["folder"], typed["corpus"])
    tell_corpus(music)
    return watched(
        lambda progress, tell: tune(
            music,
            typed["name"],
            run,
            typed["network"] or "stepwise",
            typed["minutes"] or 60.0,
            typed["trials"],
            typed["seed"] or 0,
            typed["threads"],
            typed["megabytes"] or 5.0,
            force=typed["force"],
            source={
                "folder": None if typed["folder"] is None else str(typed["folder"].resolve()),
                "corpus": typed["corpus"],
            },
            command=_command(typed),
            title=title,
            progress=progress,
            tell=tell,
        )
    )


def _resumed(typed: dict[str, Any], path: Path) -> Tuned:
    """Go on with a tuning: as it was, or with more time or more trials than it had."""
    from ..styles import run_path
    from ..styles.plan import TuningFolder
    from ..styles.tuning import tune_on

    for name in ("folder", "corpus", "network", "megabytes", "seed", "threads"):
        if typed[name] is not None:
            option = "FOLDER" if name == "folder" else f"--{name}"
            raise RunError(f"expected {option} only where a tuning begins, got it with --resume; leave it out")
    run = run_path(path)
    source = TuningFolder(run).plan.source or {"folder": None, "corpus": None}
    music, _ = read_music(Path(source["folder"]) if source["folder"] else None, source["corpus"])
    tell_corpus(music)
    return watched(lambda progress, tell: tune_on(run, music, typed["minutes"], typed["trials"], progress, tell))


def _command(typed: dict[str, Any]) -> str:
    """What makes this style again, without where folders lie on this machine."""
    words = ["kapelle", "tune"]
    if typed["folder"] is not None:
        words.append(plain(typed["folder"].resolve().name))
    for name in ("name", "corpus", "network", "minutes", "trials", "megabytes", "seed", "threads"):
        value = typed[name]
        if value is not None:
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)


def _lines(tuned: Tuned) -> list[str]:
    """All trials as a table, from the best to the worst."""

    def cells(trial: Trial) -> tuple[str, ...]:
        how = "" if trial.complete else "broken off"
        values = (plain(str(value)) for value in trial.changes.values())
        return (str(trial.number), f"{trial.nats_per_note:.3f}", f"{trial.weights:,}", *values, how)

    head = ("trial", "nats a note", "weights", *tuned.best.changes, "")
    ranked = sorted(tuned.trials, key=lambda trial: trial.nats_per_note)
    return table([head, *map(cells, ranked)])
