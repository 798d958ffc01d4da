"""`kapelle bench`."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .progress import ProgressLine
from .training import check_network
from .words import Number

if TYPE_CHECKING:
    from ..bench import Field, Learnt

MOST_MINUTES = 10_080
SETS = ("jsb", "nottingham", "musedata", "piano")


@click.command()
@click.argument("table", type=click.Choice(["piano-roll"]))
@click.option("--set", "name", type=click.Choice(SETS), required=True, help="Of music.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="The set's .mat file, or its folder.")
@click.option("--network", "networks", multiple=True, default=("chords",), help="Such as chords; again for another.")
@click.option("--minutes", type=Number(float, "10", 0, MOST_MINUTES), default=10.0, help="Of learning, each.  [10]")
@click.option("--seeds", type=Number(int, "3", 1, 100), default=1, help="So many networks, from seed 0 on.  [1]")
@click.option("--moved", is_flag=True, help="Learn from pieces moved by up to a tritone.")
@click.option("--transposed", is_flag=True, help="Test in all twelve keys too.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder that keeps the runs; they go on from there.")
def bench(**typed: Any) -> None:
    """Learn the music of a TABLE of the field, and print the table with the figures of others and of this run.

    The one TABLE there is foretells piano rolls. Minutes are of processor time; without any, only what is known is
    printed.

    \b
    kapelle bench piano-roll --set jsb --data ~/rolls --minutes 0
    kapelle bench piano-roll --set jsb --data ~/rolls --seeds 3 --out jsb
    """
    from ..bench import Field, independent, lines, read

    for name in typed["networks"]:
        check_network(name)
    rolls = read(typed["name"], typed["data"])
    field = Field.of(rolls, typed["moved"])
    learnt = _learnt(field, typed) if typed["minutes"] else {}
    here = [("independent keys, here", independent(rolls, "test"))]
    if learnt:
        here += _figures(field, learnt)
    for line in lines(typed["name"], here):
        click.echo(line)
    if learnt and typed["transposed"]:
        for line in _moved(field, learnt):
            click.echo(line)


def _learnt(field: Field, typed: dict[str, Any]) -> dict[str, Learnt]:
    """Networks of all seeds by name, each told in a line when it has learnt."""
    from ..bench import Entry, learn

    learnt = {}
    for seed, network in itertools.product(range(typed["seeds"]), typed["networks"]):
        run = None if typed["out"] is None else typed["out"] / f"{typed['name']}-{network}-{seed}"
        entry = Entry.of(typed["name"], network, typed["minutes"], seed)
        with ProgressLine("learning") as line:

            def progress(share: float, cost: float, row: Any, line: ProgressLine = line) -> None:
                held_out = "" if row is None or row.valid != row.valid else f", held out {row.valid:.3f}"
                line.tell(share, f"{cost:.3f} nats a frame{held_out}")

            one = learn(field, entry, run, progress)
        learnt[f"{network}, seed {seed}"] = one
        click.echo(
            f"{network}, seed {seed}: {one.num_weights:,} weights, {one.minutes:.1f} minutes, "
            f"{one.epochs:.1f} passes, {one.valid:.3f} nats a frame of validation pieces"
        )
    return learnt


def _figures(field: Field, learnt: dict[str, Learnt]) -> list[tuple[str, float]]:
    from ..bench import judged

    rows = [(name, judged(field, [one], "test")) for name, one in learnt.items()]
    if len(learnt) > 1:
        rows.append((f"the mean of these {len(learnt)}", judged(field, list(learnt.values()), "test")))
    return rows


def _moved(field: Field, learnt: dict[str, Learnt]) -> list[str]:
    """The test pieces in all twelve keys."""
    from ..bench import judged

    lines = []
    how = "told by how much" if field.moved else "not told"
    for name, one in learnt.items():
        found = {semitones: judged(field, [one], "test", semitones, field.moved) for semitones in range(-6, 6)}
        lines += ["", f"the test pieces moved by semitones, {name}, {how}:"]
        lines += [f"  {semitones:+3d}  {figure:7.3f}" for semitones, figure in found.items()]
        lines.append(f"  all  {sum(found.values()) / len(found):7.3f}")
    return lines
