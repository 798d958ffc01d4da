"""Notes a second of the numpy players beside the same weights stepped through torch, on one thread.

    python benchmarks/player.py

For each network: fresh weights of its full size over the full event vocabulary, played greedily, a note being a
step with all its fields. The torch side has the same layers, `nn.LSTM` among them, and keeps their state. The two
take turns; medians of several rounds. The bandwidth limit is how often a second the bytes of all weights that a
note needs could be read, at the speed at which a matrix-vector product reads a matrix of that size.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import statistics
import time

import numpy as np
import torch
from torch.nn import functional as F

from kapelle.codecs import codecs
from kapelle.networks import Columns, network, presets

ROUNDS, STEPS, SLOW_STEPS = 5, 150, 15


def main() -> None:
    torch.set_num_threads(1)
    layout = codecs()["events"]().layout
    print(
        "| network | weights | numpy, notes/s | stepped through `nn.LSTM`, notes/s | ratio | bandwidth limit, notes/s |"
    )
    print("|---|---|---|---|---|---|")
    for name in sorted(presets()):
        net = network(name, Columns.of(layout))
        torch.manual_seed(0)
        module = net.module().eval()
        weights = {key: value.numpy() for key, value in module.state_dict().items()}
        player = net.player(weights)
        step = TorchLstm(module) if net.name == "lstm" else TorchStepwise(module)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(play(player, layout))
            theirs.append(steps_a_second(step))
        size = sum(weight.size for weight in weights.values())
        touched = 4 * sum(weight.size for key, weight in weights.items() if "embed" not in key)
        fast, slow = statistics.median(ours), statistics.median(theirs)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        tokens = 1 if net.name == "stepwise" else len(net.config.columns.predicted)
        limit = bandwidth(touched) / (touched * tokens)
        print(f"| `{name}` | {size / 1e6:.2f} M | {fast:.0f} | {slow:.1f} | {ratio:.0f} | {limit:.0f} |", flush=True)


class TorchLstm:
    """A reference network played in torch: one token at a time through its `nn.LSTM` layers."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.states: list = [None] * len(module.layers)
        self.token = torch.tensor([[module.total]])

    def __call__(self) -> None:
        module = self.module
        for first, size in zip(module.starts, module.sizes, strict=True):
            x = module._input(self.token)
            for index, layer in enumerate(module.layers):
                x, self.states[index] = layer(x, self.states[index])
                x = module._between(x, index, None)
            if module.dense is not None:
                x = module.dense(x)
                x = module._between(F.relu(x) if module.config.dense_relu else x, len(module.layers), None)
            words = slice(first, first + size)
            logits = F.linear(x[0, 0], module.words.weight[words], module.words.bias[words])
            self.token = (logits.argmax() + first).view(1, 1)


class TorchStepwise:
    """The stepwise network played in torch: its `nn.LSTM` layers once a step, then field after field."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.states: list = [None] * len(module.outer)
        self.past: list | None = None
        self.row = module.start.view(1, 1, -1)
        self.told = torch.zeros_like(self.row)

    def __call__(self) -> None:
        module, config = self.module, self.module.config
        x = self.row
        for index, layer in enumerate(module.outer):
            x, self.states[index] = layer(x, self.states[index])
        found, _ = module._look_up(x, torch.zeros(1, 1, config.embed_dim), self.past)
        hidden = module.outer_to_inner(torch.cat([x, found], -1)).view(-1, config.inner_dim)
        told, place = torch.zeros(config.embed_dim), 0
        first = len(config.columns.predicted) - len(module.told_to_inner)
        for column, offset in enumerate(config.columns.offsets):
            word = torch.tensor(offset)
            if column in config.columns.predicted:
                inner = hidden[place]
                if column:
                    inner = inner + module.told_to_inner[place - first](told)
                word = word + module.words[place](F.relu(inner)).argmax()
                place += 1
            told = told + module.embed(word)
        self.row = told.view(1, 1, -1)
        key, value = module.key(x), module.value(self.row)
        self.past = (
            [key, value]
            if self.past is None
            else [
                torch.cat([old, new], 1)[:, -config.window :] for old, new in zip(self.past, (key, value), strict=True)
            ]
        )


def play(player: object, layout: tuple) -> float:
    """Steps a second of a player, choosing the most likely word of every predicted column."""
    player.reset()
    start = time.perf_counter()
    for _ in range(STEPS):
        for column, (_, size, given) in enumerate(layout):
            player.put(column, 0 if given or size == 1 else int(player.logits(column).argmax()))
    return STEPS / (time.perf_counter() - start)


@torch.no_grad()
def steps_a_second(step: TorchLstm | TorchStepwise) -> float:
    """Steps a second of a network played in torch."""
    step()
    start = time.perf_counter()
    for _ in range(SLOW_STEPS):
        step()
    return SLOW_STEPS / (time.perf_counter() - start)


def bandwidth(size: int) -> float:
    """Bytes a second that a matrix-vector product over `size` bytes reads, best of several."""
    matrix = np.ones((size // 4096, 1024), np.float32)
    vector = np.ones(1024, np.float32)
    best = 0.0
    for _ in range(12):
        start = time.perf_counter()
        matrix @ vector
        best = max(best, matrix.nbytes / (time.perf_counter() - start))
    return best


if __name__ == "__main__":
    main()
