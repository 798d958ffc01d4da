"""A run's weights and moments in six bytes a weight instead of sixteen.

A checkpoint that is to be small must leave something out, and a run that goes on from it must come to the very
weights of one that was never cut off. So it is the run itself that goes on, every few updates, from what a checkpoint
would hold: rounding is a part of training, and moments in eight bits are known to train as well as those in 32
(Dettmers et al., 8-bit Optimizers via Block-wise Quantization, 2022).

    weights           24 bits: 15 of the mantissa, a sixtieth of what the smallest learning rate moves
    averaged weights  their difference from the weights, 8 bits of the largest in a block
    second moments    8 bits of the logarithm, between the least and the largest of a block; nothing stays nothing
    first moments     8 bits of their ratio to the root of the second, which is what moves a weight
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

BLOCK = 256
"""So many numbers share a scale."""
OCTAVES = 40
"""Second moments of a block are told apart over so many; lower ones count as the lowest."""
LEVELS = 254
SQUARES = ("exp_avg_sq", "square_avg")
"""Names of second moments in torch's optimisers."""

Packed = dict[str, NDArray[Any]]
Floats = NDArray[np.float32]


def pack(module: torch.nn.Module, average: torch.nn.Module, optimiser: torch.optim.Optimizer) -> Packed:
    """What a run has learnt, as arrays by name.

    Args:
        module: with the weights.
        average: the same with averaged weights.
        optimiser: of the module's parameters; one of Adam, AdamW, RMSprop.
    """
    packed: Packed = {}
    averaged = average.state_dict()
    for name, tensor in module.state_dict().items():
        weight, mean = _array(tensor), _array(averaged[name])
        if weight.dtype != np.float32:
            packed[f"whole/{name}"] = weight.copy()
            continue
        packed[f"weight/{name}"], rounded = to_24_bits(weight)
        packed[f"code/average/{name}"], packed[f"scale/average/{name}"] = to_codes(mean - rounded)
    for index, state in optimiser.state_dict()["state"].items():
        root: Floats | None = None
        # Second moments come first: the first ones are told by them.
        for name in sorted(state, key=lambda name: name not in SQUARES):
            at, values = f"{index}/{name}", _array(state[name])
            if values.ndim == 0:
                packed[f"whole/{at}"] = values.copy()
            elif name in SQUARES:
                packed[f"code/{at}"], packed[f"scale/{at}"] = to_log_codes(values)
                root = np.sqrt(from_log_codes(packed[f"code/{at}"], packed[f"scale/{at}"], values.shape))
            else:
                ratio = values if root is None else np.divide(values, root, out=np.zeros_like(values), where=root > 0)
                packed[f"code/{at}"], packed[f"scale/{at}"] = to_codes(ratio)
    return packed


