"""Notes a second of the numpy players beside the same weights stepped through torch, on one thread.

    python benchmarks/player.py [NETWORK ...]

For each network: fresh weights of its full size over the full event vocabulary, 500 notes played greedily from the
start of a piece, a note being a step with all its fields. The torch side has the same layers, `nn.LSTM` among them, and
keeps their state, as a program would that generates with them. Nothing is masked on either side, and both must choose
the same words at the start. The two take turns; medians of several rounds, in processor time, so that what else the
machine does counts little.

The limit is how often a second the weights that a note needs could be read, at the speed at which a matrix-vector
product reads one matrix as large as they are, best of all rounds. Products of words with weights do not count, for they
can be looked up; nor do biases and remembered steps. No player in 32 bits that computes one note at a time on one
thread gets past it, but for what stays in the cache from one read to the next.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import statistics
import time

import numpy as np
import torch
from torch.nn import functional as F

from kapelle.codecs import codecs
from kapelle.networks import Columns, Network, network, presets

ROUNDS, NOTES, ALIKE = 5, 500, 20
TABLES = ("embed", "start", "layers.0.weight_ih", "outer.0.weight_ih", "told_to_inner", "value")
"""Weights that words are multiplied with, so that a player can look their products up."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", default=sorted(presets()))
    torch.set_num_threads(1)
    columns = Columns.of(codecs()["events"]().layout)
    print("| network | weights | numpy, notes/s | through `nn.LSTM`, notes/s | ratio | limit, notes/s | of the limit |")
    print("|---|---|---|---|---|---|---|")
    for name in parser.parse_args().networks:
        net = network(name, columns)
        torch.manual_seed(0)
        module = net.module().eval()
        player = NumpyPlayer(net, module)
        stepper = TorchLstm(module) if net.name == "lstm" else TorchStepwise(module)
        if notes(player, ALIKE)[1] != notes(stepper, ALIKE)[1]:
            raise SystemExit(f"{name}: the two sides play different notes, so their speeds cannot be compared")
        size, read = reads(net, module)
        rounds = [(notes(player)[0], notes(stepper)[0], bandwidth(size) / read) for _ in range(ROUNDS)]
        fast, slow, _ = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratio = statistics.median(ours / theirs for ours, theirs, _ in rounds)
        limit = max(most for _, _, most in rounds)
        weights = sum(weight.numel() for weight in module.parameters()) / 1e6
        speeds = f"{fast:.0f} | {slow:.1f} | {ratio:.1f} | {limit:.0f} | {fast / limit:.0%}"
        print(f"| `{name}` | {weights:.2f} M | {speeds} |", flush=True)


class NumpyPlayer:
    """A network played as `kapelle` plays it."""

    def __init__(self, net: Network, module: torch.nn.Module) -> None:
        self.columns = net.config.columns
        self.player = net.player({key: value.numpy() for key, value in module.state_dict().items()})

    def reset(self) -> None:
        self.player.reset()

    def step(self) -> list[int]:
        words = []
        for column in range(len(self.columns.sizes)):
            word = int(self.player.logits(column).argmax()) if column in self.columns.predicted else 0
            self.player.put(column, word)
            words.append(word)
        return words


class TorchLstm:
    """A reference network played in torch: one token at a time through its `nn.LSTM` layers."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module

    def reset(self) -> None:
        self.states: list = [None] * len(self.module.layers)
        self.token = torch.tensor([[self.module.total]])

    def step(self) -> list[int]:
        module = self.module
        chosen = [0] * len(module.config.columns.sizes)
        for column, first, size in zip(module.config.columns.predicted, module.starts, module.sizes, strict=True):
            x = module._input(self.token)
            for index, layer in enumerate(module.layers):
                x, self.states[index] = layer(x, self.states[index])
                x = module._between(x, index, None)
            if module.dense is not None:
                x = module.dense(x)
                x = module._between(F.relu(x) if module.config.dense_relu else x, len(module.layers), None)
            words = slice(first, first + size)
            word = F.linear(x[0, 0], module.words.weight[words], module.words.bias[words]).argmax()
            self.token = (word + first).view(1, 1)
            chosen[column] = int(word)
        return chosen


class TorchStepwise:
    """The stepwise network played in torch: its `nn.LSTM` layers once a step, then field after field."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.heads = (module.config.num_heads, -1)

    def reset(self) -> None:
        self.states: list = [None] * len(self.module.outer)
        self.row = self.module.start.view(1, 1, -1)
        # The zero that can always be looked up.
        self.keys = self.values = torch.zeros(1, 1, self.module.config.attention_dim)

    def step(self) -> list[int]:
        module, columns = self.module, self.module.config.columns
        x = self.row
        for index, layer in enumerate(module.outer):
            x, self.states[index] = layer(x, self.states[index])
        query, keys, values = (
            part.unflatten(-1, self.heads).transpose(1, 2) for part in (module.query(x), self.keys, self.values)
        )
        found = F.scaled_dot_product_attention(query, keys, values).transpose(1, 2).flatten(2)
        hidden = module.outer_to_inner(torch.cat([x, found], -1)).view(-1, module.config.inner_dim)
        told, chosen, place = torch.zeros(module.config.embed_dim), [], 0
        first = len(columns.predicted) - len(module.told_to_inner)
        for column, offset in enumerate(columns.offsets):
            word = torch.tensor(0)
            if column in columns.predicted:
                inner = hidden[place]
                if column:
                    inner = inner + module.told_to_inner[place - first](told)
                word = module.words[place](F.relu(inner)).argmax()
                place += 1
            told = told + module.embed(word + offset)
            chosen.append(int(word))
        self.row = told.view(1, 1, -1)
        self.keys, self.values = self._kept(self.keys, module.key(x)), self._kept(self.values, module.value(self.row))
        return chosen

    def _kept(self, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        window = self.module.config.window
        return torch.cat([old[:, :1], old[:, 1:][:, 1 - window :], new], 1)


@torch.no_grad()
def notes(player: NumpyPlayer | TorchLstm | TorchStepwise, count: int = NOTES) -> tuple[float, list[list[int]]]:
    """Notes a second of processor time from the start of a piece, and the words of each."""
    player.reset()
    start = time.process_time()
    words = [player.step() for _ in range(count)]
    return count / (time.process_time() - start), words


def reads(net: Network, module: torch.nn.Module) -> tuple[int, int]:
    """Bytes of the weights that cannot be looked up, in 32 bits, and how many of them a note reads in all."""
    # A reference network goes through all its layers for each field, but needs each field's words once.
    tokens = len(net.config.columns.predicted) if net.name == "lstm" else 1
    sizes = {
        key: 4 * weight.numel()
        for key, weight in module.named_parameters()
        if weight.dim() == 2 and not key.startswith(TABLES)
    }
    return sum(sizes.values()), sum(size * (1 if key.startswith("words") else tokens) for key, size in sizes.items())


def bandwidth(size: int) -> float:
    """Bytes a second that a matrix-vector product over `size` bytes reads, best of several."""
    matrix = np.ones((size // 4096, 1024), np.float32)
    vector = np.ones(1024, np.float32)
    best = 0.0
    for _ in range(12):
        start = time.process_time()
        matrix @ vector
        best = max(best, matrix.nbytes / (time.process_time() - start))
    return best


if __name__ == "__main__":
    main()
