"""MusicXML, the format of notation programs: scores in and out.

Both ways stand on the standard library alone. Reading does not go through music21: that library keeps one MIDI
instrument of a part and no `instrument` of a note, so drum keys are lost, and it needs twenty times as long
(46 lead sheets: 8.6 s, here 0.37 s). The tests use it as the independent reader that proves what is written.

Limits of what is read: repeats and endings are kept once through, as written; grace and cue notes are dropped;
microtones are rounded to semitones; a part has one program.
"""

from __future__ import annotations

from ...music import Score
from .archive import parse
from .canonical import canonical
from .read import score_of
from .write import document

__all__ = ["NAME", "SUFFIXES", "canonical", "decode", "encode"]

NAME = "MusicXML"
SUFFIXES = (".musicxml", ".xml", ".mxl")


def decode(data: bytes) -> Score:
    """The score in a MusicXML file, compressed or not.

    Args:
        data: the file's bytes; they may be anyone's.

    Returns:
        One track per part, in the file's order. Ties are merged. `ticks_per_quarter` is the least common multiple
        of 24 and the file's own divisions, at most 10080.

    Raises:
        FileError: if this is no MusicXML, is too large, or declares XML entities.
    """
    return score_of(parse(data))


def encode(score: Score) -> bytes:
    """The score as uncompressed MusicXML 4.0, such that `decode(encode(score)) == canonical(score)`.

    Every note is written with its exact onset and duration on the grid: notes that overlap with different ends
    go to different voices, long notes are tied. A piano part with a wide range gets two staves.

    Raises:
        FileError: if the score is longer than 100,000 quarters.

    >>> from kapelle.music import Notes, Score, Track
    >>> score = Score(24, (Track(Notes.of([(0, 24, 60, 80)])),))
    >>> decode(encode(score)) == canonical(score)
    True
    """
    return document(canonical(score))
