"""`kapelle harmonize`."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import WishError
from .opening import open_music, open_named
from .options import FILES, TASTE, VOICES, with_options
from .output import count as counted
from .output import fact_line, shown
from .writing import free_paths, suffixes_of, write_piece

if TYPE_CHECKING:
    from ..music import Score


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@click.option("--style", default="chorale", help="One that was learnt in voices, by its name or its file.  [chorale]")
@click.option("--write", help="The voices to be written, such as ATB or bass.  [those that are not there]")
@click.option("--bars", metavar="FIRST-LAST", help="Write these bars only, such as 5-8.")
@click.option("--title", help="Of the pieces; that of the music without it.")
@with_options(VOICES, TASTE, FILES)
def harmonize(
    music: Path,
    style: str,
    bars: str | None,
    title: str | None,
    seed: int | None,
    count: int,
    formats: str,
    out: Path,
    force: bool,
    **wishes: Any,
) -> None:
    """Write the voices that the file MUSIC lacks, or some of them anew.

    A melody gets alto, tenor and bass. What is given stays as it is, to the tick. Tracks named Soprano, Alto, Tenor
    and Bass are these voices. Files are named MUSIC-STYLE-SEED; of several the likeliest is told first.

    \b
    kapelle harmonize melody.mid
    kapelle harmonize score.musicxml --write bass --count 5 --seed 3
    kapelle harmonize hymn.mid --write AT --bars 5-8 --rules all
    """
    start = time.perf_counter()
    suffixes = suffixes_of(formats)
    span = None if bars is None else _span(bars)
    given = open_music(music)
    composer = open_named(style, "`kapelle styles` lists the styles")
    stem = f"{music.stem}-{Path(style).name.removesuffix('.safetensors')}"
    wanted = free_paths(out, stem, seed, count, suffixes, force)
    said: set[str] = set()

    def tell(line: str) -> None:
        if line not in said:
            click.echo(line, err=True)
        said.add(line)

    found = []
    for number, paths in wanted.items():
        harmony = composer.harmonize(given, bars=span, seed=number, tell=tell, **wishes)
        score = harmony.score.replace(title=title or given.title or shown(music.stem))
        write_piece(score, paths, force)
        found.append((harmony.nats, paths, score))
    for nats, paths, score in sorted(found, key=lambda one: one[0]):
        for path in paths:
            click.echo(shown(path))
        click.echo(f"    {fact_line(score)}")
        click.echo(f"    {_breaches(score)}{nats:.0f} nats")
    _tell_time(len(found), time.perf_counter() - start)


def _tell_time(pieces: int, seconds: float) -> None:
    likeliest = ", the likeliest first" if pieces > 1 else ""
    click.echo(f"{counted(pieces, 'piece')} in {seconds:.1f} seconds{likeliest}")


def _span(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?", text)
    if match is None:
        raise WishError(f"expected --bars such as 5-8 or 5, got {text!r}")
    return int(match[1]), int(match[2] or match[1])


def _breaches(score: Score) -> str:
    """How often four voices break the rules of part-writing."""
    from ..evaluation import voice_leading

    if len(score.tracks) != 4:
        return ""
    found = voice_leading([score])
    kinds = (
        (found.parallels, "parallel", ""),
        (found.crossings, "crossing", ""),
        (found.ranges, "note", " out of range"),
        (found.leading_notes, "leading note", " not resolved"),
    )
    broken = ", ".join(counted(number, noun) + what for number, noun, what in kinds if number)
    return f"{broken or 'no rule of part-writing broken'}; "
