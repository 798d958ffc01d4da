"""What a style of windows draws and how it steers, on windows that it never saw.

    python benchmarks/space.py melody --corpus folk
    python benchmarks/space.py drums --corpus groove --folder FOLDER/groove

Drawing: how far the measures of drawn windows (density, syncopation and so on) lie from those of held-out human ones:
the mean over the measures of the first Wasserstein distance, in standard deviations. Beside it what windows learnt
from come to, which is as near as can be. Three ways of drawing points are compared: the standard normal distribution
that the network was told to keep near to, one normal distribution fitted to the points of the music, and what styles
use: near to points of the music. Told at temperature 1; `new` is the share of drawn windows that are none of those
learnt from.

Steering: held-out windows are steered by one standard deviation in each measure; a row says what all measures then did,
the mean over the windows, and the share of windows in which the measure that was to rise did.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from kapelle.corpora import get, split
from kapelle.sampling import Taste, tell
from kapelle.styles import WindowStyle, load_style


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("style")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--windows", type=int, default=400, help="that are drawn, and compared with")
    parser.add_argument("--steered", type=int, default=40)
    options = parser.parse_args()
    style = load_style(options.style)
    assert isinstance(style, WindowStyle)
    codec: Any = style.codec
    parts = split(get(options.corpus).load(options.folder), style.card.seed)
    held_out = cut(codec, (*parts.valid, *parts.test))
    drawing(style, cut(codec, parts.train), held_out, options.windows)
    steering(style, held_out, options.steered)


def cut(codec: Any, pieces: Any) -> np.ndarray:
    """Windows of pieces in the first metre of the style, in an order of chance."""
    found = [window for piece in pieces for window in codec.windows(piece.score)[0] if window[0, 0] == 0]
    return np.stack(found)[np.random.default_rng(0).permutation(len(found))]


def drawing(style: WindowStyle, learnt: np.ndarray, held_out: np.ndarray, count: int) -> None:
    """The table of ways to draw points."""
    codec: Any = style.codec
    space = style.space
    assert space is not None
    rng = np.random.default_rng(0)
    points = style.player.encode(learnt[:4000])[0]
    known = {window.tobytes() for window in learnt}
    meter = codec.vocabulary.meters[0]
    size = points.shape[1]
    ways = {
        "standard normal": rng.standard_normal((count, size)),
        "one normal, fitted": points.mean(0) + space.stray(count, rng),
        "near points of the music": space.draw(0, count, rng),
        "points of held-out windows": style.player.encode(held_out[count : 2 * count])[0],
    }
    human = codec.measures(held_out[:count])
    print("| points | distance | silent | alike | new |\n|---|---|---|---|---|")
    print(f"| (windows learnt from) | {distance(codec.measures(learnt[:count]), human):.3f} | | | |")
    for name, chosen in ways.items():
        told = tell(style.player, codec, chosen, meter, Taste(1.0), rng)
        marks = [window.tobytes() for window in told]
        silent = np.mean([codec.num_notes(window) == 0 for window in told])
        new = np.mean([mark not in known for mark in marks])
        alike = 1 - len(set(marks)) / len(marks)
        print(f"| {name} | {distance(codec.measures(told), human):.3f} | {silent:.3f} | {alike:.3f} | {new:.3f} |")


def distance(own: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """The mean over measures of the first Wasserstein distance between samples of one size."""
    return float(
        np.mean([np.abs(np.sort(own[name]) - np.sort(other[name])).mean() / (other[name].std() + 1e-9) for name in own])
    )


def steering(style: WindowStyle, held_out: np.ndarray, count: int) -> None:
    """The table of what raising one measure does to all."""
    space, codec = style.space, style.codec
    assert space is not None
    print("\n| raised by 1 | " + " | ".join(space.names) + " | rose |\n|---|" + "---|" * (len(space.names) + 1))
    scores = [codec.decode(window) for window in held_out[:count]]
    before = [style.measure(score) for score in scores]
    for name in space.names:
        after = [style.measure(style.steer(score, {name: 1.0}, seed=0)) for score in scores]
        moved = {other: [b[other] - a[other] for a, b in zip(before, after, strict=True)] for other in space.names}
        cells = " | ".join(
            f"{'**' * (other == name)}{np.mean(moved[other]):+.2f}{'**' * (other == name)}" for other in space.names
        )
        print(f"| {name} | {cells} | {np.mean(np.array(moved[name]) > 0):.0%} |")


if __name__ == "__main__":
    main()
