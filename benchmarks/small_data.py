"""What a few files are enough for: held-out likelihood by the number of pieces, from nothing and from a base.

    python benchmarks/small_data.py --minutes 1 --seeds 3 --log runs/small_data.jsonl

Of the Essen folk songs 200 are set aside to measure by. Of the others 1, 5, 15, 50 and 200 are drawn with each seed,
and a style is learnt from them as `kapelle train` does it, once from nothing and once from the bundled style `folk`,
for the same processor time on one thread. A run that stands in the log is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from kapelle import load_style
from kapelle.corpora import Corpus, get
from kapelle.errors import CodecError
from kapelle.music import with_detected_key
from kapelle.styles.lesson import Lesson, Settings
from kapelle.training.likelihood import likelihood
from kapelle.training.weights import module_of

SIZES = (1, 5, 15, 50, 200)
MEASURED = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--log", type=Path, default=Path("runs/small_data.jsonl"))
    options = parser.parse_args()
    options.log.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in options.log.read_text().splitlines()] if options.log.exists() else []
    groups: dict[str, Any] = {}
    for piece in get("essen").load(None).pieces:
        # One piece of each family of tunes, so that none is learnt from and measured by.
        groups.setdefault(piece.group, piece)
    pieces = [groups[group] for group in np.random.default_rng(0).permutation(sorted(groups))]
    for seed in range(options.seeds):
        for size in SIZES:
            for base in (None, "folk"):
                key = {"pieces": size, "base": base, "seed": seed, "minutes": options.minutes}
                if any(key.items() <= row.items() for row in done):
                    continue
                row = key | run(pieces[MEASURED:], pieces[:MEASURED], **key)
                done.append(row)
                with options.log.open("a") as log:
                    log.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)
    table([row for row in done if row["minutes"] == options.minutes])


def run(pool: list, measured: list, pieces: int, base: str | None, seed: int, minutes: float) -> dict[str, Any]:
    """One style and how well it foretells pieces that nobody has learnt from."""
    drawn = np.random.default_rng(seed).choice(len(pool), pieces, replace=False)
    corpus = Corpus.of("essen", [pool[index] for index in drawn])
    settings = Settings("few", minutes=minutes, seed=seed, threads=1)
    lesson = Lesson.of(corpus, settings, None if base is None else load_style(base))
    trainer = lesson.trainer()
    trainer.recipe = replace(trainer.recipe, clock=time.process_time)
    outcome = trainer.run()
    steps = []
    for piece in measured:
        try:
            steps.append(lesson.codec.encode(with_detected_key(piece.score)))
        except CodecError:
            continue
    found = likelihood(module_of(lesson.net, outcome.weights), steps, lesson.codec)
    return {
        "nats": found.nats_per_note,
        "accuracy": found.accuracy,
        "ended": outcome.ended,
        "epochs": outcome.best.epoch,
        "measured": len(steps),
    }


def table(rows: list[dict]) -> None:
    """Held-out nats per note by pieces and base, as a table in Markdown."""
    print("\n| pieces | from nothing | from `folk` |\n|---|---|---|")
    for size in SIZES:
        cells = []
        for base in (None, "folk"):
            values = [row["nats"] for row in rows if (row["pieces"], row["base"]) == (size, base)]
            each = ", ".join(f"{value:.2f}" for value in values)
            cells.append(f"{statistics.mean(values):.2f} ({each})" if values else "")
        print(f"| {size} | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main()
