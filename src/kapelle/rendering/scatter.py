"""Clips on a plane as a picture: each piece a colour, its clips joined in the order in which they come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import palette
from .axis import Axis, FloatArray
from .page import Rect, Text, fit
from .pen import Dot, Sheet, Stroke, sheet_to_png, sheet_to_svg

WIDTH, HEIGHT = 1000, 820
LEFT, TOP, RIGHT, BOTTOM = 30, 84, 760, 800
"""Pixels of the plane; right of it is room for names."""
MOST_NAMES = 30
MARGIN = 0.06
"""Room around the outermost clips, as a share of the plane."""
RADIUS = 5.0


def draw_map(names: Sequence[str], places: FloatArray, title: str, note: str = "") -> Sheet:
    """The picture of clips on a plane, of equal scale across and up.

    Args:
        names: of the piece that each clip is of; those of one piece stand together.
        places: of the clips, shape (N, 2), at least one.
        title, note: written above.
    """
    across, up = _axes(np.asarray(places, float))
    x, y = across.place(places[:, 0]), up.place(places[:, 1])
    sheet = Sheet(WIDTH, HEIGHT, [Rect(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, palette.LANE)])
    sheet.texts += [
        Text(LEFT, 38, fit(title, 22, WIDTH - 2 * LEFT), 22, palette.INK),
        Text(LEFT, 62, fit(note, 13, WIDTH - 2 * LEFT), 13, palette.SOFT_INK),
    ]
    pieces = list(dict.fromkeys(names))
    for number, piece in enumerate(pieces):
        colour = palette.TRACKS[number % len(palette.TRACKS)]
        own = [place for place, name in enumerate(names) if name == piece]
        points = [(float(x[place]), float(y[place])) for place in own]
        if len(points) > 1:
            sheet.strokes.append(Stroke(points, palette.OCTAVE_LINE, 1.0))
        # The first clip of a piece is full, the others are rings.
        sheet.dots += [Dot(*point, RADIUS, colour, RADIUS if first else 1.6) for first, point in
                       ((place == 0, point) for place, point in enumerate(points))]  # fmt: skip
        if number < MOST_NAMES:
            row, sign = TOP + 10 + 23 * number, str(number + 1)
            sheet.dots.append(Dot(RIGHT + 24, row, RADIUS, colour, RADIUS))
            # Colours come again, numbers do not.
            sheet.texts.append(Text(RIGHT + 36, row + 5, sign, 13, palette.SOFT_INK))
            sheet.texts.append(Text(RIGHT + 58, row + 5, fit(piece, 13, WIDTH - RIGHT - 68), 13, palette.INK))
            sheet.texts.append(Text(round(points[0][0]) + 8, round(points[0][1]) + 4, sign, 11, palette.INK))
    if len(pieces) > MOST_NAMES:
        row = TOP + 15 + 23 * MOST_NAMES
        sheet.texts.append(Text(RIGHT + 36, row, f"and {len(pieces) - MOST_NAMES} more", 13, palette.SOFT_INK))
    return sheet


def map_to_png(names: Sequence[str], places: FloatArray, title: str, note: str = "") -> bytes:
    """See `draw_map`."""
    return sheet_to_png(draw_map(names, places, title, note))


def map_to_svg(names: Sequence[str], places: FloatArray, title: str, note: str = "") -> str:
    """See `draw_map`."""
    return sheet_to_svg(draw_map(names, places, title, note))


def _axes(places: FloatArray) -> tuple[Axis, Axis]:
    """Across and up, of one scale, the clips in the middle."""
    low, high = places.min(0), places.max(0)
    middle, size = (low + high) / 2, float(max((high - low).max(), 1e-6)) * (1 + 2 * MARGIN)
    side = min(RIGHT - LEFT, BOTTOM - TOP)
    wide = size * (RIGHT - LEFT) / side / 2
    tall = size * (BOTTOM - TOP) / side / 2
    across = Axis(middle[0] - wide, middle[0] + wide, LEFT, RIGHT)
    return across, Axis(middle[1] - tall, middle[1] + tall, BOTTOM, TOP)
