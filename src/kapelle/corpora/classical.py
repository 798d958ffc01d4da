"""Piano pieces by the classics, from a folder laid out as composer / source / files."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import CorpusError
from ..music import Score, merge
from .corpus import Corpus, Piece
from .folder import load_files
from .tunes import Progress

NAME = "piano"
READS_FOLDER = True
TITLE = "Classical piano"
LICENCE = (
    "CC BY-SA 4.0 for weights learnt from it: the files are CC BY-SA 3.0 Germany (piano-midi.de), in the public "
    "domain, CC BY or CC BY-SA (Mutopia); all of these may be adapted under it with attribution."
)
ATTRIBUTION = ("Bernd Krueger, http://www.piano-midi.de, CC BY-SA 3.0 Germany",)

KEYBOARDS = frozenset({"piano", "harpsichord", "clavichord"})
"""Instruments whose pieces are for the piano."""
_ADAPTABLE = re.compile(r"public domain|creative commons attribution(-sharealike)? [2-4]\.\d", re.IGNORECASE)


def load(folder: str | os.PathLike[str], progress: Progress | None = None) -> Corpus:
    """The piano pieces whose licences allow weights learnt from them to be given on.

    Two sources count, each a folder inside a composer's: `piano_midi_de` with any MIDI files, and `mutopia` with an
    `index.csv` of columns file, title, instrument, licence, typeset_by. Public domain, CC BY and CC BY-SA from 2.0 on
    are taken; 1.0 has no way to a later licence. All notes of a piece stand in one piano track. Rubato stays in the
    tempo map.

    Args:
        folder: holds the composers' folders, or is one of them.
        progress: called with the number of files done and of all files.

    Raises:
        CorpusError: if there are no such files, or none that can be used.
    """
    return chosen(NAME, Path(folder), KEYBOARDS, progress)


def chosen(name: str, root: Path, instruments: frozenset[str], progress: Progress | None = None) -> Corpus:
    """What `load` gives, of pieces for some instruments; all of them are played on a piano.

    Args:
        name: of the corpus.
        root: the folder.
        instruments: as they are called in the lists of files.
        progress: as in `load`.

    Raises:
        CorpusError: as in `load`.
    """
    skipped: list[tuple[str, str]] = []
    credits: dict[Path, str] = {}
    for path, credit in _choose(root, instruments, skipped):
        credits[path] = credit
    if not credits:
        raise CorpusError(
            f"expected folders like composer/piano_midi_de or composer/mutopia with MIDI files in {root}, found none; "
            "point to the folder of the composers"
        )
    loaded, failed = load_files(root, sorted(credits), progress)
    titles = _titles(root)
    pieces = []
    # How organs are told in MIDI is so various that their lists are believed instead.
    programs = range(128 if "organ" in instruments else 8)
    for piece in loaded:
        if all(track.program in programs and not track.is_drum for track in piece.score.tracks if len(track.notes)):
            pieces.append(Piece(_one_piano(piece.score), titles.get(Path(piece.source).stem, piece.name), piece.source))
        else:
            failed.append((piece.source, "other instruments than the piano"))
    if not pieces:
        raise CorpusError(f"expected piano pieces in {root}, but none of {len(credits)} files is one; check the folder")
    used = {piece.source for piece in pieces}
    lines = sorted({credit for path, credit in credits.items() if path.relative_to(root).as_posix() in used})
    return Corpus.of(name, pieces, [*skipped, *failed], LICENCE, lines)


def _choose(root: Path, keyboards: frozenset[str], skipped: list[tuple[str, str]]) -> Iterator[tuple[Path, str]]:
    for source in sorted({*root.glob("piano_midi_de"), *root.glob("*/piano_midi_de")}):
        for path in sorted(source.glob("*.mid")):
            yield path, ATTRIBUTION[0]
    for index in sorted({*root.glob("mutopia/index.csv"), *root.glob("*/mutopia/index.csv")}):
        with open(index, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                path = index.parent / row["file"]
                name = path.relative_to(root).as_posix()
                named = {word.strip().lower() for word in re.split(r"[,&]| and ", row["instrument"])}
                if not named <= keyboards:
                    skipped.append((name, "other instruments than the piano"))
                elif not _ADAPTABLE.fullmatch(row["licence"].strip()):
                    skipped.append((name, f"the licence does not allow it: {row['licence']}"))
                elif not path.is_file():
                    skipped.append((name, "the file is missing"))
                else:
                    yield path, f"{row['title']}: typeset by {row['typeset_by']} for Mutopia, {row['licence']}"


def _titles(root: Path) -> dict[str, str]:
    """Titles by the stems of files, from the lists that lie beside them; the files themselves often have none."""
    titles = {}
    for table in (root / "piano_midi_de_metadata.csv", root.parent / "piano_midi_de_metadata.csv"):
        if table.is_file():
            with open(table, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    titles[Path(row["midi"]).stem] = f"{row['composer']}: {row['title'].replace('_', ' ')}"
    for index in (*root.glob("mutopia/index.csv"), *root.glob("*/mutopia/index.csv")):
        with open(index, encoding="utf-8", newline="") as file:
            titles.update({Path(row["file"]).stem: row["title"] for row in csv.DictReader(file)})
    return titles


def _one_piano(score: Score) -> Score:
    sounding = score.replace(tracks=tuple(track for track in score.tracks if len(track.notes)))
    tracks = tuple(track.replace(program=0, name="Piano") for track in merge(sounding).tracks)
    return score.replace(tracks=tracks)
