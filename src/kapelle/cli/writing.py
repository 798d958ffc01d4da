"""Which files a command is to write: found out before any work, written whole, never over the user's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError
from .output import shown

if TYPE_CHECKING:
    from ..music import Score


def suffixes_of(formats: str) -> tuple[str, ...]:
    """The suffixes that a list such as "mid,png" names.

    Raises:
        FileError: if one of them is not known.
    """
    from ..rendering import SUFFIXES

    suffixes = [f".{name.strip().lower().removeprefix('.')}" for name in formats.split(",") if name.strip()]
    if not suffixes:
        raise FileError(f"expected --formats such as mid,musicxml,png, got {formats!r}")
    for suffix in suffixes:
        if suffix not in SUFFIXES:
            _check_format(suffix)
    return tuple(dict.fromkeys(suffixes))


def _check_format(suffix: str) -> None:
    from ..files import format_of, formats
    from ..rendering import SUFFIXES

    try:
        format_of(f"piece{suffix}", to_write=True)
    except FileError:
        known = [form.SUFFIXES[0] for form in formats(to_write=True).values()]
        names = ", ".join(name.removeprefix(".") for name in (*known, *SUFFIXES))
        raise FileError(f"expected --formats of {names}, got {suffix.removeprefix('.')!r}") from None


def free_paths(
    folder: Path, stem: str, seed: int | None, count: int, suffixes: Sequence[str], force: bool
) -> dict[int, list[Path]]:
    """The files of each seed, from the one given on, or from a random one of which there is no file yet.

    Raises:
        FileError: if a file exists already and `force` is off, or the folder cannot be written.
    """
    check_folder(folder)
    if seed is None:
        return _random_paths(folder, stem, count, suffixes)
    wanted = _paths(folder, stem, seed, count, suffixes)
    if not force:
        for path in _taken(wanted):
            raise FileError(f"{shown(path)}: exists already; take another --seed or --out, or replace it with --force")
    return wanted


def paths_of(out: Path, stems: Sequence[str], formats: str, force: bool) -> list[list[Path]]:
    """The files of each piece by its name without a suffix.

    Raises:
        FileError: if one exists already and `force` is off.
    """
    check_folder(out)
    suffixes = suffixes_of(formats)
    paths = [[out / f"{stem}{suffix}" for suffix in suffixes] for stem in stems]
    if not force:
        check_free(*(path for own in paths for path in own))
    return paths


def _random_paths(folder: Path, stem: str, count: int, suffixes: Sequence[str]) -> dict[int, list[Path]]:
    import secrets

    most = 1000
    while True:
        # Short numbers first: a seed is there to be said and typed again.
        wanted = _paths(folder, stem, 1 + secrets.randbelow(most), count, suffixes)
        if not _taken(wanted):
            return wanted
        most *= 2


def _paths(folder: Path, stem: str, seed: int, count: int, suffixes: Sequence[str]) -> dict[int, list[Path]]:
    return {
        number: [folder / f"{stem}-{number}{suffix}" for suffix in suffixes] for number in range(seed, seed + count)
    }


def _taken(paths: dict[int, list[Path]]) -> list[Path]:
    return [path for several in paths.values() for path in several if os.path.lexists(path)]


def check_free(*paths: Path) -> None:
    """See that no file would be written over.

    Raises:
        FileError: if one of them is there.
    """
    for path in paths:
        if os.path.lexists(path):
            raise FileError(f"{shown(path)}: exists already; choose another name, or replace it with --force")


def check_folder(folder: Path) -> None:
    """See that a folder can be written, or can be made; nothing is made yet.

    Raises:
        FileError: if it cannot.
    """
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
        is_folder = nearest.is_dir()
    except (OSError, ValueError) as error:
        raise FileError(f"{shown(folder)}: expected a folder to write to: {error}") from None
    if nearest != folder and _is_called_like_a_file(folder):
        raise FileError(
            f"{shown(folder)}: expected a folder to write to, got the name of a file; pieces name themselves"
        )
    if not is_folder:
        raise FileError(f"{shown(nearest)}: expected a folder to write to, got a file; name another with --out")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise FileError(f"{shown(nearest)}: the folder cannot be written; name another with --out")


def _is_called_like_a_file(folder: Path) -> bool:
    """Whether nobody means a folder who asks for one that is called so."""
    from ..files import formats
    from ..rendering import SUFFIXES

    known = [suffix for form in formats(to_write=True).values() for suffix in form.SUFFIXES]
    return folder.suffix.lower() in (*known, *SUFFIXES)


def make_folder(folder: Path) -> None:
    """The folder and those above it, if they are not there.

    Raises:
        FileError: if that fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileError(f"{shown(folder)}: the folder cannot be made: {reason}; name another with --out") from None


def bytes_of(score: Score, path: Path) -> bytes:
    """What a file of a score holds: music, or what can be seen or heard of it, as the suffix says.

    Raises:
        FileError: if no format has the suffix, or this one cannot hold the score.
        MissingExtra: if the format needs libraries that are not installed.
    """
    from ..files import format_of
    from ..rendering import SUFFIXES, render

    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return render(score, suffix)

    form = format_of(path, to_write=True)
    try:
        return form.encode(score)
    except FileError as error:
        raise FileError(f"{shown(path)}: {error}") from None


def write_piece(score: Score, paths: Sequence[Path], force: bool) -> None:
    """Write all files of a piece, or none that was not there before.

    Raises:
        FileError: if one of them cannot be written.
    """
    write_all([(path, bytes_of(score, path)) for path in paths], force)


def write_all(files: Iterable[tuple[Path, bytes]], force: bool) -> None:
    """Write files in turn, or none that was not there before.

    Args:
        files: path and content; each content may be made when its turn has come.
        force: replace files that exist.

    Raises:
        FileError: if one of them cannot be written.
    """
    from ..files import write_atomically

    new: list[Path] = []
    try:
        for path, content in files:
            make_folder(path.parent)
            is_new = not os.path.lexists(path)
            write_atomically(path, content, force)
            if is_new:
                new.append(path)
    except BaseException:
        for path in new:
            path.unlink(missing_ok=True)
        raise
