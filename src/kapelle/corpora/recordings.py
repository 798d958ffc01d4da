"""Recordings: a folder of sound is listened to, and what is heard is learnt from."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import CorpusError, FileError, KapelleError
from ..listening import Recording, music_of, read_recording
from ..music import Score
from .corpus import Corpus, Piece
from .folder import LICENCE, shown, walk
from .tunes import MIN_NOTES, Progress

NAME = "recordings"
TITLE = "Recordings"
READS_FOLDER = True

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")


def load(place: Path | None, progress: Progress | None = None) -> Corpus:
    """What is heard in every recording in a folder and the folders in it, or in one file.

    Recordings of one voice are listened to as melodies, others by the network for several notes at once. What
    cannot be read, gives fewer than eight notes, or needs what is not installed, is left out with its reason.

    Args:
        place: a folder or a file.
        progress: called with the number of recordings done and of all.

    Raises:
        CorpusError: if there is no such folder, no recording in it, or none in which music is heard.
    """
    root = Path("." if place is None else place)
    if not root.exists():
        raise CorpusError(f"expected a folder of recordings or one, but there is no {shown(root)}; check the path")
    unreadable: list[tuple[str, str]] = []
    wanted = [path for path in walk(root, unreadable) if path.suffix.lower() in SUFFIXES]
    if not wanted:
        raise CorpusError(f"expected recordings ({', '.join(SUFFIXES)}) in {shown(root)}, found none; point to others")
    base = root if root.is_dir() else root.parent
    pieces, skipped = [], unreadable
    for index, path in enumerate(wanted):
        source = shown(path.relative_to(base))
        try:
            pieces.append(Piece(_heard(path), shown(Path(path.stem)), source))
        except KapelleError as error:
            skipped.append((source, str(error).removeprefix(f"{os.fspath(path)}: ")))
        if progress is not None:
            progress(index + 1, len(wanted))
    corpus = Corpus.of(NAME, pieces, skipped, LICENCE)
    if not corpus.pieces:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in corpus.reasons.most_common(3))
        raise CorpusError(f"expected music in at least one recording in {shown(root)}, but none was heard: {reasons}")
    return corpus


def open_recording(path: str | os.PathLike[str]) -> Recording:
    """The sound in a file.

    Raises:
        FileError: if there is no such file, or it is no recording that can be read; the line starts with its path.
    """
    name = os.fspath(path)
    try:
        # Looked at before it is opened: a pipe to which nobody writes would never open.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FileError(
                f"expected one recording, got {'a folder' if os.path.isdir(path) else 'a device or a pipe'}"
            )
        with open(path, "rb") as file:
            return read_recording(file)
    except FileError as error:
        raise FileError(f"{name}: {error}") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise FileError(f"{name}: cannot be read: {reason}") from None


def _heard(path: Path) -> Score:
    score = music_of(open_recording(path), title=shown(Path(path.stem))).score
    if score.num_notes < MIN_NOTES:
        raise CorpusError(f"fewer than {MIN_NOTES} notes were heard")
    return score
