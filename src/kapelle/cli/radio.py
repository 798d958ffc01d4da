"""`kapelle radio`: music without an end, played or written."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import FileError, WishError
from .opening import open_named
from .options import MIX, with_options
from .output import clock, fact_line, plain, shown
from .playing import PLAYERS, events_of, open_port, perform, play_aloud
from .progress import ProgressLine
from .words import Number
from .writing import check_folder, check_free, write_piece

if TYPE_CHECKING:
    from ..music import Score

SOON = 0.05
"""Seconds after which the first part is due."""


@click.command()
@click.argument("style")
@click.option("--minutes", type=Number(float, "60"), help="How long.  [until Ctrl-C]")
@click.option("--bars", type=Number(int, "8", 1, 64), default=8, help="So many at a time.  [8]")
@click.option("--tempo", type=Number(float, "96"), help="Beats a minute, 10 to 400.")
@click.option("--key", help='Such as "D minor", to begin in.')
@with_options(MIX)
@click.option("--temperature", type=Number(float, "0.9", 0, 10), help="1 as learnt, less is safer.  [as the style]")
@click.option("--seed", type=Number(int, "7", 0), help="The same seed gives the same music.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write one file instead of playing.")
@click.option("--port", metavar="NAME", help="Play through the MIDI port of this name, or part of one.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def radio(
    style: str, minutes: float | None, bars: int, seed: int | None, out: Path | None, port: str | None, force: bool,
    **wishes: Any,
) -> None:  # fmt: skip
    """Play music in a STYLE without an end, or write an hour of it; each part goes on from the last.

    Ctrl-C stops it; with --out, what there is by then is written.

    \b
    kapelle radio melody
    kapelle radio folk --minutes 60 --tempo 110 --out set.mid
    """
    if minutes is not None and not 0 < minutes <= 1440:
        raise WishError(f"expected --minutes above 0, up to a day (1440), got {minutes:g}")
    if out is not None and port is not None:
        raise WishError("expected --out or --port, got both: it is written or played")
    if out is not None:
        check_folder(out.parent)
        if not force:
            check_free(out)
    composer = open_named(style, "`kapelle styles` lists the styles")
    asked = {name: value for name, value in wishes.items() if value is not None}
    parts = _timed(composer.radio(bars, seed, **asked), minutes)
    if out is not None:
        _write(parts, out, f"{composer.name} radio", minutes, force)
    else:
        _play(parts, port)


def _timed(parts: Iterator[Score], minutes: float | None) -> Iterator[Score]:
    """Parts until they last so long."""
    seconds = 0.0
    for part in parts:
        yield part
        seconds += _seconds(part)
        if minutes is not None and seconds >= 60 * minutes:
            return


def _seconds(part: Score) -> float:
    """How long its bars last, rests at its end among them."""
    return float(part.tempos.seconds(int(part.bars()[-1]), part.ticks_per_quarter))


def _write(parts: Iterator[Score], out: Path, title: str, minutes: float | None, force: bool) -> None:
    """One file of all parts, or of those there are when Ctrl-C is pressed."""
    from ..music import concatenate

    found: list[Score] = []
    seconds, stopped = 0.0, False
    with ProgressLine("composing") as line:
        try:
            for part in parts:
                found.append(part)
                seconds += _seconds(part)
                line.tell(min(seconds / (60 * (minutes or 60)), 1), f"{clock(seconds)}; Ctrl-C writes it")
        except KeyboardInterrupt:
            stopped = True
    if not found:
        raise KeyboardInterrupt
    whole = concatenate(found).replace(title=title)
    write_piece(whole, [out], force)
    click.echo(f"{shown(out)}{', stopped' if stopped else ''}\n    {fact_line(whole)}")


def _play(parts: Iterator[Score], port: str | None) -> None:
    """Play part after part, the next being composed meanwhile."""
    players = [] if port is not None else [player for player in PLAYERS if shutil.which(player[0])]
    output: Any = None
    if not players:
        failure = "there is no program that plays sound"
        output, name = open_port(port, f"{failure}; --out FILE --minutes 60 writes the music")
        click.echo(f"to the MIDI port {plain(name)}; Ctrl-C stops it")
    due = time.perf_counter() + SOON
    try:
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(next, parts, None)
            while (part := coming.result()) is not None:
                coming = ahead.submit(next, parts, None)
                if output is None:
                    if failure := play_aloud(part, None, players, f"{len(part.bars()) - 1} bars"):
                        raise FileError(failure)
                    continue
                # Late parts start late, and all others on the beat.
                due = max(due, time.perf_counter())
                perform(events_of(part), output.send_message, start=due)
                due += _seconds(part)
    finally:
        if output is not None:
            output.close_port()
