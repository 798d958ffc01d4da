"""`kapelle bench`."""

from __future__ import annotations

import shlex
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import click

from .progress import ProgressLine
from .training import check_network
from .words import Number

if TYPE_CHECKING:
    from ..bench import Field, Learnt

    Teams = dict[str, list[list[Learnt]]]
    """The networks of a team, for each seed."""

MOST_MINUTES = 10_080
SETS = ("jsb", "nottingham", "musedata", "piano")


@click.command()
@click.argument("table", type=click.Choice(["piano-roll"]))
@click.option("--set", "name", type=click.Choice(SETS), required=True, help="Of music.")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path(), help="The set's .mat file, or its folder.  [this one]"
)
@click.option(
    "--network",
    "networks",
    multiple=True,
    default=("chords",),
    help="Such as chords; several together as in biaxial+chords; again for another.  [chords]",
)
@click.option("--minutes", type=Number(float, "10", 0, MOST_MINUTES), help="Of learning, each.  [what suits the set]")
@click.option("--seeds", type=Number(int, "3", 1, 100), default=1, help="So many times, from seed 0 on.  [1]")
@click.option("--moved", is_flag=True, help="Learn from pieces moved by up to a tritone.")
@click.option("--transposed", is_flag=True, help="Test in all twelve keys too.")
@click.option(
    "--dynamic",
    "rates",
    multiple=True,
    type=Number(float, "0.001", 0, 1),
    help="Judge them also as they go on learning from each piece at this rate; again for another.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder that keeps the runs; they go on from there.")
def bench(**typed: Any) -> None:
    """Learn the music of a TABLE of the field, and print the table with the figures of others and of this run.

    The one TABLE there is foretells piano rolls. Minutes are of processor time; with 0, only what is known is
    printed.

    \b
    kapelle bench piano-roll --set jsb
    kapelle bench piano-roll --set jsb --data ~/rolls --minutes 0
    kapelle bench piano-roll --set jsb --data ~/rolls --seeds 3 --network biaxial+chords --out jsb
    """
    from ..bench import Field, independent, lines, read

    for name in typed["networks"]:
        for member in name.split("+"):
            check_network(member)
    rolls = read(typed["name"], typed["data"])
    field = Field.of(rolls, typed["moved"])
    teams = {} if typed["minutes"] == 0 else _learnt(field, typed)
    here = [("independent keys, here", independent(rolls, "test"), "")]
    here += [row for name, turns in teams.items() for row in _rows(field, name, turns, typed["rates"])]
    for line in lines(typed["name"], here):
        click.echo(line)
    if teams:
        click.echo(f"\nmade by: {_command(typed)}")
    if typed["transposed"]:
        for name, turns in teams.items():
            for line in _moved(field, name, turns):
                click.echo(line)


def _learnt(field: Field, typed: dict[str, Any]) -> Teams:
    """The networks of all teams; each is told in a line when it has learnt."""
    from ..bench import Entry, learn, members

    learnt: dict[tuple[str, int], Learnt] = {}
    teams: Teams = {team: [] for team in typed["networks"]}
    for turn in range(typed["seeds"]):
        for team, turns in teams.items():
            for network, seed in members(team, turn):
                if (network, seed) in learnt:
                    continue
                run = None if typed["out"] is None else typed["out"] / f"{typed['name']}-{network}-{seed}"
                entry = Entry.of(typed["name"], network, typed["minutes"], seed)
                with ProgressLine("learning") as line:

                    def progress(share: float, cost: float, row: Any, line: ProgressLine = line) -> None:
                        held_out = "" if row is None or row.valid != row.valid else f", held out {row.valid:.3f}"
                        line.tell(share, f"{cost:.3f} nats a frame{held_out}")

                    one = learnt[network, seed] = learn(field, entry, run, progress)
                click.echo(
                    f"{network}, seed {seed}: {one.num_weights:,} weights, {one.minutes:.1f} minutes, "
                    f"{one.epochs:.1f} passes"
                )
            turns.append([learnt[member] for member in members(team, turn)])
    return teams


def _rows(field: Field, name: str, turns: list[list[Learnt]], rates: tuple[float, ...]) -> list[tuple[str, float, str]]:
    """What a team comes to: the mean over its seeds, and how far they lie apart."""
    from ..bench import judged

    rows = []
    for rate in (0.0, *rates):
        valid, test = ([judged(field, team, part, rate=rate) for team in turns] for part in ("valid", "test"))
        how = f", learning on at {rate:g}" if rate else ""
        apart = f"; {len(turns)} seeds: {min(test):.3f} to {max(test):.3f}" if len(turns) > 1 else ""
        rows.append((f"{name}{how}", mean(test), f"valid {mean(valid):.3f}{apart}"))
    return rows


def _command(typed: dict[str, Any]) -> str:
    """What makes these figures again."""
    words = ["kapelle", "bench", "piano-roll", "--set", typed["name"]]
    words += ["--data", typed["data"].name] if typed["data"].name else []
    words += [word for name in typed["networks"] for word in ("--network", name)]
    words += [] if typed["minutes"] is None else ["--minutes", f"{typed['minutes']:g}"]
    words += ["--seeds", str(typed["seeds"]), *["--moved"] * typed["moved"], *["--transposed"] * typed["transposed"]]
    return shlex.join([*words, *(word for rate in typed["rates"] for word in ("--dynamic", f"{rate:g}"))])


def _moved(field: Field, name: str, turns: list[list[Learnt]]) -> list[str]:
    """The test pieces in all twelve keys, the mean over the seeds."""
    from ..bench import judged

    how = "told by how much" if field.moved else "not told"
    found = {
        semitones: mean(judged(field, team, "test", semitones, field.moved) for team in turns)
        for semitones in range(-6, 6)
    }
    lines = ["", f"the test pieces moved by semitones, {name}, {how}:"]
    lines += [f"  {semitones:+3d}  {figure:7.3f}" for semitones, figure in found.items()]
    return [*lines, f"  all  {mean(found.values()):7.3f}"]
