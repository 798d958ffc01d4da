"""What a style of windows draws and how it steers, on windows that it never saw.

    python benchmarks/space.py melody --corpus folk
    python benchmarks/space.py drums --corpus groove --folder FOLDER/groove

Drawing: how far the measures of drawn windows (density, syncopation and so on) lie from those of held-out human ones:
the mean over the measures of the first Wasserstein distance, in standard deviations. Beside it what windows learnt
from come to, which is as near as can be. Three ways of drawing points are compared: the standard normal distribution
that the network was told to keep near to, one normal distribution fitted to the points of the music, and what styles
use: near to points of the music. Told at temperature 1; `new` is the share of drawn windows that are none of those
learnt from.

Going between: the same distance for windows on the way from one held-out window to another, at temperature 0.5.

Varying: of the steps of held-out windows so many are the same in what is like them, by the similarity asked for.

Chords: what share of what sounds on the beats is of its bar's chord, in held-out windows, in windows that are drawn and
told the chords of these or not, and in what is composed in them.

Steering: held-out windows are steered by one standard deviation in each measure; a row says what all measures then did,
the mean over the windows, and the share of windows in which the measure that was to rise did.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from kapelle.corpora import get, split
from kapelle.errors import CodecError
from kapelle.music.triads import ROOTS, SIGNS
from kapelle.sampling import Taste, tell
from kapelle.styles import WindowStyle, load_style
from kapelle.styles.space import between

SIMILARITIES = (1.0, 0.9, 0.7, 0.4, 0.0)


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
    varying(style, held_out[: options.steered // 4])
    if style.codec.vocabulary.chords:
        harmony(style, held_out[: options.windows // 4])
    steering(style, held_out, options.steered)


def cut(codec: Any, pieces: Any) -> np.ndarray:
    """Windows of pieces in the first metre of the style, in an order of chance; pieces that lack a part give none."""
    found: list[np.ndarray] = []
    for piece in pieces:
        with contextlib.suppress(CodecError):
            found += [window for window in codec.windows(piece.score)[0] if window[0, 0] == 0]
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
    ends = style.player.encode(held_out[:count])[0]
    others = ends[rng.permutation(len(ends))]
    ways = {
        "standard normal": rng.standard_normal((count, size)),
        "one normal, fitted": points.mean(0) + space.stray(count, rng),
        "near points of the music": space.draw(0, count, rng),
        "points of held-out windows": style.player.encode(held_out[count : 2 * count])[0],
        "a third of the way to another": np.array([between(*pair, 1 / 3) for pair in zip(ends, others, strict=True)]),
        "half of the way": np.array([between(*pair, 0.5) for pair in zip(ends, others, strict=True)]),
    }
    human = codec.measures(held_out[:count])
    print("| points | distance | silent | alike | new |\n|---|---|---|---|---|")
    print(f"| (windows learnt from) | {distance(codec.measures(learnt[:count]), human):.3f} | | | |")
    for name, chosen in ways.items():
        told = tell(style.player, codec, chosen, meter, Taste(0.5 if "way" in name else 1.0), rng)
        marks = [window.tobytes() for window in told]
        silent = np.mean([codec.num_notes(window) == 0 for window in told])
        new = np.mean([mark not in known for mark in marks])
        alike = 1 - len(set(marks)) / len(marks)
        print(f"| {name} | {distance(codec.measures(told), human):.3f} | {silent:.3f} | {alike:.3f} | {new:.3f} |")


def varying(style: WindowStyle, held_out: np.ndarray) -> None:
    """What share of the steps stays in windows that are like others."""
    codec: Any = style.codec
    print("\n| similarity | " + " | ".join(map(str, SIMILARITIES)) + " |\n|---|" + "---|" * len(SIMILARITIES))
    shares = []
    for similarity in SIMILARITIES:
        pairs = [(window, codec.encode(like)) for window in held_out for like in
                 style.vary(codec.decode(window), similarity, 4, seed=0)]  # fmt: skip
        shares.append(np.mean([(one == other).all(1).mean() for one, other in pairs]))
    print("| the same steps | " + " | ".join(f"{share:.0%}" for share in shares) + " |")


def harmony(style: WindowStyle, held_out: np.ndarray) -> None:
    """Shares of what sounds on beats that is of its bar's chord."""
    codec: Any = style.codec
    space, meter = style.space, codec.vocabulary.meters[0]
    assert space is not None
    lines, rng = np.stack([codec.harmony(window) for window in held_out]), np.random.default_rng(0)
    names = ("N.C.", *(root + sign for sign in SIGNS for root in ROOTS))
    about = style.player, codec, space.draw(0, len(held_out), rng), meter, Taste(*codec.taste[:1]), rng
    composed = [
        codec.encode(style.compose(chords=" ".join(names[word] for word in line), meter=meter, seed=seed))
        for seed, line in enumerate(lines)
    ]
    ways = {"held out": held_out, "not told": tell(*about), "told": tell(*about, chords=lines), "composed": composed}
    print(f"\n| in its chord | {' | '.join(ways)} |\n|---|" + "---|" * len(ways))
    shares = [
        np.nanmean([codec.in_chords(window, line) for window, line in zip(windows, lines, strict=True)])
        for windows in ways.values()
    ]
    print("| on the beats | " + " | ".join(f"{share:.0%}" for share in shares) + " |")


def distance(own: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """The mean over measures that vary of the first Wasserstein distance between samples of one size."""
    varied = [name for name in own if other[name].std()]
    return float(np.mean([np.abs(np.sort(own[n]) - np.sort(other[n])).mean() / other[n].std() for n in varied]))


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
