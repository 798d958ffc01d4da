"""Exact likelihood of pieces under a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..codecs import Codec
from .batches import Pieces, collate

CHUNK = 1024
"""Steps that are looked at at once; the network's state goes on from one chunk to the next."""


@dataclass(frozen=True)
class Likelihood:
    """How well a network foretells pieces.

    Attributes:
        nats_per_note: cost of all that was chosen, header facts and end included, over the number of notes.
        per_column: the part of each column, same unit.
        accuracy: share of what was chosen that the network held the most likely.
        notes: in the pieces.
        pieces: how many.
    """

    nats_per_note: float
    per_column: dict[str, float]
    accuracy: float
    notes: int
    pieces: int


@torch.no_grad()  # type: ignore[untyped-decorator]
def likelihood(module: Any, pieces: Pieces, codec: Codec, device: str = "cpu", batch_size: int = 32) -> Likelihood:
    """Negative log-likelihood of whole pieces, each from its start, in nats per note.

    Pooled: long pieces count for more. Nothing is masked, so what the masks would forbid is paid for too.
    """
    was_training = module.training
    module.eval()
    total = np.zeros(len(codec.layout))
    choices = [column for column, (_, size, _) in enumerate(codec.layout) if size > 1]
    right = chosen_fields = 0
    order = sorted(range(len(pieces)), key=lambda index: len(pieces[index]))
    for first in range(0, len(order), batch_size):
        chosen = [pieces[index] for index in order[first : first + batch_size]]
        batch = collate(chosen, [codec.paid(piece) for piece in chosen], codec)
        state = None
        # A window is read whole and from both ends, so it has to know where it stops.
        chunk = batch.steps.shape[1] if codec.in_windows else CHUNK
        for start in range(0, batch.steps.shape[1], chunk):
            steps = torch.from_numpy(batch.steps[:, start : start + chunk]).to(device)
            real = {"real": torch.from_numpy(batch.real).to(device)} if codec.in_windows else {}
            costs, state, hits = module(steps, state, **real)
            paid = batch.paid[:, start : start + chunk]
            total += (costs.double().cpu().numpy() * paid).sum(axis=(0, 1))
            right += int((hits.cpu().numpy() & paid).sum())
            chosen_fields += int(paid[:, :, choices].sum())
    module.train(was_training)
    notes = max(sum(codec.num_notes(piece) for piece in pieces), 1)
    columns = {name: float(cost / notes) for (name, _, _), cost in zip(codec.layout, total, strict=True) if cost}
    return Likelihood(float(total.sum() / notes), columns, right / max(chosen_fields, 1), notes, len(pieces))


@torch.no_grad()  # type: ignore[untyped-decorator]
def costs_of_mean(modules: Sequence[Any], piece: NDArray[np.int32], chunk: int = CHUNK) -> NDArray[np.float64]:
    """What each field of a piece costs under the mean of several networks' probabilities, in nats.

    Field by field, each given all before it, so it is a probability too.

    Args:
        modules: with the same columns, ready to be looked at.
        piece: steps, shape (T, F).
        chunk: steps that are looked at at once.

    Returns:
        Shape (T, F), 0 in columns that are not predicted.
    """
    steps = torch.from_numpy(piece.astype(np.int64))[None]
    states: list[Any] = [None] * len(modules)
    found = []
    for start in range(0, len(piece), chunk):
        heard = []
        for number, module in enumerate(modules):
            costs, states[number], _ = module(steps[:, start : start + chunk], states[number])
            heard.append(-costs[0].double())
        found.append(math.log(len(heard)) - torch.logsumexp(torch.stack(heard), 0))
    return np.asarray(torch.cat(found).numpy())
