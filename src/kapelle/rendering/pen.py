"""Lines, shapes and texts as PNG, as SVG, and as the frames of a GIF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

from . import palette
from .page import Rect, Text
from .roll import _FONTS, _svg_rects, _svg_text, _write

Points = list[tuple[float, float]]

_FINER = 3
"""Slanted lines are drawn this many times too large and shrunk: Pillow's own have steps."""
_FRAME_MILLISECONDS, _LAST_MILLISECONDS = 200, 3000
_GIF_COLOURS, _GIF_APART = 64, 10


class Stroke(NamedTuple):
    """A line through points, colour "#rrggbb", width in pixels."""

    points: Points
    colour: str
    width: float


class Shape(NamedTuple):
    """A filled polygon, colour "#rrggbb", opacity 0..1."""

    points: Points
    colour: str
    opacity: float = 1.0


class Dot(NamedTuple):
    """A disc whose edge, inside the radius, is `edge` pixels wide and whose inside is paper."""

    x: float
    y: float
    radius: float
    colour: str
    edge: float


@dataclass(slots=True)
class Sheet:
    """A whole picture, drawn in the order of its attributes from `paper` on.

    Attributes:
        width, height: pixels.
        paper: what lies below everything: lanes and the lines of the grid.
        shapes, strokes, dots: what is shown; points are pixels, y downwards.
        texts: everything written; the first is the picture's title.
    """

    width: int
    height: int
    paper: list[Rect] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


def sheet_to_svg(sheet: Sheet) -> str:
    """A sheet as one SVG document that needs no other file."""
    size = f'width="{sheet.width}" height="{sheet.height}" viewBox="0 0 {sheet.width} {sheet.height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONTS}">',
        f"<title>{escape(sheet.texts[0].text)}</title>",
        f'<rect width="100%" height="100%" fill="{palette.PAPER}"/>',
        '<g shape-rendering="crispEdges">',
        *_svg_rects(sheet.paper),
        "</g>",
        *(_svg_shape(shape) for shape in sheet.shapes),
        '<g fill="none" stroke-linejoin="round" stroke-linecap="round">',
        *(f'<path d="{_svg_path(s.points)}" stroke="{s.colour}" stroke-width="{s.width:g}"/>' for s in sheet.strokes),
        "</g>",
        *(_svg_dot(dot) for dot in sheet.dots),
        *(_svg_text(text) for text in sheet.texts),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _svg_path(points: Points) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _svg_shape(shape: Shape) -> str:
    faint = f' fill-opacity="{shape.opacity:g}"' if shape.opacity < 1 else ""
    return f'<path d="{_svg_path(shape.points)}Z" fill="{shape.colour}"{faint}/>'


def _svg_dot(dot: Dot) -> str:
    place = f'cx="{dot.x:g}" cy="{dot.y:g}" r="{dot.radius - dot.edge / 2:g}"'
    return f'<circle {place} fill="{palette.PAPER}" stroke="{dot.colour}" stroke-width="{dot.edge:g}"/>'


def sheet_to_png(sheet: Sheet) -> bytes:
    """A sheet as a PNG picture."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (sheet.width * _FINER, sheet.height * _FINER), palette.PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    for x, y, width, height, colour, _ in sheet.paper:
        box = (x, y, x + width, y + height)
        draw.rectangle((*(edge * _FINER for edge in box[:2]), *(edge * _FINER - 1 for edge in box[2:])), fill=colour)
    for shape in sheet.shapes:
        red, green, blue = bytes.fromhex(shape.colour[1:])
        draw.polygon(_fine(shape.points), fill=(red, green, blue, round(255 * shape.opacity)))
    for stroke in sheet.strokes:
        draw.line(_fine(stroke.points), fill=stroke.colour, width=round(stroke.width * _FINER), joint="curve")
    for dot in sheet.dots:
        (centre,) = _fine([(dot.x, dot.y)])
        draw.circle(centre, dot.radius * _FINER, palette.PAPER, dot.colour, round(dot.edge * _FINER))
    small = image.reduce(_FINER)
    _write(ImageDraw.Draw(small), sheet.texts)
    return _png(small)


def _fine(points: Points) -> Points:
    # Pillow counts from the middle of a pixel, the sheet from its edge.
    return [(x * _FINER - 0.5, y * _FINER - 0.5) for x, y in points]


def _png(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=6)
    return file.getvalue()


def join_gif(frames: Sequence[bytes]) -> bytes:
    """PNG pictures joined into one animated GIF that is repeated for ever; the last picture stays longest.

    All frames have the commonest colours of the last one. A picture equal to the one before it takes no frame
    of its own: the one before stays as much longer.

    Args:
        frames: PNG files of one size, at least one.

    Raises:
        ValueError: if there is no frame, or if their sizes differ.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngImageFile

    pictures = [PngImageFile(io.BytesIO(frame)).convert("RGB") for frame in frames]
    sizes = {picture.size for picture in pictures}
    if len(sizes) != 1:
        raise ValueError(f"a GIF needs pictures of one size, got {sorted(sizes) or 'no picture'}: draw them alike")
    palette_picture = Image.new("P", (1, 1))
    palette_picture.putpalette([channel for colour in _gif_colours(pictures[-1]) for channel in colour])
    first, *others = (picture.quantize(palette=palette_picture, dither=Image.Dither.NONE) for picture in pictures)
    durations = [_FRAME_MILLISECONDS] * len(others) + [_LAST_MILLISECONDS]
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False)
    return file.getvalue()


def _gif_colours(picture: Any) -> list[tuple[int, int, int]]:
    """The commonest colours of a picture, as they are, less those that can hardly be told from a commoner one.

    Pillow's own choices make white paper a little grey, and so does its search for the nearest of two that are alike.
    """
    chosen: list[tuple[int, int, int]] = []
    for _, colour in sorted(picture.getcolors(picture.width * picture.height), reverse=True):
        if all(max(abs(a - b) for a, b in zip(colour, other, strict=True)) >= _GIF_APART for other in chosen):
            chosen.append(colour)
        if len(chosen) == _GIF_COLOURS:
            break
    return chosen
