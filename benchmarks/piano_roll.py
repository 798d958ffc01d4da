"""How well piano rolls are foretold: nats a frame on the four standard sets.

    python benchmarks/piano_roll.py baseline FOLDER
    python benchmarks/piano_roll.py train OUT --data FOLDER/JSB_Chorales.mat --minutes 60 [--set dropout=0.4]
    python benchmarks/piano_roll.py judge OUT... --data FOLDER/JSB_Chorales.mat [--split valid]

The data are the piano rolls of Boulanger-Lewandowski et al. 2012 (arXiv:1206.6392): 88 keys, all voices in one, every
piece moved to C, a frame an eighth note (of the JSB chorales a quarter), a held note and a repeated one alike, standard
split. They are read from the .mat files that later papers share: JSB_Chorales, Nottingham, MuseData, Piano_midi.

The figure is the exact negative log-likelihood in nats of a frame, all 88 keys of it, given all frames before: pooled
over all frames of all pieces, the first frame of each counted, chosen by the validation pieces. It is no bound and no
estimate. Keys that never sound in training are left out of the network, and are paid for by their own probability.

`baseline` gives the row "Note 1-gram" of that paper, independent keys with the frequencies of training, which shows
that the protocol is the same. Minutes are of processor time. Training goes on where it was cut off.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kapelle.networks import Columns, Network, network

KEYS = 88
LOWEST = 21
SETS = ("JSB_Chorales", "Nottingham", "MuseData", "Piano_midi")
PLACES = 48
"""Frames after which the place is told anew: of eighths whole bars of 4/4, 3/4 and 6/8; the data tell no bars."""
SHIFTS = range(-6, 6)
FACTS = (("place", PLACES, True), ("begun", 8, True), ("shift", len(SHIFTS), True))

Roll = NDArray[np.bool_]


# -- data ------------------------------------------------------------------------------------------


def rolls(path: Path) -> dict[str, list[Roll]]:
    """The piano rolls of a file, by split: each of shape (T, 88)."""
    found = dict(_named(path.read_bytes()[128:]))
    return {split: found[f"{split}data"] for split in ("train", "valid", "test")}


def _elements(data: bytes) -> Any:
    """The elements of MATLAB's level 5 format, unpacked: (type, content)."""
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from("<II", data, place)
        if kind >> 16:  # a short element: four bytes at most, in the tag itself
            yield kind & 0xFFFF, data[place + 4 : place + 4 + (kind >> 16)]
            place += 8
            continue
        content = data[place + 8 : place + 8 + size]
        place += 8 + size
        if kind == 15:
            yield from _elements(zlib.decompress(content))
        else:
            yield kind, content
            place += -place % 8


NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}


def _named(data: bytes) -> Any:
    """Name and value of each array; a cell array is a list of its cells."""
    for kind, content in _elements(data):
        if kind != 14:
            continue
        (_, flags), (_, shape), (_, name), *values = list(_elements(content))
        if flags[0] == 1:
            cells = b"".join(struct.pack("<II", *(part[0], len(part[1]))) + part[1] for part in values)
            yield name.decode(), [value for _, value in _named(cells)]
        else:
            numbers = np.frombuffer(values[0][1], NUMBERS[values[0][0]])
            yield name.decode(), numbers.reshape(np.frombuffer(shape, "<i4"), order="F") > 0


def baseline(arguments: argparse.Namespace) -> None:
    """The cost of independent keys, and how many pieces and frames there are."""
    for name in SETS:
        data = rolls(arguments.folder / f"{name}.mat")
        train = np.concatenate(data["train"])
        share = (train.sum(axis=0) + 0.5) / (len(train) + 1)
        frames = np.concatenate(data["test"])
        cost = -(np.log(share) * frames + np.log1p(-share) * ~frames).sum(axis=1)
        sizes = ", ".join(f"{split} {len(rows)} / {sum(map(len, rows)):,}" for split, rows in data.items())
        print(f"{name}: {cost.mean():.3f} nats a frame; pieces / frames: {sizes}")


