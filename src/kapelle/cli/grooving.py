"""`kapelle groove`, `drumify` and `hats`: drums that have heard what is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import CodecError, WishError
from .opening import open_music, open_named
from .options import FILES, Command, with_options
from .output import fact_line, shown
from .walking import SEED
from .words import Number
from .writing import paths_of, write_piece

if TYPE_CHECKING:
    from ..music import Score
    from ..styles import DrummingStyle

Tell = Callable[[str], None]


def _playing(command: Command) -> Command:
    options = (
        click.option("--count", type=Number(int, "4", 1, 100), default=1, help="So many performances.  [1]"),
        click.option(
            "--temperature",
            type=Number(float, "0.8", 0, 10),
            default=0.5,
            help="1 draws each hit as learnt, less is calmer, 0 gives what is to be expected.  [0.5]",
        ),
        click.option("--style", default="groove", help="A style of drums that hears, by its name or file.  [groove]"),
        SEED,
    )
    for option in reversed(options):
        command = option(command)
    return with_options(FILES)(command)


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@_playing
def groove(
    music: Path, count: int, temperature: float, style: str, seed: int, formats: str, out: Path, force: bool
) -> None:  # fmt: skip
    """Play the beat of MUSIC as a drummer would: every hit stays, and gets another loudness and timing.

    Other tracks stay as they are.

    \b
    kapelle groove beat.mid
    kapelle groove beat.mid --count 3 --temperature 1
    """

    def played(drummer: DrummingStyle, score: Score, tell: Tell) -> list[Score]:
        return drummer.groove(score, count, temperature, seed, tell)

    _write(music, "groove", count, style, formats, out, force, played)


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@_playing
def drumify(
    music: Path, count: int, temperature: float, style: str, seed: int, formats: str, out: Path, force: bool
) -> None:  # fmt: skip
    """Play the rhythm of MUSIC on a whole kit. Any music will do: a tapped rhythm, a tune, a bass, a beat.

    What is written holds the drums alone, in the tempo of MUSIC.

    \b
    kapelle drumify rhythm.mid --count 4
    """

    def played(drummer: DrummingStyle, score: Score, tell: Tell) -> list[Score]:
        return drummer.drumify(score, count, temperature, seed)

    _write(music, "drums", count, style, formats, out, force, played)


@click.command()
@click.argument("music", type=click.Path(path_type=Path))
@_playing
def hats(
    music: Path, count: int, temperature: float, style: str, seed: int, formats: str, out: Path, force: bool
) -> None:  # fmt: skip
    """Add closed hats to the beat of MUSIC; all else stays as it is.

    \b
    kapelle hats beat.mid
    """

    def played(drummer: DrummingStyle, score: Score, tell: Tell) -> list[Score]:
        return drummer.hats(score, count, temperature, seed, tell)

    _write(music, "hats", count, style, formats, out, force, played)


def _write(
    music: Path, what: str, count: int, style: str, formats: str, out: Path, force: bool,
    play: Callable[[DrummingStyle, Score, Tell], list[Score]],
) -> None:  # fmt: skip
    """Play what is in a file, write it, and say what was done."""
    drummer = _open_drummer(style)
    numbers = [""] if count == 1 else [f"-{number}" for number in range(1, count + 1)]
    paths = paths_of(out, [f"{music.stem}-{what}{number}" for number in numbers], formats, force)
    score = open_music(music)
    try:
        found = play(drummer, score, lambda line: click.echo(f"{shown(music)}: {line}", err=True))
    except (CodecError, WishError) as error:
        raise WishError(f"{shown(music)}: {error}") from None
    for played, own in zip(found, paths, strict=True):
        write_piece(played.replace(title=played.title or own[0].stem), own, force)
        for path in own:
            click.echo(shown(path))
        click.echo(f"    {fact_line(played)}")


def _open_drummer(text: str) -> DrummingStyle:
    from ..styles import DrummingStyle

    style = open_named(text, "name it before --style")
    if not isinstance(style, DrummingStyle):
        raise WishError(
            f"expected a style of drums that hears, such as groove, got {shown(text)}, which does not; train one with "
            "--kind drums --dynamics --hear hits"
        )
    return style
