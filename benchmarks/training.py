"""How fast training goes, and what it costs to keep and tell everything on the way.

    python benchmarks/training.py --seconds 60 --threads 1

On the fiddle tunes: notes a second that `stepwise` learns from, beside `softology` trained on every position with the
windows of its makers and with ours, in turn, and beside the 70 targets a second of the article's own way (one target a
window of 100; Keras 3 and TensorFlow on two cores, measured once on 12 files of Chopin). Then `stepwise` with a run
folder as `kapelle train` keeps it: the share of the time that goes into rows, log, checkpoints and progress, the
longest stop of the loop for a checkpoint, and the size of one beside the style.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from kapelle.corpora import get
from kapelle.styles import save_style
from kapelle.styles.lesson import Lesson, Settings
from kapelle.training.keeper import FolderKeeper
from kapelle.training.run import RunFolder
from kapelle.training.trainer import Trainer

ARTICLE = 70
"""Targets a second."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="for each network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    corpus = get("folk").load(None)
    kinds = {
        "stepwise": ("stepwise", None),
        "softology": ("softology", None),
        "softology, our windows": ("softology", 256),
    }
    lessons = {
        name: Lesson.of(corpus, Settings(name, kind, threads=options.threads)) for name, (kind, _) in kinds.items()
    }
    speeds: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(options.rounds):
        for name, lesson in lessons.items():
            trainer = lesson.trainer()
            recipe = replace(trainer.recipe, minutes=options.seconds / options.rounds / 60)
            crop = kinds[name][1]
            trainer = Trainer(
                lesson.net, lesson.codec, lesson.train, lesson.valid, replace(recipe, crop=crop) if crop else recipe
            )
            counter = Counter()
            trainer.keeper = counter
            begun = time.monotonic()
            trainer.run()
            speeds[name].append(counter.notes / (counter.last - begun))
    ours = statistics.median(speeds["stepwise"])
    print("| network | notes a second | stepwise beside it |\n|---|---|---|")
    for name, values in speeds.items():
        speed = statistics.median(values)
        print(f"| {name} | {speed:,.0f} | {ours / speed:.1f} |")
    print(f"| the article's own way | {ARTICLE} targets | {ours / ARTICLE:.0f} |")
    overhead(lessons["stepwise"], options.seconds)


class Counter:
    """Counts the notes that are learnt from; looks count as time."""

    notes, last = 0.0, 0.0

    def add(self, row: Any) -> None:
        pass

    def after_update(self, trainer: Trainer) -> None:
        sums = trainer.standing.since
        self.notes += sums[1] - self.before if sums[1] >= self.before else sums[1]
        self.before = sums[1]
        self.last = time.monotonic()

    before = 0.0

    def after_epoch(self, trainer: Trainer) -> None:
        pass

    def at_end(self, trainer: Trainer) -> None:
        pass


def overhead(lesson: Lesson, seconds: float) -> None:
    """What keeping a run costs, with a checkpoint every ten seconds instead of every minute."""
    spent = 0.0

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        def measure(*arguments: Any) -> Any:
            nonlocal spent
            begun = time.monotonic()
            try:
                return work(*arguments)
            finally:
                spent += time.monotonic() - begun

        return measure

    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / "folk.run")
        folder.begin({})

        def save(weights: Any, rows: Any, path: Path) -> None:
            save_style(lesson.style(weights, rows, measured=False), path, force=True)

        lesson.style({}, (), measured=False)  # what it says of the corpus is found once, before
        keeper = FolderKeeper(folder, save, seconds=10)
        trainer = lesson.trainer(progress=timed(lambda *told: f"{told}"))
        trainer.recipe = replace(trainer.recipe, minutes=seconds / 60)
        for name in ("add", "after_update", "after_epoch"):
            setattr(keeper, name, timed(getattr(keeper, name)))
        trainer.keeper = keeper
        begun = time.monotonic()
        trainer.run()
        whole = time.monotonic() - begun
        state, style = (folder.path / name for name in ("state.safetensors", "best.safetensors"))
        print(f"\nkeeping and telling: {spent / whole:.2%} of the time")
        print(f"longest stop for a checkpoint: {1000 * keeper.longest_stop:.0f} ms")
        sizes = [path.stat().st_size for path in (state, style)]
        print(f"checkpoint {sizes[0] / 1e6:.1f} MB, style {sizes[1] / 1e6:.1f} MB: {sizes[0] / sizes[1]:.1f} times")


if __name__ == "__main__":
    main()
