"""`kapelle morph`, `vary`, `grid` and `steer`: walks through the space of a style of windows."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import CodecError, WishError
from .opening import open_music, open_named
from .options import FILES, Command, with_options
from .output import count as counted
from .output import fact_line, plain, shown
from .words import Number
from .writing import paths_of, write_piece

if TYPE_CHECKING:
    from ..music import Score
    from ..styles import WindowStyle

MOST_NAMED = 6
"""So many windows of a long file are named in the line that asks which."""

SEED = click.option("--seed", type=Number(int, "7", 0), default=0, help="Of every random choice.  [0]")
MEASURES = ("density", "syncopation", "register", "interval", "repetition", "length", "swing", "velocity")
"""What can be steered; a style may know fewer."""


def style_option(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--style", default=default, help=f"A style of windows, by its name or its file.  [{default}]"
    )  # fmt: skip


def _temperature(default: float | None) -> Callable[[Command], Command]:
    told = "0; 0.5 where a style finds windows again but roughly" if default is None else f"{default:g}"
    return click.option(
        "--temperature",
        type=Number(float, "0.5", 0, 10),
        default=default,
        help=f"0 takes the most likely of each point, 1 draws as learnt.  [{told}]",
    )


@click.command()
@click.argument("music", nargs=-1, required=True)
@click.option("--steps", type=Number(int, "8", 2, 100), default=8, help="Pieces from each file to the next.  [8]")
@style_option("melody")
@_temperature(None)
@SEED
@with_options(FILES)
def morph(
    music: tuple[str, ...], steps: int, style: str, temperature: float | None, seed: int, formats: str, out: Path,
    force: bool,
) -> None:  # fmt: skip
    """Go from one piece to another, step by step; the ends are the pieces themselves.

    MUSIC is two files or more, each as long as a window of the style. Of a longer one FILE@BAR takes the window from a
    bar on. Every step is a file, and one more holds them all, one after the other.

    \b
    kapelle morph a.mid b.mid --steps 8
    kapelle morph verse.mid@5 verse.mid@9 chorus.mid --style trio
    """
    composer = open_windows(style)
    if len(music) < 2:
        raise WishError(f"expected two files or more to go between, got {len(music)}")
    clips = [_window(composer, text, out) for text in music]
    _check_together(music, clips)
    stem = "-to-".join(_stem(text) for text in music)
    total = (len(clips) - 1) * (steps - 1) + 1
    paths = paths_of(out, [stem, *(f"{stem}-{number}" for number in range(1, total + 1))], formats, force)
    found = composer.morph(clips, steps, temperature, seed)
    _write([composer.chained(found).replace(title=stem), *found], paths, force)


@click.command()
@click.argument("music")
@click.option("--similarity", type=Number(float, "0.8", 0, 1), default=0.8, help="1 is like it, 0 anything.  [0.8]")
@click.option("--count", type=Number(int, "6", 1, 100), default=6, help="So many.  [6]")
@style_option("melody")
@_temperature(0.5)
@SEED
@with_options(FILES)
def vary(
    music: str, similarity: float, count: int, style: str, temperature: float, seed: int, formats: str, out: Path,
    force: bool,
) -> None:  # fmt: skip
    """Write pieces like the file MUSIC.

    \b
    kapelle vary riff.mid --similarity 0.8 --count 6
    """
    composer = open_windows(style)
    clip = _window(composer, music, out)
    paths = paths_of(out, [f"{_stem(music)}-like-{number}" for number in range(1, count + 1)], formats, force)
    found = composer.vary(clip, similarity, count, temperature, seed)
    different = len({each.tracks for each in found})
    if different < count:
        click.echo(f"only {different} of them differ; less similarity or more temperature gives more", err=True)
    _write(found, paths, force)


@click.command()
@click.argument("music", nargs=-1, required=True)
@click.option("--size", type=Number(int, "11", 2, 32), default=11, help="Pieces of a side.  [11]")
@click.option("--path", "places", help='Write one piece instead, that goes by these "ROW,COLUMN ROW,COLUMN ...".')
@style_option("drums")
@_temperature(None)
@SEED
@with_options(FILES)
def grid(
    music: tuple[str, ...], size: int, places: str | None, style: str, temperature: float | None, seed: int,
    formats: str, out: Path, force: bool,
) -> None:  # fmt: skip
    """Fill a square between four pieces, which are its corners.

    MUSIC is four files: top left, top right, bottom left, bottom right. Files are named by row and column from 1 on.

    \b
    kapelle grid a.mid b.mid c.mid d.mid --size 11 --out square
    kapelle grid a.mid b.mid c.mid d.mid --path "1,1 3,2 6,6 11,11"
    """
    composer = open_windows(style)
    way = None if places is None else _places(places, size)
    if len(music) != 4:
        raise WishError(f"expected four files, one for each corner, got {len(music)}")
    clips = [_window(composer, text, out) for text in music]
    _check_together(music, clips)
    cells = [(row, column) for row in range(1, size + 1) for column in range(1, size + 1)]
    names = ["path"] if way else [f"grid-{row:02}-{column:02}" for row, column in cells]
    paths = paths_of(out, names, formats, force)
    rows = composer.grid(clips, size, temperature, seed)
    if way:
        drawn = composer.chained([rows[row - 1][column - 1] for row, column in way])
        _write([drawn.replace(title="path")], paths, force)
    else:
        _write([rows[row - 1][column - 1] for row, column in cells], paths, force)


def _measured(command: Command) -> Command:
    for name in reversed(MEASURES):
        command = click.option(f"--{name}", type=Number(float, "+1"), help="More or less of it.")(command)
    return command


@click.command()
@click.argument("music")
@_measured
@style_option("melody")
@SEED
@with_options(FILES)
def steer(
    music: str, style: str, seed: int, formats: str, out: Path, force: bool, **wanted: float | None
) -> None:  # fmt: skip
    """Make the file MUSIC denser, calmer, higher, and leave the rest as it is.

    1 is one standard deviation of the music that the style has learnt. `kapelle styles NAME` lists what a style can
    measure.

    \b
    kapelle steer riff.mid --density +1 --syncopation -0.5 --register +0.3
    """
    composer = open_windows(style)
    changes = {name: change for name, change in wanted.items() if change is not None}
    if not changes:
        raise WishError(f"expected something to change, such as --density +1; there are {', '.join(MEASURES)}")
    clip = _window(composer, music, out)
    paths = paths_of(out, [f"{_stem(music)}-steered"], formats, force)
    found = composer.steer(clip, changes, seed)
    _write([found], paths, force)
    before, after, leaps = composer.measure(clip), composer.measure(found), composer.leaps(clip)
    if before == after:
        click.echo("nothing that the style tells is nearer to what is asked for: it stays as it is", err=True)
    for name, value in before.items():
        asked = f", asked for {changes[name]:+g}" if name in changes else ""
        if asked and leaps[name] > abs(changes[name]):
            asked += f"; here it changes by {leaps[name]:.1f} at the least"
        click.echo(f"    {name:<12}{value:+.1f} became {after[name]:+.1f}{asked}")


# -- what they share ------------------------------------------------------------------------------


def open_windows(text: str) -> WindowStyle:
    from ..styles import WindowStyle

    style = open_named(text, "name it before --style")
    if not isinstance(style, WindowStyle):
        raise WishError(
            f"expected a style of windows, such as melody or drums, got {shown(text)}, which learnt whole pieces; "
            "train one with --kind"
        )
    return style


def _window(style: WindowStyle, text: str, out: Path) -> Score:
    """The one window of a file, or that from FILE@BAR; of several the user has to choose.

    Raises:
        WishError: if there are several, which are then written out, or none.
    """
    path, bar = _split(text)
    score = open_music(path)
    if not score.num_notes:
        raise WishError(f"{shown(path)}: expected music, got a score without notes; take one with notes")
    longer, bars = _bars(score) > _length(style), _length(style)
    try:
        found = dict(style.windows(score)) if bar is not None or longer else {}
        if bar is not None:
            if bar not in found:
                starts = ", ".join(map(str, list(found)[:MOST_NAMED])) or "no bar"
                raise WishError(f"{shown(path)}: no window of {bars} bars starts at bar {bar}; at {starts}")
            found = {bar: found[bar]}
        if len(found) > 1:
            raise WishError(_offer(style, path, found, out))
        clip = next(iter(found.values())) if found else score
        style.measure(clip)
        if longer and not found:
            raise WishError(f"{shown(path)}: has no window of {bars} bars: {_reasons(style, score)}")
        remarks = style.remarks(clip)
    except CodecError as error:
        raise WishError(f"{shown(path)}: {error} (in the style {style.name}; --style names another)") from None
    if bar is None:
        remarks = [*(f"its one window is taken, bars {first} to {first + bars - 1}" for first in found), *remarks]
    for line in remarks:
        click.echo(f"{shown(path)}: {plain(line)}", err=True)
    if _bars(clip) < bars:
        click.echo(f"{shown(path)}: shorter than {bars} bars; silence fills it", err=True)
    return clip


def _reasons(style: WindowStyle, score: Score) -> str:
    """Why no window starts at the bars of a score."""
    dropped = style.codec.windows(score)[1].most_common(3)  # type: ignore[attr-defined]
    return "; ".join(f"{reason} ({counted(times, 'bar')})" for reason, times in dropped)


def _check_together(music: Sequence[str], clips: Sequence[Score]) -> None:
    """See that clips are in one metre; say so where one comes twice in turn: between is the style's own word for it.

    Raises:
        WishError: if they are in several.
    """
    meters = {clip.meters[0].name: shown(text) for text, clip in zip(reversed(music), reversed(clips), strict=True)}
    if len(meters) > 1:
        told = " and ".join(f"{name} ({text})" for name, text in reversed(meters.items()))
        raise WishError(f"expected pieces in one metre, got {told}; choose pieces alike")
    if any(one == other for one, other in itertools.pairwise(clips)):
        click.echo("a clip comes twice in turn: between it and itself is what the style makes of it", err=True)


def _offer(style: WindowStyle, path: Path, found: dict[int, Score], out: Path) -> str:
    """Write the windows of a long file out, and ask which."""
    folder = out / f"{path.stem}-windows"
    written = "" if folder.exists() else f"; they lie in {shown(folder)}"
    if written:
        for bar, score in found.items():
            write_piece(score, [folder / f"{path.stem}-{bar:03}.mid"], False)
    named = ", ".join(map(str, list(found)[:MOST_NAMED]))
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    one = shlex.quote(f"{shown(path)}@{next(iter(found))}")
    return (
        f"{shown(path)}: has {len(found)} windows of {_length(style)} bars, at bars {named}{more}; take one, as in "
        f"{one}{written}"
    )


def _split(text: str) -> tuple[Path, int | None]:
    match = re.fullmatch(r"(.+)@(\d+)", text)
    if match is None or Path(text).exists():
        return Path(text), None
    return Path(match[1]), int(match[2])


def _stem(text: str) -> str:
    path, bar = _split(text)
    return path.stem if bar is None else f"{path.stem}@{bar}"


def _bars(score: Score) -> int:
    return len(score.bars()) - 1 - (score.pickup > 0)


def _length(style: WindowStyle) -> int:
    bars: int = style.codec.vocabulary.bars  # type: ignore[attr-defined]
    return bars


def _places(text: str, size: int) -> list[tuple[int, int]]:
    places = [re.fullmatch(r"(\d+),(\d+)", word) for word in text.split()]
    found = [(int(place[1]), int(place[2])) for place in places if place is not None]
    if not found or len(found) < len(places) or not all(1 <= min(place) <= max(place) <= size for place in found):
        raise WishError(f'expected --path as rows and columns of 1 to {size}, such as "1,1 3,2", got {text!r}')
    return found


def _write(scores: Sequence[Score], paths: Sequence[Sequence[Path]], force: bool) -> None:
    for score, own in zip(scores, paths, strict=True):
        write_piece(score if score.title else score.replace(title=own[0].stem), own, force)
    for score, own in list(zip(scores, paths, strict=True))[:MOST_NAMED]:
        for path in own:
            click.echo(shown(path))
        click.echo(f"    {fact_line(score)}")
    if len(scores) > MOST_NAMED:
        click.echo(f"and {counted(len(scores) - MOST_NAMED, 'piece')} more")
