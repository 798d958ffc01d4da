"""Manners, such as composers, that a style can mix: each is a folder of the music that is learnt."""

from __future__ import annotations

from typing import Any

from ..codecs import Codec
from ..corpora import Corpus, Piece
from ..errors import CorpusError


def manner_of(piece: Piece) -> str:
    """Of which manner a piece is: the first folder in which it lies."""
    folder, _, rest = piece.source.partition("/")
    return folder if rest else ""


def mixable(codec: Any, corpus: Corpus) -> Codec:
    """The codec for a corpus in which each folder is a manner of its own.

    Raises:
        CorpusError: if there are not several folders, or the codec knows no manners.
    """
    manners = sorted({manner_of(piece) for piece in corpus.pieces})
    if not hasattr(codec, "with_manners"):
        raise CorpusError("expected a network that can mix manners, chords or biaxial, got another one: name it")
    if len(manners) < 2 or "" in manners:
        raise CorpusError(
            f"{corpus.name}: expected a folder for each manner that can be mixed, and all music in them, got "
            f"{', '.join(filter(None, manners)) or 'none'}; sort the files into folders"
        )
    found: Codec = codec.with_manners(manners)
    return found


def check_manners(codec: Any, corpus: Corpus) -> None:
    """See that a codec which tells manners knows those of all pieces.

    Raises:
        CorpusError: if not.
    """
    known = getattr(codec, "manners", ())
    strangers = sorted({manner_of(piece) for piece in corpus.pieces} - set(known)) if known else []
    if strangers:
        raise CorpusError(
            f"{corpus.name}: expected music in folders named {', '.join(known)}, as the base can mix, got "
            f"{strangers[0] or 'music in none'}; sort the files into these"
        )
