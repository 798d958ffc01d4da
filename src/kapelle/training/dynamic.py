"""Networks that go on learning while they are judged, and are judged before they learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .batches import Pieces

READ = 8
"""Steps after which what was read is learnt from."""
CHUNKS = 200
"""Of so many chunks, taken evenly from the training pieces, it is measured how large gradients are."""
LEAST = 0.3
"""Gradients count for no smaller than this share of their mean size, so that no weight moves far by one step."""


class Adapting:
    """A network that learns from each chunk of a piece after it has foretold it.

    It is called as the network is, chunk by chunk. What a chunk costs is told first, by weights that have seen only
    what came before, so the likelihood is exact. With each new piece, which has no state yet, the weights begin where
    they were at first: nothing goes from one piece to the next.

    Args:
        module: the network, ready to be looked at.
        sizes: of the gradients of each parameter, the root of their mean square, above 0.
        rate: how far a weight goes by a gradient of that size.

    Source:
        Krause et al. 2018 (arXiv:1709.07432), equation 5, without its decay: pieces are short.
    """

    def __init__(self, module: Any, sizes: Sequence[Tensor], rate: float) -> None:
        self.module, self.rate, self._sizes = module, rate, sizes
        self._parameters = list(module.parameters())
        self._first = [parameter.detach().clone() for parameter in self._parameters]

    @classmethod
    def of(cls, module: Any, pieces: Pieces, rate: float) -> Adapting:
        """One whose steps are measured by the gradients of some pieces that it was trained with."""
        chunks = [piece[start : start + READ] for piece in pieces for start in range(0, len(piece), READ)]
        chunks = chunks[:: max(len(chunks) // CHUNKS, 1)]
        parameters = list(module.parameters())
        squares = [torch.zeros_like(parameter) for parameter in parameters]
        for chunk in chunks:
            steps = torch.from_numpy(chunk.astype("int64"))[None]
            with torch.enable_grad():
                cost = module(steps)[0].sum() / len(chunk)
                gradients = torch.autograd.grad(cost, parameters, allow_unused=True)
            for square, gradient in zip(squares, gradients, strict=True):
                if gradient is not None:
                    square += gradient**2 / len(chunks)
        sizes = [square.sqrt() for square in squares]
        mean = sum(float(size.sum()) for size in sizes) / sum(size.numel() for size in sizes)
        return cls(module, [size + LEAST * mean for size in sizes], rate)

    def __call__(self, steps: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """As the network's `forward`: costs, state and hits by the weights as they are before the steps are learnt."""
        with torch.no_grad():
            if state is None:
                for parameter, first in zip(self._parameters, self._first, strict=True):
                    parameter.copy_(first)
        with torch.enable_grad():
            costs, state, hits = self.module(steps, state)
            gradients = torch.autograd.grad(costs.sum() / costs.shape[1], self._parameters, allow_unused=True)
        with torch.no_grad():
            for parameter, gradient, size in zip(self._parameters, gradients, self._sizes, strict=True):
                if gradient is not None:
                    parameter -= self.rate * gradient / size
        return costs.detach(), tuple(part.detach() for part in state), hits
