"""What the manners of a style that can mix say of a composer's pieces.

    python benchmarks/manners.py ../classical

For each held-out and test piece, by its first steps: what a note costs told its own composer, told each other one, and
told seven parts of its own and three of the next; and how often the cheapest manner is its own.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import kapelle
from kapelle.corpora import get, split
from kapelle.networks import mixed
from kapelle.styles.manners import manner_of
from kapelle.training.likelihood import likelihood
from kapelle.training.weights import module_of

SHARE = 0.7
"""Of its own manner in a mixture of two."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of composers, as the corpus is read")
    parser.add_argument("--style", default="composers")
    parser.add_argument("--corpus", default="composers")
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    style = kapelle.load_style(options.style)
    parts = split(get(options.corpus).load(options.folder), 0)
    costs, mixtures = [], []
    owns = []
    for piece in (*parts.valid, *parts.test):
        own = style.manners.index(manner_of(piece))
        steps = style.codec.encode(piece.score)[: options.steps]
        told = [cost(style, steps, {manner: 1.0}) for manner in range(len(style.manners))]
        following = (own + 1) % len(style.manners)
        owns.append(own)
        costs.append(told)
        mixtures.append((told[own], cost(style, steps, {own: SHARE, following: 1 - SHARE}), told[following]))
        print(f"{piece.source}: {style.manners[int(np.argmin(told))]}", flush=True)
    tell(np.array(costs), np.array(owns), mixtures)


def cost(style: Any, steps: Any, mixture: Mapping[int, float]) -> float:
    """Nats a note of these steps in a mixture of manners."""
    shares = [mixture.get(manner, 0.0) for manner in range(len(style.manners))]
    module = module_of(style.network, mixed(style.weights, style.network.config.columns, "manner", shares))
    return likelihood(module, [steps], style.codec).nats_per_note


def tell(costs: Any, owns: Any, mixtures: list[tuple[float, float, float]]) -> None:
    """Print what came of it; `costs` has shape (pieces, manners)."""
    own = costs[np.arange(len(owns)), owns]
    others = (costs.sum(axis=1) - own) / (costs.shape[1] - 1)
    right = int((costs.argmin(axis=1) == owns).sum())
    print(f"told its own {own.mean():.3f}, another {others.mean():.3f} nats a note, means of {len(owns)} pieces")
    print(
        "own, mixed with the next, the next alone: "
        + ", ".join(f"{statistics.mean(c):.3f}" for c in zip(*mixtures, strict=True))
    )
    print(f"the cheapest manner is its own in {right}; by chance in {len(owns) / costs.shape[1]:.1f}")


if __name__ == "__main__":
    main()
