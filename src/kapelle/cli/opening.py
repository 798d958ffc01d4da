"""What a command is given to work with, a style or music, and a word to who gave the one for the other."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError, StyleError
from .output import shown

if TYPE_CHECKING:
    from ..music import Score
    from ..styles import Style


def open_named(text: str, instead: str) -> Style:
    """A style by its name or its file.

    Args:
        text: as typed.
        instead: what to do with a file of music.

    Raises:
        StyleError: if there is no such style, or it is damaged.
    """
    from ..styles import load_style

    try:
        return load_style(text)
    except StyleError:
        if os.path.isdir(text):
            learn = f"to learn one from it: kapelle train {shlex.quote(text)} --name NAME"
            raise StyleError(f"{shown(text)}: expected a style, got a folder; {learn}") from None
        if not _is_music(text):
            raise
        raise StyleError(f"{shown(text)}: expected a style, got the name of a file of music; {instead}") from None


def open_music(path: Path) -> Score:
    """The score in a file.

    Raises:
        FileError: if there is none.
    """
    from ..files import load

    if path.is_dir():
        raise FileError(f"{shown(path)}: expected one file of music, got a folder")
    return load(path)


def _is_music(text: str) -> bool:
    from ..files import format_of

    try:
        format_of(text)
    except FileError:
        return False
    return True
