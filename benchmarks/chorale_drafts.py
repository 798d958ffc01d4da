"""Many drafts of a piece side by side, some voices of which are given and the others written from left to right.

What is likely in one place, given all that is given, is told by no single draft, but by the mean of what was likely
there over all of them. Drafts go through a network of voices together, so 64 cost what 10 do one by one.

N drafts, T steps, F columns; heights are as in `jsb.py`, -1 for silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from jsb import COLUMNS, FACTS, HEIGHTS, KEY, LOW, PLACES, SHIFT, SHIFTS, VOICE, Steps
from kapelle.codecs.chorale import lines
from kapelle.codecs.chorale.codec import degrees
from kapelle.codecs.chorale.echo import length_word
from kapelle.music.key import key_fit

BEFORE = len(FACTS) + len(KEY)
FOLLOWING = lines.FOLLOWING + 1
TEMPLATES = np.stack([key_fit(one) for one in np.eye(12)], axis=1)
"""The fit of the 24 keys to each pitch class, but for a factor: as `key_fit`, of many counts at once."""


class Pasts:
    """`lines.Past`, and the key heard so far, of N drafts."""

    def __init__(self, count: int, length: int) -> None:
        self.sounds = np.full((count, 4), -1)
        self._last = self.sounds.copy()
        self._length = np.zeros((count, 4), np.int64)
        self._came = np.full((count, 4), 2 * lines.LEAP + 2)
        self._words = np.zeros((count, length, 4), np.int64)
        self._symbols = self._words.copy()
        self._alike = np.zeros((5, count, length), np.int64)
        self._echoes = np.zeros((count, 13), np.int64)
        self._counts = np.zeros((count, 12), np.int64)
        self._tonic = np.zeros((count, 1), np.int64)
        self._step = 0

    def before(self) -> Steps:
        """The columns before the first voice, those of `FACTS` apart."""
        centred = self._counts - self._counts.mean(1, keepdims=True)
        best, heard = (centred @ TEMPLATES.T).argmax(1), self._counts.any(1)
        self._tonic = np.where(heard, 1 + (best % 12 - LOW) % 12, 0)[:, None]
        mode = np.where(heard, 1 + best // 12, 0)[:, None]
        pairs = [lines._distance(*self.sounds[:, pair].T, *lines.ABOVE) for pair in lines.PAIRS]
        told = [self._last + 1, lines._held(self._length), self._came, np.stack(pairs, axis=1), self._echoes]
        return np.hstack([self._tonic, mode, degrees(self._last + 1, self._tonic), *told])

    def after(self, own: int, words: Steps) -> Steps:
        """The columns of a voice that does this, its word first."""
        height = self.heights(own, words)
        moved = lines._distance(height, self._last[:, own], -lines.LEAP, lines.LEAP)
        others = [
            lines._distance(height, self._last[:, other], -lines.APART, lines.APART)
            for other in range(4)
            if other != own
        ]
        as_before = [lines._as(words, self._echoes[:, first + own]) for first in (1, 9)]
        degree = degrees(height + 1, self._tonic[:, 0])
        return np.stack([words, height + 1, moved, *others, 3 * as_before[0] + as_before[1], degree], axis=1)

    def heights(self, own: int | slice, words: Steps) -> Steps:
        """What a voice, or each, sounds that does this."""
        return np.where(words == 0, self.sounds[:, own], np.maximum(words - 2, -1))

    def step(self, words: Steps) -> None:
        """The next step: what each voice does, in the order S A T B, (N, 4)."""
        moves, height = words > 0, self.heights(slice(None), words)
        self._length = np.where(moves, 1, self._length + (self._length > 0))
        self._came = np.where(moves, lines._distance(height, self._last, -lines.LEAP, lines.LEAP), self._came)
        self.sounds, self._last = height, np.where(height >= 0, height, self._last)
        for voice in range(4):
            there = height[:, voice] >= 0
            self._counts[there, (LOW + height[there, voice]) % 12] += 1
        self._listen(words, 2 * (height + 1) + moves)

    def _listen(self, words: Steps, symbols: Steps) -> None:
        """Hear echoes of all voices, and of each alone; see `lines.Ears`."""
        now, rows = self._step, np.arange(len(words))
        self._words[:, now], self._symbols[:, now] = words, symbols
        self._step += 1
        if not now:
            return
        same = self._symbols[:, :now] == symbols[:, None]
        lengths, then = [], []
        for alike, there, starts in zip(
            self._alike,
            (same.all(2), *np.moveaxis(same, 2, 0)),
            (words.any(1), *(words > 0).T),
            strict=True,
        ):
            longer = np.pad(alike[:, : now - 1], ((0, 0), (1, 0))) + starts[:, None]
            alike[:, :now] = np.where(there, longer, 0)
            best = now - 1 - alike[:, :now][:, ::-1].argmax(1)
            lengths.append(alike[rows, best])
            then.append(self._words[rows, best + 1])
        heard = np.stack(lengths, axis=1)
        heard[:, 1:] *= heard[:, 1:] >= lines.LEAST
        told = length_word(heard)
        echo = np.where(heard[:, :1] > 0, then[0] + 1, 0)
        again = np.where(heard[:, 1:] > 0, np.stack([then[1 + own][:, own] for own in range(4)], axis=1) + 1, 0)
        self._echoes = np.hstack([told[:, :1], echo, told[:, 1:], again])


def words_of(sounds: Steps) -> Steps:
    """What each voice does that sounds these heights, (..., T, 4): 0 goes on, 1 falls silent, 2 + h starts."""
    before = np.concatenate([np.full_like(sounds[..., :1, :], -2), sounds[..., :-1, :]], axis=-2)
    return np.where(sounds == before, 0, sounds + 2)


class Drafter:
    """Decides for N drafts at once, equal to N players of the network.

    Args:
        module: a network that learnt to be given voices, in evaluation.
        steps: words, those of given voices counting, shape (N, T, F).
        real: which steps are no padding, shape (N, T).
        mask: the voices that are written.
    """

    def __init__(self, module: Any, steps: Tensor, real: Tensor, mask: tuple[int, ...]) -> None:
        self._module, config = module, module.config
        self._given = torch.zeros(len(steps), steps.shape[2], dtype=torch.bool)
        self._given[:, [VOICE[voice] for voice in range(4) if voice not in mask]] = True
        shown = self._given[:, None] & real[:, :, None]
        self._to_outer, self._to_inner, _ = module._read(steps, shown, config.stride - config.lead)
        self._ahead = module._ahead(steps, shown)
        self._owners = torch.tensor(config.owners)
        sources = {source for _, source in config.tellable}
        self._foretold = torch.tensor([config.opening + index in sources for index in range(len(self._owners))])
        nothing = torch.zeros(len(steps), 0, config.embed_dim)
        self._late, self._step, self._group = nothing, 0, [nothing]
        context, self._state = module._outer(nothing, nothing, None, self._to_outer[:, :1])
        self._context = context[:, -1]

    def begin(self, row: Tensor) -> None:
        """Begin a step: what is known before its voices, (N, F)."""
        module, opening = self._module, self._module.config.opening
        known = F.relu(module._embedded(row[:, None], slice(0, opening)))[:, 0]
        hidden = module.to_inner(torch.cat([self._context, known], 1))
        hidden = hidden + module.given_to_inner(self._to_inner[:, self._step])
        self._hidden = hidden.unflatten(-1, (-1, module.config.inner_dim))

    def logits(self, row: Tensor, column: int) -> Tensor:
        """Of the words of a voice, knowing what the row tells before it, (N, V)."""
        module, config, key = self._module, self._module.config, str(column)
        places = row[:, config.opening :] + module.offsets[config.opening :] - module.first
        heard = (self._owners < column) | (self._given[:, self._owners] & self._foretold & (self._owners != column))
        told = F.embedding_bag(places, module.told.weight, mode="sum", per_sample_weights=heard.float())
        x = self._hidden[:, config.columns.predicted.index(column)] + module.told_to_inner[key](told)
        x = F.relu(x + module._foresight(row, column, self._ahead[:, self._step]))
        x = x + F.relu(module.deep[key](x))
        return module._measured(module.words[key](x), row, column, self._given)

    def end(self, row: Tensor) -> None:
        """End a step, all of which is told now, (N, F)."""
        self._group.append(F.relu(self._module._embedded(row[:, None], slice(0, None))))
        self._step += 1
        stride = self._module.config.stride
        if len(self._group) == 1 + stride:
            given = self._to_outer[:, self._step // stride, None]
            context, self._state = self._module._outer(torch.cat(self._group, 1), self._late, self._state, given)
            self._context, self._group = context[:, -1], [self._late]


class Drafted(NamedTuple):
    """What has become of one piece.

    Attributes:
        sounds: heights, shape (count, T, 4).
        nats: that they cost, shape (count,).
        likely: how likely each height of the written voices was, silence first, on the mean of the drafts, shape
            (T, V, HEIGHTS + 1).
    """

    sounds: Steps
    nats: NDArray[np.float64]
    likely: NDArray[np.float64]


@torch.no_grad()
def drafts(
    module: Any,
    pieces: Sequence[Steps],
    mask: tuple[int, ...],
    count: int = 1,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
    forced: bool = False,
) -> list[Drafted]:
    """Drafts of pieces of about one length.

    Args:
        module: a network of the columns of `jsb.py` that learnt to be given voices, in evaluation.
        pieces: heights, those of given voices counting, each of shape (T, 4).
        mask: the voices that are written.
        count: drafts of each piece.
        generator: draws the words; None for the most likely ones.
        temperature: of drawing, 1 as learnt.
        forced: whether the written voices' past is that of the pieces, whatever has been likely.
    """
    ends = np.array([len(piece) for piece in pieces])
    length, rows = int(ends.max()), np.arange(len(pieces) * count)
    padded = [np.pad(piece, ((0, length - len(piece)), (0, 0)), constant_values=-1) for piece in pieces]
    sounds = np.repeat(np.stack(padded), count, axis=0)
    real = np.arange(length) < np.repeat(ends, count)[:, None]
    words, steps = words_of(sounds), _given(sounds, mask)
    drafter, pasts = Drafter(module, torch.from_numpy(steps), torch.from_numpy(real), mask), Pasts(len(rows), length)
    nats, likely = np.zeros(len(rows)), np.zeros((len(pieces), length, 4, HEIGHTS + 1))
    for step in range(length):
        row = steps[:, step]
        row[:, len(FACTS) : VOICE[lines.ORDER[0]]] = pasts.before()
        drafter.begin(torch.from_numpy(row))
        for own in lines.ORDER:
            if own in mask:
                logits = drafter.logits(torch.from_numpy(row), VOICE[own])
                logits[torch.from_numpy(pasts.sounds[:, own] < 0), 1] = -torch.inf
                chances = F.softmax(logits.double(), 1)
                if not forced:
                    words[:, step, own] = _drawn(chances ** (1 / temperature), generator).numpy()
                found = chances.numpy()
                nats -= np.where(real[:, step], np.log(found[rows, words[:, step, own]]), 0)
                heard = likely[:, step, own]
                heard += found[:, 1:].reshape(len(pieces), count, -1).mean(1)
                np.add.at(heard, (rows // count, pasts.sounds[:, own] + 1), found[:, 0] / count)
            row[:, VOICE[own] : VOICE[own] + FOLLOWING] = pasts.after(own, words[:, step, own])
        pasts.step(words[:, step])
        sounds[:, step] = pasts.sounds
        drafter.end(torch.from_numpy(row))
    found = zip(sounds.reshape(len(pieces), count, length, 4), nats.reshape(-1, count), likely, ends, strict=True)
    return [Drafted(own[:, :end], cost, chances[:end, list(mask)]) for own, cost, chances, end in found]


def _given(sounds: Steps, mask: tuple[int, ...]) -> Steps:
    """The columns of pieces that are known in advance: `FACTS` and given voices, the others 0, (N, T, F)."""
    words, place = words_of(sounds), np.arange(sounds.shape[1])
    steps = np.zeros((*sounds.shape[:2], len(COLUMNS.names)), np.int64)
    steps[:, :, :2] = np.stack([place % PLACES, np.minimum(place // 4, 15)], axis=1)
    steps[:, :, SHIFT] = SHIFTS.index(0)
    for voice, column in enumerate(VOICE):
        if voice not in mask:
            steps[:, :, column], steps[:, :, column + 1] = words[:, :, voice], sounds[:, :, voice] + 1
    return steps


def _drawn(weights: Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        return weights.argmax(1)
    reached = weights.cumsum(1)
    at = torch.rand(len(weights), 1, generator=generator, dtype=weights.dtype) * reached[:, -1:]
    return (reached < at).sum(1)
