"""How well four-voice chorales are foretold, and how well missing voices are found.

    python benchmarks/chorales.py train FOLDER --data JSB.json --minutes 180 --seed 0
    python benchmarks/chorales.py judge FOLDER... --data JSB.json [--split valid] [--shifts 4]
    python benchmarks/chorales.py complete FOLDER --data JSB.json [--split valid]
    python benchmarks/chorales.py corpus

The data is Jsb16thSeparated.json of the JSB chorales (Boulanger-Lewandowski et al. 2012, sixteenths, four separate
voices, original keys, standard split). The figure is the exact negative log-likelihood in nats of a voice in a
step, given all steps before and the voices of the same step told before it: pooled over all steps of all pieces,
the first step and rests counted. Minutes are of processor time. Training goes on where it was cut off.

With `train --chords` a network is told the chord of each step before its notes, as TonicNet is (Peracha 2019), and
`judge` then gives what its authors report: the cost of the notes alone. As the chord is taken from these very notes,
that is no likelihood of the music: what the chord costs is left out.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kapelle.codecs.chorale import ChoraleCodec, lines
from kapelle.corpora import chorale
from kapelle.music import partwriting
from kapelle.networks import Columns, network

LOW, HEIGHTS = 30, 57
SHIFTS = range(-6, 6)
PLACES = 48
"""Steps after which the place is told anew: whole bars of both 4/4 and 3/4, of which the data does not tell."""

TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
CHORDS = 12 * len(TRIADS) + 2
"""Triads by kind and root, any other chord, and none."""

FACTS = (("place", PLACES, True), ("beats", 16, True), ("shift", len(SHIFTS), True), ("chord", CHORDS, True))
BEFORE, VOICES = lines.columns(HEIGHTS)
COLUMNS = Columns.of([*FACTS, *BEFORE, *VOICES])
VOICE = [COLUMNS.names.index(f"voice {name}") for name in partwriting.VOICES]
SHIFT, CHORD = COLUMNS.names.index("shift"), COLUMNS.names.index("chord")

Steps = NDArray[np.int64]


def columns_of(sounds: Steps) -> NDArray[np.int16]:
    """The columns of a piece of heights, -1 for silence, of shape (T, 4); in its own key, shape (T, F)."""
    place = np.arange(len(sounds))
    facts = [place % PLACES, np.minimum(place // 4, 15), np.full(len(sounds), SHIFTS.index(0)), chords_of(sounds)]
    told = lines.told(sounds, np.zeros(sounds.shape, bool))
    return np.hstack([np.stack(facts, axis=1), told]).astype(np.int16)


def chords_of(sounds: Steps) -> Steps:
    """The chord of each step, shape (T,)."""
    found = []
    for row in sounds.tolist():
        classes = {(LOW + height) % 12 for height in row if height >= 0}
        root, kind = next(
            ((partwriting.root_of(classes, [kind]), number) for number, kind in enumerate(TRIADS)
             if partwriting.root_of(classes, [kind]) is not None), (None, 0))  # fmt: skip
        found.append((CHORDS - 1 - bool(classes)) if root is None else 12 * kind + root)
    return np.array(found)


class Pieces:
    """One part of the split; columns are made when they are first asked for.

    Args:
        data: the file.
        split: which part.
        chords: whether the chord of each step is told, or always the same one.
    """

    def __init__(self, data: Path, split: str, chords: bool = False) -> None:
        self._chords = chords
        rows = [np.array(piece) for piece in json.loads(data.read_text("utf-8"))[split]]
        self.sounds = [np.where(piece < 0, -1, piece - LOW) for piece in rows]
        self._made: dict[int, NDArray[np.int16]] = {}

    def steps(self, index: int, shift: int = 0) -> NDArray[np.int16]:
        """The columns of a piece that is moved by so many semitones, shape (T, F)."""
        if index not in self._made:
            self._made[index] = columns_of(self.sounds[index])
        steps = lines.transposed(self._made[index], COLUMNS.names, shift)
        steps[:, SHIFT] += shift
        triad = steps[:, CHORD] < CHORDS - 2
        root = (steps[:, CHORD] % 12 + shift) % 12
        steps[:, CHORD] = np.where(triad, steps[:, CHORD] // 12 * 12 + root, steps[:, CHORD]) if self._chords else 0
        return steps

    def where(self, stays: list[bool]) -> Pieces:
        """Some of the pieces."""
        other = copy.copy(self)
        other.sounds, other._made = [one for one, stay in zip(self.sounds, stays, strict=True) if stay], {}
        return other

    def batch(self, indices: list[int], shifts: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Steps (B, T, F), padded with zeros, and which are real (B, T)."""
        pieces = [self.steps(index, shift) for index, shift in zip(indices, shifts, strict=True)]
        longest = max(map(len, pieces))
        real = np.array([np.arange(longest) < len(piece) for piece in pieces])
        steps = np.stack([np.pad(piece, ((0, longest - len(piece)), (0, 0))) for piece in pieces])
        return torch.from_numpy(steps.astype(np.int64)), torch.from_numpy(real)

    def batches(self, size: int, rng: np.random.Generator | None = None) -> list[list[int]]:
        """All pieces, those of about one length together; in another order each time if there is chance."""
        length = np.array([len(piece) for piece in self.sounds], float)
        if rng is not None:
            length *= np.exp(rng.normal(0, 0.08, len(length)))
        order = np.argsort(length, kind="stable").tolist()
        batches = [order[first : first + size] for first in range(0, len(order), size)]
        if rng is not None:
            rng.shuffle(batches)
        return batches


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
    total, steps, means = np.zeros(4), 0, []
    for module in modules:
        module.eval()
    for indices in pieces.batches(16):
        heard = []
        for shift in shifts:
            batch, real = pieces.batch(indices, [shift] * len(indices))
            heard += [-module(batch, real=real)[0][:, :, VOICE].double() for module in modules]
        costs = (math.log(len(heard)) - torch.logsumexp(torch.stack(heard), 0)) * real.unsqueeze(-1)
        total += costs.sum((0, 1)).numpy()
        steps += int(real.sum())
        means += (costs.sum((1, 2)) / real.sum(1) / 4).tolist()
    for module in modules:
        module.train()
    return float(total.sum() / steps / 4), float(np.mean(means)), total / steps / 4