def unpack(
    packed: Mapping[str, NDArray[Any]],
    module: torch.nn.Module,
    average: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Give a run what `pack` took from it.

    Raises:
        ValueError, KeyError: if it is of another network or optimiser.
    """
    averaged = average.state_dict()
    for name, tensor in module.state_dict().items():
        shape = tuple(tensor.shape)
        if f"whole/{name}" in packed:
            both = packed[f"whole/{name}"], packed[f"whole/{name}"]
        else:
            weight = from_24_bits(packed[f"weight/{name}"], shape)
            both = weight, weight + _decoded(packed, f"average/{name}", shape, from_codes)
        for own, values in zip((tensor, averaged[name]), both, strict=True):
            own.copy_(torch.from_numpy(values.reshape(shape)))
    optimiser.load_state_dict(optimiser.state_dict() | {"state": _moments(packed, list(module.parameters()))})


def _moments(packed: Mapping[str, NDArray[Any]], parameters: list[torch.nn.Parameter]) -> dict[int, dict[str, Any]]:
    states: dict[int, dict[str, Any]] = {}
    names = [name.split("/")[1:] for name in packed if name.startswith(("whole/", "code/"))]
    for index, name in sorted(
        (place for place in names if len(place) == 2 and place[0].isdecimal()),
        key=lambda place: place[1] not in SQUARES,
    ):
        at, shape = f"{index}/{name}", tuple(parameters[int(index)].shape)
        state = states.setdefault(int(index), {})
        if f"whole/{at}" in packed:
            values: NDArray[Any] = packed[f"whole/{at}"].copy()
        elif name in SQUARES:
            values = _decoded(packed, at, shape, from_log_codes)
        else:
            values = _decoded(packed, at, shape, from_codes)
            root = next((state[square] for square in SQUARES if square in state), None)
            values = values if root is None else values * np.sqrt(root.numpy())
        state[name] = torch.from_numpy(values)
    return states


def _decoded(
    packed: Mapping[str, NDArray[Any]],
    name: str,
    shape: tuple[int, ...],
    decode: Callable[[NDArray[Any], Floats, tuple[int, ...]], Floats],
) -> Floats:
    return decode(packed[f"code/{name}"], packed[f"scale/{name}"], shape)


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array


# -- numbers in fewer bits ------------------------------------------------------------------------


def to_24_bits(values: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """The three upper bytes of each number, rounded to even, shape (n, 3); and the numbers that are left of them."""
    bits = np.ascontiguousarray(values).reshape(-1).view(np.int32)
    rounded = (bits + 127 + ((bits >> 8) & 1)) & ~0xFF
    upper = np.ascontiguousarray(rounded.astype("<i4", copy=False).view(np.uint8).reshape(-1, 4)[:, 1:])
    return upper, rounded.view(np.float32).reshape(values.shape)


def from_24_bits(upper: NDArray[np.uint8], shape: tuple[int, ...]) -> Floats:
    """What `to_24_bits` has left.

    >>> from_24_bits(to_24_bits(np.float32([1.5, -0.1]))[0], (2,)).tolist()
    [1.5, -0.10000038146972656]
    """
    whole = np.zeros((len(upper), 4), np.uint8)
    whole[:, 1:] = upper
    return whole.reshape(-1).view("<f4").reshape(shape).astype(np.float32)


def _blocks(values: Floats) -> Floats:
    flat = values.reshape(-1)
    missing = -len(flat) % BLOCK
    return (np.pad(flat, (0, missing)) if missing else flat).reshape(-1, BLOCK)


def _flat(blocks: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return blocks.reshape(-1)[: int(np.prod(shape))].reshape(shape)


def to_codes(values: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Numbers as parts of the largest of their block: codes of shape (n,), scales of shape (blocks,)."""
    blocks = _blocks(values)
    scale = np.abs(blocks).max(1) / 127
    parts = blocks / np.where(scale > 0, scale, 1)[:, None]
    if not np.isfinite(scale).all():
        # Of what is no number the scale tells: a run that has diverged must still be seen to.
        parts = np.nan_to_num(parts)
    return _flat(np.rint(parts).astype(np.int8), (values.size,)), scale.astype(np.float32)


def from_codes(codes: NDArray[np.int8], scale: Floats, shape: tuple[int, ...]) -> Floats:
    """What `to_codes` has left."""
    values: Floats = _flat(_blocks(codes.astype(np.float32)) * scale[:, None], shape)
    return values


def to_log_codes(values: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Numbers from 0 up by their logarithm: codes of shape (n,), least and largest of each block, shape (blocks, 2)."""
    blocks = _blocks(values)
    some = blocks > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log2(blocks)
    high = np.where(some.any(1), logs.max(1, initial=-np.inf, where=some), 0)
    low = np.minimum(np.maximum(logs.min(1, initial=np.inf, where=some), high - OCTAVES), high)
    step = (LEVELS / np.where(high > low, high - low, 1))[:, None]
    codes = np.where(some, 1 + np.rint((np.maximum(logs, low[:, None]) - low[:, None]) * step), 0).astype(np.uint8)
    return _flat(codes, (values.size,)), np.stack([low, high], 1).astype(np.float32)


def from_log_codes(codes: NDArray[np.uint8], ends: Floats, shape: tuple[int, ...]) -> Floats:
    """What `to_log_codes` has left."""
    blocks = _blocks(codes.astype(np.float32))
    low, high = ends[:, :1], ends[:, 1:]
    values = np.where(blocks > 0, np.exp2(low + (blocks - 1) / LEVELS * (high - low)), 0)
    return _flat(values.astype(np.float32), shape)
