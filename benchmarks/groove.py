"""How near a played beat comes to the drummer who played it: loudness and timing of every hit, from the hits alone.

    python benchmarks/groove.py FOLDER/groove --minutes 6
    python benchmarks/groove.py FOLDER/groove --minutes 6 --test
    python benchmarks/groove.py FOLDER/groove --style groove --test

The Groove MIDI Dataset in its own split, cut into windows of two bars, one after the other. Of each window the hits are
heard, on the grid and all alike, and the tempo; what is told of loudness and timing is compared with what was played,
hit by hit. Means over all hits: of the error of timing in milliseconds and of its square in steps, of the error of
velocity and of its square, whose root is given. Beside Kapelle's network stand

    quantised   on the grid, as loud as drummers are in the mean
    linear      ridge regression, for each drum, from the hits up to a bar away, the place in the bar and the tempo
    groovae     `groovae_2bar_humanize` rebuilt, and trained for the same processor time on one thread

"mean" is what `kapelle groove --temperature 0` writes, "drawn" performances, one of each piece, whose error is higher,
since they do not stay in the midst; `W` says how far their distribution is from the drummers', in velocities and
milliseconds (first Wasserstein distance). Figures are of the validation part, and of the test part with --test.
"""

from __future__ import annotations

import argparse
import os
import pickle
import time
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from kapelle import load_style
from kapelle.codecs.bars import TIMING, VELOCITIES, BarsCodec, Vocabulary
from kapelle.corpora import get, split
from kapelle.networks import Columns, network
from kapelle.sampling import Taste
from kapelle.styles.performing import perform

REACH = 16
"""Steps each way whose hits the linear baseline sees."""
RIDGES = (10.0, 100.0, 1000.0, 3000.0)
NETWORKS = {"musicvae": 5e-3, "groovae_2bar_humanize": 1e-3}
"""What is trained, with its learning rate; all hear hits and nothing else."""
FINE = BarsCodec(Vocabulary("drums", velocities=tuple(range(1, 128)), timing=32))
"""As good as what was played."""


class Part(NamedTuple):
    """Windows of 32 steps: struck or not, velocity, lateness in steps, all of shape (N, 32, 9); tempo of each (N,)."""

    scores: list[Any]
    struck: np.ndarray
    loud: np.ndarray
    late: np.ndarray
    tempo: np.ndarray

    def known(self, codec: BarsCodec) -> np.ndarray:
        """The windows in the words of a codec."""
        return np.stack([steps for score in self.scores for _, steps in tiles(codec, score)])


def tiles(codec: BarsCodec, score: Any) -> list[Any]:
    """Windows of two bars of four quarters that sound."""
    return [(place, steps) for place, steps in codec.tiles(score)[1]
            if place.stop - place.start == 32 and codec.num_notes(steps)]  # fmt: skip


def part_of(pieces: Any) -> Part:
    scores = [piece.score for piece in pieces if tiles(FINE, piece.score)]
    steps = np.stack([own for score in scores for _, own in tiles(FINE, score)])
    tempo = np.array([score.tempos.mean(score.end) for score in scores for _ in tiles(FINE, score)])
    hits = FINE.vocabulary.hits
    return Part(scores, steps[..., hits] > 0, steps[..., hits + 1] + 1.0, (steps[..., hits + 2] - 32) / 64, tempo)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", default=",".join(NETWORKS), help="that are trained, with commas between")
    parser.add_argument("--style", action="append", default=[], help="a style beside them; its time is its own")
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/groove"), help="where trained networks are kept")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    parts = split(get("groove").load(options.folder), 0)
    train = part_of(parts.train)
    judged = part_of(parts.test if options.test else parts.valid)
    print(f"{len(train.struck)} windows to learn from, {len(judged.struck)} to judge by, {judged.struck.sum()} hits")
    print("| | timing, ms | its square, steps | velocity | root of its square | W timing | W velocity |")
    print("|---|---|---|---|---|---|---|", flush=True)
    tell("quantised", judged, np.full(judged.loud.shape, train.loud[train.struck].mean()), np.zeros(judged.late.shape))
    tell("linear", judged, *linear(train, part_of(parts.valid), judged))
    for name in filter(None, options.networks.split(",")):
        codec, player = trained(name, parts, options)
        told(name, codec, player, judged)
    for name in options.style:
        style: Any = load_style(name)
        told(f"style {name}", style.codec, style.player, judged)


