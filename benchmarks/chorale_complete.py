"""How often missing voices of the JSB chorales are named wrongly, in several ways.

    python benchmarks/chorale_complete.py train READER --data Jsb16thSeparated.json --minutes 6
    python benchmarks/chorale_complete.py judge FOLDER... --reader READER --data Jsb16thSeparated.json --every 4

The figures are the share of the written voices' steps with another pitch than Bach's and, where several are written,
the share of steps in which any of them has; the other voices are given throughout. FOLDER are networks that
`chorales.py train` left. Greedy takes the most likely word of the first of them, from left to right. The vote takes in
each step what was likeliest on the mean of `--draws` drafts of each of them, drawn as learnt. The table is one of
places, see `chorale_recall.py`, and the reader a network that only names pitches, see `chorale_reader.py`. All together
is the mean of the three.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import chorale_reader
from chorale_drafts import Drafted, drafts
from chorale_recall import recalled
from chorales import opened, opening
from jsb import Pieces, Steps

MASKS = chorale_reader.MASKS
WAYS = ("greedy", "vote", "table", "reader", "all together")
BATCHES = 4
"""Into which pieces are parted by their length, so that little is padded."""


def in_batches(module: Any, pieces: Sequence[Steps], mask: tuple[int, ...], **how: Any) -> list[Drafted]:
    """`drafts` of pieces of any length."""
    found: dict[int, Drafted] = {}
    for rows in np.array_split(np.argsort([len(piece) for piece in pieces]), min(BATCHES, len(pieces))):
        found |= dict(zip(rows.tolist(), drafts(module, [pieces[row] for row in rows], mask, **how), strict=True))
    return [found[index] for index in range(len(pieces))]


def share(named: Sequence[Steps], pieces: Sequence[Steps], mask: tuple[int, ...]) -> str:
    """Wrong pitches and, of several voices, wrong steps."""
    missed = np.concatenate([mine != piece[:, mask] for mine, piece in zip(named, pieces, strict=True)])
    return f"{missed.mean():.3f}" + (f", {missed.any(1).mean():.3f}" if len(mask) > 1 else "")


def judge(arguments: argparse.Namespace) -> None:
    learnt, pieces = (Pieces(arguments.data, split).sounds for split in ("train", arguments.split))
    pieces = pieces[:: arguments.every]
    modules = [opened(folder)[1] for folder in arguments.folder]
    reader = chorale_reader.opened(arguments.reader)
    tunes = {opening(piece) for piece in learnt}
    new = [index for index, piece in enumerate(pieces) if opening(piece) not in tunes]
    print("| written | " + " | ".join((*WAYS, f"the same, {len(new)} with no tune of training")) + " |")
    print("|---" * (2 + len(WAYS)) + "|")
    for name in arguments.masks.split(","):
        mask = MASKS[name]
        greedy = [draft.sounds[0][:, mask] for draft in in_batches(modules[0], pieces, mask)]
        drawn = [
            in_batches(module, pieces, mask, count=arguments.draws, generator=generator)
            for module in modules
            for generator in [torch.Generator().manual_seed(arguments.seed)]
        ]
        vote = [np.mean([draft.likely for draft in each], axis=0) for each in zip(*drawn, strict=True)]
        table = recalled(learnt, pieces, mask)
        read = [chorale_reader.named(reader, piece, mask) for piece in pieces]
        together = [np.mean(each, axis=0) for each in zip(vote, table, read, strict=True)]
        ways = [greedy, *(likeliest(way) for way in (vote, table, read, together))]
        cells = [share(way, pieces, mask) for way in ways]
        cells.append(share([ways[-1][index] for index in new], [pieces[index] for index in new], mask))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def likeliest(chances: Sequence[NDArray[Any]]) -> list[Steps]:
    """Of each piece the likeliest heights, from chances of shape (T, V, H) with silence first."""
    return [np.asarray(piece.argmax(-1) - 1) for piece in chances]


def train(arguments: argparse.Namespace) -> None:
    learnt, held_out = (Pieces(arguments.data, split).sounds for split in ("train", "valid"))
    chorale_reader.train(arguments.reader, learnt, held_out[::4], arguments.minutes, arguments.seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, action in (("train", train), ("judge", judge)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--seed", type=int, default=0)
    commands.choices["train"].add_argument("reader", type=Path)
    commands.choices["train"].add_argument("--minutes", type=float, default=6.0)
    command = commands.choices["judge"]
    command.add_argument("folder", type=Path, nargs="+")
    command.add_argument("--reader", type=Path, required=True)
    command.add_argument("--split", default="valid", choices=("train", "valid", "test"))
    command.add_argument("--every", type=int, default=1, help="of so many pieces one")
    command.add_argument("--masks", default=",".join(MASKS), help="the voices to be written")
    command.add_argument("--draws", type=int, default=32, help="drafts of each network")
    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
