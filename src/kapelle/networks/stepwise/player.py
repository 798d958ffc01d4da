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
        self._memory = _Memory(config, weights) if config.attention_dim else None
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
        if self._memory is not None:
            self._memory.reset()
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
        self._sum += self._embed[place]
        if column == self._last:
            if self._memory is not None:
                self._memory.keep(self._sum)
            self._begin(self._gates)

    def state(self) -> Any:
        """A copy of all that is remembered, for `restore`; only between steps."""
        return self._outer.state(), self._hidden.copy(), self._memory and self._memory.state()

    def restore(self, state: Any) -> None:
        """Go back to what `state` gave."""
        self._outer.restore(state[0])
        if self._memory is not None:
            self._memory.restore(state[2])
        self._fresh(state[1].copy())

    def _begin(self, gates: Floats) -> None:
        outer = self._outer.step(gates)
        if self._memory is not None:
            outer = np.concatenate((outer, self._memory.look_up(outer)))
        self._fresh((self._to_inner @ outer + self._to_inner_bias).reshape(-1, self.config.inner_dim))

    def _fresh(self, hidden: Floats) -> None:
        self._hidden = hidden
        self._gates = self._outer.input_bias.copy()
        self._sum = np.zeros(self.config.embed_dim, np.float32)


class _Memory:
    """Earlier steps that can be looked up: the last `window` of them, in a ring."""

    def __init__(self, config: StepwiseConfig, weights: Weights) -> None:
        def get(name: str) -> Floats:
            return np.ascontiguousarray(weights[name], np.float32)

        self._window = config.window
        size = config.attention_dim // config.num_heads
        # The query is scaled once and for all, and the product for the key is made in the same go.
        scale = np.float32(1 / np.sqrt(size))
        self._both = np.vstack([get("query.weight") * scale, get("key.weight")])
        self._both_bias = np.concatenate([get("query.bias") * scale, get("key.bias")])
        self._value, self._value_bias = get("value.weight"), get("value.bias")
        self._shape = (config.num_heads, size)
        # Place 0 is the zero that is always there.
        self._keys = np.zeros((config.num_heads, config.window + 1, size), np.float32)
        self._values = np.zeros_like(self._keys)
        self.reset()

    def reset(self) -> None:
        """Forget all steps."""
        self._count = 0
        self._next_key = self._keys[:, 0]

    def state(self) -> tuple[int, Floats, Floats, Floats]:
        """A copy of what is remembered."""
        used = 1 + min(self._count, self._window)
        return self._count, self._next_key.copy(), self._keys[:, :used].copy(), self._values[:, :used].copy()

    def restore(self, state: tuple[int, Floats, Floats, Floats]) -> None:
        """Go back to what `state` gave."""
        self._count, self._next_key = state[0], state[1].copy()
        used = state[2].shape[1]
        self._keys[:, :used], self._values[:, :used] = state[2], state[3]

    def look_up(self, outer: Floats) -> Floats:
        """What is found where the past was like it is now, shape (attention_dim,)."""
        query, self._next_key = (self._both @ outer + self._both_bias).reshape(2, *self._shape)
        used = 1 + min(self._count, self._window)
        likeness = np.matmul(self._keys[:, :used], query[:, :, None])
        likeness -= likeness.max(axis=1, keepdims=True)
        np.exp(likeness, out=likeness)
        found = np.matmul(likeness.transpose(0, 2, 1), self._values[:, :used])[:, 0]
        return np.asarray(found / likeness.sum(axis=1)).ravel()

    def keep(self, step: Floats) -> None:
        """Remember a step, the sum of its embeddings, under the state it came in."""
        place = 1 + self._count % self._window
        self._keys[:, place] = self._next_key
        self._values[:, place] = (self._value @ step + self._value_bias).reshape(self._shape)
        self._count += 1