class Pieces:
    """One part of the split as steps of a network: the facts, then the keys from `first` on.

    Args:
        data: its piano rolls.
        first, stop: the keys that sound in training, and a tritone around them.
    """

    def __init__(self, data: list[Roll], first: int, stop: int) -> None:
        self.rolls = [roll[:, first:stop] for roll in data]
        # What a frame says of keys that the network has not.
        others = [np.delete(roll, np.s_[first:stop], axis=1) for roll in data]
        self.others = sum(int(roll.sum()) for roll in others)
        self.silent = sum(roll.size for roll in others) - self.others
        self.frames = sum(map(len, data))

    def steps(self, index: int, shift: int = 0) -> NDArray[np.int64]:
        """A piece that is moved by so many semitones, or by none if that leaves the keys; shape (T, F)."""
        roll = self.rolls[index]
        used = np.flatnonzero(roll.any(axis=0))
        if len(used) and not (used[0] + shift >= 0 and used[-1] + shift < roll.shape[1]):
            shift = 0
        place = np.arange(len(roll))
        facts = place % PLACES, np.minimum(place // 4, 7), np.full(len(roll), SHIFTS.index(shift))
        return np.hstack([np.stack(facts, axis=1), np.roll(roll, shift, axis=1)]).astype(np.int64)

    def crops(self, frames: int, crop: int, rng: np.random.Generator) -> list[list[tuple[int, int, int]]]:
        """Batches of crops (piece, start, length) that cover all pieces about once, those of like length together."""
        picks = []
        for index, roll in enumerate(self.rolls):
            if len(roll) <= crop:
                picks.append((index, 0, len(roll)))
                continue
            offset = int(rng.integers(0, crop))
            starts = range(offset - crop, len(roll), crop)
            picks += [(index, max(at, 0), min(at + crop, len(roll)) - max(at, 0)) for at in starts]
        picks = [pick for pick in picks if pick[2] > 1]
        order = sorted(picks, key=lambda pick: pick[2] * math.exp(rng.normal(0, 0.1)))
        batches: list[list[tuple[int, int, int]]] = [[]]
        for pick in order:
            if batches[-1] and (len(batches[-1]) + 1) * pick[2] > frames:
                batches.append([])
            batches[-1].append(pick)
        return [batches[number] for number in rng.permutation(len(batches))]

    def batch(self, picks: list[tuple[int, int, int]], shifts: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Steps (B, T, F), padded with zeros, and which are counted (B, T)."""
        longest = max(length for _, _, length in picks)
        cut = [self.steps(index, shift)[at : at + n] for (index, at, n), shift in zip(picks, shifts, strict=True)]
        counted = np.array([(np.arange(longest) < n) & ((np.arange(longest) > 0) | (at == 0)) for _, at, n in picks])
        steps = np.stack([np.pad(piece, ((0, longest - len(piece)), (0, 0))) for piece in cut])
        return torch.from_numpy(steps), torch.from_numpy(counted)


def opened(path: Path) -> tuple[dict[str, Pieces], Columns, float, float]:
    """The parts of a file, the columns of a network for it, and what a sounding and a silent other key cost."""
    data = rolls(path)
    train = np.concatenate(data["train"])
    used = np.flatnonzero(train.any(axis=0))
    first, stop = max(int(used[0]) - 6, 0), min(int(used[-1]) + 7, KEYS)
    columns = Columns.of([*FACTS, *((f"pitch {LOWEST + key}", 2, False) for key in range(first, stop))])
    others = len(train) * max(KEYS - stop + first, 1)
    share = 0.5 / (others + 1)
    parts = {split: Pieces(rows, first, stop) for split, rows in data.items()}
    return parts, columns, -math.log(share), -math.log1p(-share)


# -- training --------------------------------------------------------------------------------------


def begun(arguments: argparse.Namespace, columns: Columns, pieces: Pieces) -> tuple[Network, list[Any]]:
    """A fresh network, and of it the module, the running mean of its weights, and the optimiser."""
    changes = {name: json.loads(value) for name, value in (pair.split("=") for pair in arguments.set)}
    changes = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    net = network(arguments.network, columns, **changes)
    module, mean = net.module(), net.module()
    share = np.concatenate(pieces.rolls).mean(axis=0)
    module.begin_from([torch.tensor([1 - own, own]).float() * pieces.frames for own in share])
    mean.load_state_dict(module.state_dict())
    optimiser = torch.optim.AdamW(module.parameters(), arguments.rate, weight_decay=arguments.decay)
    return net, [module, mean, optimiser]


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    parts, columns, sounding, silent = opened(arguments.data)
    pieces = parts["train"]
    net, states = begun(arguments, columns, pieces)
    module, mean, optimiser = states
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.out / "checkpoint.pt"
    used, epoch, updates, best, at = 0.0, 0, 0, math.inf, 0
    batches = pieces.crops(arguments.frames, arguments.crop, rng)
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=False)
        for one, state in zip(states, kept["states"], strict=True):
            one.load_state_dict(state)
        used, epoch, updates, best, batches, at = kept["at"]
        rng.bit_generator.state = kept["rng"]
        torch.set_rng_state(kept["torch"])
    print(f"{sum(each.numel() for each in module.parameters()):,} weights, {len(columns.names)} columns", flush=True)
    budget, last, told = 60 * arguments.minutes, time.process_time(), used
    cost = frames = 0.0
    while used < budget:
        if at == len(batches):
            batches, at, epoch = pieces.crops(arguments.frames, arguments.crop, rng), 0, epoch + 1
        shifts = rng.integers(-arguments.reach, max(arguments.reach, 1), len(batches[at])).tolist()
        batch, counted = pieces.batch(batches[at], shifts)
        for group in optimiser.param_groups:
            fall = 0.5 + 0.5 * math.cos(math.pi * min(used / budget, 1.0))
            group["lr"] = arguments.rate * min(1.0, (updates + 1) / 50) * fall
        costs = (module(batch)[0].sum(-1) * counted).sum()
        optimiser.zero_grad()
        (costs / counted.sum()).backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        updates, at = updates + 1, at + 1
        _average(mean, module, min(arguments.mean, (1 + updates) / (10 + updates)))
        cost, frames = cost + float(costs.detach()), frames + float(counted.sum())
        now = time.process_time()
        used, last = used + now - last, now
        if used - told >= 60 * arguments.every or used >= budget:
            told = used
            figure = judged([mean], parts["valid"], sounding, silent)
            line = {"epoch": epoch, "updates": updates, "minutes": round(used / 60, 2), "valid": round(figure, 4)}
            print(json.dumps({**line, "train": round(cost / frames, 4)}), flush=True)
            cost = frames = 0.0
            if figure < best:
                best = figure
                torch.save({"network": net.to_json(), "weights": mean.state_dict(), **line}, arguments.out / "best.pt")
            _keep(checkpoint, states, (used, epoch, updates, best, batches, at), rng)
            last = time.process_time()


def _keep(path: Path, states: list[Any], at: tuple[Any, ...], rng: np.random.Generator) -> None:
    kept = {"states": [one.state_dict() for one in states], "rng": rng.bit_generator.state}
    torch.save({**kept, "at": at, "torch": torch.get_rng_state()}, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)


@torch.no_grad()
def _average(mean: Any, module: Any, keep: float) -> None:
    torch._foreach_lerp_(list(mean.parameters()), list(module.parameters()), 1 - keep)


# -- figures ---------------------------------------------------------------------------------------


@torch.no_grad()
def judged(modules: list[Any], pieces: Pieces, sounding: float, silent: float, chunk: int = 512) -> float:
    """Nats of a frame, pooled; of several networks, the mean of their probabilities counts, key by key."""
    total = pieces.others * sounding + pieces.silent * silent
    for module in modules:
        module.eval()
    for index in range(len(pieces.rolls)):
        steps = torch.from_numpy(pieces.steps(index))[None]
        states: list[Any] = [None] * len(modules)
        for start in range(0, steps.shape[1], chunk):
            heard = []
            for number, module in enumerate(modules):
                costs, states[number], _ = module(steps[:, start : start + chunk], states[number])
                heard.append(-costs.double())
            total += float((math.log(len(heard)) - torch.logsumexp(torch.stack(heard), 0))[..., len(FACTS) :].sum())
    for module in modules:
        module.train()
    return total / pieces.frames


def judge(arguments: argparse.Namespace) -> None:
    parts, _, sounding, silent = opened(arguments.data)
    modules = []
    for folder in arguments.out:
        kept = torch.load(folder / "best.pt", weights_only=False)
        modules.append(Network.from_json(kept["network"]).module())
        modules[-1].load_state_dict(kept["weights"])
        print(f"{folder}: {kept['minutes']} minutes, {kept['updates']} updates")
    for split in arguments.split.split(","):
        figure = judged(modules, parts[split], sounding, silent)
        print(f"{arguments.data.stem} {split}, {len(modules)} networks: {figure:.4f} nats a frame")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("baseline")
    command.set_defaults(action=baseline)
    command.add_argument("folder", type=Path)
    for name, action in (("train", train), ("judge", judge)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("out", type=Path, nargs=None if name == "train" else "+")
        command.add_argument("--data", type=Path, required=True, help="one of the .mat files")
    command.add_argument("--split", default="valid", help="several with commas between them")
    command = commands.choices["train"]
    command.add_argument("--network", default="biaxial")
    command.add_argument("--minutes", type=float, default=60.0)
    command.add_argument("--every", type=float, default=2.0, help="minutes between two looks at the held-out pieces")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--rate", type=float, default=4e-3)
    command.add_argument("--decay", type=float, default=0.02)
    command.add_argument("--frames", type=int, default=512, help="of a batch")
    command.add_argument("--crop", type=int, default=128, help="frames")
    command.add_argument(
        "--reach", type=int, default=0, help="pieces are moved by -N to N - 1 semitones in training, 0..6"
    )
    command.add_argument("--mean", type=float, default=0.995, help="of the running mean of the weights")
    command.add_argument("--set", nargs="*", default=[], help="of the network, such as dropout=0.5")
    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