def opened(folder: Path) -> tuple[Any, Any]:
    """The network of a training, and its module with the mean of the weights."""
    from kapelle.networks import Network

    kept = torch.load(folder / "mean.pt", weights_only=False)
    net = Network.from_json(kept["network"])
    module = net.module()
    module.load_state_dict(kept["weights"])
    return net, module.eval()


def judge(arguments: argparse.Namespace) -> None:
    pieces = Pieces(arguments.data, arguments.split, arguments.chords)
    modules = [opened(folder)[1] for folder in arguments.folder]
    reach = range(-(arguments.shifts // 2), (arguments.shifts + 1) // 2 + 1) if arguments.shifts else (0,)
    print(f"{arguments.split}, {len(modules)} networks, keys {list(reach)}")
    for what in ("all pieces", "no tune of training"):
        if what != "all pieces":
            known = {opening(sounds) for sounds in Pieces(arguments.data, "train").sounds}
            pieces = pieces.where([opening(sounds) not in known for sounds in pieces.sounds])
        pooled, by_piece, voices = judged(modules, pieces, tuple(reach))
        parts = ", ".join(f"{name} {4 * part:.4f}" for name, part in zip(partwriting.VOICES, voices, strict=True))
        print(f"{what}, {len(pieces.sounds)}: {pooled:.4f} pooled, {by_piece:.4f} mean of pieces; {parts}")


def opening(sounds: Steps, moves: int = 12) -> tuple[int, ...]:
    """How the soprano moves first: by this two tunes are called one."""
    tune = sounds[sounds[:, 0] >= 0, 0]
    steps = np.diff(tune)
    return tuple(steps[steps != 0][:moves].tolist())


MASKS = ("S", "A", "T", "B", "AT", "ATB")


def complete(arguments: argparse.Namespace) -> None:
    """How often a pitch is wrong where some voices are given throughout and the others are written.

    Greedy takes the most likely word from left to right; drawn, one by chance; of `--draws` of these the best is the
    likeliest, and the vote takes in each step the pitch that most of them have.
    """
    pieces = Pieces(arguments.data, arguments.split)
    pieces.sounds = pieces.sounds[:: arguments.every]
    net, module = opened(arguments.folder[0])
    player = net.player({name: weight.numpy() for name, weight in module.state_dict().items()})
    print(
        "| written | " + " | ".join(f"{way}: tokens, frames" for way in WAYS) + " |\n" + "|---" * (1 + len(WAYS)) + "|"
    )
    for mask in arguments.masks.split(","):
        written = [partwriting.VOICES.index(name) for name in mask]
        wrong = {way: np.zeros(2) for way in WAYS}
        total = np.zeros(2)
        for index, sounds in enumerate(pieces.sounds):
            for way, found in _ways(player, pieces.steps(index), written, arguments.draws, index).items():
                missed = found[:, written] != sounds[:, written]
                wrong[way] += (missed.sum(), missed.any(1).sum())
            total += (missed.size, len(missed))
        cells = [f"{tokens:.3f}, {frames:.3f}" for tokens, frames in (wrong[way] / total for way in WAYS)]
        print(f"| {mask} | {' | '.join(cells)} |", flush=True)


WAYS = ("greedy", "drawn", "best", "vote")


def _ways(player: Any, steps: NDArray[np.int16], written: list[int], draws: int, seed: int) -> dict[str, Steps]:
    rng = np.random.default_rng(seed)
    greedy = completed(player, steps, written, None)[0]
    drawn = [completed(player, steps, written, rng) for _ in range(draws)]
    heights = np.stack([one for one, _ in drawn])
    counts = (heights[:, :, :, None] == np.arange(-1, HEIGHTS)).sum(0)
    best = min(drawn, key=lambda one: one[1])[0]
    return {"greedy": greedy, "drawn": drawn[0][0], "best": best, "vote": counts.argmax(-1) - 1}


def completed(
    player: Any, steps: NDArray[np.int16], written: list[int], rng: np.random.Generator | None
) -> tuple[Steps, float]:
    """A piece some voices of which are written left to right: heights, shape (T, 4), and what they cost in nats.

    Args:
        player: of a network that learnt to be given voices.
        steps: the piece.
        written: voices.
        rng: draws the words; None for the most likely ones.
    """
    shown = np.zeros(steps.shape, bool)
    shown[:, [VOICE[voice] for voice in range(4) if voice not in written]] = True
    player.show(steps, shown)
    past, heights, nats = lines.Past(), [], 0.0
    for row in steps.tolist():
        for column, word in enumerate([*row[: len(FACTS)], *past.before()]):
            player.put(column, word)
        words = [0] * 4
        for own in lines.ORDER:
            words[own] = row[VOICE[own]]
            if own in written:
                logits = np.asarray(player.logits(VOICE[own]), float)
                logits[1] = logits[1] if past.sounds[own] >= 0 else -np.inf
                chances = np.exp(logits - np.logaddexp.reduce(logits))
                words[own] = int(
                    logits.argmax() if rng is None else rng.choice(len(chances), p=chances / chances.sum())
                )
                nats -= float(np.log(chances[words[own]]))
            for column, word in enumerate([words[own], *past.after(own, words[own])], VOICE[own]):
                player.put(column, word)
        past.step(words)
        heights.append(past.sounds.copy())
    return np.array(heights), nats


# -- the codec -------------------------------------------------------------------------------------


def corpus(arguments: argparse.Namespace) -> None:
    """How many of music21's chorales the codec keeps, and what becomes of the others."""
    found = chorale.load()
    codec = ChoraleCodec.for_scores(piece.score for piece in found.pieces)
    same, lost = 0, []
    for piece in found.pieces:
        score = codec.decode(codec.encode(piece.score))
        same += score == codec.canonical(piece.score)
        notes = [[(track.name, track.notes.replace(velocity=0 * track.notes.velocity + 80)) for track in each.tracks]
                 for each in (piece.score, score)]  # fmt: skip
        signs = [([(meter.name, meter.onset) for meter in each.meters], each.pickup) for each in (piece.score, score)]
        if notes[0] != notes[1] or signs[0] != signs[1]:
            lost.append(piece.name)
    print(f"{len(found.pieces)} chorales, decode(encode) == canonical: {same}, nothing lost: {same - len(lost)}")
    print(f"something lost: {', '.join(lost)}")
    for name, reason in found.skipped:
        print(f"left out: {name}: {reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, action in (("train", train), ("judge", judge), ("complete", complete)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("folder", type=Path, nargs=None if name == "train" else "+")
        command.add_argument("--data", type=Path, required=True)
        if name != "train":
            command.add_argument("--split", default="valid", choices=("train", "valid", "test"))
            command.add_argument("--shifts", type=int, default=0)
        command.add_argument("--chords", action="store_true", help="the network is told the chord of each step")
    commands.choices["complete"].add_argument("--masks", default=",".join(MASKS), help="the voices to be written")
    commands.choices["complete"].add_argument("--draws", type=int, default=16)
    commands.choices["complete"].add_argument("--every", type=int, default=1, help="of so many pieces one")
    commands.add_parser("corpus").set_defaults(action=corpus)
    command = commands.choices["train"]
    command.add_argument("--minutes", type=float, default=180.0)
    command.add_argument("--every", type=float, default=5.0, help="minutes between two looks at the held-out pieces")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--rate", type=float, default=2e-3)
    command.add_argument("--decay", type=float, default=0.05)
    command.add_argument("--batch", type=int, default=12)
    command.add_argument("--mean", type=float, default=0.998, help="of the running mean of the weights")
    command.add_argument("--flat", type=float, default=0.0, help="share of the time before the rate falls")
    command.add_argument("--set", nargs="*", default=[], help="of the network, such as dropout=0.5")
    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
