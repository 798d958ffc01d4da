"""The shape of a stepwise network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..columns import Columns


@dataclass(frozen=True)
class StepwiseConfig:
    """An outer network over steps, an inner one over the fields of a step.

    Attributes:
        columns: what a step is made of.
        embed_dim: numbers a word is turned into, shared by both networks.
        hidden_dim: of each outer LSTM layer.
        num_layers: outer LSTM layers.
        inner_dim: hidden units that decide on a field.
        attention_dim: numbers by which earlier steps are looked up, and numbers that are found; 0 for none.
        num_heads: how many steps can be looked up at once, so to speak.
        window: how many steps back can be looked up.
        dropout: share of units left out in training.
    """

    columns: Columns
    embed_dim: int = 160
    hidden_dim: int = 304
    num_layers: int = 2
    inner_dim: int = 144
    attention_dim: int = 128
    num_heads: int = 4
    window: int = 512
    dropout: float = 0.25

    def __post_init__(self) -> None:
        sizes = (self.embed_dim, self.hidden_dim, self.num_layers, self.inner_dim, self.num_heads, self.window)
        if not all(isinstance(size, int) and size >= 1 for size in sizes) or not isinstance(self.attention_dim, int):
            raise ValueError(f"the sizes of a network must be whole numbers from 1, got {sizes}")
        if self.attention_dim < 0 or self.attention_dim % self.num_heads:
            raise ValueError(f"attention_dim must be a multiple of num_heads, got {self.attention_dim}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be 0 or more and less than 1, got {self.dropout}")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**self.__dict__, "columns": self.columns.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StepwiseConfig:
        """The configuration that `to_json` wrote."""
        return cls(**{**values, "columns": Columns.of(values["columns"])})


SPACE: dict[str, Sequence[Any]] = {
    "num_layers": range(1, 4),
    "hidden_dim": range(64, 513, 16),
    "embed_dim": range(32, 257, 16),
    "inner_dim": range(48, 257, 16),
    "attention_dim": range(32, 257, 32),
    "dropout": (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5),
}
"""What tuning tries. A trial is too short to show what dropout is good for, so it is never left out."""
