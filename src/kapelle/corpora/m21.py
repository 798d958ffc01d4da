"""The corpus that comes with music21, found without importing it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from ..errors import CorpusError, MissingExtra


def music21_corpus(folder: str) -> Path:
    """A folder of the installed music21's corpus.

    Raises:
        MissingExtra: without music21.
        CorpusError: if it was installed without its corpus.
    """
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("music21's corpus", "score")
    path = Path(spec.submodule_search_locations[0]) / "corpus" / folder
    if not path.is_dir():
        raise CorpusError(f"music21 should bring its corpus, but there is no {path}; install music21 from PyPI")
    return path


def cache_key(name: str, version: int) -> str:
    """What to call a cache: it changes with our loader's version and with music21's."""
    try:
        return f"{name}-{version}-music21-{importlib.metadata.version('music21')}"
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtra("music21's corpus", "score") from error
