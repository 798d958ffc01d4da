"""How notes stand in the bars of fiddle tunes: makes the table that `kapelle.listening` finds metre and tempo by.

    python benchmarks/listening_meters.py --out src/kapelle/listening/meters.npz

A tune in 2/4 counts as one in 4/4 of notes twice as long too, for songs go in quarters where dances go in eighths.
Counted are, for each metre, steps in sixteenths from each place of the bar, the places of first and last notes, and
the degrees of the scale at each place. Of every five tunes of the corpus `folk` three are counted, told by their
notes alone: `part` is 0 for those that settings were chosen by, and 1 for those that are measured by.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from kapelle.corpora import digest, get
from kapelle.listening.meters import FIELDS, METERS, STEPS_PER_QUARTER
from kapelle.music import Meter, Score, detect_key

FARTHEST = 48
"""Sixteenths; a longer step counts as this."""

ALIAS = {"2/2": "4/4"}


def part(score: Score) -> int:
    """To which fifth a tune belongs: 0 to choose settings by, 1 to measure by, 2 to 4 to count."""
    return int(digest(score)[:8], 16) % 5


def tunes(corpus: str, parts: tuple[int, ...]) -> list[Score]:
    """The tunes of a corpus that have one voice and one metre, of these fifths."""
    found = []
    for piece in get(corpus).load(None).pieces:
        notes = piece.score.tracks[0].notes
        one_voice = len(notes) > 1 and not (notes.onset[1:] < notes.end[:-1]).any()
        if one_voice and len(piece.score.meters) == 1 and part(piece.score) in parts:
            found.append(piece.score)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("src/kapelle/listening/meters.npz"))
    out = parser.parse_args().out
    counts = {}
    for name in METERS:
        bar = round(Meter.parse(name).bar_quarters * STEPS_PER_QUARTER)
        shapes = ((bar, FARTHEST + 1), (bar,), (bar,), (bar, 12))
        counts |= {f"{name} {what}": np.zeros(shape, np.int32) for what, shape in zip(FIELDS, shapes, strict=True)}
    told = dict.fromkeys(METERS, 0)
    for score in tunes("folk", (2, 3, 4)):
        name = ALIAS.get(score.meters[0].name, score.meters[0].name)
        if name in METERS:
            told[name] += count(score, [counts[f"{name} {what}"] for what in FIELDS])
        if name == "2/4":
            told["4/4"] += count(score, [counts[f"4/4 {what}"] for what in FIELDS], longer=2)
    with out.open("wb") as file:
        np.savez_compressed(file, **counts)
    print(f"{out}: {out.stat().st_size} bytes, counted in {told}")


def count(score: Score, counts: list[np.ndarray], longer: int = 1) -> bool:
    """Count the notes of one tune, each so many times as long, if all stand on sixteenths."""
    unit = score.ticks_per_quarter // STEPS_PER_QUARTER
    notes = score.tracks[0].notes
    if (notes.onset % unit).any():
        return False
    bar = score.meters[0].bar_length(score.ticks_per_quarter)
    place = longer * ((notes.onset - score.pickup) % bar) // unit
    key = detect_key(notes.pitch, np.minimum(notes.duration, 4 * score.ticks_per_quarter))
    advance, first, last, degree = counts
    np.add.at(advance, (place[:-1], np.minimum(longer * np.diff(notes.onset) // unit, FARTHEST)), 1)
    np.add.at(degree, (place, (notes.pitch - key.tonic) % 12), 1)
    first[place[0]] += 1
    last[place[-1]] += 1
    return True


if __name__ == "__main__":
    main()
