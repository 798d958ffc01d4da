"""How well four-voice chorales are foretold.

    python benchmarks/chorales.py train FOLDER --data JSB.json --minutes 180 --seed 0
    python benchmarks/chorales.py judge FOLDER... --data JSB.json [--split valid] [--shifts 4] [--soften 1.1] [--memory]

The data is Jsb16thSeparated.json of the JSB chorales (Boulanger-Lewandowski et al. 2012, sixteenths, four separate
voices, original keys, standard split). The figure is the exact negative log-likelihood in nats of a voice in a
step, given all steps before and the voices of the same step told before it: pooled over all steps of all pieces,
the first step and rests counted. Minutes are of processor time. Training goes on where it was cut off.

With `train --chords` a network is told the chord of each step before its notes, as TonicNet is (Peracha 2019), and
`judge` then gives what its authors report: the cost of the notes alone. As the chord is taken from these very notes,
that is no likelihood of the music: what the chord costs is left out.

`judge` takes the mean of several networks and several keys, can divide logits, and with `--memory` tells what becomes
of it when a memory of the tunes of training is mixed in, whose weights for a validation piece are learnt from every
other one, and for test pieces from all validation pieces.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from chorale_memory import Heard, Memory, mixed
from jsb import COLUMNS, SHIFTS, VOICE, Pieces, Steps
from kapelle.music import partwriting
from kapelle.networks import network

BAR = 16

# -- training --------------------------------------------------------------------------------------


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    pieces, held_out = (Pieces(arguments.data, split, arguments.chords) for split in ("train", "valid"))
    changes = dict(pair.split("=") for pair in arguments.set)
    net = network("voices", COLUMNS, lead=4, **{name: json.loads(value) for name, value in changes.items()})
    module, mean = net.module(), net.module()
    mean.load_state_dict(module.state_dict())
    optimiser = torch.optim.AdamW(module.parameters(), arguments.rate, betas=(0.9, 0.98), weight_decay=arguments.decay)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.folder / "checkpoint.pt"
    used, epoch, updates = 0.0, 0, 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=False)
        module.load_state_dict(kept["module"])
        mean.load_state_dict(kept["mean"])
        optimiser.load_state_dict(kept["optimiser"])
        used, epoch, updates = kept["at"]
        rng.bit_generator.state = kept["rng"]
        torch.set_rng_state(kept["torch"])
    print(f"{sum(weight.numel() for weight in module.parameters()):,} weights, {changes}", flush=True)
    budget, last, told = 60 * arguments.minutes, time.process_time(), math.floor(used / 60 / arguments.every)
    while used < budget:
        cost = steps = 0.0
        for indices in pieces.batches(arguments.batch, rng):
            now = time.process_time()
            used, last = used + now - last, now
            share = max(0.0, (min(used / budget, 1.0) - arguments.flat) / (1 - arguments.flat))
            rate = arguments.rate * min(1.0, (updates + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * share))
            for group in optimiser.param_groups:
                group["lr"] = rate
            batch, real = pieces.batch(indices, rng.choice(SHIFTS, len(indices)).tolist())
            if rng.random() < arguments.crops:
                start = BAR * rng.integers(batch.shape[1] // 2 // BAR)
                batch, real = batch[:, start:], real[:, start:]
            costs = _thinned(module, batch, real)
            optimiser.zero_grad()
            (costs.sum() / real.sum() / 4).backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            updates += 1
            _average(mean, module, min(arguments.mean, (1 + updates) / (10 + updates)))
            cost, steps = cost + float(costs.detach().sum()), steps + float(real.sum())
        epoch += 1
        if used / 60 / arguments.every >= told + 1 or used >= budget:
            told = math.floor(used / 60 / arguments.every)
            figure = judged([mean], held_out)[0]
            line = {"epoch": epoch, "updates": updates, "minutes": round(used / 60, 2), "valid": round(figure, 4)}
            print(json.dumps({**line, "train": round(cost / steps / 4, 4)}), flush=True)
            torch.save({"network": net.to_json(), "weights": mean.state_dict(), **line}, arguments.folder / "mean.pt")
            _keep(checkpoint, module, mean, optimiser, (used, epoch, updates), rng)
            last = time.process_time()


def _thinned(module: Any, batch: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Costs of a batch whose odd sixteenths, in which little happens, are drawn one in four and count fourfold."""
    odd = (torch.arange(batch.shape[1]) % 2 == 1).expand(real.shape)
    chosen = ~odd | (torch.rand(real.shape) < 0.25)
    costs = module(batch, real=real, chosen=chosen)[0]
    return costs * torch.where(odd, 4.0, 1.0).unsqueeze(-1)


@torch.no_grad()
def _average(mean: Any, module: Any, keep: float) -> None:
    torch._foreach_lerp_(list(mean.parameters()), list(module.parameters()), 1 - keep)


def _keep(path: Path, module: Any, mean: Any, optimiser: Any, at: tuple[float, int, int], rng: Any) -> None:
    kept = {"module": module.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(), "at": at}
    kept |= {"rng": rng.bit_generator.state, "torch": torch.get_rng_state()}
    torch.save(kept, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)


# -- figures ---------------------------------------------------------------------------------------


