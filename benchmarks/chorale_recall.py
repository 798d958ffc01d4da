"""What stood with a voice wherever it went as here, before and after: a table of places, for missing voices.

Where a voice is given throughout, its future is known too. So each place is looked up by how the voice came there and
how it goes on, in windows of all lengths: the short ones with its degree above the tonic that all of the voice fits
best, the long ones in any key. Of the places found, those count where the other given voices stand as here now, and
each expects for the written voices what they had there. A window of 24 beats finds tunes that Bach harmonised twice,
one of a beat chords as they follow each other. There is a table for each given voice, of which the mean is taken.

How far each window is trusted, by how many places it found, is learnt from pieces of the table itself, each without its
own places; so no held-out piece is needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from jsb import HEIGHTS, LOW, Steps
from kapelle.music.key import key_fit

SHORT = ((1, 1), (2, 2), (4, 2), (2, 4), (4, 4), (8, 4), (4, 8), (8, 8))
LONG = ((4, 4), (8, 4), (4, 8), (8, 8), (12, 12), (16, 16), (24, 24), (32, 32), (48, 48))
"""Sixteenths before and after that are to be the same: with the degree, and in any key."""
WINDOWS = len(SHORT) + len(LONG)
FAR, BEAT, OUT = 48, 4, -99
PLACES = (1, 2, 3, 5, 10, 30)
"""Numbers of pieces with places that are told apart."""
EVEN = 1 / (HEIGHTS + 1)
"""What everything is expected with where no window knows better."""

Keys = list[list[Hashable]]


def recalled(learnt: Sequence[Steps], pieces: Sequence[Steps], mask: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """What the mean of the tables led by each of the given voices expects of pieces; see `Recall.expected`."""
    leads = [voice for voice in range(4) if voice not in mask]
    tables = [Recall(learnt, mask, lead) for lead in leads]
    return [np.mean([table.expected(piece) for table in tables], axis=0) for piece in pieces]


class Recall:
    """All places of some pieces.

    Args:
        pieces: heights, -1 for silence, each of shape (T, 4).
        mask: the voices that are written.
        lead: the given voice by which is looked up.
        every: of so many pieces one teaches how far each window is trusted.
    """

    def __init__(self, pieces: Sequence[Steps], mask: tuple[int, ...], lead: int, every: int = 8) -> None:
        self._mask, self._lead = mask, lead
        self._others = [voice for voice in range(4) if voice not in (*mask, self._lead)]
        self._keys = [_keys(piece[:, self._lead]) for piece in pieces]
        self._piece = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
        all_steps = np.concatenate(pieces)
        self._above = np.where(all_steps < 0, OUT, all_steps - all_steps[:, [self._lead]])
        found: dict[Hashable, list[int]] = defaultdict(list)
        for place, keys in enumerate(keys for piece in self._keys for keys in piece):
            if all_steps[place, self._lead] >= 0:
                for key in keys:
                    found[key].append(place)
        self._places = {key: np.array(places) for key, places in found.items()}
        self._trust = self._learnt([(number, pieces[number]) for number in range(0, len(pieces), every)])

    def expected(self, piece: Steps) -> NDArray[np.float64]:
        """How likely each height of the written voices is, silence first, shape (T, len(mask), HEIGHTS + 1)."""
        chances, counts = self._looked_up(piece, _keys(piece[:, self._lead]), -1)
        weights = self._weights(counts).detach().numpy()
        return np.asarray((chances * weights[..., :WINDOWS, None]).sum(2) + EVEN * weights[..., WINDOWS:])

    def _looked_up(self, piece: Steps, keys: Keys, own: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """What each window expects, shape (T, V, WINDOWS, HEIGHTS + 1), and from how many pieces, (T, WINDOWS)."""
        chances = np.zeros((len(piece), len(self._mask), WINDOWS, HEIGHTS + 1), np.float32)
        counts = np.zeros((len(piece), WINDOWS), np.int64)
        for step in np.flatnonzero(piece[:, self._lead] >= 0).tolist():
            height = piece[step, self._lead]
            others = piece[step, self._others] - height
            for window, key in enumerate(keys[step]):
                places = self._places.get(key, np.zeros(0, np.int64))
                alike = self._piece[places] != own
                alike &= (self._above[places][:, self._others] == others).all(1)
                places = places[alike]
                if not len(places):
                    continue
                pieces = np.bincount(self._piece[places])
                counts[step, window] = (pieces > 0).sum()
                share = 1 / pieces[self._piece[places]]  # every piece counts alike
                for index, voice in enumerate(self._mask):
                    above = self._above[places, voice]
                    words = np.where(above == OUT, 0, above + height + 1)
                    fits = (words >= 0) & (words <= HEIGHTS)
                    heard = np.bincount(words[fits], share[fits], HEIGHTS + 1)
                    chances[step, index, window] = heard / max(heard.sum(), 1e-9)
        return chances, counts

    def _weights(self, counts: NDArray[np.int64]) -> torch.Tensor:
        """Of each window, and of all heights being alike, shape (T, V, WINDOWS + 1)."""
        bins = torch.bucketize(torch.from_numpy(counts), torch.tensor(PLACES), right=True)
        scores = self._trust[:, torch.arange(WINDOWS), bins]  # (V, T, WINDOWS)
        scores = scores.masked_fill(torch.from_numpy(counts == 0), -torch.inf)
        return torch.softmax(torch.cat([scores, torch.zeros_like(scores[..., :1])], -1), -1).transpose(0, 1)

    def _learnt(self, pieces: list[tuple[int, Steps]], rounds: int = 250) -> torch.Tensor:
        told, counts = [], []
        for number, piece in pieces:
            chances, count = self._looked_up(piece, self._keys[number], number)
            words = piece[:, self._mask] + 1
            told.append(np.take_along_axis(chances, words[:, :, None, None], 3)[..., 0])
            counts.append(count)
        right, count = torch.from_numpy(np.concatenate(told)), np.concatenate(counts)
        right = torch.cat([right, torch.full_like(right[..., :1], EVEN)], -1)
        self._trust = torch.zeros(len(self._mask), WINDOWS, len(PLACES) + 1, requires_grad=True)
        optimiser = torch.optim.Adam([self._trust], 0.1)
        for _ in range(rounds):
            optimiser.zero_grad()
            cost = -((self._weights(count) * right).sum(-1) + 1e-6).log().mean()
            (cost + 1e-4 * self._trust.square().mean()).backward()
            optimiser.step()
        return self._trust.detach()


def _keys(tune: Steps) -> Keys:
    """Of each step of a voice, what each window is looked up by."""
    heard = tune[tune >= 0]
    best = int(key_fit(np.bincount((heard + LOW) % 12, minlength=12)).argmax())
    around = np.pad(tune, FAR, constant_values=-1)
    keys: Keys = []
    for step, height in enumerate(tune.tolist()):
        near = around[step : step + 2 * FAR + 1]
        moves = np.where(near < 0, OUT, near - height).astype(np.int8)
        degree = ((height + LOW - best) % 12, best // 12)
        keys.append(
            [
                (step % BEAT, before, after, told, moves[FAR - before : FAR + after + 1].tobytes())
                for windows, told in ((SHORT, degree), (LONG, None))
                for before, after in windows
            ]
        )
    return keys