def told(name: str, codec: BarsCodec, player: Any, judged: Part) -> None:
    """The rows of a network."""
    known, rng = codec.heard(judged.known(codec), "hits"), np.random.default_rng(0)
    mean = perform(player, codec, known, "hits", 1, Taste(0.0), rng)
    tell(f"`{name}`, mean", judged, mean.loud[0], mean.late[0])
    bounds = np.cumsum([len(tiles(codec, score)) for score in judged.scores])[:-1]
    # A piece has one drummer.
    for temperature in (1.0, 0.5):
        drawn = [perform(player, codec, own, "hits", 1, Taste(temperature), rng) for own in np.split(known, bounds)]
        loud, late = (np.concatenate([getattr(own, what)[0] for own in drawn]) for what in ("loud", "late"))
        tell(f"`{name}`, drawn at {temperature:g}", judged, loud, late)


def tell(name: str, judged: Part, loud: np.ndarray, late: np.ndarray) -> None:
    """A row."""
    hit = judged.struck
    milliseconds = np.broadcast_to((15000 / judged.tempo)[:, None, None], hit.shape)[hit]
    off, louder = (late - judged.late)[hit], (np.clip(loud, 1, 127) - judged.loud)[hit]
    lates, louds = ((np.sort(a[hit] * w) - np.sort(b[hit] * w)) for a, b, w in (
        (late, judged.late, milliseconds), (np.clip(loud, 1, 127), judged.loud, 1.0)))  # fmt: skip
    print(
        f"| {name} | {np.abs(off * milliseconds).mean():.2f} | {(off**2).mean():.5f} | {np.abs(louder).mean():.2f} | "
        f"{np.sqrt((louder**2).mean()):.2f} | {np.abs(lates).mean():.2f} | {np.abs(louds).mean():.2f} |",
        flush=True,
    )


def linear(train: Part, valid: Part, judged: Part) -> tuple[np.ndarray, np.ndarray]:
    """Velocity and lateness by ridge regression, its strength chosen on validation windows."""
    fits = {strength: _ridge(train, strength) for strength in RIDGES}

    def cost(strength: float) -> float:
        loud, late = _foretold(valid, fits[strength])
        hit = valid.struck
        return float(
            np.square((loud - valid.loud)[hit]).mean() / valid.loud[hit].var()
            + np.square((late - valid.late)[hit]).mean() / valid.late[hit].var()
        )

    return _foretold(judged, fits[min(RIDGES, key=cost)])


def _features(part: Part, drum: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    window, step = np.nonzero(part.struck[..., drum])
    around = np.pad(part.struck, ((0, 0), (REACH, REACH), (0, 0))).astype(np.float32)
    near = around[window[:, None], step[:, None] + np.arange(2 * REACH + 1)].reshape(len(window), -1)
    tempo = (part.tempo[window, None] - 110) / 40
    return window, step, np.hstack([near, np.eye(16)[step % 16], tempo, np.ones((len(window), 1))]).astype(np.float32)


def _ridge(train: Part, strength: float) -> list[np.ndarray]:
    found = []
    for drum in range(train.struck.shape[-1]):
        window, step, x = _features(train, drum)
        y = np.stack([train.loud[window, step, drum], train.late[window, step, drum]], 1)
        found.append(np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ y))
    return found


def _foretold(part: Part, fits: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    loud, late = np.zeros(part.loud.shape), np.zeros(part.late.shape)
    for drum, weights in enumerate(fits):
        window, step, x = _features(part, drum)
        loud[window, step, drum], late[window, step, drum] = (x @ weights).T
    return loud, np.clip(late, -0.5, 0.5)


def trained(name: str, parts: Any, options: argparse.Namespace) -> tuple[BarsCodec, Any]:
    """A network and its codec, trained for some time, or as it was left behind by an earlier call."""
    from kapelle.training.trainer import Recipe, fit

    scores = [piece.score for piece in (*parts.train, *parts.valid)]
    codec = BarsCodec.for_scores(scores, "drums", velocities=VELOCITIES, timing=TIMING, hears=("hits",))
    net = network(name, Columns.of(codec.layout))
    path = options.out / f"{name}-{options.minutes:g}-{options.seed}.pkl"
    if not path.exists():
        windows = [[w for piece in own for w in codec.windows(piece.score)[0]] for own in (parts.train, parts.valid)]
        chosen = np.random.default_rng(0).permutation(len(windows[1]))[:500]
        recipe = Recipe(options.minutes, seed=options.seed, threads=1, averaging=0.99, patience=None, crop=1 << 16,
                        clock=time.process_time, learning_rate=NETWORKS[name])  # fmt: skip
        outcome = fit(net, codec, windows[0], [windows[1][place] for place in chosen], recipe)
        path.write_bytes(pickle.dumps((outcome.updates, dict(outcome.weights))))
    updates, weights = pickle.loads(path.read_bytes())
    print(f"(`{name}`: {updates} updates, {sum(weight.size for weight in weights.values()):,} weights)", flush=True)
    return codec, net.player(weights)


if __name__ == "__main__":
    main()
