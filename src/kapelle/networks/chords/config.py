"""The shape of a network of chords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..columns import Columns
from ..keyboard import OCTAVE, Keyboard

SPAN = 48
"""Keys from one note of a chord to the next, at most, that are told apart."""
LEAST = -60.0
"""How far below the likeliest key any other is, at most: so that sums over keys never vanish."""


@dataclass(frozen=True)
class ChordsConfig(Keyboard):
    """An outer network over steps, then the keys that sound in one, from the lowest to the highest.

    Attributes:
        columns: what a step is made of; see `Keyboard`.
        hidden_dim: of each layer of the outer network.
        num_layers: of the outer network.
        attention_dim: of the query by which earlier steps are found.
        num_heads: of the attention.
        window: earlier steps that can be found.
        key_dim: of the network that all keys share.
        reach: keys up and down whose last words a key sees.
        inner_dim: of the network that goes from key to key.
        gates: numbers that a key says of itself, for the chord to weigh.
        dropout: share of units left out in training.
    """

    columns: Columns
    hidden_dim: int = 256
    num_layers: int = 1
    attention_dim: int = 64
    num_heads: int = 4
    window: int = 256
    key_dim: int = 48
    reach: int = 12
    inner_dim: int = 192
    gates: int = 4
    dropout: float = 0.3

    def __post_init__(self) -> None:
        names = [name for name in self.__dataclass_fields__ if name not in ("columns", "dropout")]
        sizes = [getattr(self, name) for name in names]
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise ValueError(f"the sizes of a network must be whole numbers from 1, got {sizes}")
        if self.attention_dim % self.num_heads:
            raise ValueError(f"expected num_heads to divide {self.attention_dim}, got {self.num_heads}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"expected 0 <= dropout < 1, got {self.dropout}")
        self.check_keys()

    @cached_property
    def opening(self) -> int:
        """The first column in which there is something to choose."""
        return min(self.columns.predicted, default=len(self.columns.names))

    @cached_property
    def told(self) -> int:
        """The facts before this one are known before the step."""
        return min(self.opening, self.facts)

    @cached_property
    def loud(self) -> int:
        """How many words a sounding key has, if there is a choice among them; else 0."""
        return self.words - 1 if self.keys and self.words > 2 else 0

    @cached_property
    def chord_dim(self) -> int:
        """Numbers that tell which keys sound: each key, and, if they have several words, which are struck, and how."""
        return self.keys + bool(self.loud) * self.keys + self.loud

    @cached_property
    def heard_dim(self) -> int:
        """Numbers that tell what sounded a step ago: the chord, and its classes above the tonic."""
        return self.chord_dim + (OCTAVE if self.key_fact is not None else 0)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "columns": self.columns.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ChordsConfig:
        """The configuration that `to_json` wrote."""
        return cls(**{**values, "columns": Columns.of(values["columns"])})


PRESETS: dict[str, dict[str, Any]] = {"chords": {}}
"""Named configurations: what differs from the defaults."""

SPACE: dict[str, Sequence[Any]] = {
    "hidden_dim": (96, 128, 192, 256, 320, 384),
    "inner_dim": (64, 96, 128, 192, 256),
    "key_dim": (16, 32, 48, 64),
    "num_layers": (1, 2),
    "dropout": (0.1, 0.2, 0.3, 0.4, 0.5),
}
"""What tuning tries; the sizes by their weights, ascending."""
