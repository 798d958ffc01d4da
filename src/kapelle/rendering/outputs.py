"""What a score can be turned into besides music files: the one table of pictures, sheet music and sound."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from ..music import Score

_RENDERERS = {
    ".png": "roll:to_png",
    ".svg": "roll:to_svg",
    ".pdf": "sheet:to_pdf",
    ".ly": "sheet:to_lilypond",
    ".wav": "audio:to_wav",
    ".flac": "audio:to_flac",
    ".ogg": "audio:to_ogg",
    ".opus": "audio:to_opus",
    ".mp3": "audio:to_mp3",
}
"""For each suffix a module of this folder and its function, `(score) -> bytes or text`; imported when asked for."""

SUFFIXES = tuple(_RENDERERS)
"""Endings of file names in small letters, with the dot."""


def render(score: Score, suffix: str) -> bytes:
    """A score as the bytes of a file, as its suffix says: .png and .svg are piano rolls, .pdf and .ly sheet music.

    Args:
        suffix: one of `SUFFIXES`.

    Raises:
        KeyError: if nothing renders to the suffix.
        FileError: if the score cannot be heard, having no notes or too many hours.
        MissingExtra: if what renders it is not installed.

    >>> from kapelle.music import Notes, Score, Track
    >>> render(Score(24, (Track(Notes.of([(0, 24, 60, 80)])),)), ".png")[1:4]
    b'PNG'
    """
    module, function = _RENDERERS[suffix].split(":")
    write: Callable[[Score], bytes | str] = getattr(importlib.import_module(f".{module}", __package__), function)
    written = write(score)
    return written.encode() if isinstance(written, str) else written
