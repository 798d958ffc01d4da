"""Corpora: collections of scores to learn from.

The folder is the registry. A named corpus is one module here (or one that another package names under the entry
point group `kapelle.corpora`) with four names:

    NAME      short and unique, "folk"
    TITLE     as shown to people
    LICENCE   under which weights learnt from it may be given on
    load      (cache: Path | None, progress=None) -> Corpus

One that is read from files of the user's, such as `piano`, says READS_FOLDER = True, and `load` takes their folder
instead of the cache.

`load_folder` makes a corpus of any folder of music; `split` divides one for training.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from ..errors import CorpusError
from .corpus import Corpus, Piece, deduplicate, group_near
from .folder import load_folder
from .likeness import digest, fingerprint, melody_grams
from .split import Split, split
from .tunes import Progress

__all__ = [
    "Corpus",
    "Piece",
    "Progress",
    "Source",
    "Split",
    "deduplicate",
    "digest",
    "fingerprint",
    "get",
    "group_near",
    "load_folder",
    "melody_grams",
    "sources",
    "split",
]

GROUP = "kapelle.corpora"


class Source(Protocol):
    """A named corpus: a module, or any object with these four names."""

    NAME: str
    TITLE: str
    LICENCE: str

    def load(self, place: Path | None, /, progress: Progress | None = None) -> Corpus:
        """The corpus; `place` is the folder for its cache, or of its files where it needs some."""


def sources() -> dict[str, Source]:
    """Every named corpus by its name.

    >>> sorted(sources())[:2]
    ['bands', 'chorale']
    """
    found: list[Any] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        if hasattr(module, "NAME") and hasattr(module, "load"):
            found.append(module)
    found.extend(point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name))
    return {source.NAME: cast(Source, source) for source in found}


def get(name: str) -> Source:
    """The corpus of that name.

    Raises:
        CorpusError: if there is none.
    """
    known = sources()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise CorpusError(f"expected one of the corpora {', '.join(sorted(known))}, got {name!r}{hint}")
    return known[name]
