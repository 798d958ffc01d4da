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
        def get(name: str) -> Floats:
            return np.ascontiguousarray(weights[name], np.float32)

        self.config = config
        columns = config.columns
        self._offsets = columns.offsets
        self._last = len(columns.sizes) - 1
        self._outer = LstmStack(weights, *(f"outer.{layer}." for layer in range(config.num_layers)))
        self._start = get("start") @ self._outer.input_weight.T + self._outer.input_bias
        self._to_inner = get("outer_to_inner.weight")
        self._memory = _Memory(config, weights) if config.attention_dim else None
        # All that the words of a step add up to lies side by side: the hidden layers of the fields, the gates
        # of the next step, and what is remembered of this one. A word then costs one row of a table.
        sinks = [get(f"told_to_inner.{i}.weight") for i in range(sum(column > 0 for column in columns.predicted))]
        sinks.append(self._outer.input_weight)
        biases = [get("outer_to_inner.bias"), self._outer.input_bias]
        if config.attention_dim:
            sinks.append(get("value.weight"))
            biases.append(get("value.bias"))
        self._table = get("embed.weight") @ np.vstack(sinks).T
        self._bias = np.concatenate(biases)
        self._sums = self._bias.copy()
        # A first column that is predicted comes before all words, and has no rows in the table.
        self._told = self._sums[-self._table.shape[1] :]
        self._hidden, self._gates, self._value = np.split(self._sums, np.cumsum([len(bias) for bias in biases[:2]]))
        self._fields = {
            column: (get(f"words.{field}.weight"), get(f"words.{field}.bias"), inner)
            for field, (column, inner) in enumerate(
                zip(columns.predicted, self._hidden.reshape(-1, config.inner_dim), strict=True)
            )
        }
        self.reset()

    def reset(self) -> None:
        """Be at the start of a piece."""
        self._outer.reset()
        if self._memory is not None:
            self._memory.reset()
        self._begin(self._start)

    def logits(self, column: int) -> Floats:
        """Unnormalised log-probabilities of the words of a predicted column, shape (words,)."""
        weight, bias, inner = self._fields[column]
        logits = weight @ np.maximum(inner, 0.0)
        logits += bias
        return np.asarray(logits)

    def put(self, column: int, word: int) -> None:
        """Say which word a column has."""
        self._told += self._table[self._offsets[column] + word]
        if column == self._last:
            if self._memory is not None:
                self._memory.keep(self._value)
            self._begin(self._gates)

    def state(self) -> Any:
        """A copy of all that is remembered, for `restore`; only between steps."""
        return self._outer.state(), self._sums.copy(), self._memory and self._memory.state()

    def restore(self, state: Any) -> None:
        """Go back to what `state` gave."""
        self._outer.restore(state[0])
        self._sums[:] = state[1]
        if self._memory is not None:
            self._memory.restore(state[2])

    def _begin(self, gates: Floats) -> None:
        outer = self._outer.step(gates)
        if self._memory is not None:
            outer = np.concatenate((outer, self._memory.look_up(outer)))
        self._sums[:] = self._bias
        self._hidden += self._to_inner @ outer


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
        self._shape = (config.num_heads, 1, size)
        # Place 0 is the zero that is always there. Each value ends in a one, so that the weights are added up
        # where the values are weighed.
        self._keys = np.zeros((config.num_heads, config.window + 1, size), np.float32)
        self._values = np.zeros((config.num_heads, config.window + 1, size + 1), np.float32)
        self._values[..., -1] = 1.0
        self.reset()

    def reset(self) -> None:
        """Forget all steps."""
        self._count = 0
        self._next_key = self._keys[:, :1]

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
        both = self._both @ outer
        both += self._both_bias
        query, self._next_key = both.reshape(2, *self._shape)
        used = 1 + min(self._count, self._window)
        likeness = query @ self._keys[:, :used].transpose(0, 2, 1)  # (heads, 1, used)
        likeness -= likeness.max(axis=-1, keepdims=True)
        found = np.exp(likeness, out=likeness) @ self._values[:, :used]
        return np.asarray(found[..., :-1] / found[..., -1:]).reshape(-1)

    def keep(self, value: Floats) -> None:
        """Remember a step, by its value of shape (attention_dim,), under the state it came in."""
        place = 1 + self._count % self._window
        self._keys[:, place : place + 1] = self._next_key
        self._values[:, place : place + 1, :-1] = value.reshape(self._shape)
        self._count += 1
