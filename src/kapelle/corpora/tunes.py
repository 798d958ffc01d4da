"""Collections of tunes in ABC notation as pieces: what `folk` and `essen` have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import CorpusError
from .abc import Tune, parse_tune, split_tunes, tune_score
from .cache import Parsed
from .corpus import Piece

Progress = Callable[[int, int], None]
"""Called with the number of items done and of all items."""

MIN_NOTES = 8
"""A shorter piece teaches nothing."""


def load_tunes(
    files: Iterable[tuple[str, Path]],
    tempo: Callable[[str, Tune], float],
    program: int,
    missing_lines: bool = False,
    progress: Progress | None = None,
) -> Parsed:
    """Every tune of the files that can be read, and why the others cannot.

    Args:
        files: ABC files, each with the name of its collection.
        tempo: quarters per minute for a tune of a collection that states none.
        program: General MIDI program of the tunes.
        missing_lines: whether bar lines may be missing where a bar is full.
    """
    texts = [(collection, path, text) for collection, path in files for text in split_tunes(path)]
    pieces, skipped = [], []
    for index, (collection, path, text) in enumerate(texts):
        number = text.split("\n", 1)[0][2:].strip()
        source = f"{collection}, {path.stem}, {number}"
        try:
            tune = parse_tune(text)
            score = tune_score(tune, tempo(collection, tune), program, missing_lines)
            if score.num_notes < MIN_NOTES:
                raise CorpusError(f"fewer than {MIN_NOTES} notes")
            pieces.append(Piece(score, score.title or source, source))
        except CorpusError as error:
            skipped.append((source, str(error)))
        if progress is not None:
            progress(index + 1, len(texts))
    return tuple(pieces), tuple(skipped)
