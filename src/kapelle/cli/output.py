"""How things look in print, and with which code they end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..music import Score

USER_ERROR, STOPPED = 2, 130
"""Exit codes: of what the user can mend, and after Ctrl-C."""


def plain(text: str) -> str:
    """The text on one line, without what would move a terminal's cursor.

    >>> plain("two\\nlines")
    'two lines'
    """
    return "".join(character if character.isprintable() else " " for character in text).strip()


def shown(path: str | os.PathLike[str]) -> str:
    """A path as text that can be printed, whatever bytes its name has."""
    return plain(os.fsencode(path).decode("utf-8", "replace"))


def count(number: int, noun: str) -> str:
    """A number and what it counts.

    >>> count(1, "piece"), count(1200, "note")
    ('1 piece', '1,200 notes')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours too.

    >>> clock(62), clock(3723.4)
    ('1:02', '1:02:03')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def megabytes(size: int) -> str:
    """The size of a file.

    >>> megabytes(5_030_934), megabytes(3_000)
    ('5.0 MB', '0.1 MB')
    """
    return f"{max(size / 1e6, 0.1):.1f} MB"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines in which the columns of rows stand below one another.

    >>> table([("a", "long"), ("bcd", "x")])
    ['a    long', 'bcd  x']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def fact_line(score: Score) -> str:
    """What a musician wants to know of a piece before listening, on one line."""
    from ..evaluation import facts

    known = facts(score)
    key = known.key or known.detected_key
    parts = [
        key.name if key else "no key",
        ", ".join(known.meters[:3]) + (" and others" if len(known.meters) > 3 else ""),
        f"{known.tempo} beats a minute",
        count(known.bars, "bar") if known.bars else "a pickup alone",
        count(known.num_notes, "note"),
        clock(known.seconds),
    ]
    return ", ".join(parts)
