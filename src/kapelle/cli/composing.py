"""`kapelle compose` and `kapelle continue`."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import CodecError, WishError
from .opening import open_music, open_named
from .options import FILES, MIX, ORIGINALITY, TASTE, VOICES, with_options
from .output import count, fact_line, plain, shown
from .words import Number
from .writing import free_paths, suffixes_of, write_piece

if TYPE_CHECKING:
    from ..music import Score


@click.command()
@click.argument("style")
@click.option("--bars", type=Number(int, "16"), help="Length in bars.")
@click.option("--notes", type=Number(int, "100"), help="Length in notes.")
@click.option("--seconds", type=Number(float, "30"), help="Length in seconds.")
@click.option("--key", help='Such as "D minor"; every note is of its scale.')
@click.option("--meter", help="Such as 3/4.")
@click.option("--tempo", type=Number(float, "96"), help="Beats a minute, 10 to 400; in 6/8 of dotted quarters.")
@click.option("--range", "range_", metavar="LOW-HIGH", help="Lowest and highest pitch, such as C3-C6.")
@click.option("--polyphony", type=Number(int, "4"), help="How many notes may sound at once.")
@click.option("--instrument", "instruments", multiple=True, help="Such as violin or 40; again for each further track.")
@click.option("--chords", metavar="LINE", help='One a bar, such as "Am F C G"; for styles of windows with lines.')
@click.option("--title", help="Of the piece; the style and the seed without it.")
@with_options(MIX, VOICES, TASTE, ORIGINALITY, FILES)
def compose(
    style: str,
    title: str | None,
    range_: str | None,
    instruments: tuple[str, ...],
    seed: int | None,
    count: int,
    formats: str,
    out: Path,
    force: bool,
    **wishes: Any,
) -> None:
    """Compose new pieces in a STYLE, by its name or its file.

    Files are named STYLE-SEED, such as folk-7.mid. What you do not wish for, the style chooses.

    \b
    kapelle compose folk --bars 16 --seed 7
    kapelle compose folk --key "D minor" --meter 3/4 --tempo 96 --count 4 --out tunes
    """
    pitches = None if range_ is None else _pitches(range_)
    stem = _stem(style)

    def make(composer: Any, number: int, tell: Callable[[str], None]) -> Score:
        score: Score = composer.compose(
            range=pitches,
            instruments=instruments,
            title=f"{stem} {number}" if title is None else title,
            seed=number,
            tell=tell,
            **wishes,
        )
        _tell_unheard(score, instruments, tell)
        return score

    instead = f"to go on from it: kapelle continue {shlex.quote(style)} --style folk"
    _make_pieces(make, style, instead, stem, seed, count, formats, out, force)


@click.command("continue")
@click.argument("music", type=click.Path(path_type=Path))
@click.option("--style", required=True, help="By its name or its file.")
@click.option("--bars", type=Number(int, "8", 1, 10_000), default=8, help="Bars to add.  [8]")
@with_options(MIX, TASTE, ORIGINALITY, FILES)
def continue_(
    music: Path,
    style: str,
    seed: int | None,
    count: int,
    formats: str,
    out: Path,
    force: bool,
    **wishes: Any,
) -> None:
    """Go on from the file MUSIC, which stays as it is, to the tick.

    Files are named MUSIC-STYLE-SEED, such as riff-folk-7.mid, and so are the pieces: "riff, continued by folk 7".

    \b
    kapelle continue riff.mid --style folk --bars 16
    """
    beginning = open_music(music)
    stem = _stem(style)

    def make(composer: Any, number: int, tell: Callable[[str], None]) -> Score:
        try:
            score: Score = composer.continue_(beginning, seed=number, tell=tell, **wishes)
        except CodecError as error:
            raise CodecError(f"{shown(music)}: {error}") from None
        return score.replace(title=f"{beginning.title or shown(music.stem)}, continued by {stem} {number}")

    instead = "`kapelle styles` lists the styles"
    _make_pieces(make, style, instead, f"{music.stem}-{stem}", seed, count, formats, out, force)


def _make_pieces(
    make: Callable[[Any, int, Callable[[str], None]], Score],
    style: str,
    instead: str,
    stem: str,
    seed: int | None,
    number_of_pieces: int,
    formats: str,
    out: Path,
    force: bool,
) -> None:
    """Make pieces, write them, and say of each where it is and what it is like."""
    suffixes = suffixes_of(formats)
    start = time.perf_counter()
    composer = open_named(style, instead)
    wanted = free_paths(out, stem, seed, number_of_pieces, suffixes, force)
    for number, paths in wanted.items():

        def tell(line: str, number: int = number) -> None:
            click.echo(f"seed {number}: {line}", err=True)

        score = make(composer, number, tell)
        write_piece(score, paths, force)
        for path in paths:
            click.echo(shown(path))
        click.echo(f"    {fact_line(score)}")
    click.echo(f"{count(number_of_pieces, 'piece')} in {time.perf_counter() - start:.1f} seconds")


def _tell_unheard(score: Score, instruments: Sequence[str], tell: Callable[[str], None]) -> None:
    """Say which of the instruments that were asked for found no track in the piece."""
    pitched = sum(not track.is_drum for track in score.tracks)
    if unheard := instruments[pitched:]:
        tell(f"no track for {', '.join(map(plain, unheard))}: the piece has {count(pitched, 'track')} for instruments")


def _stem(style: str) -> str:
    """What files are named after: what was typed, since the name inside a stranger's file may be anything."""
    return os.path.basename(style).removesuffix(".safetensors")


def _pitches(text: str) -> tuple[str, str]:
    # A minus may belong to a pitch: C-1 is the lowest.
    pitch = r"([A-Ga-g][#♯b♭]?-?\d|\d{1,3})"
    match = re.fullmatch(rf"\s*{pitch}\s*(?:-|–|,|\.\.|\s|to)\s*{pitch}\s*", text)
    if match is None:
        raise WishError(f"expected a --range such as C3-C6 or 48-84, got {text!r}")
    return match[1], match[2]
