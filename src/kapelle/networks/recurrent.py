"""The LSTM cell in numpy, one step at a time, for composing without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Weights = Mapping[str, NDArray[Any]]


class LstmStack:
    """Layers of LSTM over the weights of torch `nn.LSTM`s of one layer, stepped one input at a time.

    The first layer takes its input already multiplied: the caller looks its product with the input weights
    up in a table, one row a word, which saves the largest product of the step. The other layers multiply
    their input and their own past at once.

    Args:
        weights: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0` of each layer, under its prefix.
        prefixes: of the names, one a layer, from below.
    """

    def __init__(self, weights: Weights, *prefixes: str) -> None:
        def get(layer: int, name: str) -> Floats:
            return np.asarray(weights[f"{prefixes[layer]}{name}_l0"], np.float32)

        self.input_weight = get(0, "weight_ih")
        self.input_bias = get(0, "bias_ih") + get(0, "bias_hh")
        self._first = np.ascontiguousarray(get(0, "weight_hh"))
        self.hidden = self._first.shape[1]
        upper = range(1, len(prefixes))
        self._upper = [np.hstack([get(layer, "weight_ih"), get(layer, "weight_hh")]) for layer in upper]
        self._biases = [get(layer, "bias_ih") + get(layer, "bias_hh") for layer in upper]
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        layers = 1 + len(self._upper)
        self._h = np.zeros((layers, self.hidden), np.float32)
        self._c = np.zeros((layers, self.hidden), np.float32)

    def state(self) -> tuple[Floats, Floats]:
        """A copy of what is remembered."""
        return self._h.copy(), self._c.copy()

    def restore(self, state: tuple[Floats, Floats]) -> None:
        """Go back to what `state` gave."""
        self._h, self._c = state[0].copy(), state[1].copy()

    def step(self, gates: Floats) -> Floats:
        """One step: input gates of shape (4 * hidden,), biases included; returns the top layer's output (hidden,)."""
        self._cell(0, gates + self._first @ self._h[0])
        for layer, (weight, bias) in enumerate(zip(self._upper, self._biases, strict=True), 1):
            both = np.concatenate((self._h[layer - 1], self._h[layer]))
            self._cell(layer, weight @ both + bias)
        return np.asarray(self._h[-1])

    def _cell(self, layer: int, gates: Floats) -> None:
        size = self.hidden
        new = np.tanh(gates[2 * size : 3 * size])
        # sigmoid(x) = (tanh(x / 2) + 1) / 2 never overflows.
        gates *= 0.5
        np.tanh(gates, out=gates)
        gates += 1.0
        gates *= 0.5
        c = self._c[layer]
        c *= gates[size : 2 * size]
        c += gates[:size] * new
        np.multiply(gates[3 * size :], np.tanh(c), out=self._h[layer])


def batch_norm(weights: Weights, prefix: str, epsilon: float = 1e-5) -> tuple[Floats, Floats]:
    """Scale and shift that a trained torch `BatchNorm1d` comes to, each of shape (features,)."""
    scale = np.asarray(weights[prefix + "weight"], np.float32) / np.sqrt(
        np.asarray(weights[prefix + "running_var"], np.float32) + epsilon
    )
    return scale, np.asarray(weights[prefix + "bias"], np.float32) - scale * np.asarray(
        weights[prefix + "running_mean"], np.float32
    )
