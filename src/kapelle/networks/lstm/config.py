"""The reference networks by name, and the shape they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..columns import Columns

INPUTS = ("embedding", "one-hot", "scalar")


@dataclass(frozen=True)
class LstmConfig:
    """A stack of LSTM layers over the fields of all steps, told one after the other.

    Attributes:
        columns: what a step is made of; each predicted column gives one token a step.
        hidden_dims: of each LSTM layer.
        dense_dim: units of a dense layer before the output, 0 for none.
        dense_relu: whether that layer has a ReLU.
        batch_norm: whether each layer is followed by batch normalisation.
        dropout: share of units left out after each layer in training.
        input: "embedding", "one-hot", or "scalar", the token's number over the number of tokens.
        embed_dim: size of the embedding, if that is the input.
    """

    columns: Columns
    hidden_dims: tuple[int, ...] = (512, 512)
    dense_dim: int = 0
    dense_relu: bool = False
    batch_norm: bool = False
    dropout: float = 0.2
    input: str = "embedding"
    embed_dim: int = 64

    def __post_init__(self) -> None:
        if self.input not in INPUTS:
            raise ValueError(f"the input must be one of {', '.join(INPUTS)}, got {self.input!r}")
        sizes = (*self.hidden_dims, self.embed_dim)
        if not self.hidden_dims or not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise ValueError(f"an LSTM needs layers of at least one unit, got {self.hidden_dims}")
        if not isinstance(self.dense_dim, int) or self.dense_dim < 0 or not 0 <= self.dropout < 1:
            raise ValueError(f"expected dense_dim >= 0 and 0 <= dropout < 1, got {self.dense_dim} and {self.dropout}")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**self.__dict__, "columns": self.columns.to_json(), "hidden_dims": list(self.hidden_dims)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> LstmConfig:
        """The configuration that `to_json` wrote."""
        columns, hidden_dims = Columns.of(values["columns"]), tuple(values["hidden_dims"])
        return cls(**{**values, "columns": columns, "hidden_dims": hidden_dims})


PRESETS: dict[str, dict[str, Any]] = {
    # Skuldur's Classical-Piano-Composer as published in 2017.
    "skuldur": {"hidden_dims": (512, 512, 512), "dense_dim": 256, "dropout": 0.3},
    # Softology's LSTM Composer.
    "softology": {"hidden_dims": (512, 256), "dense_dim": 128, "dense_relu": True, "batch_norm": True, "dropout": 0.2},
    # The network of countless tutorials: one-hot pitches, three layers.
    "textbook": {"hidden_dims": (256, 256, 256), "dropout": 0.3, "input": "one-hot"},
    # The event LSTM: channel, pitch, velocity and time of every note.
    "event": {"hidden_dims": (512, 512), "embed_dim": 128},
    # BachBot (Liang 2016).
    "bachbot": {"hidden_dims": (256, 256, 256), "batch_norm": True, "dropout": 0.3, "embed_dim": 32},
}
"""What each name stands for; what is not said is as in `LstmConfig`."""

SPACE: dict[str, Sequence[Any]] = {
    "hidden_dims": (
        (64,),
        (128,),
        (128, 128),
        (256,),
        (256, 128),
        (256, 256),
        (256, 256, 256),
        (512, 256),
        (512, 512),
        (512, 512, 512),
    ),
    "embed_dim": (16, 32, 64, 128),
    "dropout": (0.1, 0.2, 0.3, 0.4, 0.5),
}
"""What tuning tries; the layers by their weights, ascending."""
