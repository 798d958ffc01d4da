"""Keyboard pieces in sixteenths by composers of whom there are several, each a manner that can be mixed."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np

from ..errors import CorpusError
from ..music import Score
from . import classical
from .corpus import Corpus, Piece
from .tunes import Progress

NAME = "composers"
READS_FOLDER = True
TITLE = "Composers"
LICENCE = classical.LICENCE

ON_GRID, NEAR = 0.95, 1 / 96
"""Share of a piece's onsets that must lie on sixteenths, and quarters by which one may miss them."""
LEAST_PIECES = 8
"""Of a composer of fewer pieces too little would be learnt to tell him by."""


def load(folder: str | os.PathLike[str], progress: Progress | None = None) -> Corpus:
    """The pieces of `piano` and, played on the piano, those for organ, as far as they are told well in sixteenths.

    A picture of finer frames is three times as long, most of it says nothing, and learning takes as much longer. So
    pieces with more than a few triplets or ornaments written out are left out, and composers of fewer than
    eight pieces that stay.

    Args:
        folder: holds the composers' folders.
        progress: called with the number of files done and of all files.

    Raises:
        CorpusError: if there are no such files, or no composer of so many pieces.
    """
    corpus = classical.chosen(NAME, Path(folder), classical.KEYBOARDS | {"organ"}, progress)
    skipped = [(piece.source, "not in sixteenths") for piece in corpus.pieces if not _in_sixteenths(piece.score)]
    kept = [piece for piece in corpus.pieces if _in_sixteenths(piece.score)]
    count = Counter(_composer(piece) for piece in kept)
    few = [piece for piece in kept if count[_composer(piece)] < LEAST_PIECES]
    skipped += [(piece.source, f"one of fewer than {LEAST_PIECES} pieces of its composer") for piece in few]
    kept = [piece for piece in kept if count[_composer(piece)] >= LEAST_PIECES]
    if not kept:
        raise CorpusError(
            f"expected a composer of {LEAST_PIECES} pieces in sixteenths or more in {folder}, found none; "
            "point to the folder of the composers"
        )
    return Corpus.of(NAME, kept, [*corpus.skipped, *skipped], LICENCE, corpus.attribution)


def _composer(piece: Piece) -> str:
    return piece.source.split("/")[0]


def _in_sixteenths(score: Score) -> bool:
    onset = np.concatenate([track.notes.onset for track in score.tracks]) * (4 / score.ticks_per_quarter)
    return bool((np.abs(onset - np.round(onset)) <= 4 * NEAR).mean() >= ON_GRID)
