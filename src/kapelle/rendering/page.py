"""What a picture is made of, as pure data: filled rectangles and lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Rect(NamedTuple):
    """A filled rectangle: whole pixels, y downwards, colour "#rrggbb", opacity 0..1."""

    x: int
    y: int
    width: int
    height: int
    colour: str
    opacity: float = 1.0


class Text(NamedTuple):
    """A line of text whose baseline starts, is centred, or ends ("start", "middle", "end") at (x, y)."""

    x: int
    y: int
    text: str
    size: int
    colour: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole picture, drawn in the order of its attributes.

    Attributes:
        width: pixels.
        height: pixels.
        paper: what lies below the notes: shaded rows, lines, legend.
        tails: what notes that sound on into a following system cover there.
        notes: one rectangle for each note, tracks in order, notes in order.
        texts: everything written.
    """

    width: int
    height: int
    paper: tuple[Rect, ...]
    tails: tuple[Rect, ...]
    notes: tuple[Rect, ...]
    texts: tuple[Text, ...]


def text_width(text: str, size: int) -> float:
    """Pixels that a text takes, estimated without a font, seldom too low.

    The layout must not depend on a font: the two back ends may have different ones.

    >>> round(text_width("Menuet", 20))
    73
    """
    narrow = sum(character in "iljtfr.,:;'|!()[] ·" for character in text)
    wide = sum(character in "mwMW@" or ord(character) > 0x2E80 for character in text)
    return size * (0.58 * len(text) - 0.26 * narrow + 0.42 * wide)


def fit(text: str, size: int, room: float) -> str:
    """The text on one line, without what cannot be printed, shortened with an ellipsis to `room` pixels.

    >>> fit("A very long title", 20, 100)
    'A very lo…'
    """
    text = "".join(character if character.isprintable() else " " for character in text).strip()
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"
