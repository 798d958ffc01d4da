"""What a network knows of the steps it learns: how many words each column has, and which it is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Columns:
    """The columns of a step, in the order in which they are told.

    Attributes:
        names: of each column.
        sizes: words of each column, >= 1.
        given: whether a column is seen but never predicted.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    given: tuple[bool, ...]

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.sizes) == len(self.given) or min(self.sizes, default=0) < 1:
            raise ValueError(f"columns need as many names as sizes (>= 1) and flags, got {self}")

    @classmethod
    def of(cls, layout: Iterable[tuple[str, int, bool]]) -> Columns:
        """Columns from rows of (name, size, given), as a codec's `layout` or JSON has them."""
        names, sizes, given = zip(*layout, strict=True)
        return cls(tuple(names), tuple(map(int, sizes)), tuple(map(bool, given)))

    def to_json(self) -> list[list[str | int | bool]]:
        """Rows of [name, size, given]."""
        return [list(row) for row in zip(self.names, self.sizes, self.given, strict=True)]

    @cached_property
    def predicted(self) -> tuple[int, ...]:
        """The columns in which there is something to choose."""
        return tuple(
            i for i, (size, given) in enumerate(zip(self.sizes, self.given, strict=True)) if size > 1 and not given
        )

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each column's words start when all words stand in one list."""
        return tuple(sum(self.sizes[:index]) for index in range(len(self.sizes)))

    @cached_property
    def total(self) -> int:
        """Words of all columns together."""
        return sum(self.sizes)
