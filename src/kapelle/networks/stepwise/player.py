"""The stepwise network in numpy, one field at a time, for composing without torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..recurrent import Floats, LstmStack, Weights
from .config import StepwiseConfig


class StepwisePlayer:
    """Plays the weights of a `StepwiseModule`, equal to its forward pass.

    For each step, in the order of the columns: `logits` of a column that is to be chosen, then `put` of the
    word it got; the last `put` moves on to the next step.
    """

    def __init__(self, config: StepwiseConfig, weights: Weights) -> None:
        self.config = config
        columns = config.columns
        self._offsets = columns.offsets
        self._last = len(columns.sizes) - 1
        self._embed = np.asarray(weights["embed.weight"], np.float32)
        self._outer = LstmStack(weights, *(f"outer.{layer}." for layer in range(config.num_layers)))
        self._table = self._embed @ self._outer.input_weight.T
        self._start = np.asarray(weights["start"], np.float32) @ self._outer.input_weight.T + self._outer.input_bias
        self._to_inner = np.ascontiguousarray(weights["outer_to_inner.weight"], np.float32)
        self._to_inner_bias = np.asarray(weights["outer_to_inner.bias"], np.float32)
        self._place = {column: index for index, column in enumerate(columns.predicted)}
        size = range(len(columns.predicted))
        told = sum(column > 0 for column in columns.predicted)
        self._told = [np.ascontiguousarray(weights[f"told_to_inner.{i}.weight"], np.float32) for i in range(told)]
        self._words = [np.ascontiguousarray(weights[f"words.{i}.weight"], np.float32) for i in size]
        self._bias = [np.asarray(weights[f"words.{i}.bias"], np.float32) for i in size]
        self.reset()

    def reset(self) -> None:
        """Be at the start of a piece."""
        self._outer.reset()
        self._begin(self._start)

    def logits(self, column: int) -> Floats:
        """Unnormalised log-probabilities of the words of a predicted column, shape (words,)."""
        index = self._place[column]
        inner = self._hidden[index].copy()
        if column:
            inner += self._told[index - len(self._place) + len(self._told)] @ self._sum
        np.maximum(inner, 0.0, out=inner)
        return np.asarray(self._words[index] @ inner + self._bias[index])

    def put(self, column: int, word: int) -> None:
        """Say which word a column has."""
        place = self._offsets[column] + word
        self._gates += self._table[place]
        if column == self._last:
            self._begin(self._gates)
        else:
            self._sum += self._embed[place]

    def state(self) -> Any:
        """A copy of all that is remembered, for `restore`; only between steps."""
        return self._outer.state(), self._hidden.copy()

    def restore(self, state: Any) -> None:
        """Go back to what `state` gave."""
        self._outer.restore(state[0])
        self._fresh(state[1].copy())

    def _begin(self, gates: Floats) -> None:
        outer = self._outer.step(gates)
        self._fresh((self._to_inner @ outer + self._to_inner_bias).reshape(-1, self.config.inner_dim))

    def _fresh(self, hidden: Floats) -> None:
        self._hidden = hidden
        self._gates = self._outer.input_bias.copy()
        self._sum = np.zeros(self.config.embed_dim, np.float32)
