"""`kapelle styles`."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from .opening import open_named
from .output import clock, count, megabytes, plain, shown, table

if TYPE_CHECKING:
    from ..styles import Card, Style

HELD_OUT = ("test nats per note", "valid nats per note")
"""The figures that tell how well a style foretells unseen pieces, the fairest first."""

COUNTS = ("held out pieces", "test pieces")
"""The figures that count pieces."""
MAX_WIDTH = 100


@click.command()
@click.argument("name", required=False)
def styles(name: str | None) -> None:
    """List the styles there are, or tell all about the one NAME.

    \b
    kapelle styles
    kapelle styles folk
    """
    if name is None:
        _list()
    else:
        instead = f"to see what is in it: kapelle show {shlex.quote(name)}"
        for line in _card_lines(open_named(name, instead)):
            click.echo(line)


def _list() -> None:
    from ..styles import list_styles, user_folder

    found, problems = list_styles()
    for problem in problems:
        click.echo(f"kapelle: {plain(problem)}", err=True)
    own = f"in {shown(user_folder())}"
    if not found:
        click.echo(f"There is no style yet; learn one, which will lie {own}: kapelle train FOLDER --name NAME")
        return
    rows = [("name", "learnt from", "held out", "size", "title")]
    for listing in found:
        card = listing.card
        figure = _figure(card)
        rows.append(
            (
                plain(listing.name),
                f"{count(card.pieces, 'piece')}, {count(card.notes, 'note')}",
                "" if figure is None else f"{figure:.2f}",
                megabytes(listing.size),
                ("(yours) " if listing.own else "") + plain(card.title),
            )
        )
    width = _width()
    for line in table(rows):
        click.echo(line if len(line) <= width else line[: width - 1] + "…")
    click.echo("held out: nats per note on pieces that were not learnt from; lower is better")
    click.echo("all about one, its licence and whom to credit: kapelle styles NAME")
    click.echo(f"yours {'lie' if any(listing.own for listing in found) else 'will lie'} {own}")


def _width() -> int:
    """How wide lines may be: as the terminal, and at most as wide as is easy to read."""
    return min(shutil.get_terminal_size().columns, MAX_WIDTH) if sys.stdout.isatty() else MAX_WIDTH


def _figure(card: Card) -> float | None:
    return next((card.figures[name] for name in HELD_OUT if name in card.figures), None)


def _card_lines(style: Style) -> list[str]:
    card = style.card
    rows = [
        ("style", style.name),
        ("title", card.title),
        ("licence", card.licence or "not stated"),
        *(("source", line) for line in card.attribution),
        ("learnt", f"{count(card.pieces, 'piece')}, {count(card.notes, 'note')} in {clock(card.seconds)}"),
        *(("pieces", line) for line in (pieces_line(card),) if line),
        ("network", f"{card.network}, {card.parameters:,} weights"),
        *((name, f"{value:.4g}") for name, value in card.figures.items() if name not in COUNTS),
        *_curve_rows(card),
        *(("remark", line) for line in card.remarks),
        *((("mixes", ", ".join(style.manners)),) if style.manners else ()),
        ("habits", _habits_line(style)),
        *_window_rows(style),
        ("corpus", card.corpus),
    ]
    # A name that would stand twice in a row stands once.
    names = ["" if index and rows[index - 1][0] == name else name for index, (name, _) in enumerate(rows)]
    column = max(len(name) for name, _ in rows) + 2
    lines = []
    for name, (_, text) in zip(names, rows, strict=True):
        first, *more = textwrap.wrap(plain(text), max(_width() - column, 20), break_on_hyphens=False) or [""]
        lines += [f"{name:<{column}}{first}".rstrip(), *(" " * column + part for part in more)]
    # Not wrapped, so that it can be copied.
    return [*lines, f"{'made by':<{column}}{plain(card.command) or 'not stated'}"]


def pieces_line(card: Card) -> str:
    """How the pieces of a corpus were shared out; nothing where only the ends of pieces were held out.

    >>> from kapelle.styles import Card
    >>> pieces_line(Card(pieces=63, figures={"held out pieces": 8, "test pieces": 8}))
    '79: 63 learnt from, 8 held out to choose by, 8 to test by'
    """
    held_out, tested = (round(card.figures.get(name, 0)) for name in COUNTS)
    if not held_out or any("last 15 %" in remark for remark in card.remarks):
        return ""
    shares = f"{card.pieces:,} learnt from, {held_out:,} held out to choose by"
    return f"{card.pieces + held_out + tested:,}: {shares}" + (f", {tested:,} to test by" if tested else "")


def _curve_rows(card: Card) -> list[tuple[str, str]]:
    """Up to six looks of the run: when, and the nats per note on unseen pieces."""
    looks = [row for row in card.curve if len(row) == 4]
    if not looks:
        return []
    places = sorted({round(index * (len(looks) - 1) / 5) for index in range(6)})
    text = ", ".join(f"{looks[place][3]:.2f} at {clock(looks[place][1])}" for place in places)
    return [("curve", f"{text} (held out)")]


def _window_rows(style: Style) -> list[tuple[str, str]]:
    """Of a style of windows what they are, and what of them can be steered."""
    from ..styles import WindowStyle

    if not isinstance(style, WindowStyle):
        return []
    words: Any = style.codec
    own = words.vocabulary
    parts = ", ".join(own.parts)
    rows = [("windows", f"{parts}: {count(own.bars, 'bar')} of {', '.join(own.meters)}")]
    return rows + ([("steered by", ", ".join(style.space.names))] if style.space is not None else [])


def _habits_line(style: Style) -> str:
    habits = style.habits
    return f"{count(habits.bars, 'bar')} and {habits.notes_per_bar:.1f} notes a bar in the median piece"
