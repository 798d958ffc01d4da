"""BachBot (Liang 2016) rebuilt, and how often it finds missing voices of the JSB chorales.

    python benchmarks/bachbot.py train FOLDER --data Jsb16thSeparated.json --minutes 12
    python benchmarks/bachbot.py complete FOLDER --data Jsb16thSeparated.json [--split valid] [--every 4]

The network is the preset `bachbot`, the pieces are moved to C major or A minor by the key that their notes fit best,
and a token says what a voice sounds in a sixteenth and whether it is struck or held, in the order S A T B.
Given voices are clamped and the most likely token is taken from left to right. Differs: the split, every metre, no
fermatas, and as the data does not tell held notes from repeated ones, a note is struck where the pitch changes.
`complete` counts a network of `chorales.py train` in the same ways, if FOLDER holds one.

Two counts and two pasts: another pitch, or another token; and what is written goes on from what has been written
(free), or each token from Bach's own past (forced), which is how well he is foretold rather than harmonised.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from chorale_complete import MASKS, in_batches
from chorales import opened
from jsb import HEIGHTS, LOW, Pieces, Steps
from kapelle.music.key import key_fit
from kapelle.music.partwriting import VOICES
from kapelle.networks import Columns, Network, network

COLUMNS = Columns.of([(f"voice {name}", 1 + 2 * HEIGHTS, False) for name in VOICES])
CHUNK = 32
"""Steps after which what was learnt is told, 128 tokens as in the original; the state is carried on."""


def tokens_of(sounds: Steps) -> Steps:
    """Of each voice 0 for silence, 1 + 2 h for striking and 2 + 2 h for holding the height h, shape (T, 4)."""
    before = np.vstack([np.full((1, 4), -1), sounds[:-1]])
    return np.where(sounds < 0, 0, 1 + 2 * sounds + (sounds == before))


def pieces_of(data: Path, split: str) -> list[Steps]:
    """The tokens of each piece, in C major or A minor."""
    pieces = []
    for piece in json.loads(data.read_text("utf-8"))[split]:
        pitches = np.array(piece)
        best = int(key_fit(np.bincount(pitches[pitches >= 0] % 12, minlength=12)).argmax())
        tonic = (best - 9 if best >= 12 else best) % 12
        pieces.append(tokens_of(np.where(pitches < 0, -1, pitches - LOW - (tonic if tonic < 6 else tonic - 12))))
    return pieces


def batch_of(pieces: list[Steps]) -> tuple[torch.Tensor, torch.Tensor]:
    """Steps (B, T, 4), padded with zeros, and which are real (B, T)."""
    longest = max(map(len, pieces))
    steps = np.stack([np.pad(piece, ((0, longest - len(piece)), (0, 0))) for piece in pieces])
    return torch.from_numpy(steps), torch.from_numpy(np.array([np.arange(longest) < len(piece) for piece in pieces]))


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    pieces, held_out = (pieces_of(arguments.data, split) for split in ("train", "valid"))
    net = network("bachbot", COLUMNS)
    module = net.module()
    optimiser = torch.optim.Adam(module.parameters(), 2e-3)
    started, epoch, used = time.process_time(), 0, 0.0
    while used < 60 * arguments.minutes:
        lengths = np.array([len(piece) for piece in pieces]) * np.exp(rng.normal(0, 0.1, len(pieces)))
        rows = np.array_split(np.argsort(lengths), 8)
        module.train()
        for index in rng.permutation(len(rows)):
            steps, real = batch_of([pieces[row] for row in rows[index]])
            state = None
            for first in range(0, steps.shape[1], CHUNK):
                part, there = steps[:, first : first + CHUNK], real[:, first : first + CHUNK]
                costs, state, _ = module(part, state, real=there)
                state = tuple(kept.detach() for kept in state)
                optimiser.zero_grad()
                (costs[there].sum() / there.sum().clamp(min=1) / 4).backward()
                torch.nn.utils.clip_grad_value_(module.parameters(), 5.0)
                optimiser.step()
            used = time.process_time() - started
            for group in optimiser.param_groups:
                group["lr"] = 2e-3 * 0.5 ** int(6 * min(used / 60 / arguments.minutes, 0.999))
        epoch += 1
        costs, hits = forced(module, held_out)
        print(f"{epoch} rounds, {used / 60:.1f} minutes: {costs:.4f} nats a token, {1 - hits:.3f} wrong", flush=True)
        arguments.folder.mkdir(parents=True, exist_ok=True)
        torch.save({"network": net.to_json(), "weights": module.state_dict()}, arguments.folder / "mean.pt")


@torch.no_grad()
def forced(module: Any, pieces: list[Steps]) -> tuple[float, float]:
    """Nats of a token, and the share of tokens that were the most likely ones, each from Bach's own past."""
    module.eval()
    found = []
    for piece in pieces:
        costs, _, hits = module(torch.from_numpy(piece)[None])
        found.append(np.stack([costs[0].numpy(), hits[0].numpy()]))
    told = np.concatenate(found, axis=1).mean((1, 2))
    return float(told[0]), float(told[1])


