"""The Essen folk song collection from music21's corpus: for comparing figures, not for styles that are given on."""

from __future__ import annotations

from pathlib import Path

from .abc import Tune
from .cache import cached
from .corpus import Corpus
from .m21 import cache_key, music21_corpus
from .tunes import Progress, load_tunes

NAME = "essen"
TITLE = "Essen folk songs"
LICENCE = (
    "Songs mostly in the public domain; the encodings are a database under its own terms. For benchmarks only: do "
    "not give on weights learnt from it."
)
ATTRIBUTION = ("Essen Associative Code and Folksong Database, Helmut Schaffrath, by way of the corpus of music21",)

_VERSION = 1
_FLUTE = 73
_TEMPO = 100.0


def load(cache: Path | None = None, progress: Progress | None = None) -> Corpus:
    """The songs that have a metre, each once through, for one flute at 100 quarters a minute.

    Source:
        The ABC files of the installed music21, kept as arrays in `cache` (the user's cache folder without it).

    Raises:
        MissingExtra: without music21.
    """
    files = [("Essen", path) for path in sorted(music21_corpus("essenFolksong").glob("*.abc"))]
    key = cache_key(NAME, _VERSION)
    # These files write no bar line at the end of a text line.
    pieces, skipped = cached(key, lambda: load_tunes(files, _tempo, _FLUTE, True, progress), cache)
    return Corpus.of(NAME, pieces, skipped, LICENCE, ATTRIBUTION)


def _tempo(collection: str, tune: Tune) -> float:
    return _TEMPO