@torch.no_grad()
def judged(modules: list[Any], pieces: Pieces, shifts: tuple[int, ...] = (0,)) -> tuple[float, float, NDArray[Any]]:
    """Nats of a voice in a step: pooled, mean of the pieces' means, and the part of each voice of the pooled one.

    Of several networks, and of several keys, the mean of the probabilities counts: choice by choice, so it is a
    distribution like any other.
    """
    return _told(_costs(modules, pieces, shifts))


def _told(costs: list[NDArray[Any]]) -> tuple[float, float, NDArray[Any]]:
    voices = np.concatenate(costs).mean(0)
    return float(voices.mean()), float(np.mean([piece.mean() for piece in costs])), voices / 4


@torch.no_grad()
def _costs(modules: list[Any], pieces: Pieces, shifts: tuple[int, ...]) -> list[NDArray[Any]]:
    """Nats of each voice in each step, of each piece, shape (T, 4)."""
    found: dict[int, NDArray[Any]] = {}
    for module in modules:
        module.eval()
    for indices in pieces.batches(16):
        heard = []
        for shift in shifts:
            batch, real = pieces.batch(indices, [shift] * len(indices))
            heard += [-module(batch, real=real)[0][:, :, VOICE].double() for module in modules]
        costs = math.log(len(heard)) - torch.logsumexp(torch.stack(heard), 0)
        found |= {index: piece[there].numpy() for index, piece, there in zip(indices, costs, real, strict=True)}
    for module in modules:
        module.train()
    return [found[index] for index in range(len(pieces.sounds))]


def opened(folder: Path) -> tuple[Any, Any]:
    """The network of a training, and its module with the mean of the weights."""
    from kapelle.networks import Network

    kept = torch.load(folder / "mean.pt", weights_only=False)
    net = Network.from_json(kept["network"])
    module = net.module()
    module.load_state_dict(kept["weights"])
    return net, module.eval()


def judge(arguments: argparse.Namespace) -> None:
    modules = [opened(folder)[1] for folder in arguments.folder]
    with torch.no_grad():
        for module in modules:
            for weight in module.words.parameters():
                weight /= arguments.soften  # a score is linear in these, and a logit a sum of scores
    reach = tuple(range(-(arguments.shifts // 2), (arguments.shifts + 1) // 2 + 1)) if arguments.shifts else (0,)
    pieces = Pieces(arguments.data, arguments.split, arguments.chords)
    learnt = Pieces(arguments.data, "train").sounds
    tunes = {opening(sounds) for sounds in learnt}
    new = [opening(sounds) not in tunes for sounds in pieces.sounds]
    print(f"{arguments.split}, {len(modules)} networks, keys {list(reach)}, logits divided by {arguments.soften}")
    ways = {"": _costs(modules, pieces, reach)}
    if arguments.memory:
        memory = Memory(learnt)

        def heard(pieces: Pieces, costs: list[NDArray[Any]]) -> list[Heard]:
            return [(cost, *memory.expected(piece)) for cost, piece in zip(costs, pieces.sounds, strict=True)]

        held_out = Pieces(arguments.data, "valid", arguments.chords)
        others = None if arguments.split == "valid" else heard(held_out, _costs(modules, held_out, reach))
        ways["with a memory of tunes, "] = mixed(heard(pieces, ways[""]), others)
    for way, costs in ways.items():
        for what, stays in (("all pieces", [True] * len(new)), ("no tune of training", new)):
            some = [cost for cost, stay in zip(costs, stays, strict=True) if stay]
            pooled, by_piece, voices = _told(some)
            parts = ", ".join(f"{name} {4 * part:.4f}" for name, part in zip(partwriting.VOICES, voices, strict=True))
            print(f"{way}{what}, {len(some)}: {pooled:.4f} pooled, {by_piece:.4f} mean of pieces; {parts}")


def opening(sounds: Steps, moves: int = 12) -> tuple[int, ...]:
    """How the soprano moves first: by this two tunes are called one."""
    tune = sounds[sounds[:, 0] >= 0, 0]
    steps = np.diff(tune)
    return tuple(steps[steps != 0][:moves].tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, action in (("train", train), ("judge", judge)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("folder", type=Path, nargs=None if name == "train" else "+")
        command.add_argument("--data", type=Path, required=True)
        if name != "train":
            command.add_argument("--split", default="valid", choices=("train", "valid", "test"))
            command.add_argument("--shifts", type=int, default=0)
        command.add_argument("--chords", action="store_true", help="the network is told the chord of each step")
    commands.choices["judge"].add_argument("--soften", type=float, default=1.0, help="divides the logits")
    commands.choices["judge"].add_argument("--memory", action="store_true", help="beside it, mixed with a memory")
    command = commands.choices["train"]
    command.add_argument("--minutes", type=float, default=180.0)
    command.add_argument("--every", type=float, default=5.0, help="minutes between two looks at the held-out pieces")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--rate", type=float, default=2e-3)
    command.add_argument("--decay", type=float, default=0.05)
    command.add_argument("--batch", type=int, default=12)
    command.add_argument("--mean", type=float, default=0.998, help="of the running mean of the weights")
    command.add_argument("--crops", type=float, default=0.0, help="share of batches that begin in the midst of pieces")
    command.add_argument("--flat", type=float, default=0.0, help="share of the time before the rate falls")
    command.add_argument("--set", nargs="*", default=[], help="of the network, such as dropout=0.5")
    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