def complete(arguments: argparse.Namespace) -> None:
    kept = torch.load(arguments.folder / "mean.pt", weights_only=False)
    net = Network.from_json(kept["network"])
    ours = net.name == "voices"
    if ours:
        pieces = [tokens_of(sounds) for sounds in Pieces(arguments.data, arguments.split).sounds]
        module = opened(arguments.folder)[1]
    else:
        pieces = pieces_of(arguments.data, arguments.split)
        player = net.player({name: weight.numpy() for name, weight in kept["weights"].items()})
    pieces = pieces[:: arguments.every]
    print(
        "| written | " + " | ".join(f"{past}, {what}" for past in PASTS for what in COUNTS) + " |\n" + "|---" * 5 + "|"
    )
    for name in arguments.masks.split(","):
        mask, cells = MASKS[name], []
        for past in PASTS:
            forced = past == "forced"
            if ours:
                found = by_voices(module, pieces, mask, forced)
            else:
                found = [completed(player, piece, mask, forced)[:, mask] for piece in pieces]
            told, true = np.concatenate(found), np.concatenate([piece[:, mask] for piece in pieces])
            for wrong in (heights_of(told) != heights_of(true), told != true):
                cells.append(f"{wrong.mean():.3f}" + (f", {wrong.any(1).mean():.3f}" if len(mask) > 1 else ""))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


PASTS, COUNTS = ("free", "forced"), ("pitch", "token")


def heights_of(tokens: Steps) -> Steps:
    """The heights that tokens sound, -1 for silence."""
    return np.asarray((tokens + 1) // 2 - 1)


def completed(player: Any, piece: Steps, mask: tuple[int, ...], forced: bool) -> Steps:
    """The most likely tokens of the written voices, from left to right, shape (T, 4); the others are as they are.

    Args:
        player: of the network.
        piece: Bach's tokens.
        mask: the voices that are written.
        forced: whether the past of the written voices is Bach's, not what has been written.
    """
    told = piece.copy()
    player.reset()
    for step, row in enumerate(piece.tolist()):
        for column, word in enumerate(row):
            if column in mask:
                told[step, column] = player.logits(column).argmax()
            player.put(column, word if forced else int(told[step, column]))
    return told


def by_voices(module: Any, pieces: list[Steps], mask: tuple[int, ...], forced: bool) -> list[Steps]:
    """The same of a network of voices, which sees what is given ahead: of the written voices alone."""
    sounds = [heights_of(piece) for piece in pieces]
    found = []
    for piece, draft in zip(sounds, in_batches(module, sounds, mask, forced=forced), strict=True):
        named = draft.likely.argmax(-1) - 1 if forced else draft.sounds[0][:, mask]
        past = piece[:, mask] if forced else named
        before = np.vstack([np.full((1, len(mask)), -1), past[:-1]])
        found.append(np.where(named < 0, 0, 1 + 2 * named + (named == before)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, action in (("train", train), ("complete", complete)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("folder", type=Path)
        command.add_argument("--data", type=Path, required=True)
    commands.choices["train"].add_argument("--minutes", type=float, default=12.0)
    commands.choices["train"].add_argument("--seed", type=int, default=0)
    command = commands.choices["complete"]
    command.add_argument("--split", default="valid", choices=("train", "valid", "test"))
    command.add_argument("--every", type=int, default=1, help="of so many pieces one")
    command.add_argument("--masks", default=",".join(MASKS), help="the voices to be written")
    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
