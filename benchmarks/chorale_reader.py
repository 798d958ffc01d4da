"""A small network that names each missing pitch by itself, from all that is given, before and after.

It writes no music: of what it names, neighbours need not fit. But where the share of right pitches is what counts, the
best answer to each place is the pitch that is likeliest there whatever the others are, and that is what it learns.

Heights are scored as they are, by their distance from what each given voice sounds, and by their degree above the tonic
of what is given, as in the network `voices`; so what is learnt holds in every key. The beats are read both ways.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from jsb import HEIGHTS, LOW, Steps
from kapelle.music.key import key_fit

MASKS = {"S": (0,), "A": (1,), "T": (2,), "B": (3,), "AT": (1, 2), "ATB": (1, 2, 3)}
CHANCES = (0.13, 0.13, 0.13, 0.16, 0.15, 0.3)
REACH, BEAT, BAR, WORDS = 40, 4, 16, HEIGHTS + 1
SPAN = 2 * REACH + 1
MOVE, NEAR = 13, 5
KEYS = range(-3, 4)
"""Semitones by which a piece is moved, of which the mean is taken."""

# B pieces, T steps, V voices, H heights and silence


class Reader(nn.Module):
    def __init__(self, size: int = 160, embed: int = 64, dropout: float = 0.4) -> None:
        super().__init__()
        self.dropout = dropout
        # Of each voice: height, degree above the tonic, move, whether it moves; of a pair: how far apart.
        sizes = [WORDS + 1, 14, 2 * MOVE + 3]
        self.own = nn.ModuleList(nn.ModuleList(nn.Embedding(n, embed) for n in sizes) for _ in range(4))
        self.pairs = nn.ModuleList(nn.Embedding(SPAN + 1, embed) for _ in range(6))
        self.facts = nn.ModuleList(nn.Embedding(n, embed) for n in (BAR, 3, 17, 17))
        for table in self.modules():
            if isinstance(table, nn.Embedding):
                nn.init.normal_(table.weight, std=0.2)
        self.join = nn.Linear(BEAT * embed, 2 * size)
        self.read = nn.ModuleList(nn.LSTM(2 * size, size, batch_first=True, bidirectional=True) for _ in range(2))
        self.near = nn.Linear((2 * NEAR + 1) * embed, 2 * size)
        self.step = nn.Linear(4 * size, 2 * size)
        self.deep = nn.ModuleList(nn.Linear(2 * size, 2 * size) for _ in range(4))
        self.scores = nn.ModuleList(nn.Linear(2 * size, WORDS + 13 + 4 * SPAN) for _ in range(4))
        for head in self.scores:
            nn.init.normal_(head.weight, std=0.01)

    def forward(self, heights: Tensor, key: Tensor, ends: Tensor, mask: tuple[int, ...], steps: Tensor) -> Tensor:
        """Logits of the heights of the written voices in some steps, silence first, shape (B, len(steps), V, H).

        Args:
            heights: -1 for silence, shape (B, T, 4), T whole beats; of those that are not given it does not matter.
            key: tonic as the lowest height that is one, and mode, shape (B, 2).
            ends: steps of each piece, shape (B,).
            mask: the voices that are written.
            steps: which are asked for.
        """
        given = torch.tensor([[voice not in mask for voice in range(4)]])
        batch, length, _ = heights.shape
        here = given[:, None] & (heights >= 0)
        tonic = key[:, :1].unsqueeze(2)
        degree = torch.where(here, 1 + (heights - tonic) % 12, 0)
        before = F.pad(heights, (0, 0, 1, 0), value=-1)[:, :-1]
        move = torch.where(here & (before >= 0), (heights - before).clamp(-MOVE, MOVE) + MOVE + 1, 0)
        height = torch.where(given[:, None], heights + 2, 0).clamp(max=WORDS)
        x = sum(
            table(words[:, :, voice])
            for voice, tables in enumerate(self.own)
            for table, words in zip(tables, (height, degree, move), strict=True)
        )
        pairs = [(one, other) for one in range(4) for other in range(one)]
        for table, (one, other) in zip(self.pairs, pairs, strict=True):
            apart = (heights[:, :, one] - heights[:, :, other]).clamp(-REACH, REACH) + REACH + 1
            x = x + table(torch.where(here[:, :, one] & here[:, :, other], apart, 0))
        place = torch.arange(length, device=x.device).expand(batch, -1)
        left = ((ends[:, None] - 1 - place) // BEAT).clamp(0, 16)
        facts = (place % BAR, key[:, 1:].expand(-1, length), left, (place // BEAT).clamp(max=16))
        x = self._drop(x + sum(table(words) for table, words in zip(self.facts, facts, strict=True)), 0.5)
        beats = F.relu(self.join(x.unflatten(1, (-1, BEAT)).flatten(2)))
        for layer in self.read:
            beats = beats + layer(self._drop(beats, 1.0))[0]
        around = F.pad(x, (0, 0, NEAR, NEAR)).unfold(1, 2 * NEAR + 1, 1)[:, steps].flatten(2)
        hidden = torch.cat([beats[:, steps // BEAT], F.relu(self.near(around))], 2)
        hidden = F.relu(self.step(self._drop(hidden, 1.0)))
        seen = heights[:, steps], here[:, steps], tonic[:, :, 0]
        return torch.stack([self._named(voice, hidden, *seen) for voice in mask], 2)

    def _named(self, voice: int, hidden: Tensor, heights: Tensor, here: Tensor, tonic: Tensor) -> Tensor:
        scores = self.scores[voice](hidden + F.relu(self.deep[voice](self._drop(hidden, 1.0))))
        ladder = torch.arange(HEIGHTS, device=hidden.device)
        degree = ((ladder - tonic) % 12)[:, None].expand(-1, hidden.shape[1], -1)
        logits = scores[..., 1:WORDS] + scores[..., WORDS : WORDS + 12].gather(2, degree)
        for other in range(4):
            if other != voice:
                first = WORDS + 13 + SPAN * other
                apart = (ladder - heights[:, :, other, None]).clamp(-REACH, REACH) + REACH
                logits = logits + scores[..., first : first + SPAN].gather(2, apart) * here[:, :, other, None]
        return torch.cat([scores[..., :1], logits], 2)

    def _drop(self, x: Tensor, share: float) -> Tensor:
        """With one mask for all steps of a piece."""
        share *= self.dropout
        if not self.training:
            return x
        return x * torch.bernoulli(torch.full_like(x[:, :1], 1 - share)).div_(1 - share)


def batch_of(pieces: list[Steps], mask: tuple[int, ...], shifts: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Heights, keys and ends, as `Reader` takes them."""
    longest = -(-max(map(len, pieces)) // BEAT) * BEAT
    heights, keys = np.full((len(pieces), longest, 4), -1), np.zeros((len(pieces), 2), np.int64)
    for row, (piece, shift) in enumerate(zip(pieces, shifts, strict=True)):
        heights[row, : len(piece)] = np.where(piece >= 0, piece + shift, -1)
        heard = np.delete(heights[row], mask, axis=1)
        best = int(key_fit(np.bincount((heard[heard >= 0] + LOW) % 12, minlength=12)).argmax())
        keys[row] = (best % 12 - LOW) % 12, best // 12
    return torch.from_numpy(heights), torch.from_numpy(keys), torch.tensor([len(piece) for piece in pieces])


def cost(reader: Reader, batch: tuple[Tensor, Tensor, Tensor], mask: tuple[int, ...]) -> Tensor:
    """Nats of a pitch; odd sixteenths, in which little happens, are drawn one in four."""
    heights, _, ends = batch
    steps = torch.arange(heights.shape[1])
    steps = steps[(steps % 2 == 0) | (torch.rand(len(steps)) < 0.25)]
    targets = torch.where(steps[:, None] < ends[:, None, None], heights[:, steps][:, :, list(mask)] + 1, -1)
    return F.cross_entropy(reader(*batch, mask, steps).flatten(0, 2), targets.flatten(), ignore_index=-1)


def train(path: Path, pieces: list[Steps], held_out: list[Steps], minutes: float, seed: int = 0) -> None:
    """Learn, telling what is wrong on held-out pieces; minutes are of processor time."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    reader, mean = Reader(), Reader()
    mean.load_state_dict(reader.state_dict())
    optimiser = torch.optim.AdamW(reader.parameters(), 2e-3, betas=(0.9, 0.98), weight_decay=0.05)
    started, share, epoch, updates = time.process_time(), 0.0, 0, 0
    while share < 1:
        lengths = np.array([len(piece) for piece in pieces]) * np.exp(rng.normal(0, 0.1, len(pieces)))
        batches = np.array_split(np.argsort(lengths), 19)
        for rows in [batches[index] for index in rng.permutation(len(batches))]:
            share = (time.process_time() - started) / 60 / minutes
            for group in optimiser.param_groups:
                group["lr"] = 2e-3 * min(1, (updates + 1) / 50) * max(0.02, 0.5 + 0.5 * np.cos(np.pi * min(share, 1)))
            mask = tuple(MASKS.values())[rng.choice(len(MASKS), p=CHANCES)]
            batch = batch_of([pieces[row] for row in rows], mask, rng.integers(-5, 6, len(rows)).tolist())
            reader.train()
            with torch.autocast("cpu", torch.bfloat16):
                loss = cost(reader, batch, mask)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimiser.step()
            updates += 1
            with torch.no_grad():
                share_of_new = 1 - min(0.99, updates / (10 + updates))
                torch._foreach_lerp_(list(mean.parameters()), list(reader.parameters()), share_of_new)
        epoch += 1
        if epoch % 8 == 0 or share >= 1:
            mean.eval()
            wrong = {mask: missed(mean, held_out, voices) for mask, voices in MASKS.items()}
            told = ", ".join(f"{mask} {missing:.3f}" for mask, missing in wrong.items())
            print(f"{epoch} rounds, {minutes * share:.1f} minutes, cost {float(loss.detach()):.3f}: {told}", flush=True)
            torch.save(mean.state_dict(), path)


def opened(path: Path) -> Reader:
    """The network that `train` left."""
    reader = Reader()
    reader.load_state_dict(torch.load(path, weights_only=True))
    return reader.eval()


@torch.no_grad()
def named(reader: Reader, piece: Steps, mask: tuple[int, ...]) -> NDArray[np.float64]:
    """How likely each height of the written voices is, silence first, on the mean of `KEYS`, shape (T, V, H)."""
    batch = batch_of([piece] * len(KEYS), mask, list(KEYS))
    chances = F.softmax(reader(*batch, mask, torch.arange(len(piece))).double(), -1).numpy()
    for moved, shift in zip(chances, KEYS, strict=True):
        moved[..., 1:] = np.roll(moved[..., 1:], -shift, axis=-1)
    return np.asarray(chances.mean(0))


def missed(reader: Reader, pieces: list[Steps], mask: tuple[int, ...]) -> float:
    found = [named(reader, piece, mask).argmax(-1) - 1 != piece[:, mask] for piece in pieces]
    return float(np.concatenate(found).mean())
