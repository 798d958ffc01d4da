"""What is told of a command that was typed wrongly: what was expected, what came, what to do."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import Any

import click


class Number(click.ParamType):  # type: ignore[type-arg]
    """A number that is typed, and refused in Kapelle's words if it is none.

    Args:
        kind: int or float.
        example: of one, for who typed something else.
        low: the least that is allowed; None leaves the bounds to whom the number is given.
        high: the most; None for no bound.
    """

    name = "number"

    def __init__(self, kind: type[int] | type[float], example: str, low: int | None = None, high: int | None = None):
        self.kind, self.example, self.low, self.high = kind, example, low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """The number.

        Raises:
            click.UsageError: if it is none, or out of bounds.
        """
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        try:
            number = self.kind(value)
        except ValueError:
            number = None
        # What is not a number and yet a float, nan, is refused by whom it is given.
        if number is not None and (math.isnan(number) or low <= number <= high):
            return number
        bounds = ""
        if self.low is not None:
            bounds = f" from {low} on" if self.high is None else f" from {low} to {high:,}"
        what = f"a {'whole ' if self.kind is int else ''}number{bounds}, such as {self.example}"
        option = param.opts[0] if param is not None else "this"
        raise click.UsageError(f"expected {option} to be {what}; got {str(value)!r}", ctx)


class Mixture(click.ParamType):  # type: ignore[type-arg]
    """Names and shares; a name alone has a share of one."""

    name = "mixture"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, float]:
        """The share of each name.

        Raises:
            click.UsageError: if a share is no number.

        >>> Mixture().convert("bach:0.7, chopin:0.3", None, None)
        {'bach': 0.7, 'chopin': 0.3}
        """
        shares: dict[str, float] = {}
        for part in str(value).split(","):
            name, _, share = part.strip().rpartition(":") if ":" in part else (part.strip(), "", "1")
            try:
                shares[name] = shares.get(name, 0.0) + float(share)
            except ValueError:
                raise click.UsageError(f"expected a --mix such as bach:0.7,chopin:0.3, got {value!r}", ctx) from None
        return shares


def explained(error: click.UsageError) -> str:
    """The line for a command line that click refused, in Kapelle's words as far as there are any."""
    where = error.ctx.command_path if error.ctx is not None else ""
    see = f"; see {where} --help" if where else ""
    if isinstance(error, click.MissingParameter) and error.param is not None and error.ctx is not None:
        return f"expected {_asked_for(error.param, error.ctx)}, got none{_example(error.ctx.command)}{see}"
    if isinstance(error, click.NoSuchOption):
        return f"there is no option {error.option_name}{_near(error.option_name, _options(error.ctx))}{see}"
    if isinstance(error, click.BadOptionUsage) and "requires an argument" in error.message:
        return f"expected something after {error.option_name}, got nothing{see}"
    if extra := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.message):
        return f"got more than expected: {extra[1]!r}; a value of several words goes in quotes{see}"
    if unknown := re.match(r"No such command '(.*?)'", error.message):
        commands = list(error.ctx.command.commands) if error.ctx and isinstance(error.ctx.command, click.Group) else []
        hint = _near(unknown[1], commands) or f"; there are {', '.join(commands)}"
        return f"there is no command {unknown[1]!r}{hint}{see}"
    return f"{error.format_message().rstrip('.')}{see}"


def _asked_for(param: click.Parameter, context: click.Context) -> str:
    return param.opts[0] if isinstance(param, click.Option) else param.make_metavar(context)


def _example(command: click.Command) -> str:
    """The first example of a command's help: it says more than the name of what is missing."""
    found = re.search(rf"^\s*(kapelle {command.name} .*)$", command.help or "", re.MULTILINE)
    return f"; for example: {found[1]}" if found else ""


def _options(context: click.Context | None) -> list[str]:
    return [] if context is None else [name for param in context.command.params for name in param.opts]


def _near(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
