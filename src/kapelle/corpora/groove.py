"""The Groove MIDI Dataset: drummers on an electronic kit, from the folder of its files."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

from ..errors import CorpusError
from .corpus import Corpus, Piece
from .folder import load_files
from .tunes import Progress

NAME = "groove"
READS_FOLDER = True
TITLE = "Drummers"
LICENCE = "CC BY 4.0"
ATTRIBUTION = (
    "Groove MIDI Dataset, Jon Gillick, Adam Roberts, Jesse Engel, Douglas Eck and David Bamman, CC BY 4.0, "
    "https://magenta.tensorflow.org/datasets/groove",
)
PARTS = {"train": "train", "validation": "valid", "test": "test"}
"""The dataset's own split."""


def load(folder: str | os.PathLike[str], progress: Progress | None = None) -> Corpus:
    """Every take of the dataset.

    Args:
        folder: of the dataset, with its `info.csv`.
        progress: called with the number of files done and of all files.

    Raises:
        CorpusError: if there is no such table, or nothing that can be used.
    """
    root = Path(folder)
    rows = table(root)
    pieces, skipped = load_files(root, [root / name for name in sorted(rows) if (root / name).is_file()], progress)
    named = [Piece(piece.score, _name(rows[piece.source]), piece.source) for piece in pieces]
    if not named:
        raise CorpusError(f"expected the MIDI files that {root / 'info.csv'} names, found none; fetch the dataset anew")
    corpus = Corpus.of(NAME, named, skipped, LICENCE, ATTRIBUTION)
    return replace(corpus, pieces=tuple(replace(p, part=PARTS.get(rows[p.source]["split"], "")) for p in corpus.pieces))


def table(root: Path) -> dict[str, dict[str, str]]:
    """The rows of `info.csv` by the paths of their files.

    Raises:
        CorpusError: if there is none, or it has other columns.
    """
    try:
        with (root / "info.csv").open(encoding="utf-8", newline="") as file:
            return {row["midi_filename"]: row for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError):
        raise CorpusError(
            f"expected the folder of the Groove MIDI Dataset with its info.csv, got {root}; point to it"
        ) from None


def _name(row: dict[str, str]) -> str:
    return f"{row['style'].replace('/', ', ')}, {row['bpm']}, {row['drummer']}"
