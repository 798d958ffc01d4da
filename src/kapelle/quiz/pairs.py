"""Pairs of clips, one by a composer and one that is composed: what a listening test asks about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ..corpora import digest
from ..errors import KapelleError
from ..music import Score

KINDS = {"S": (0,), "A": (1,), "T": (2,), "B": (3,), "AT": (1, 2), "ATB": (1, 2, 3), "SATB": (0, 1, 2, 3)}
"""Which voices of a pair's composed clip are composed, from 0, the soprano, to 3; the others are the real ones.

They are those of BachBot's test (Liang 2016, "BachBot: Automatic composition in the style of Bach chorales")."""

ALL = "SATB"
"""The kind in which nothing is real; of a style that does not write in four voices it is the only one."""

SIDES = ("a", "b")

_MOST_SHOWN = 1000


class QuizError(KapelleError):
    """A listening test that cannot be made, gone on with, answered or taken in."""


class Clips(NamedTuple):
    """What is compared.

    Attributes:
        real: by a composer, note for note, as far as the style's codec can say it.
        composed: as long, in the same presentation: instruments and tempo.
        piece: name of the piece that the real one is from.
    """

    real: Score
    composed: Score
    piece: str


class Sources(Protocol):
    """Where clips come from.

    Attributes:
        style: name of the style that composes.
        fingerprint: of the style; answers about another one are another matter.
        kinds: which of `KINDS` there are.
    """

    @property
    def style(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def kinds(self) -> tuple[str, ...]: ...
    def clips(self, kind: str, seed: int) -> Clips:
        """The clips of a kind; equal arguments give equal clips.

        Raises:
            QuizError: if the style composes nothing that can be compared.
        """


@dataclass(frozen=True, slots=True)
class Pair:
    """Two clips in the order in which they are heard.

    Attributes:
        kind: one of `KINDS`.
        seed: of the clips and of their order.
        piece: name of the real one.
        a, b: the clips; nothing in them but the notes tells which is which.
        real: "a" or "b".
        digest: of both, whatever their order: two pairs of one digest are the same question.
    """

    kind: str
    seed: int
    piece: str
    a: Score
    b: Score
    real: str
    digest: str


def pair_of(sources: Sources, kind: str, seed: int) -> Pair:
    """The pair of a kind and a seed, which decides the side of the real clip too."""
    real, composed, piece = sources.clips(kind, seed)
    real, composed = (_nameless(clip) for clip in (real, composed))
    both = "".join(sorted((digest(real), digest(composed))))
    side = SIDES[int(np.random.default_rng((seed, len(SIDES))).integers(len(SIDES)))]
    a, b = (real, composed) if side == "a" else (composed, real)
    return Pair(kind, seed, piece, a, b, side, hashlib.blake2b(both.encode(), digest_size=16).hexdigest())


def _nameless(clip: Score) -> Score:
    return clip.replace(title="", tracks=tuple(track.replace(name="") for track in clip.tracks))


def new_pairs(sources: Sources, kinds: Sequence[str], seed: int, shown: set[str]) -> Iterator[Pair]:
    """A pair of each of these kinds in turn, from a seed on, that is none of those shown before.

    Raises:
        QuizError: if a thousand pairs in a row have been shown.
    """
    shown = set(shown)
    for kind in kinds:
        for following in range(seed, seed + _MOST_SHOWN):
            pair = pair_of(sources, kind, following)
            if pair.digest not in shown:
                break
        else:
            raise QuizError("this listener has been shown all pairs there are; add real pieces, or take another seed")
        shown.add(pair.digest)
        seed = pair.seed + 1
        yield pair


def plan(kinds: Sequence[str], pairs: int, seed: int) -> tuple[str, ...]:
    """The kinds of a quiz: each comes once, in an order drawn anew, before any comes again.

    >>> sorted(plan(("S", "SATB"), 4, seed=1))
    ['S', 'S', 'SATB', 'SATB']
    """
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(len(kinds)) for _ in range(-(-pairs // len(kinds)))]
    return tuple(kinds[int(place)] for order in rounds for place in order)[:pairs]
