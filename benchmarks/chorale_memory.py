"""A memory of tunes: what came next wherever a soprano has gone as this one does.

Hymns share tunes: 20 of the 76 validation pieces of the JSB chorales open as a training piece does. A network that is
kept from knowing its pieces by heart cannot use that, a table of all places can. Each expert looks up how the soprano
came here, by its last moves and lengths or by where it stood on the last beats, in any key, and expects of each voice
what it did there: of the soprano at all of these places, of the others at those of them where the voices told before
them do the same now and where their own last height was the same. How far each expert is trusted against a network is
learnt from held-out pieces: by how much was alike, by how many places there are, and by where in the beat this is.

Sources: suffixes of all lengths, the longest counts: Cleary and Witten 1984 (PPM); tables beside a network: Khandelwal
et al. 2020 (arXiv:1911.00172). Differs: weights of the mixture are learnt, and moves are heard instead of heights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable

import numpy as np
import torch
from numpy.typing import NDArray

Steps = NDArray[np.int64]
Keys = list[dict[int, Hashable]]

ORDER = (0, 3, 1, 2)
BEAT = 4
MOST = 300
"""Places that are looked at, the latest ones."""
LENGTHS = (3, 4, 5, 6, 7, 8, 10, 12, 16)
PLACES = (2, 3, 5, 10)


def by_notes(tune: Steps) -> Keys:
    """For each step, by how many notes: the moves and lengths of these, and for how long the last one has sounded."""
    ends = [*(np.flatnonzero(np.diff(tune)) + 1).tolist(), len(tune)]
    keys: Keys = [{}]
    past: list[tuple[int, int]] = []
    start = 0
    for end in ends:
        move = int(tune[start] - tune[start - 1]) if start else 0
        for held in range(end - start):
            keys.append({n: (tuple(past[-n:]), move, held) for n in (2, *LENGTHS) if len(past) >= n})
        past.append((move, end - start))
        start = end
    return keys[:-1]


def by_beats(tune: Steps) -> Keys:
    """For each step, by how many beats: how far from now the tune stood on these, and since the last one."""
    keys: Keys = [{}]
    for step in range(1, len(tune)):
        beat = step - step % BEAT
        since = tuple((tune[beat:step] - tune[step - 1]).tolist())
        stood = tuple((tune[beat % BEAT : beat : BEAT][::-1] - tune[step - 1]).tolist())
        keys.append({n: (step % BEAT, since, stood[:n]) for n in LENGTHS if len(stood) >= n})
    return keys


WAYS: tuple[Callable[[Steps], Keys], ...] = (by_notes, by_beats)
LEAST = (1, 3)
"""Of how many pieces the places must be: the longest match of all, and the longest that several pieces share."""
EXPERTS = len(WAYS) * len(LEAST)


class Memory:
    """All places of some pieces.

    Args:
        pieces: the height of each voice in each step, -1 where it is silent, each of shape (T, 4).
    """

    def __init__(self, pieces: list[Steps]) -> None:
        self._pieces = pieces
        self._places: list[dict[tuple[int, Hashable], list[tuple[int, int]]]] = [defaultdict(list) for _ in WAYS]
        for number, piece in enumerate(pieces):
            for way, places in zip(WAYS, self._places, strict=True):
                for step, keys in enumerate(way(piece[:, 0])):
                    for key in keys.items():
                        places[key].append((number, step))

    def expected(self, piece: Steps) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """What the experts thought of what each voice does, knowing what was before.

        Returns:
            Probabilities, shape (T, EXPERTS, 4), NaN where an expert says nothing; and by how many notes or beats it
            knew, 0 for not at all, and from how many places, shape (T, EXPERTS, 2).
        """
        chances, known = np.full((len(piece), EXPERTS, 4), np.nan), np.zeros((len(piece), EXPERTS, 2), np.int64)
        for kind, (way, places) in enumerate(zip(WAYS, self._places, strict=True)):
            for step, keys in enumerate(way(piece[:, 0])):
                for index, least in enumerate(LEAST):
                    for length, found in (
                        (length, places.get((length, keys[length]))) for length in sorted(keys)[::-1]
                    ):
                        if found and len({number for number, _ in found}) >= least:
                            expert = kind * len(LEAST) + index
                            chances[step, expert] = self._at(found[-MOST:], piece, step)
                            known[step, expert] = length, min(len(found), MOST)
                            break
        return chances, known

    def _at(self, found: list[tuple[int, int]], piece: Steps, step: int) -> NDArray[np.float64]:
        """Of the places, the share at which each voice did as now, where all told before did so too."""
        there = np.array([(self._pieces[number][at - 1], self._pieces[number][at]) for number, at in found])
        there = there - there[:, :1, :1]  # heights above the last one of the soprano, shape (places, 2, 4)
        before, now = piece[step - 1] - piece[step - 1, 0], piece[step] - piece[step - 1, 0]
        same, shares = np.ones(len(there), bool), np.full(4, np.nan)
        for voice in ORDER:
            heard = same if voice == 0 else same & (there[:, 0, voice] == before[voice])
            if heard.any():
                shares[voice] = (there[heard, 1, voice] == now[voice]).mean()
            same &= there[:, 1, voice] == now[voice]
        return shares


class Trust(torch.nn.Module):
    """How much each expert weighs against a network: one set of weights for each voice.

    The probabilities are a mixture, so they add up to one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alike = torch.nn.Parameter(torch.zeros(4, EXPERTS, len(LENGTHS) + 1))
        self.places = torch.nn.Parameter(torch.zeros(4, EXPERTS, len(PLACES) + 1))
        self.beat = torch.nn.Parameter(torch.full((4, EXPERTS, BEAT), -2.0))

    def forward(self, costs: torch.Tensor, chances: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Costs of the mixture in nats, shape (T, 4).

        Args:
            costs: of the network, shape (T, 4).
            chances: of the experts, shape (T, EXPERTS, 4), NaN for none.
            known: shape (T, EXPERTS, 3): how much was alike, how many places, and where in the beat.
        """
        experts = torch.arange(EXPERTS)
        alike = torch.bucketize(known[..., 0].contiguous(), torch.tensor(LENGTHS), right=True)
        places = torch.bucketize(known[..., 1].contiguous(), torch.tensor(PLACES), right=True)
        trust = self.alike[:, experts, alike] + self.places[:, experts, places] + self.beat[:, experts, known[..., 2]]
        silent = chances.isnan()
        trust = trust.permute(1, 2, 0).masked_fill(silent, -torch.inf)  # (T, EXPERTS, 4)
        weights = torch.log_softmax(torch.cat([torch.zeros_like(trust[:, :1]), trust], 1), 1)
        told = torch.cat([-costs[:, None], chances.masked_fill(silent, 1.0).clamp(min=1e-9).log()], 1)
        return -torch.logsumexp(weights + told, 1)


Heard = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]
"""Of a piece: the costs of the network (T, 4), and what the experts expected."""


def trusting(pieces: list[Heard], rounds: int = 300) -> Trust:
    """The weights by which these pieces are foretold best, held near the same for all lengths and counts."""
    trust = Trust()
    optimiser = torch.optim.Adam(trust.parameters(), 0.05)
    heard = _joined(pieces)
    for _ in range(rounds):
        optimiser.zero_grad()
        bound = 1e-4 * (trust.alike.square().sum() + trust.places.square().sum())
        (trust(*heard).mean() * 4 + bound).backward()
        optimiser.step()
    return trust


@torch.no_grad()
def mixed(pieces: list[Heard], others: list[Heard] | None = None) -> list[NDArray[np.float64]]:
    """Costs of each piece with the memory, each of shape (T, 4).

    Args:
        pieces: to be judged.
        others: from which the weights are learnt; None if from every other of the same pieces those of the rest.
    """
    costs: list[NDArray[np.float64]] = [np.zeros(0)] * len(pieces)
    for half in (0, 1) if others is None else (None,):
        judged = range(len(pieces)) if half is None else range(half, len(pieces), 2)
        with torch.enable_grad():
            trust = trusting(others if others is not None else pieces[1 - (half or 0) :: 2])
        for index in judged:
            costs[index] = trust(*_joined([pieces[index]])).numpy()
    return costs


def _joined(pieces: list[Heard]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    places = [np.broadcast_to(np.arange(len(costs))[:, None, None] % BEAT, (len(costs), EXPERTS, 1))
              for costs, _, _ in pieces]  # fmt: skip
    known = [np.concatenate([known, place], axis=2) for (_, _, known), place in zip(pieces, places, strict=True)]
    costs, chances = (np.concatenate([piece[part] for piece in pieces]) for part in (0, 1))
    return torch.from_numpy(costs).float(), torch.from_numpy(chances).float(), torch.from_numpy(np.concatenate(known))
