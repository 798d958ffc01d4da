"""ABC notation, the text in which folk tunes are handed on: read, not written.

A file may hold many tunes. `split` makes each a file of its own, and `decode` reads the first.

Limits of what is read: repeats are taken once through, as written, and of endings that follow each other the last
alone; grace notes, chord symbols, ornaments, words and dynamics are dropped; a mode is told as the nearer one of
major and minor with the same signature; bars that do not add up to their metre stand as written.

Source:
    The ABC music standard 2.1 (2011). Differs: an accidental holds in its own octave, as in print, not in all.
"""

from __future__ import annotations

import re

from ...errors import FileError
from ...music import Score
from .score import score_of
from .tune import parse_tune

__all__ = ["NAME", "SUFFIXES", "decode", "split"]

NAME = "ABC"
SUFFIXES = (".abc",)

_BEGINNING = re.compile(r"(?m)^(?=X:)")
_FOR_ALL_TUNES = re.compile(r"[MLQ]:|%%MIDI\s")


def decode(data: bytes) -> Score:
    """The score in an ABC file, of its first tune if there are more.

    Args:
        data: the file's bytes, in UTF-8 or else Latin-1; they may be anyone's.

    Returns:
        One track per voice. `ticks_per_quarter` is a multiple of 24, at most 10,080. Without a tempo it is 120
        quarters a minute.

    Raises:
        FileError: if this is no ABC, has no notes, is too large, or says what cannot be.

    >>> score = decode(b"X:1\\nT:Scale\\nM:3/4\\nL:1/4\\nK:G\\nG A B|c d e|f3|]")
    >>> score.title, score.tracks[0].notes.pitch.tolist()
    ('Scale', [67, 69, 71, 72, 74, 76, 78])
    """
    return score_of(parse_tune(tunes(text_of(data))[0]))


def split(data: bytes) -> list[bytes]:
    """Each tune of an ABC file as a file of its own, in order; at least one.

    Raises:
        FileError: if this is no ABC.
    """
    return [tune.encode() for tune in tunes(text_of(data))]


def text_of(data: bytes) -> str:
    """The text of a file in UTF-8 or else Latin-1, its lines ending in a newline."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def tunes(text: str) -> list[str]:
    """The text of each tune; what the file's head says of all tunes stands before each.

    Raises:
        FileError: if there is none.
    """
    head, *found = _BEGINNING.split(text)
    if not found and re.search(r"(?m)^K:", text):
        return [text]
    if not found:
        raise FileError(
            "expected ABC notation (a line X: where a tune begins, a line K: before its notes), got neither; "
            "is it another format?"
        )
    for_all = "".join(f"{line}\n" for line in head.split("\n") if _FOR_ALL_TUNES.match(line))
    return [for_all + tune for tune in found]
