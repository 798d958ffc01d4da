"""Reconstruction of two-bar windows: Kapelle's network of windows beside the published small ones, rebuilt.

    python benchmarks/musicvae.py --minutes 8 --seeds 3
    python benchmarks/musicvae.py --kind drums --drums FOLDER/groove --only musicvae,cat-drums_2bar_small
    python benchmarks/musicvae.py --kind drums --drums FOLDER/groove --only cat-drums_2bar_small --changes
        '{"beta": 0.8, "free_nats": 0}'

Melodies are windows of the corpus `folk`, split by tune; drums those of the Groove MIDI Dataset (its folder is given by
--drums), in its own split. Windows of validation and test that also stand in training, in any key, are left out. Each
network is trained for the same processor time on one thread, each from the same seeds, and the weights kept are the
best by its own objective on validation windows. The published batch of 512 windows leaves few updates in this time, so
the first seed tries batches of 64 and of 512, and the others go on with what reconstructed validation windows better.

Accuracy is the share of steps in which every field is right: told the truth before each step (teacher-forced), and
told only what it said itself, or nothing, most likely words from the mean of the point (free-running). KL is the nats
of a window's code, the mean over windows; then the share of windows without any fault. Drawn is how far the measures
of windows that are drawn at temperature 1 lie from those of test windows (see space.py): from the standard normal
distribution, and near points of the music.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from kapelle.codecs.bars import BarsCodec
from kapelle.corpora import get, split
from kapelle.files import load
from kapelle.networks import Columns, network
from kapelle.sampling import Taste
from kapelle.sampling import tell as tell_windows
from kapelle.styles.learnt import learnt_space
from kapelle.training.reconstruction import reconstruction
from kapelle.training.trainer import Recipe, fit
from space import distance

RIVALS = {"melody": "cat-mel_2bar_small", "drums": "cat-drums_2bar_small"}
MOST_TEST, DRAWN = 2000, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=sorted(RIVALS), default="melody")
    parser.add_argument("--drums", type=Path, help="the folder of the Groove MIDI Dataset")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", help="networks, with commas between; both if not given")
    parser.add_argument("--changes", type=json.loads, default={}, help="of the configuration, as JSON")
    parser.add_argument("--log", type=Path, default=Path("runs/musicvae.jsonl"))
    options = parser.parse_args()
    options.log.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in options.log.read_text().splitlines()] if options.log.exists() else []
    names = options.only.split(",") if options.only else ["musicvae", RIVALS[options.kind]]
    codec, parts = melodies() if options.kind == "melody" else drums(options.drums)
    print({name: len(windows) for name, windows in parts.items()}, flush=True)
    for seed in range(options.seeds):
        for name in names:
            same = {"kind": options.kind, "network": name, "minutes": options.minutes, "changes": options.changes}
            for batch in batches(name, [row for row in done if same.items() <= row.items()], seed):
                key = same | {"seed": seed, "batch": batch}
                if any(key.items() <= row.items() for row in done):
                    continue
                row = key | run(codec, parts, name, options.minutes, seed, batch, options.changes)
                done.append(row)
                with options.log.open("a") as log:
                    log.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)
    tell([row for row in done if row["kind"] == options.kind and row["minutes"] == options.minutes])


def batches(name: str, rows: list[dict[str, Any]], seed: int) -> list[int]:
    """The sizes of batches to train with: for the rebuilt ones both at first, and then the better one."""
    if name == "musicvae":
        return [64]
    first = {row["batch"]: row["valid"]["free"] for row in rows if row["seed"] == 0}
    return [64, 512] if seed == 0 or len(first) < 2 else [max(first, key=lambda batch: first[batch])]


def melodies() -> tuple[BarsCodec, dict[str, list[np.ndarray]]]:
    """Windows of fiddle tunes."""
    corpus = get("folk").load(None)
    parts = split(corpus, 0)
    codec = BarsCodec.for_scores(piece.score for piece in corpus.pieces)
    return codec, apart(
        {
            part: [w for piece in getattr(parts, part) for w in codec.windows(piece.score)[0]]
            for part in ("train", "valid", "test")
        }
    )


def drums(folder: Path) -> tuple[BarsCodec, dict[str, list[np.ndarray]]]:
    """Windows of the Groove MIDI Dataset in its own split."""
    with (folder / "info.csv").open() as table:
        rows = list(csv.DictReader(table))
    scores = [(row["split"], load(folder / row["midi_filename"])) for row in rows]
    codec = BarsCodec.for_scores([score for _, score in scores], kind="drums")
    named = {"train": "train", "valid": "validation", "test": "test"}
    return codec, apart(
        {
            part: [w for own, score in scores if own == name for w in codec.windows(score)[0]]
            for part, name in named.items()
        }
    )


def apart(parts: dict[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """Each window once, and in validation and test none that is in training, in any key."""
    seen: set[bytes] = set()
    kept: dict[str, list[np.ndarray]] = {}
    for part, windows in parts.items():
        own = [(tuneless(window), window) for window in windows]
        kept[part] = list({mark: window for mark, window in own if mark not in seen}.values())
        seen |= {mark for mark, _ in own}
    order = np.random.default_rng(0).permutation(len(kept["test"]))[:MOST_TEST]
    return kept | {"test": [kept["test"][place] for place in order]}


def tuneless(window: np.ndarray) -> bytes:
    """A window, told from its lowest pitch on."""
    window = window.copy()
    lines = window[:, 3:]
    struck = lines >= 2
    if struck.any():
        lines[struck] -= lines[struck].min() - 2
    return window.tobytes()


def run(
    codec: BarsCodec, parts: dict[str, list[np.ndarray]], name: str, minutes: float, seed: int, batch: int,
    changes: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Train one network and measure it."""
    net = network(name, Columns.of(codec.layout), **changes)
    recipe = Recipe(minutes, seed=seed, threads=1, learning_rate=1e-3 if name != "musicvae" else 3e-3,
                    averaging=0.99, patience=None, clock=time.process_time, batch=32 * batch)  # fmt: skip
    valid = np.random.default_rng(0).permutation(len(parts["valid"]))
    outcome = fit(net, codec, parts["train"], [parts["valid"][place] for place in valid], recipe)
    player = net.player(outcome.weights)
    measured = {part: parts[part][:MOST_TEST] for part in ("valid", "test")} | {"train": parts["train"][:MOST_TEST]}
    figures = {part: reconstruction(player, codec, windows)._asdict() for part, windows in measured.items()}
    about = {"updates": outcome.updates, "parameters": sum(weight.size for weight in outcome.weights.values())}
    space, rng = learnt_space(net, codec, outcome.weights, parts["train"]), np.random.default_rng(0)
    ways = {"normal": rng.standard_normal((DRAWN, net.config.point_dim)), "near": space.draw(0, DRAWN, rng)}
    human = codec.measures(np.stack([window for window in parts["test"] if window[0, 0] == 0][:DRAWN]))
    meter = codec.vocabulary.meters[0]
    told = {way: tell_windows(player, codec, points, meter, Taste(1.0), rng) for way, points in ways.items()}
    drawn = {way: distance(codec.measures(steps), human) for way, steps in told.items()}
    return about | figures | {"drawn": drawn}


def tell(rows: list[dict[str, Any]]) -> None:
    """The table: means over the seeds, and the least and the most of the free-running accuracy."""
    print(
        "| network | batch | seeds | updates | weights | teacher-forced | free-running | KL | whole windows | drawn |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for key in sorted({(row["network"], row["batch"], json.dumps(row["changes"])) for row in rows}):
        own = [row for row in rows if (row["network"], row["batch"], json.dumps(row["changes"])) == key]
        means = {name: statistics.fmean(row["test"][name] for row in own) for name in own[0]["test"]}
        free = [row["test"]["free"] for row in own]
        drawn = " or ".join(f"{statistics.fmean(row['drawn'][way] for row in own):.2f}" for way in own[0]["drawn"])
        print(
            f"| `{key[0]}` {key[2] if key[2] != '{}' else ''} | {key[1]} | {len(own)} | {own[0]['updates']} | "
            f"{own[0]['parameters']:,} | {means['forced']:.3f} | **{means['free']:.3f}** "
            f"({min(free):.3f}-{max(free):.3f}) | {means['nats']:.1f} | {means['whole']:.3f} | {drawn} |"
        )


if __name__ == "__main__":
    main()
