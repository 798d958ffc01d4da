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
    their input and their own past at once. What is left is reading each weight once, so a step takes as
    long as memory takes to give them.

    Args:
        weights: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0` of each layer, under its prefix.
        prefixes: of the names, one a layer, from below; all layers have the same size.
    """

    def __init__(self, weights: Weights, *prefixes: str) -> None:
        def get(layer: int, name: str) -> Floats:
            return _for_one_tanh(np.asarray(weights[f"{prefixes[layer]}{name}_l0"], np.float32))

        layers = range(len(prefixes))
        self.input_weight = get(0, "weight_ih")
        self.input_bias, *self._biases = [get(layer, "bias_ih") + get(layer, "bias_hh") for layer in layers]
        self._weights = [get(0, "weight_hh")]
        self._weights += [np.hstack([get(layer, "weight_ih"), get(layer, "weight_hh")]) for layer in layers[1:]]
        self._h, self._c = np.zeros((2, len(prefixes), self._weights[0].shape[1]), np.float32)
        # What a layer multiplies, the outputs of the one below and its own, lies side by side.
        self._seen = [self._h[max(layer - 1, 0) : layer + 1].reshape(-1) for layer in layers]
        self._sums = np.empty_like(self.input_bias)
        self._gates = self._sums.reshape(4, -1)

    def reset(self) -> None:
        """Forget the past."""
        self._h[:] = self._c[:] = 0

    def state(self) -> tuple[Floats, Floats]:
        """A copy of what is remembered."""
        return self._h.copy(), self._c.copy()

    def restore(self, state: tuple[Floats, Floats]) -> None:
        """Go back to what `state` gave."""
        self._h[:], self._c[:] = state

    def step(self, gates: Floats) -> Floats:
        """One step.

        Args:
            gates: the input's products with `input_weight`, and `input_bias`, shape (4 * hidden,).

        Returns:
            The top layer's output, shape (hidden,), which the next step overwrites.
        """
        sums, sigmoids, (write, keep, show, new) = self._sums, self._gates[:3], self._gates
        for layer, bias in enumerate((gates, *self._biases)):
            np.dot(self._weights[layer], self._seen[layer], out=sums)
            sums += bias
            np.tanh(sums, out=sums)
            sigmoids += 1.0
            sigmoids *= 0.5
            c = self._c[layer]
            c *= keep
            write *= new
            c += write
            np.multiply(show, np.tanh(c, out=new), out=self._h[layer])
        return np.asarray(self._h[-1])


def _for_one_tanh(gates: Floats) -> Floats:
    """Gates in the order of torch (write, keep, new, show) such that one tanh serves them all, and new comes last.

    sigmoid(x) = (tanh(x / 2) + 1) / 2 never overflows, and halving is exact.
    """
    write, keep, new, show = np.split(gates, 4)
    return np.concatenate((write / 2, keep / 2, show / 2, new))


def batch_norm(weights: Weights, prefix: str, epsilon: float = 1e-5) -> tuple[Floats, Floats]:
    """Scale and shift that a trained torch `BatchNorm1d` comes to, each of shape (features,)."""
    scale = np.asarray(weights[prefix + "weight"], np.float32) / np.sqrt(
        np.asarray(weights[prefix + "running_var"], np.float32) + epsilon
    )
    return scale, np.asarray(weights[prefix + "bias"], np.float32) - scale * np.asarray(
        weights[prefix + "running_mean"], np.float32
    )
