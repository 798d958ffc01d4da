"""A folder of music files as a corpus."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import files
from ..errors import CorpusError, FileError, KapelleError
from ..music import Score
from .corpus import Corpus, Piece
from .tunes import MIN_NOTES, Progress

LICENCE = "not stated; whoever gave the files knows under which terms they may be used"


def load_folder(path: str | os.PathLike[str], progress: Progress | None = None) -> Corpus:
    """Every piece in a folder and the folders in it, or one file.

    Files of a format that `kapelle.files` knows are loaded in order of their paths; hidden files and folders are
    passed over. What cannot be read, and what has fewer than eight notes, is left out with its reason.

    Args:
        path: a folder or a file.
        progress: called with the number of files done and of all files.

    Raises:
        CorpusError: if there is no such folder, no music in it, or none that can be used.
    """
    root = Path(path)
    if not root.exists():
        raise CorpusError(
            f"expected a folder of music or one music file, but there is no {shown(root)}; check the path"
        )
    known = {suffix for form in files.formats().values() for suffix in form.SUFFIXES if not hasattr(form, "BEGINS")}
    unreadable: list[tuple[str, str]] = []
    found = list(walk(root, unreadable))
    wanted = [file for file in found if files.holds_music(file)]
    if not wanted:
        raise CorpusError(_no_music(root, found, known, unreadable))
    base = root if root.is_dir() else root.parent
    pieces, skipped = load_files(base, wanted, progress)
    corpus = Corpus.of(shown(Path(root.resolve().name)), pieces, [*unreadable, *skipped], LICENCE)
    if not corpus.pieces:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in corpus.reasons.most_common(3))
        were = "its one file was" if len(wanted) == 1 else f"all {len(wanted)} files were"
        raise CorpusError(
            f"expected at least one usable piece in {shown(root)}, but {were} left out: "
            f"{reasons}; add music files that open elsewhere"
        )
    return corpus


def load_files(
    base: Path, paths: Sequence[Path], progress: Progress | None = None
) -> tuple[list[Piece], list[tuple[str, str]]]:
    """The pieces in these files, named by their paths inside `base`, and why others are left out."""
    pieces, skipped = [], []
    for index, path in enumerate(paths):
        found = load_one(path)
        for number, (score, reason) in enumerate(found, 1):
            source = shown(path.relative_to(base)) + (f", {number}" if len(found) > 1 else "")
            if score is None:
                skipped.append((source, reason))
            else:
                pieces.append(Piece(score, score.title.strip() or shown(Path(path.stem)), source))
        if progress is not None:
            progress(index + 1, len(paths))
    return pieces, skipped


def load_one(path: Path) -> list[tuple[Score | None, str]]:
    """Each piece in a file, or none and in one line why not."""
    try:
        return [_judged(found) for found in files.load_all(path)]
    except KapelleError as error:
        # Errors of files begin with the whole path, which the list of what was left out tells already.
        return [(None, str(error).removeprefix(f"{os.fspath(path)}: "))]
    # Readers that other packages bring must not end the loading of a thousand files.
    except Exception as error:
        return [(None, f"cannot be read: {type(error).__name__}: {' '.join(str(error).split())[:200]}")]


def _judged(found: Score | FileError) -> tuple[Score | None, str]:
    if isinstance(found, FileError):
        return None, str(found)
    return (None, f"fewer than {MIN_NOTES} notes") if found.num_notes < MIN_NOTES else (found, "")


def walk(root: Path, unreadable: list[tuple[str, str]]) -> Iterator[Path]:
    """Every file of a folder and the folders in it, but hidden ones, in order; what cannot be read is noted."""
    if root.is_file():
        yield root
        return

    def note(error: OSError) -> None:
        folder = Path(error.filename or root)
        unreadable.append((shown(folder), f"the folder cannot be read: {error.strerror}"))

    for folder, below, names in os.walk(root, onerror=note):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder, name)


def _no_music(root: Path, found: Sequence[Path], known: set[str], unreadable: Sequence[tuple[str, str]]) -> str:
    counts = Counter(file.suffix.lower() or "no suffix" for file in found)
    came = ", ".join(f"{shown(Path(suffix))} {count}" for suffix, count in counts.most_common(8)) or "no files at all"
    locked = f" and {len(unreadable)} folders that cannot be read" if unreadable else ""
    return (
        f"expected music files ({', '.join(sorted(known))}) in {shown(root)}, found {came}{locked}; "
        "point to a folder with such files; recordings are learnt from with --listen"
    )


def shown(path: Path) -> str:
    """A path as text that can be printed and stored, whatever bytes its name has."""
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")
