"""Files: the only place where music meets bytes.

The folder is the registry. A format is one module here (or one that another package names under the entry
point group `kapelle.files`) with these names:

    NAME      as people call it, "midi"
    SUFFIXES  endings of file names, in small letters with the dot; the first is the one to choose
    decode    bytes -> Score
    encode    Score -> bytes

A format whose suffix belongs to other files more often than not, such as .txt, also has BEGINS: the bytes that
each of its files begins with. `holds_music` goes by them.

One that can only be read has no `encode`. One whose files may hold many pieces also has `split`: the bytes of a file
-> those of a file for each piece; `decode` then reads the first.

These functions touch no disk and raise FileError with one line. A module is imported when a suffix asks for it,
and imports whatever is heavy inside its functions.
"""

from __future__ import annotations

import codecs
import difflib
import functools
import importlib
import itertools
import os
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from ..errors import FileError
from ..music import Score
from .disk import read_bytes, write_atomically

__all__ = ["Format", "format_of", "formats", "holds_music", "load", "load_all", "save", "write_atomically"]

GROUP = "kapelle.files"


class Format(Protocol):
    """A file format: a module, or any object with these names; `encode` only if it can be written."""

    NAME: str
    SUFFIXES: tuple[str, ...]

    def decode(self, data: bytes, /) -> Score:
        """The score that the bytes hold."""

    def encode(self, score: Score, /) -> bytes:
        """The bytes of a file that holds the score."""


def load(path: str | os.PathLike[str]) -> Score:
    """The score in a file of any known format, told by its suffix.

    Raises:
        FileError: if the file cannot be read or understood; the line starts with its path.
        MissingExtra: if the format needs libraries that are not installed.
    """
    form = format_of(path)
    data = read_bytes(path)
    try:
        return form.decode(data)
    except FileError as error:
        raise FileError(f"{os.fspath(path)}: {error}") from error


def load_all(path: str | os.PathLike[str]) -> Iterator[Score | FileError]:
    """Every piece in a file, or why it cannot be read: one for most formats, many for a book of tunes.

    Raises:
        FileError: if the file as a whole cannot be read or understood; the line starts with its path.
        MissingExtra: if the format needs libraries that are not installed.
    """
    form = format_of(path)
    split = getattr(form, "split", None)
    if split is None:
        yield load(path)
        return
    try:
        parts = split(read_bytes(path))
    except FileError as error:
        raise FileError(f"{os.fspath(path)}: {error}") from error
    for part in parts:
        try:
            yield form.decode(part)
        except FileError as error:
            yield error


def save(score: Score, path: str | os.PathLike[str], force: bool = False) -> Path:
    """Write a score in the format that the suffix names; the path comes back.

    The file is there whole or not at all.

    Args:
        force: whether a file that exists is replaced.

    Raises:
        FileError: if the file exists and `force` is off, or it cannot be written; the line starts with its path.
    """
    form = format_of(path, to_write=True)
    try:
        data = form.encode(score)
    except FileError as error:
        raise FileError(f"{os.fspath(path)}: {error}") from error
    write_atomically(path, data, force)
    return Path(path)


def formats(to_write: bool = False) -> dict[str, Format]:
    """Every known format by its name, or only those that can be written; this imports all of them.

    >>> formats()["midi"].SUFFIXES[0]
    '.mid'
    """
    return {form.NAME: form for form in _search("") if not to_write or hasattr(form, "encode")}


def format_of(path: str | os.PathLike[str], to_write: bool = False) -> Format:
    """The format that a file's suffix names; capital letters do not matter.

    Args:
        to_write: whether it must be one that can be written.

    Raises:
        FileError: if no such format has the suffix; the line names the suffixes there are.
    """
    suffix = os.path.splitext(path)[1].lower()
    for form in _search(suffix):
        if suffix in form.SUFFIXES:
            if to_write and not hasattr(form, "encode"):
                raise FileError(f"{os.fspath(path)}: {form.NAME} is read but not written; choose .musicxml or .mid")
            return form
    known = sorted({known for form in formats(to_write).values() for known in form.SUFFIXES})
    near = difflib.get_close_matches(suffix, known, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    got = f"the suffix {suffix}" if suffix else "no suffix"
    raise FileError(f"{os.fspath(path)}: expected a file name that ends in {', '.join(known)}, got {got}{hint}")


def holds_music(path: str | os.PathLike[str]) -> bool:
    """Whether a file of a folder is meant as music: by its suffix, and where that says too little, by its first bytes.

    A file that cannot be opened, or is none, counts as its suffix says, so that whoever loads it learns why.
    """
    try:
        begins = getattr(format_of(path), "BEGINS", b"")
    except FileError:
        return False
    if not begins or not os.path.isfile(path):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(len(begins) + 3).removeprefix(codecs.BOM_UTF8).startswith(begins)
    except OSError:
        return True


def _search(suffix: str) -> Iterator[Format]:
    """All formats, each imported when its turn comes: those whose module is named like the suffix first."""
    for name in _modules(suffix):
        module: Any = importlib.import_module(f"{__name__}.{name}")
        if hasattr(module, "SUFFIXES"):
            yield cast(Format, module)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        yield cast(Format, point.load())


@functools.cache
def _modules(suffix: str) -> tuple[str, ...]:
    names = [module.name for module in pkgutil.iter_modules(__path__)]

    def unlikeness(name: str) -> tuple[int, str]:
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(name, suffix[1:], strict=False))
        return -len(list(same)), name

    return tuple(sorted(names, key=unlikeness))
