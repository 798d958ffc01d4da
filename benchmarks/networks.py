"""Held-out likelihood of the networks, on the same split, encoding and time.

    python benchmarks/networks.py --minutes 4 --seeds 3 --corpus folk
    python benchmarks/networks.py --only stepwise,event --log runs/networks.jsonl

Each network is trained for the same time on one thread, from each seed; the split is always that of seed 0.
The weights kept are the best on the held-out (validation) pieces, and the figures are of all validation and of
all test pieces, whole, each from its start: nats per note, everything paid for, pooled over notes. A run that
stands in the log is not run again, so a long comparison can be stopped and gone on with.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from kapelle.codecs import codecs
from kapelle.corpora import get, split
from kapelle.music import with_detected_key
from kapelle.networks import Columns, network, presets
from kapelle.styles.learning import module_of, recipe_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--corpus", default="folk")
    parser.add_argument("--only", default=",".join(sorted(presets())))
    parser.add_argument("--log", type=Path, default=Path("runs/networks.jsonl"))
    options = parser.parse_args()
    options.log.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in options.log.read_text().splitlines()] if options.log.exists() else []
    parts, codec = None, None
    for seed in range(options.seeds):
        for name in options.only.split(","):
            key = {"corpus": options.corpus, "network": name, "seed": seed, "minutes": options.minutes}
            if any(key.items() <= row.items() for row in done):
                continue
            if parts is None:
                corpus = get(options.corpus).load(None)
                codec = codecs()["events"].for_scores(piece.score for piece in corpus.pieces)
                whole = split(corpus, 0)
                parts = [
                    [codec.encode(with_detected_key(piece.score)) for piece in pieces]
                    for pieces in (whole.train, whole.valid, whole.test)
                ]
            row = key | run(name, seed, options.minutes, codec, parts)
            done.append(row)
            with options.log.open("a") as log:
                log.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
    table([row for row in done if row["corpus"] == options.corpus and row["minutes"] == options.minutes])


def run(name: str, seed: int, minutes: float, codec: object, parts: list) -> dict[str, float]:
    """One training and its figures."""
    from kapelle.training.likelihood import likelihood
    from kapelle.training.trainer import Recipe, fit

    net = network(name, Columns.of(codec.layout))
    recipe = Recipe(minutes=minutes, seed=seed, threads=1, patience=10**6, **recipe_of(name))
    outcome = fit(net, codec, parts[0], parts[1], recipe)
    module = module_of(net, outcome.weights)
    return {
        "valid": likelihood(module, parts[1], codec).nats_per_note,
        "test": likelihood(module, parts[2], codec).nats_per_note,
        "epochs": outcome.best.epoch,
        "updates": outcome.updates,
        "parameters": sum(weight.size for weight in outcome.weights.values()),
    }


def table(rows: list[dict]) -> None:
    """The figures of each network over its seeds, as a table in Markdown."""
    print("\n| network | parameters | updates | valid, nats per note | test, nats per note |\n|---|---|---|---|---|")
    names = sorted({row["network"] for row in rows}, key=lambda n: min(r["valid"] for r in rows if r["network"] == n))
    for name in names:
        own = [row for row in rows if row["network"] == name]
        cells = []
        for figure in ("valid", "test"):
            values = [row[figure] for row in own]
            cells.append(f"{statistics.mean(values):.3f} ({', '.join(f'{value:.3f}' for value in values)})")
        updates = statistics.mean(row["updates"] for row in own)
        print(f"| `{name}` | {own[0]['parameters'] / 1e6:.2f} M | {updates:.0f} | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main()
