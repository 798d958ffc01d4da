"""Songs and music of games for bands of lead, bass and drums, from a folder laid out as source / files."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CorpusError
from .corpus import Corpus
from .folder import load_files
from .tunes import Progress

NAME = "bands"
READS_FOLDER = True
TITLE = "Bands"
LICENCE = "CC BY 4.0: the files are under the BSD licence of three clauses (Freedoom) and CC BY 4.0 (Tanner Helland)"
SOURCES = {
    "freedoom": "Freedoom, by the contributors to the Freedoom project, BSD 3-clause, https://github.com/freedoom/freedoom",
    "tannerhelland": "music by Tanner Helland, CC BY 4.0, https://github.com/tannerhelland/free-music",
}


def load(folder: str | os.PathLike[str], progress: Progress | None = None) -> Corpus:
    """Every piece of the two collections.

    Args:
        folder: holds folders named `freedoom` and `tannerhelland`, or folders that hold such.
        progress: called with the number of files done and of all files.

    Raises:
        CorpusError: if there are no such files, or none that can be used.
    """
    root = Path(folder)
    found = {
        name: sorted(path for place in (root / name, *root.glob(f"*/{name}")) for path in place.rglob("*.mid"))
        for name in SOURCES
    }
    paths = sorted(path for own in found.values() for path in own)
    pieces, skipped = load_files(root, paths, progress)
    if not pieces:
        raise CorpusError(
            f"expected MIDI files in folders named {' or '.join(SOURCES)} in {root}, found none that can be used; "
            "point to the folder that holds them"
        )
    return Corpus.of(NAME, pieces, skipped, LICENCE, [SOURCES[name] for name in SOURCES if found[name]])
