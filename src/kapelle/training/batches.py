"""Batches: crops of pieces, drawn and augmented anew in every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..codecs import Codec

Pieces = Sequence[NDArray[np.int32]]
"""Encoded pieces, each of shape (steps, F)."""
MULTIPLE = 8
"""Batches are as long as a multiple of so many steps: torch prepares anew for every length it has not had."""
Pick = tuple[int, int, int]
"""A crop: number of the piece, first step, steps."""


@dataclass(frozen=True)
class Batch:
    """Crops of one length, shorter ones filled up.

    Attributes:
        steps: words, shape (B, T, F).
        paid: which fields count, shape (B, T, F).
        real: which steps are no filling, shape (B, T).
        notes: how many of the steps are notes.
        heard: what the encoder of a network of windows hears instead of them, shape (B, T, F); else None.
    """

    steps: NDArray[np.int64]
    paid: NDArray[np.bool_]
    real: NDArray[np.bool_]
    notes: int
    heard: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class BatchPlan:
    """How a corpus is cut: crops of at most `crop` steps, as many of them in a batch as `steps` have room for.

    Crops of short pieces are short, so that more of them go into a batch: by steps, not by crops, because it is by
    steps that learning goes faster and gradients are less left to chance.
    """

    crop: int
    steps: int

    @classmethod
    def for_data(
        cls,
        lengths: Sequence[int],
        crop: int = 256,
        most_steps: int = 2048,
        least_batches: int = 12,
        processes: int = 1,
    ) -> BatchPlan:
        """A plan that fits the data: small corpora get small batches, so that an epoch still has several.

        Args:
            lengths: steps of each piece.
            crop: steps of the longest crop.
            most_steps: of a batch, for each process.
            least_batches: of an epoch, where the data are enough for it.
            processes: that share a batch.
        """
        total = sum(lengths)
        crop = min(crop, max(lengths))
        return cls(crop, min(most_steps * processes, max(total // least_batches, 2 * crop)))


class Epoch(Sequence[Batch]):
    """The batches of one epoch: each piece gives crops in proportion to its length, in random order, augmented.

    Any batch can be made at any time, and is always the same: what it holds follows from the seed, the number of
    the epoch and its own number alone. So a run that was cut off goes on with the very batch that came next.

    Args:
        pieces: to be cut.
        plan: how.
        codec: that made the steps.
        seed: of the run.
        number: of the epoch, from 0.
    """

    def __init__(self, pieces: Pieces, plan: BatchPlan, codec: Codec, seed: int, number: int) -> None:
        self._pieces, self._codec, self._seed = pieces, codec, (seed, number)
        self._batches = _draw(pieces, plan, np.random.default_rng(self._seed))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> Batch:  # type: ignore[override]
        rng = np.random.default_rng((*self._seed, number))
        picks = self._batches[number]
        cut = [_crop(self._pieces[index], start, length, self._codec, rng) for index, start, length in picks]
        whole = collate([steps for steps, _ in cut], [paid for _, paid in cut], self._codec, MULTIPLE)
        if not self._codec.in_windows:
            return whole
        codec: Any = self._codec
        heard = whole.steps.copy()
        for row, (steps, _) in enumerate(cut):
            heard[row, : len(steps)] = codec.disguised(steps, rng)
        return replace(whole, heard=heard)


def _draw(pieces: Pieces, plan: BatchPlan, rng: np.random.Generator) -> list[list[Pick]]:
    """The crops of each batch. Crops of similar length stand together, to fill up little."""
    picks = []
    for index, piece in enumerate(pieces):
        spare = len(piece) - plan.crop
        if spare <= 0:
            picks.append((index, 0, len(piece)))
            continue
        wanted = len(piece) / plan.crop
        count = int(wanted) + int(rng.random() < wanted % 1)
        # The start and the end of a piece would be rare among even draws, so some crops are pushed there.
        starts = np.clip(rng.integers(-plan.crop // 2, spare + plan.crop // 2, count), 0, spare)
        picks += [(index, int(start), plan.crop) for start in starts]
    order = rng.permutation(len(picks))
    # Enough for eight batches stands together, so that what comes together is another thing in each epoch.
    chunk = max(1, 8 * plan.steps * len(picks) // sum(length for _, _, length in picks))
    batches = []
    for first in range(0, len(order), chunk):
        batches += _filled(sorted((picks[place] for place in order[first : first + chunk]), key=_steps), plan.steps)
    return [batches[number] for number in rng.permutation(len(batches))]


def _steps(pick: Pick) -> int:
    return pick[2]


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _filled(picks: Sequence[Pick], steps: int) -> list[list[Pick]]:
    """Batches of crops that come by length, each as full as it can be, with at least one crop."""
    batches: list[list[Pick]] = [[]]
    for pick in picks:
        if batches[-1] and (len(batches[-1]) + 1) * _up(_steps(pick), MULTIPLE) > steps:
            batches.append([])
        batches[-1].append(pick)
    return batches


def collate(steps: Pieces, paid: Sequence[NDArray[np.bool_]], codec: Codec, multiple: int = 1) -> Batch:
    """A batch of steps of different lengths, filled up to a multiple of some steps."""
    longest = _up(max(map(len, steps)), multiple)
    shape = (len(steps), longest, steps[0].shape[1])
    words, counts, real = np.zeros(shape, np.int64), np.zeros(shape, bool), np.zeros(shape[:2], bool)
    for row, (piece, pays) in enumerate(zip(steps, paid, strict=True)):
        words[row, : len(piece)] = piece
        counts[row, : len(piece)] = pays
        real[row, : len(piece)] = True
    return Batch(words, counts, real, sum(codec.num_notes(piece) for piece in steps))


def _crop(
    piece: NDArray[np.int32], start: int, length: int, codec: Codec, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    head = codec.header_steps
    if start <= head:
        steps = codec.augment(piece[:length], rng)
        return steps, codec.paid(steps)
    # A crop from the middle keeps the facts about the whole piece, so that the network knows what it is in.
    steps = codec.augment(np.concatenate([piece[:head], piece[start : start + length]]), rng)
    paid = codec.paid(steps)
    # The first step after the jump follows on something that is not there.
    paid[head] = False
    return steps, paid


def few(pieces: Pieces, most_steps: int) -> Pieces:
    """The first pieces up to a number of steps, at least one."""
    total = np.cumsum([len(piece) for piece in pieces])
    return pieces[: max(1, int(np.searchsorted(total, most_steps)))]
