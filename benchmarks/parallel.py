"""How much faster several processes train than one, and what bfloat16 brings.

    python benchmarks/parallel.py --seconds 60

Notes a second that `stepwise` learns from on the fiddle tunes, or on made-up ones where music21 is missing, without
the looks at held-out pieces: one process with one thread, with one thread in 32 bits, with two threads, and two
processes with one thread each, in turn. Two processes have twice as large batches, so that each has as many rows as
one alone. On a machine with less than two idle cores the figures say nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
from dataclasses import replace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from kapelle.corpora import Corpus, Piece, get
from kapelle.errors import MissingExtra
from kapelle.music import Notes, Score, Track
from kapelle.styles.lesson import Lesson, Settings
from kapelle.training.parallel import started
from kapelle.training.trainer import Trainer

KINDS = (
    ("one process, one thread", 1, 1, True),
    ("one process, one thread, 32 bits", 1, 1, False),
    ("one process, two threads", 1, 2, True),
    ("two processes, one thread each", 2, 1, True),
)
"""What is compared: processes, threads of each, and whether bfloat16 is taken where the processor has it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="for each kind")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lesson = Lesson.of(corpus(), Settings("folk"))
    recipe = lesson.trainer().recipe
    speeds: dict[str, list[float]] = {name: [] for name, *_ in KINDS}
    for _ in range(options.rounds):
        for name, processes, threads, low in KINDS:
            with started(processes) as parallel:
                again = replace(recipe, minutes=options.seconds / options.rounds / 60, threads=threads)
                learner = Trainer(lesson.net, lesson.codec, lesson.train, lesson.valid, again, parallel=parallel)
                learner.low_precision = learner.low_precision and low
                rows = learner.run().rows
            speeds[name].append(statistics.median(row.notes_per_second for row in rows if row.notes_per_second > 0))
    alone = statistics.median(speeds[KINDS[0][0]])
    print("| | notes a second | times one process with one thread |\n|---|---|---|")
    for name, values in speeds.items():
        speed = statistics.median(values)
        print(f"| {name} | {speed:,.0f} ({min(values):,.0f} to {max(values):,.0f}) | {speed / alone:.2f} |")


def corpus() -> Corpus:
    """The fiddle tunes, or made-up ones of the same length."""
    try:
        return get("folk").load(None)
    except MissingExtra:
        return Corpus.of("made up", [Piece(tune(seed), f"tune {seed}", f"{seed}.mid") for seed in range(400)])


def tune(seed: int) -> Score:
    """Two hundred eighths that move by step."""
    rng = np.random.default_rng(seed)
    pitches = 67 + np.clip(np.cumsum(rng.integers(-2, 3, 200)), -12, 17)
    return Score(24, (Track(Notes(12 * np.arange(200), np.full(200, 12), pitches, np.full(200, 80))),))


if __name__ == "__main__":
    main()
