"""Reads whole files and writes them so that a crash, a full disk or a second program never leaves half of one."""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path

from ..errors import FileError

MAX_BYTES = 64 * 2**20
"""Far more than any score has; a larger file is a mistake and would only fill the memory."""


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """All bytes of a file of at most 64 MB.

    Raises:
        FileError: if it cannot be read or is larger.
    """
    try:
        # Looked at before it is opened: a pipe to which nobody writes would never open.
        state = os.stat(path)
        if not stat.S_ISREG(state.st_mode):
            what = "a folder" if stat.S_ISDIR(state.st_mode) else "a device or a pipe"
            raise FileError(f"{os.fspath(path)}: expected a file, got {what}")
        with open(path, "rb", buffering=0) as file:
            state = os.fstat(file.fileno())
            if state.st_size > MAX_BYTES:
                size = state.st_size >> 20
                raise FileError(f"{os.fspath(path)}: expected at most {MAX_BYTES >> 20} MB of music, got {size} MB")
            return file.readall()
    except OSError as error:
        raise FileError(f"{os.fspath(path)}: cannot be read: {_reason(error)}") from error
    except ValueError as error:
        raise FileError(f"{os.fspath(path)!r}: cannot be read: {error}") from error


def write_atomically(path: str | os.PathLike[str], data: bytes, force: bool) -> None:
    """Write a file whole or not at all.

    The bytes go to a temporary file in the same folder, are forced to the disk, and only then get the name.

    Args:
        force: whether a file of that name is replaced; without it, one that exists stays as it is, even if it
            comes into being while this runs.

    Raises:
        FileError: if the file exists, the folder does not, or the disk refuses; nothing is left behind.
    """
    target = Path(path)
    try:
        part = _write_part(target.parent, data)
    except OSError as error:
        missing = not target.parent.is_dir()
        reason = f"there is no folder {target.parent}; make it first" if missing else _reason(error)
        raise FileError(f"{target}: cannot be written: {reason}") from error
    except ValueError as error:
        raise FileError(f"{str(target)!r}: cannot be written: {error}") from error
    try:
        if force:
            os.replace(part, target)
        else:
            _name_if_free(part, target)
    except FileExistsError as error:
        raise FileError(f"{target}: exists already; choose another name, or force it to be replaced") from error
    except (OSError, ValueError) as error:
        reason = _reason(error) if isinstance(error, OSError) else str(error)
        raise FileError(f"{str(target)!r}: cannot be written: {reason}") from error
    finally:
        part.unlink(missing_ok=True)


def _write_part(folder: Path, data: bytes) -> Path:
    """A new file in a folder with these bytes, safe on the disk; none if that fails."""
    for number in itertools.count():
        part = folder / f".kapelle-{os.getpid()}-{number}.part"
        try:
            # Not tempfile: its files are private, and the user's usual permissions should hold.
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
            break
        except FileExistsError:
            continue
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _name_if_free(part: Path, target: Path) -> None:
    """Give a file its name unless the name is taken; the check and the naming are one step."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems know no hard links. Creating the name is one step there too, and it is ours then.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        os.replace(part, target)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
