"""Sixteen bars of a trio: how each part is found again.

    python benchmarks/trio.py games --style trio
    python benchmarks/trio.py games --network musicvae --changes '{"blind": 0.95}' --minutes 1.2
    python benchmarks/trio.py games --network hierdec-trio_16bar --minutes 1.2 --changes
        '{"latent_dim": 64, "embed_dim": 48, "encoder_dims": [160, 160], "conductor_dims": [160, 160],
          "decoder_dims": [160, 160]}'

FOLDER is that of the corpus `bands`. A style is measured, or a network trained for so many minutes of processor time on
one thread and then measured. Windows in 4/4 of held-out pieces: for each part the share of steps in which all of it is
right, most likely words from the mean of the point, told the truth of the steps before, what it said of them itself, or
nothing; how many of its notes are found again (F1); the nats of a point; and in how many windows between real clips
each part is silent.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from kapelle.codecs.bars import BarsCodec
from kapelle.codecs.bars.vocabulary import GIVEN
from kapelle.corpora import get, split
from kapelle.errors import CodecError
from kapelle.networks import Columns, network
from kapelle.styles import load_style

MOST = 80
"""So many windows of a part are measured."""
SQUARES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--style")
    parser.add_argument("--network", default="musicvae")
    parser.add_argument("--changes", type=json.loads, default={}, help="of the configuration, as JSON")
    parser.add_argument("--minutes", type=float, default=1.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, help="learning rate  [0.005, and 0.001 for published networks]")
    options = parser.parse_args()
    corpus = get("bands").load(options.folder)
    style: Any = load_style(options.style) if options.style else None
    codec: Any = style.codec if style else BarsCodec.for_scores((p.score for p in corpus.pieces), kind="trio", bars=16)
    parts = split(corpus, 0)
    windows = {part: cut(codec, getattr(parts, part)) for part in ("train", "valid", "test")}
    player = style.player if style else trained(codec, windows, options)
    for part, own in windows.items():
        usual = [window for window in own if window[0, 0] == 0]
        print(part, json.dumps(found_again(player, codec, np.stack(usual[:: max(len(usual) // MOST, 1)]))), flush=True)
    if style:
        for temperature in (0.0, 0.5):
            print("silent at", temperature, json.dumps(silent(style, (*parts.valid, *parts.test), temperature)))


def cut(codec: Any, pieces: Any) -> list[np.ndarray]:
    """Every window of pieces that have the parts."""
    found: list[np.ndarray] = []
    for piece in pieces:
        try:
            found += codec.windows(piece.score)[0]
        except CodecError:
            continue
    return found


def trained(codec: Any, windows: dict[str, list[np.ndarray]], options: argparse.Namespace) -> Any:
    """The player of a network that has learnt for so long."""
    from kapelle.training.trainer import Recipe, fit

    net = network(options.network, Columns.of(codec.layout), **options.changes)
    rate = options.rate or (5e-3 if options.network == "musicvae" else 1e-3)
    recipe = Recipe(options.minutes, seed=options.seed, threads=1, learning_rate=rate, averaging=0.99, patience=None,
                    crop=1 << 16, clock=time.process_time)  # fmt: skip
    outcome = fit(net, codec, windows["train"], windows["valid"], recipe)
    print(f"{outcome.updates} updates, {sum(weight.size for weight in outcome.weights.values()):,} weights", flush=True)
    return net.player(outcome.weights)


def found_again(player: Any, codec: Any, told: np.ndarray) -> dict[str, Any]:
    """Shares of steps that are right, of each part and of all, and the nats of a point."""
    fields = codec.vocabulary.fields
    columns = {
        name: [GIVEN + at for at, field in enumerate(fields) if codec.vocabulary.parts[field.part] == name]
        for name in codec.vocabulary.parts
    }
    columns["all"] = [GIVEN + at for at in range(len(fields))]
    mean, deviation = player.encode(told)
    paid = np.stack([codec.paid(window) for window in told])
    figures: dict[str, Any] = {"nats": float((0.5 * (mean**2 + deviation**2 - 1) - np.log(deviation)).sum(1).mean())}
    for how in ("told", "free", "alone"):
        player.begin(mean, told[0], blind=how == "alone")
        said = np.zeros_like(told)
        for step in range(told.shape[1]):
            for column in player.config.columns.predicted:
                words = np.where(paid[:, step, column], player.logits(column).argmax(1), 0)
                said[:, step, column] = words
                player.put(column, told[:, step, column] if how == "told" else words)
        figures[how] = {
            name: round(float((said[:, :, own] == told[:, :, own]).all(2).mean()), 3) for name, own in columns.items()
        }
        figures[f"{how}, notes"] = {name: round(_notes(said, told, own, fields), 3) for name, own in columns.items()}
    return figures


def _notes(said: np.ndarray, told: np.ndarray, columns: list[int], fields: Any) -> float:
    """Twice the notes that are found again, by those that are said and those that there are (F1)."""
    strikes = np.array([fields[column - GIVEN].strikes for column in columns])
    there, here = told[:, :, columns] >= strikes, said[:, :, columns] >= strikes
    again = there & here & (told[:, :, columns] == said[:, :, columns])
    return float(2 * again.sum() / max(there.sum() + here.sum(), 1))


def silent(style: Any, pieces: Any, temperature: float) -> dict[str, int]:
    """In how many windows of SQUARES squares of 11 by 11, corners left out, each part has no note at all."""
    clips = []
    for piece in pieces:
        with contextlib.suppress(CodecError):
            own = [window for _, window in style.windows(piece.score) if window.meters[0].name == "4/4"][::8]
            clips += [own] if own else []
    rng, found, windows = np.random.default_rng(1), np.zeros(len(style.codec.vocabulary.parts), int), 0
    for _ in range(SQUARES):
        corners = [clips[place][rng.integers(len(clips[place]))] for place in rng.permutation(len(clips))[:4]]
        cells = [cell for row in style.grid(corners, 11, temperature) for cell in row]
        inside = [cell for number, cell in enumerate(cells) if number not in (0, 10, 110, 120)]
        found += np.sum([[not len(track.notes) for track in cell.tracks] for cell in inside], 0)
        windows += len(inside)
    return dict(zip(style.codec.vocabulary.parts, found.tolist(), strict=True)) | {"of": windows}


if __name__ == "__main__":
    main()
