"""Curves in characters, for a line of a terminal and for a corner of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .axis import Axis, FloatArray, figure, short, stretches
from .curves import CurvePoint, columns_of, limits_of, whole_epochs

BLOCKS, PLAIN_BLOCKS = "▁▂▃▄▅▆▇█", "_.-=+*#@"
LEAST_WIDTH, LEAST_HEIGHT = 40, 4
NAMES_WIDTH = 16
"""Characters right of the curves for their names and last values."""

_BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each of the four by two dots in a character of Unicode's braille block."""


def sparkline(values: Sequence[float], width: int, plain: bool = False) -> str:
    """A row of numbers as a row of small columns, from the least number to the greatest.

    Args:
        values: any numbers; where there are more than fit, neighbours are averaged; one that is not finite is a space.
        width: most characters, at least 1.
        plain: use ASCII only.

    Raises:
        ValueError: if there is no room.

    >>> sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8), sparkline([0, 1, float("nan"), 2], 8, plain=True)
    ('▁▂▃▄▅▆▇█', '_+ @')
    """
    if width < 1:
        raise ValueError(f"a sparkline needs a width of 1 at least, got {width}")
    numbers = np.clip(np.asarray(values, np.float64), -1e15, 1e15)
    numbers[~np.isfinite(values)] = np.nan
    parts = np.array_split(numbers, min(width, len(numbers)) or 1)
    means = np.array([part[np.isfinite(part)].mean() if np.isfinite(part).any() else np.nan for part in parts])
    finite = means[np.isfinite(means)]
    if not len(finite):
        return " " * min(width, len(numbers))
    blocks = PLAIN_BLOCKS if plain else BLOCKS
    low, span = finite.min(), np.ptp(finite)
    # Numbers that are all equal stand in the middle: neither high nor low.
    heights = (means - low) / span if span > 0 else np.where(np.isfinite(means), 0.5, np.nan)
    return "".join(" " if np.isnan(h) else blocks[min(int(h * len(blocks)), len(blocks) - 1)] for h in heights)


def terminal_curves(points: Sequence[CurvePoint], width: int, height: int, plain: bool = False) -> str:
    """The loss of a run as a small plot of `height` lines, each of at most `width` characters.

    The held-out line is drawn through, the training one is dots.

    Args:
        points: as for `draw_curves`.
        width: characters, at least 40.
        height: lines, at least 4; the last has the epochs.
        plain: use ASCII only: `*` for held out, `.` for training.

    Raises:
        ValueError: if there is no room.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        least = f"{LEAST_WIDTH} characters and {LEAST_HEIGHT} lines"
        raise ValueError(f"curves in a terminal need at least {least}, got {width} and {height}")
    epoch, _, train, valid, *_ = columns_of(points)
    limits = limits_of(points)
    canvas = np.full((height, width), " ")
    up = Axis(*limits.loss, 4 * (height - 1) - 0.5, 0.5)
    marks = {int(up.place(value)) // 4: text for value, text in up.ticks(max(height // 2, 3))}
    left = max(len(text) for text in marks.values()) + 2
    for row in range(height - 1):
        _put(canvas, row, left, marks.get(row, "") + ("|" if plain else "┤" if row in marks else "│"), "end")
    cells = width - left - NAMES_WIDTH
    across = Axis(*limits.epoch, 0.5, 2 * cells - 0.5)
    ends: dict[int, str] = {}
    dots = np.zeros((2, 4 * (height - 1), 2 * cells), bool)
    for layer, (name, values) in enumerate((("training", train), ("held out", valid))):
        pieces = stretches(across, up, epoch, values)
        for piece in pieces:
            _dot(dots[layer], piece, through=name == "held out")
        if pieces:
            row = int(pieces[-1][-1, 1]) // 4
            while row in ends:
                row = row - 1 if row else 1
            last = float(values[np.isfinite(values)][-1])
            ends[row] = f"{name} {figure(last, up.step(200)) if abs(last) < 1000 else short(last)}"
    canvas[:-1, left : left + cells] = _plain_cells(dots) if plain else _braille_cells(dots)
    for row, text in ends.items():
        _put(canvas, row, left + cells + 1, text)
    for value, text in across.ticks(whole_epochs(across, cells // 8)):
        _put(canvas, height - 1, left + int(across.place(value)) // 2, text, "middle")
    _put(canvas, height - 1, left + cells + 4, "epoch")
    return "\n".join("".join(row).rstrip() for row in canvas)


def _dot(dots: NDArray[np.bool_], piece: FloatArray, through: bool) -> None:
    """Set the dots (rows, columns) of one stretch; `through` joins them."""
    points = piece[:, :2]
    if through and len(points) > 1:
        pairs = itertools.pairwise(points)
        points = np.concatenate([np.linspace(a, b, int(np.abs(b - a).max()) + 2) for a, b in pairs])
    columns, rows = points.astype(np.int64).T
    dots[rows, columns] = True


def _braille_cells(dots: NDArray[np.bool_]) -> NDArray[np.str_]:
    both = dots.any(0)
    bits = both.reshape(both.shape[0] // 4, 4, both.shape[1] // 2, 2) * _BRAILLE[:, None, :]
    codes = 0x2800 + bits.sum((1, 3))
    return np.where(codes > 0x2800, codes, ord(" ")).astype(np.uint32).view("U1")


def _plain_cells(dots: NDArray[np.bool_]) -> NDArray[np.str_]:
    blocks = dots.reshape(2, dots.shape[1] // 4, 4, dots.shape[2] // 2, 2)
    cells: NDArray[np.bool_] = np.logical_or.reduce(blocks, (2, 4))
    return np.where(cells[1], "*", np.where(cells[0], ".", " "))


def _put(canvas: NDArray[np.str_], row: int, column: int, text: str, anchor: str = "start") -> None:
    """Write a text that begins, is centred, or ends before a column, kept and cut inside the canvas."""
    start = column - {"start": 0, "middle": len(text) // 2, "end": len(text)}[anchor]
    text = text[: canvas.shape[1]]
    start = min(max(start, 0), canvas.shape[1] - len(text))
    canvas[row, start : start + len(text)] = list(text)
