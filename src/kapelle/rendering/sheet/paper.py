"""How large the paper and the staves are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SIZES = {"A4": (210, 297), "A3": (297, 420), "A2": (420, 594)}

_STAFF_HEIGHT = 7.2
"""Millimetres of five lines at verovio's own size."""

_ROOM_OF_STAFF = 19.0
"""Millimetres that a staff and the space below it take at that size, in a dense system."""

_LEAST_HEIGHT = 3.4
"""Millimetres; below that no player reads, and larger paper is taken."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet and the size of what is on it.

    Attributes:
        size: width and height in millimetres.
        shrink: how many times smaller than verovio's own size the staves are.
    """

    size: tuple[int, int]
    shrink: float

    @property
    def staff_height(self) -> float:
        """Of five lines, in millimetres."""
        return _STAFF_HEIGHT / self.shrink

    def layouts(self) -> list[dict[str, Any]]:
        """Options of verovio: the usual ones, then others by which a bad last line may come out well."""
        return [self._layout(self.shrink * change, linear) for change, linear in _CHANGES]

    def _layout(self, shrink: float, linear: float) -> dict[str, Any]:
        width, height = (round(10 * side * shrink) for side in self.size)
        return {
            "header": "auto",
            "footer": "none",
            "breaks": "auto",
            "justifyVertically": True,
            "systemDivider": "none",
            "scale": 100,
            "unit": 9.0,
            "pageWidth": width,
            "pageHeight": height,
            "pageMarginTop": round(0.05 * width),
            "pageMarginBottom": round(0.06 * width),
            "pageMarginLeft": round(0.07 * width),
            "pageMarginRight": round(0.06 * width),
            "spacingLinear": linear,
            "spacingSystem": 8,
            "svgViewBox": True,
            "smuflTextFont": "none",
            "xmlIdSeed": 1,
            "minLastJustification": 0.6,
        }


_CHANGES = ((1.0, 0.25), (1.0, 0.22), (0.96, 0.25), (1.04, 0.25), (0.92, 0.25), (1.08, 0.23))


def paper_of(num_staves: int) -> Paper:
    """Paper on which every system fits, with staves as large as players of so many are used to."""
    height = 6.8 if num_staves <= 2 else 6.2 if num_staves <= 5 else 5.2 if num_staves <= 10 else 4.4
    for size in _SIZES.values():
        fitting = 0.85 * size[1] / num_staves * _STAFF_HEIGHT / _ROOM_OF_STAFF
        if fitting >= _LEAST_HEIGHT:
            break
    return Paper(size, _STAFF_HEIGHT / min(height, fitting))
