"""What a command is given to work with: a style, and a word to who gave a file of music for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import FileError, StyleError
from .output import shown

if TYPE_CHECKING:
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
        if not _is_music(text):
            raise
        raise StyleError(f"{shown(text)}: expected a style, got the name of a file of music; {instead}") from None


def _is_music(text: str) -> bool:
    from ..files import format_of

    try:
        format_of(text)
    except FileError:
        return False
    return True
