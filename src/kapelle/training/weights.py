"""Weights of networks in torch: fresh ones, those of a style, and those that go on from another style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..codecs import Codec
from ..networks import Network
from .batches import BatchPlan, Epoch, Pieces
from .counts import word_counts

BIAS_UPDATES = 24


def num_weights(net: Network) -> int:
    """How many numbers a network's weights are, told without making them."""
    with torch.device("meta"):
        return sum(weight.numel() for weight in net.module().state_dict().values())


def module_of(net: Network, weights: Mapping[str, NDArray[Any]]) -> Any:
    """The torch network with these weights, ready to be looked at."""
    module = net.module()
    tensors = {name: torch.from_numpy(np.array(weight)) for name, weight in weights.items()}
    module.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    return module.eval()


def adopted(
    net: Network,
    codec: Codec,
    pieces: Pieces,
    base: Network,
    base_codec: Codec,
    weights: Mapping[str, NDArray[Any]],
    seed: int,
) -> Mapping[str, NDArray[Any]]:
    """Weights for a network to begin with that go on from what another one has learnt.

    Args:
        net: to be trained.
        codec: that made its steps.
        pieces: encoded, to learn from.
        base: the network that was trained.
        base_codec: that made its steps.
        weights: what it learnt.
        seed: of what has to be drawn afresh.

    Raises:
        KapelleError: if the networks are of different kinds or sizes.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh = {name: weight.numpy() for name, weight in net.module().state_dict().items()}
    words = codec.nearest_words(base_codec)
    begun = net.adopted(fresh, base, weights, words)
    counts = word_counts(pieces, codec)
    for place, column in enumerate(net.config.columns.predicted):
        begun[f"words.{place}.bias"][:] += shares(words[codec.layout[column][0]], counts[column])
    module = module_of(net, begun)
    _fit_biases(module, Epoch(pieces, BatchPlan.for_data([len(piece) for piece in pieces]), codec, seed, 0))
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


def _fit_biases(module: Any, epoch: Epoch) -> None:
    """Expect each word about as often as it comes here, before anything else is learnt.

    The base has its own music's habits. Left to the small learning rate that what it knows needs, the biases
    would take hundreds of updates to forget them.
    """
    biases = [
        parameter for name, parameter in module.named_parameters() if name.startswith("words.") and "bias" in name
    ]
    optimiser = torch.optim.Adam(biases, lr=0.2)
    for number in range(BIAS_UPDATES):
        batch = epoch[number % len(epoch)]
        for group in optimiser.param_groups:
            group["lr"] = 0.2 * (1 - number / BIAS_UPDATES)
        costs = module(torch.from_numpy(batch.steps), real=torch.from_numpy(batch.real))[0]
        paid = torch.from_numpy(batch.paid)
        loss = (costs * paid).sum() / paid.any(-1).sum()
        for bias, gradient in zip(biases, torch.autograd.grad(loss, biases), strict=True):
            bias.grad = gradient
        optimiser.step()


def shares(begun: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """What to add to the logits of words that begin as the same word, so that together they weigh as much as it did.

    Args:
        begun: which word of the base each word begins as, shape (V,).
        counts: how often each word is told in the corpus, shape (V,).
    """
    heard = counts + 0.1
    together = np.bincount(begun, weights=heard)
    logs: NDArray[np.float32] = np.log(heard / together[begun]).astype(np.float32)
    return logs


def fill(module: torch.nn.Module, weights: Mapping[str, NDArray[Any]]) -> None:
    """Give a module these weights; it keeps its own precision.

    Raises:
        ValueError: if they are of another network.
    """
    own = module.state_dict()
    if own.keys() != weights.keys() or any(own[name].shape != weights[name].shape for name in own):
        raise ValueError("the weights are of another network")
    module.load_state_dict({name: torch.from_numpy(np.array(weight)).to(own[name]) for name, weight in weights.items()})


def copied(tensor: torch.Tensor) -> NDArray[Any]:
    """A copy of a tensor, wherever it is."""
    return np.array(tensor.detach().cpu().numpy())


def halved(tensor: torch.Tensor) -> NDArray[Any]:
    """A copy of a tensor as it is kept in a style: in half precision, unless it holds whole numbers."""
    array = copied(tensor)
    return array.astype(np.float16) if array.dtype.kind == "f" else array
