"""The piano roll as SVG and as PNG: two thin back ends over one layout."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Any

from kapelle.music import Score

from . import palette
from .layout import lay_out
from .page import Layout, Rect, Text

_FONTS = "Aileron, Helvetica Neue, Helvetica, Arial, sans-serif"


def to_svg(score: Score, width: int = 1600) -> str:
    """The piano roll of a score as one SVG document that needs no other file.

    Args:
        score: any score; one without notes gives an empty roll.
        width: pixels, 400..8192; the height follows from the music.

    Raises:
        ValueError: if the width is out of range.

    >>> to_svg(Score(24))[:39]
    '<svg xmlns="http://www.w3.org/2000/svg"'
    """
    layout = lay_out(score, width)
    size = f'width="{layout.width}" height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONTS}">',
        f"<title>{escape(layout.texts[0].text)}</title>",
        f'<rect width="100%" height="100%" fill="{palette.PAPER}"/>',
        '<g shape-rendering="crispEdges">',
        *_svg_rects(layout.paper),
        "</g>",
        *_svg_rects(layout.tails, ' rx="1.5"'),
        *_svg_rects(layout.notes, ' rx="1.5"'),
        *(_svg_text(text) for text in layout.texts),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _svg_rects(rects: Iterable[Rect], round_corners: str = "") -> Iterable[str]:
    for colour, group in groupby(rects, key=lambda rect: rect.colour):
        yield f'<g fill="{colour}">'
        for x, y, width, height, _, opacity in group:
            faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
            yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}"{faint}{round_corners}/>'
        yield "</g>"


def _svg_text(text: Text) -> str:
    anchor = "" if text.anchor == "start" else f' text-anchor="{text.anchor}"'
    place = f'x="{text.x}" y="{text.y}" font-size="{text.size}"'
    return f'<text {place} fill="{text.colour}"{anchor} xml:space="preserve">{escape(text.text)}</text>'


def to_png(score: Score, width: int = 1600) -> bytes:
    """The piano roll of a score as a PNG picture.

    Args:
        score: any score; one without notes gives an empty roll.
        width: pixels, 400..8192; the height follows from the music.

    Raises:
        ValueError: if the width is out of range.

    >>> to_png(Score(24))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    from PIL import Image, ImageDraw

    layout = lay_out(score, width)
    # Every edge of the layout lies on a whole pixel, so plain filling is crisp; "RGBA" on an opaque image blends.
    image = Image.new("RGB", (layout.width, layout.height), palette.PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    _fill(draw, layout)
    _write(draw, layout.texts)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=3)
    return file.getvalue()


def _fill(draw: Any, layout: Layout) -> None:
    paints: dict[tuple[str, float], tuple[int, int, int, int]] = {}
    for rect in (*layout.paper, *layout.tails, *layout.notes):
        x, y, width, height, colour, opacity = rect
        paint = paints.get((colour, opacity))
        if paint is None:
            red, green, blue = bytes.fromhex(colour[1:])
            paint = paints[colour, opacity] = (red, green, blue, round(255 * opacity))
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=paint)


def _write(draw: Any, texts: Sequence[Text]) -> None:
    from PIL import ImageFont

    fonts = {size: ImageFont.load_default(size) for size in {text.size for text in texts}}
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}
    for text in texts:
        # Word by word, because Pillow's own font has a space so narrow that small words run together.
        font, space = fonts[text.size], round(0.29 * text.size)
        words = [(word, font.getlength(word)) for word in text.text.split(" ")]
        whole = sum(length for _, length in words) + space * (len(words) - 1)
        x = text.x - before[text.anchor] * whole
        for word, length in words:
            draw.text((round(x), text.y), word, font=font, fill=text.colour, anchor="ls")
            x += length + space
