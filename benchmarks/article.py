"""The article's run, with its networks and ours: their curves, what became of each, and what it composes.

    python benchmarks/article.py ../shared/data/classical/chopin --minutes 8 --picture docs/images/chopin.png

Every network learns from the same pieces, split and encoding, as its makers trained it, for the same processor time on
one thread; with it goes the verdict that `kapelle report` would give. The table tells how long each needs to the
held-out accuracy of the least of those that learnt anything, and of the best of the references, against ours. Each
then composes, and the share of the commonest pitch among its notes and the longest row of one pitch tell of the one
repeated note that the author waited fifteen hours for; the same of the pieces that were held out stands beside it. The
rows are kept in a log, so that a long comparison can be stopped and gone on with.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from kapelle.corpora import Corpus, get, load_folder
from kapelle.files import write_atomically
from kapelle.music import Score
from kapelle.rendering import palette
from kapelle.rendering.axis import Axis
from kapelle.rendering.page import Rect, Text
from kapelle.rendering.pen import Sheet, Stroke, sheet_to_png
from kapelle.styles.lesson import Lesson, Settings
from kapelle.training.judgement import learnt_from
from kapelle.training.trainer import Trainer

PIECES, BARS = 6, 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="a folder, or the name of a corpus that comes along")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--only", default="stepwise,softology,skuldur,textbook,event")
    parser.add_argument("--log", type=Path, default=Path("runs/article.jsonl"))
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    options.log.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in options.log.read_text().splitlines()] if options.log.exists() else []
    same = {"corpus": Path(options.corpus).name, "minutes": options.minutes}
    corpus: Corpus | None = None
    for name in options.only.split(","):
        key = same | {"network": name}
        if any(key.items() <= row.items() for row in done):
            continue
        corpus = corpus or (
            load_folder(Path(options.corpus)) if os.path.isdir(options.corpus) else get(options.corpus).load(None)
        )
        row = key | trained(corpus, name, options.minutes)
        done.append(row)
        with options.log.open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(name, row["verdict"], flush=True)
    rows = [row for row in done if same.items() <= row.items()]
    if any(row["network"] == "stepwise" for row in rows):
        table(rows)
    if options.picture:
        write_atomically(options.picture, curves(rows), force=True)


def trained(corpus: Corpus, name: str, minutes: float) -> dict[str, Any]:
    """One training, its curve, its verdict, and what it composes."""
    lesson = Lesson.of(corpus, Settings(name, name, minutes=minutes))
    recipe = replace(lesson.trainer().recipe, clock=time.process_time, patience=None)
    outcome = Trainer(lesson.net, lesson.codec, lesson.train, lesson.valid, recipe).run()
    style = lesson.style(outcome.weights, outcome.rows, measured=True)
    composed = [style.compose(bars=BARS, seed=seed) for seed in range(PIECES)]
    return {
        "looks": [(row.seconds, row.valid, row.valid_accuracy) for row in outcome.rows if not math.isnan(row.valid)],
        "verdict": str(lesson.verdict(outcome.rows, outcome.ended)),
        "valid": style.card.figures["valid nats per note"],
        "test": style.card.figures["test nats per note"],
        "baseline": lesson.baseline,
        "pitches": statistics.mean(map(commonest, composed)),
        "row": statistics.mean(map(longest_row, composed)),
        "human": (
            statistics.mean(map(commonest, lesson.held_out)),
            statistics.mean(map(longest_row, lesson.held_out)),
        ),
        "weights": style.card.parameters,
        "pieces": len(corpus.pieces),
    }


def commonest(score: Score) -> float:
    """Share of the commonest pitch among the notes of a piece."""
    pitches = np.concatenate([track.notes.pitch for track in score.tracks] or [np.zeros(1, int)])
    return float(np.bincount(pitches).max() / max(len(pitches), 1))


def longest_row(score: Score) -> int:
    """Notes of the longest row of one pitch in a track."""
    longest = 0
    for track in score.tracks:
        ends = np.flatnonzero(np.r_[True, np.diff(track.notes.pitch) != 0, True])
        longest = max(longest, int(np.diff(ends).max(initial=0)))
    return longest


def minutes_to(row: dict[str, Any], accuracy: float) -> float:
    """When a network first foretold the held-out pieces so well; infinite if never."""
    return next((seconds / 60 for seconds, _, there in row["looks"] if there >= accuracy), math.inf)


def table(rows: list[dict[str, Any]]) -> None:
    """All figures, in Markdown."""
    ours = next(row for row in rows if row["network"] == "stepwise")
    best = {row["network"]: max(look[2] for look in row["looks"]) for row in rows}
    learnt = {name: share for name, share in best.items() if share > learnt_from(ours["baseline"])}
    others = [share for name, share in learnt.items() if name != "stepwise"]
    goals = sorted({min(learnt.values(), default=0), max(others, default=0)} - {0})
    told = "".join(f" minutes to {goal:.1%} right, against ours |" for goal in goals)
    print(
        f"\n| network | weights | held out, nats a note | test | right |{told} "
        "commonest pitch | longest row | verdict |"
        f"\n|---|---|---|---|---|{'---|' * len(goals)}---|---|---|"
    )
    for row in sorted(rows, key=lambda row: row["valid"]):
        cells = []
        for goal in goals:
            own, mine = minutes_to(row, goal), minutes_to(ours, goal)
            cells.append("never" if math.isinf(own) else f"{own:.1f} ({own / mine:.1f} times)")
        print(
            f"| `{row['network']}` | {row['weights'] / 1e6:.1f} M | {row['valid']:.2f} | {row['test']:.2f} "
            f"| {best[row['network']]:.1%} | {' | '.join(cells)} | {row['pitches']:.0%} | {row['row']:.1f} "
            f"| {row['verdict']} |"
        )
    share, row_length = rows[0]["human"]
    print(f"| held-out pieces | | | | {rows[0]['baseline']:.1%} always naming the commonest |", end="")
    print(f"{' |' * len(goals)} {share:.0%} | {row_length:.1f} | |")


def curves(rows: list[dict[str, Any]]) -> bytes:
    """Held-out accuracy over processor time, a line a network, as PNG."""
    sheet = Sheet(900, 480)
    minutes = rows[0]["minutes"]
    most = max(look[2] for row in rows for look in row["looks"])
    least = min(rows[0]["baseline"], *(look[2] for row in rows for look in row["looks"]))
    across, up = Axis(0, minutes, 60, 740), Axis(least - 0.02, most + 0.02, 430, 60)
    sheet.texts.append(
        Text(60, 32, f"{rows[0]['corpus']}: share of held-out music foretold right", 18, palette.INK, "start")
    )
    for value, words in up.ticks(6):
        height = round(float(up.place(value)))
        sheet.paper.append(Rect(60, height, 680, 1, palette.OCTAVE_LINE, 1))
        sheet.texts.append(Text(52, height + 5, f"{float(words):.0%}", 13, palette.SOFT_INK, "end"))
    for value, words in across.ticks(8):
        sheet.texts.append(Text(round(float(across.place(value))), 452, words, 13, palette.SOFT_INK, "middle"))
    sheet.texts.append(Text(740, 472, "minutes of one processor", 13, palette.SOFT_INK, "end"))
    baseline = float(up.place(rows[0]["baseline"]))
    sheet.strokes.append(Stroke([(60, baseline), (740, baseline)], palette.BAR_LINE, 1.5))
    names = [(float(up.place(max(look[2] for look in row["looks"][-1:]))), row["network"]) for row in rows]
    names.append((baseline, "the commonest word"))
    colours = dict(zip((row["network"] for row in rows), palette.TRACKS, strict=False))
    for row in rows:
        points = [(float(across.place(s / 60)), float(up.place(a))) for s, _, a in row["looks"]]
        sheet.strokes.append(Stroke(points, colours[row["network"]], 2.5))
    last = 0.0
    for height, name in sorted(names):
        last = max(height + 5, last + 17)
        sheet.texts.append(Text(750, round(last), name, 14, colours.get(name, palette.SOFT_INK), "start"))
    return sheet_to_png(sheet)


if __name__ == "__main__":
    main()
