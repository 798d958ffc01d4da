"""A collection of scores to learn from."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..music import Score
from .likeness import digest, fingerprint, melody_grams, near_groups

DUPLICATE = "the same notes as another piece"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a corpus.

    Attributes:
        score: the music.
        name: as shown to people.
        source: where it comes from, such as a path inside the folder.
        group: pieces of one group are the same music or nearly, and must stay on one side of a split; "" until
            `Corpus.of` finds it. It depends on the notes alone.
        part: "train", "valid" or "test" in a collection that comes with a split of its own, else "".
    """

    score: Score
    name: str
    source: str
    group: str = ""
    part: str = ""


@dataclass(frozen=True)
class Corpus:
    """A collection of pieces, ready to be split and learnt from; made by `Corpus.of`.

    Attributes:
        name: a short name, such as "folk".
        pieces: each music once, in the order in which they came.
        skipped: what was left out, as (name, reason); duplicates are among it.
        licence: under which weights learnt from it may be given on, or what is known of it.
        attribution: lines that credit the sources.
    """

    name: str
    pieces: tuple[Piece, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    licence: str = ""
    attribution: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        name: str,
        pieces: Iterable[Piece],
        skipped: Iterable[tuple[str, str]] = (),
        licence: str = "",
        attribution: Iterable[str] = (),
    ) -> Corpus:
        """A corpus in which every music stands once and every piece knows its group."""
        kept, dropped = deduplicate(tuple(pieces))
        more = tuple((piece.source, DUPLICATE) for piece in dropped)
        return cls(name, group_near(kept), tuple(skipped) + more, licence, tuple(attribution))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the contents; the order, the names and where files lie do not count."""
        joined = "".join(sorted(digest(piece.score) for piece in self.pieces))
        return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()

    @property
    def num_notes(self) -> int:
        """Notes in all pieces."""
        return sum(piece.score.num_notes for piece in self.pieces)

    @property
    def num_duplicates(self) -> int:
        """Pieces left out because another one has the same notes."""
        return sum(reason == DUPLICATE for _, reason in self.skipped)

    @property
    def groups(self) -> Counter[str]:
        """How many pieces each group has."""
        return Counter(piece.group for piece in self.pieces)

    @property
    def seconds(self) -> float:
        """Playing time of all pieces."""
        return sum(piece.score.seconds for piece in self.pieces)

    @property
    def meters(self) -> Counter[str]:
        """How many pieces begin in each metre."""
        return Counter(piece.score.meters[0].name for piece in self.pieces)

    @property
    def reasons(self) -> Counter[str]:
        """How often pieces were left out for each reason; what stands after a colon is put together."""
        return Counter(re.split(r": ", reason, maxsplit=1)[0] for _, reason in self.skipped)

    def summary(self) -> str:
        """What the corpus holds, in a few lines of plain text."""
        meters = ", ".join(f"{name} {count}" for name, count in self.meters.most_common())
        lines = [
            f"{self.name}: {len(self.pieces)} pieces, {self.num_notes} notes, {self.seconds / 3600:.1f} hours",
            f"metres: {meters}",
            f"groups: {len(self.groups)}, the largest with {max(self.groups.values(), default=0)} pieces",
        ]
        if self.skipped:
            reasons = "; ".join(f"{reason} ({count})" for reason, count in self.reasons.most_common())
            lines.append(f"left out {len(self.skipped)}: {reasons}")
        return "\n".join(lines)


def deduplicate(pieces: Sequence[Piece]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """One piece of each music, and the others.

    Two pieces are the same music if their fingerprints agree: the same notes in any key, at any tempo. Which of
    them stays depends on their contents, not on their order.
    """
    best: dict[str, int] = {}
    prints = [fingerprint(piece.score) for piece in pieces]
    digests = [digest(piece.score) for piece in pieces]
    for index, music in enumerate(prints):
        if music not in best or digests[index] < digests[best[music]]:
            best[music] = index
    stays = set(best.values())
    kept = tuple(piece for index, piece in enumerate(pieces) if index in stays)
    dropped = tuple(piece for index, piece in enumerate(pieces) if index not in stays)
    return kept, dropped


def group_near(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces with their groups: those whose top lines are alike, directly or through others.

    A group is named after the least fingerprint in it.
    """
    prints = [fingerprint(piece.score) for piece in pieces]
    order = sorted(range(len(pieces)), key=lambda index: prints[index])
    roots = near_groups([melody_grams(pieces[index].score) for index in order])
    grouped = list(pieces)
    for place, index in enumerate(order):
        grouped[index] = replace(pieces[index], group=prints[order[int(roots[place])]])
    return tuple(grouped)
