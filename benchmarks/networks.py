"""Held-out likelihood of the networks, on the same split, encoding and time.

    python benchmarks/networks.py --minutes 4 --seeds 3 --corpus folk
    python benchmarks/networks.py --only stepwise,event --log runs/networks.jsonl

Each network is trained for the same processor time on one thread, from each seed; the split is always that of
seed 0. The reference networks may learn from the short windows of their makers or from the long ones that ours
has: the first seed tries both, and the others go on with what foretold the validation pieces better. The weights
kept are the best on the held-out (validation) pieces, and the figures are of all validation and of all test
pieces, whole, each from its start: nats per note, everything paid for, pooled over notes. A run that stands in
the log is not run again, so a long comparison can be stopped and gone on with.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from kapelle.codecs import codecs
from kapelle.corpora import get, split
from kapelle.music import with_detected_key
from kapelle.networks import Columns, network
from kapelle.networks.lstm import PRESETS as REFERENCES
from kapelle.styles.lesson import recipe_of
from kapelle.training.likelihood import likelihood
from kapelle.training.trainer import Recipe, fit
from kapelle.training.weights import module_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--corpus", default="folk")
    parser.add_argument("--only", default="stepwise,softology,skuldur,textbook,event")
    parser.add_argument("--log", type=Path, default=Path("runs/networks.jsonl"))
    options = parser.parse_args()
    options.log.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in options.log.read_text().splitlines()] if options.log.exists() else []
    parts: list | None = None
    codec = None
    for seed in range(options.seeds):
        for name in options.only.split(","):
            same = {"corpus": options.corpus, "network": name, "minutes": options.minutes}
            for crop in crops(name, [row for row in done if same.items() <= row.items()], seed):
                key = same | {"seed": seed, "crop": crop}
                if any(key.items() <= row.items() for row in done):
                    continue
                if parts is None:
                    codec, parts = encoded(options.corpus)
                row = key | run(name, seed, options.minutes, crop, codec, parts)
                done.append(row)
                with options.log.open("a") as log:
                    log.write(json.dumps(row) + "\n")
                print(json.dumps({name: value for name, value in row.items() if name != "looks"}), flush=True)
    table([row for row in done if row["corpus"] == options.corpus and row["minutes"] == options.minutes])


def encoded(name: str) -> tuple[Any, list]:
    """The codec of a corpus, and its parts as steps."""
    corpus = get(name).load(None)
    codec = codecs()["events"].for_scores(piece.score for piece in corpus.pieces)
    whole = split(corpus, 0)
    return codec, [
        [codec.encode(with_detected_key(piece.score)) for piece in pieces]
        for pieces in (whole.train, whole.valid, whole.test)
    ]


def crops(name: str, rows: list[dict], seed: int) -> list[int]:
    """The windows to train with: for a reference both with the first seed, then the better one."""
    if name not in REFERENCES:
        return [Recipe.crop]
    first = [row for row in rows if row["seed"] == 0]
    if seed == 0 or not first:
        return [recipe_of(name)["crop"], Recipe.crop]
    return [min(first, key=lambda row: row["valid"])["crop"]]


def run(name: str, seed: int, minutes: float, crop: int, codec: Any, parts: list) -> dict[str, Any]:
    """One training, its figures and its curve."""
    net = network(name, Columns.of(codec.layout))
    habits = recipe_of(name) | {"crop": crop}
    recipe = Recipe(minutes=minutes, seed=seed, threads=1, patience=None, clock=time.process_time, **habits)
    outcome = fit(net, codec, parts[0], parts[1], recipe)
    module = module_of(net, outcome.weights)
    return {
        "valid": likelihood(module, parts[1], codec).nats_per_note,
        "test": likelihood(module, parts[2], codec).nats_per_note,
        "epochs": outcome.best.epoch,
        "updates": outcome.updates,
        "parameters": sum(weight.size for weight in outcome.weights.values()),
        "looks": [(row.epoch, row.seconds, row.train, row.valid, row.valid_accuracy) for row in outcome.rows],
    }


def table(rows: list[dict]) -> None:
    """The figures of each network and window over the seeds, as a table in Markdown."""
    print("\n| network | parameters | window | updates | valid, nats per note | test, nats per note |")
    print("|---|---|---|---|---|---|")
    kinds = {(row["network"], row["crop"]) for row in rows}
    for name, crop in sorted(kinds, key=lambda kind: min(own["valid"] for own in of(rows, *kind))):
        own = of(rows, name, crop)
        cells = []
        for figure in ("valid", "test"):
            values = [row[figure] for row in own]
            cells.append(f"{statistics.mean(values):.3f} ({', '.join(f'{value:.3f}' for value in values)})")
        updates = statistics.mean(row["updates"] for row in own)
        print(f"| `{name}` | {own[0]['parameters'] / 1e6:.2f} M | {crop} | {updates:.0f} | {cells[0]} | {cells[1]} |")


def of(rows: list[dict], name: str, crop: int) -> list[dict]:
    """The rows of one network and window."""
    return [row for row in rows if (row["network"], row["crop"]) == (name, crop)]


if __name__ == "__main__":
    main()
