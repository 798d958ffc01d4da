"""How often Bach differs from himself where he harmonised one tune twice.

    python benchmarks/chorale_twice.py --data Jsb16thSeparated.json

Who gives a soprano the most likely other voices is wrong wherever Bach chose otherwise; so is Bach. Two chorales of any
part of the split count as one tune where, moved in key and by up to three beats, four fifths or more of their sopranos'
steps are the same; only these steps are compared. The figure is the share of steps in which one has another pitch
than the other, as `benchmarks/chorale_complete.py` counts it.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]
LATE = (0, 4, -4, 8, -8, 12, -12)
ALIKE, LONGER = 0.8, 32


def together(one: Steps, other: Steps) -> tuple[Steps, Steps]:
    """Where two pieces have the same soprano, in one key: steps of both, shape (n, 4); none if it is another tune."""
    best, found = 0.0, (one[:0], other[:0])
    for late in LATE:
        first, second = one[max(late, 0) :], other[max(-late, 0) :]
        length = min(len(first), len(second))
        moves = second[:length, 0] - first[:length, 0]
        key = np.bincount(moves - moves.min()).argmax() + moves.min()
        same = moves == key
        if same.mean() > best:
            best, found = float(same.mean()), (first[:length][same] + key, second[:length][same])
    return found if best >= ALIKE else (one[:0], other[:0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    splits = json.loads(parser.parse_args().data.read_text("utf-8"))
    pieces = [np.array(piece) for split in splits.values() for piece in split]
    differs = []
    for one, other in itertools.combinations(pieces, 2):
        if abs(len(one) - len(other)) <= LONGER:
            first, second = together(one, other)
            if len(first):
                differs.append(first[:, 1:] != second[:, 1:])
    wrong = np.concatenate(differs)
    parts = ", ".join(f"{name} {share:.3f}" for name, share in zip("ATB", wrong.mean(0), strict=True))
    print(
        f"{len(differs)} pairs, {len(wrong):,} steps: ATB {wrong.mean():.3f}; {parts}; frames {wrong.any(1).mean():.3f}"
    )


if __name__ == "__main__":
    main()
