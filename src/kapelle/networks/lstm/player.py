"""The reference LSTM networks in numpy, one field at a time, for composing without torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..recurrent import Floats, LstmStack, Weights, batch_norm
from .config import LstmConfig


class LstmPlayer:
    """Plays the weights of an `LstmModule`, equal to its forward pass; used as `StepwisePlayer` is."""

    def __init__(self, config: LstmConfig, weights: Weights) -> None:
        self.config = config
        columns = config.columns
        sizes = [columns.sizes[column] for column in columns.predicted]
        self._range = {
            column: slice(sum(sizes[:index]), sum(sizes[: index + 1])) for index, column in enumerate(columns.predicted)
        }
        self._layers = [LstmStack(weights, f"layers.{index}.") for index in range(len(config.hidden_dims))]
        self._norms = [
            batch_norm(weights, f"norms.{index}.")
            for index in range((len(config.hidden_dims) + bool(config.dense_dim)) * config.batch_norm)
        ]
        self._dense = (
            (np.ascontiguousarray(weights["dense.weight"], np.float32), np.asarray(weights["dense.bias"], np.float32))
            if config.dense_dim
            else None
        )
        self._words = np.ascontiguousarray(weights["words.weight"], np.float32)
        self._bias = np.asarray(weights["words.bias"], np.float32)
        self._table = self._input_table(weights, sum(sizes)) + self._layers[0].input_bias
        self.reset()

    def _input_table(self, weights: Weights, total: int) -> Floats:
        """What each token, the start of a piece being the last, adds to the first layer's gates."""
        weight = self._layers[0].input_weight
        if self.config.input == "embedding":
            return np.asarray(np.asarray(weights["embed.weight"], np.float32) @ weight.T)
        if self.config.input == "one-hot":
            return np.ascontiguousarray(weight.T)
        return np.asarray((np.arange(total + 1, dtype=np.float32) / np.float32(total))[:, None] * weight[:, 0])

    def reset(self) -> None:
        """Be at the start of a piece."""
        for layer in self._layers:
            layer.reset()
        self._read(len(self._table) - 1)

    def logits(self, column: int) -> Floats:
        """Unnormalised log-probabilities of the words of a predicted column, shape (words,)."""
        words = self._range[column]
        return np.asarray(self._words[words] @ self._top + self._bias[words])

    def put(self, column: int, word: int) -> None:
        """Say which word a column has; columns that are not predicted are not told to this network."""
        words = self._range.get(column)
        if words is not None:
            self._read(words.start + word)

    def state(self) -> Any:
        """A copy of all that is remembered, for `restore`; only between steps."""
        return [layer.state() for layer in self._layers], self._top.copy()

    def restore(self, state: Any) -> None:
        """Go back to what `state` gave."""
        for layer, past in zip(self._layers, state[0], strict=True):
            layer.restore(past)
        self._top = state[1].copy()

    def _read(self, token: int) -> None:
        x = self._norm(0, self._layers[0].step(self._table[token]))
        for index, layer in enumerate(self._layers[1:], 1):
            x = self._norm(index, layer.step(layer.input_weight @ x + layer.input_bias))
        if self._dense is not None:
            x = self._dense[0] @ x + self._dense[1]
            x = self._norm(len(self._layers), np.maximum(x, 0.0) if self.config.dense_relu else x)
        self._top = x

    def _norm(self, index: int, x: Floats) -> Floats:
        if not self._norms:
            return x
        scale, shift = self._norms[index]
        return x * scale + shift
