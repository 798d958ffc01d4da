"""Options that several commands share, and how they are put on a command."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .words import Mixture, Number

Command = Callable[..., None]
Options = tuple[Callable[[Command], Command], ...]

MIX: Options = (
    click.option(
        "--mix", type=Mixture(), help="Of a style's manners, with shares: bach:0.7,chopin:0.3.  [one of them]"
    ),
)
"""What a style of several manners makes of them."""

TASTE: Options = (
    click.option(
        "--seed", type=Number(int, "7", 0), help="The same seed gives the same piece. A free random one without it."
    ),
    click.option(
        "--count",
        type=Number(int, "4", 1, 10_000),
        default=1,
        help="So many pieces, of the seed and those after it.  [1]",
    ),
    click.option(
        "--temperature",
        type=Number(float, "0.9", 0, 10),
        help="1 as learnt, less is safer, more is wilder.  [0.9, in voices 0.7]",
    ),
    click.option(
        "--top-k",
        type=Number(int, "20", 0),
        default=0,
        help="Draw among the k most likely only; 0 is no limit.  [0]",
    ),
    click.option(
        "--top-p",
        type=Number(float, "0.98", 0, 1),
        help="Draw among the most likely that reach this probability.  [0.98, in voices 0.95]",
    ),
    click.option(
        "--min-p",
        type=Number(float, "0.05", 0, 1),
        default=0.0,
        help="Draw among those this share as likely as the most likely.  [0]",
    ),
)
"""Which pieces are drawn, how many, and how freely."""

ORIGINALITY: Options = (
    click.option(
        "--repetition",
        type=Number(float, "0.2", 0, 1),
        help="Share of bars that may repeat, 0 to 1. As the style without it.",
    ),
    click.option(
        "--original", is_flag=True, help="Copy no passage of its pieces for longer than such pieces share one."
    ),
)

FILES: Options = (
    click.option(
        "--formats",
        default="mid",
        metavar="LIST",
        help="Of mid, musicxml, pdf, ly, png, svg, txt, wav, flac, ogg, opus, mp3.  [mid]",
    ),
    click.option(
        "--out", default=".", type=click.Path(path_type=Path), metavar="FOLDER", help="Where files go.  [here]"
    ),
    click.option("--force", is_flag=True, help="Replace files that exist."),
)
"""Which files are written, and where."""


class Bars(click.ParamType):  # type: ignore[type-arg]
    """Numbers of bars with commas between."""

    name = "bars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers, in order and once each.

        Raises:
            click.UsageError: if one of them is none.
        """
        try:
            return tuple(sorted({int(number) for number in str(value).split(",")}))
        except ValueError:
            option = param.opts[0] if param is not None else "this"
            raise click.UsageError(f"expected {option} to be bars, such as 4,8,12; got {str(value)!r}", ctx) from None


class Rules(click.ParamType):  # type: ignore[type-arg]
    """Names of rules of part-writing with commas between, or "all"."""

    name = "rules"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names as `kapelle.music.partwriting.RULES` has them.

        Raises:
            click.UsageError: if there is no rule of a name.
        """
        from ..music.partwriting import RULES

        if not isinstance(value, str):
            return tuple(value)
        names = [name.strip().replace("-", "_") for name in value.split(",") if name.strip()]
        if names == ["all"]:
            return RULES
        for name in names:
            if name not in RULES:
                known = ", ".join(rule.replace("_", "-") for rule in RULES)
                raise click.UsageError(f"expected --rules to be all, or some of {known}; got {name!r}", ctx)
        return tuple(names)


VOICES: Options = (
    click.option("--fermatas", type=Bars(), metavar="BARS", help="Bars in which a line ends, such as 4,8; for voices."),
    click.option(
        "--rules",
        type=Rules(),
        default=(),
        help="Of part-writing, for voices: all, or some of parallels, ranges, crossings, leading-notes.",
    ),
)
"""What can be wished of a style of voices."""


def with_options(*groups: Options) -> Callable[[Command], Command]:
    """Puts groups of options on a command, in this order."""

    def decorated(command: Command) -> Command:
        for option in reversed(list(itertools.chain(*groups))):
            command = option(command)
        return command

    return decorated
