"""`kapelle styles`."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from .output import clock, count, megabytes, plain, shown, table

if TYPE_CHECKING:
    from ..styles import Card, Style

HELD_OUT = ("test nats per note", "valid nats per note")
"""The figures that tell how well a style foretells unseen pieces, the fairest first."""


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
        from ..styles import load_style

        for line in _card_lines(load_style(name)):
            click.echo(line)


def _list() -> None:
    from ..styles import list_styles, user_folder

    found, problems = list_styles()
    for problem in problems:
        click.echo(f"kapelle: {plain(problem)}", err=True)
    if not found:
        click.echo("There is no style yet; learn one: kapelle train FOLDER --name NAME")
        return
    rows = [("name", "learnt from", "held out", "size", "title", "licence")]
    for listing in found:
        card = listing.card
        learnt = f"{count(card.pieces, 'piece')}, {count(card.notes, 'note')}"
        figure = _figure(card)
        title = plain(card.title) + (" (yours)" if listing.own else "")
        rows.append(
            (
                plain(listing.name),
                learnt,
                "" if figure is None else f"{figure:.2f}",
                megabytes(listing.size),
                title,
                plain(card.licence),
            )
        )
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table(rows):
        click.echo(line if width is None or len(line) <= width else line[: width - 1] + "…")
    click.echo("held out: nats per note on pieces that were not learnt from; lower is better.")
    if any(listing.own for listing in found):
        click.echo(f"Yours lie in {shown(user_folder())}.")


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
        ("network", f"{card.network}, {card.parameters:,} weights"),
        *((name, f"{value:.4g}") for name, value in card.figures.items()),
        *_curve_rows(card),
        *(("remark", line) for line in card.remarks),
        ("habits", _habits_line(style)),
        ("corpus", card.corpus),
        ("made by", card.command or "not stated"),
    ]
    names = [name for name, _ in rows]
    # A name that would stand twice in a row stands once.
    firsts = ["" if index and names[index - 1] == name else name for index, name in enumerate(names)]
    return table([(plain(name), plain(text)) for name, (_, text) in zip(firsts, rows, strict=True)])


def _curve_rows(card: Card) -> list[tuple[str, str]]:
    """Up to six looks of the run: when, and the nats per note on unseen pieces."""
    looks = [row for row in card.curve if len(row) == 4]
    if not looks:
        return []
    places = sorted({round(index * (len(looks) - 1) / 5) for index in range(6)})
    text = ", ".join(f"{looks[place][3]:.2f} at {clock(looks[place][1])}" for place in places)
    return [("curve", f"{text} (held out)")]


def _habits_line(style: Style) -> str:
    habits = style.habits
    return f"{count(habits.bars, 'bar')} and {habits.notes_per_bar:.1f} notes a bar in the median piece"
