"""The shape of a stepwise network."""

from __future__ import annotations

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

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**self.__dict__, "columns": self.columns.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StepwiseConfig:
        """The configuration that `to_json` wrote."""
        return cls(**{**values, "columns": Columns.of(values["columns"])})
