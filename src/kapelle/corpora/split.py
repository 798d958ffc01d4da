"""Training, validation and test: pieces kept apart so that figures mean something."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import CorpusError
from ..music import Score, slice_bars
from .corpus import Corpus, Piece
from .likeness import digest

FEW_GROUPS = 10
"""A corpus with fewer groups than this has no test part."""

TRAIN_BARS = 0.85
"""How much of a piece is for training where there is only one."""


@dataclass(frozen=True, slots=True)
class Split:
    """The three parts of a corpus.

    Attributes:
        train: to learn from; never empty.
        valid: to choose by; never empty.
        test: to report once; empty where there are too few pieces.
        note: what people should know about it, or nothing.
    """

    train: tuple[Piece, ...]
    valid: tuple[Piece, ...]
    test: tuple[Piece, ...]
    note: str = ""


def split(
    corpus: Corpus, seed: int, valid: float = 0.1, test: float = 0.1, sides: Mapping[str, str] | None = None
) -> Split:
    """Divides a corpus by group.

    Which piece goes where depends on the seed and on the notes, not on names or order. A group that would
    overfill a part stays in training, so a part may come out a little small. With fewer than ten groups nothing
    is set aside for testing. With a single group there is nothing to hold out but the end of each piece: the
    first 85 % of its bars train and the rest validates, and the note says so. A collection that comes with a split of
    its own is divided by that, and by nothing else.

    Args:
        corpus: with at least one piece.
        seed: any integer.
        valid: part of the pieces for validation, above 0.
        test: part of the pieces for testing, 0 or more; together below 1.
        sides: for the digests of pieces that were split before, "train", "valid" or "test": there they stay, with
            their groups; what was learnt from once is never held out.

    Raises:
        CorpusError: if there is no piece, or only one group and no piece of it has two bars.
    """
    if not (valid > 0 and test >= 0 and valid + test < 1):
        raise ValueError(f"validation and test need parts above 0 that leave something, got {valid} and {test}")
    if not corpus.pieces:
        raise CorpusError(f"a corpus needs at least one piece to be split, {corpus.name!r} has none; add music")
    if all(piece.part for piece in corpus.pieces):
        return _parts(corpus, [piece.part for piece in corpus.pieces])
    groups = corpus.groups
    if len(groups) == 1:
        return _split_by_bars(corpus)
    ranked = sorted(groups, key=lambda group: (_rank(group, seed), group))
    wanted = {"valid": max(round(valid * len(corpus.pieces)), 1), "test": round(test * len(corpus.pieces))}
    note = ""
    if len(groups) < FEW_GROUPS:
        wanted["test"] = 0
        note = f"Only {len(groups)} different pieces: nothing is set aside for testing."
    side = _kept_sides(corpus, sides or {})
    filled = {part: sum(groups[group] for group, own in side.items() if own == part) for part in ("valid", "test")}
    for group in ranked:
        if group in side:
            continue
        for part in ("valid", "test"):
            if filled[part] + groups[group] <= wanted[part]:
                side[group] = part
                filled[part] += groups[group]
                break
        else:
            side[group] = "train"
    if not filled["valid"]:
        # Every group is larger than the part asked for; the smallest one does the least harm to training.
        side[min((group for group in ranked if side[group] == "train"), key=lambda group: groups[group])] = "valid"
    return _parts(corpus, [side[piece.group] for piece in corpus.pieces], note)


def _parts(corpus: Corpus, sides: Sequence[str], note: str = "") -> Split:
    """The pieces of each part in an order that depends on the notes alone."""
    parts: dict[str, list[Piece]] = {"train": [], "valid": [], "test": []}
    for piece, side in sorted(zip(corpus.pieces, sides, strict=True), key=lambda pair: digest(pair[0].score)):
        parts[side].append(piece)
    return Split(tuple(parts["train"]), tuple(parts["valid"]), tuple(parts["test"]), note)


def _kept_sides(corpus: Corpus, sides: Mapping[str, str]) -> dict[str, str]:
    """The parts of the groups that were split before."""
    kept: dict[str, str] = {}
    for piece in corpus.pieces if sides else ():
        before = sides.get(digest(piece.score))
        if before is not None and kept.get(piece.group) != "train":
            kept[piece.group] = before
    return kept


def _rank(group: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed} {group}".encode(), digest_size=16).digest()


def _split_by_bars(corpus: Corpus) -> Split:
    train, valid = [], []
    for piece in sorted(corpus.pieces, key=lambda piece: digest(piece.score)):
        cut = _cut(piece.score)
        if cut is None:
            train.append(piece)
            continue
        last = len(piece.score.bars()) - 1
        train.append(replace(piece, score=slice_bars(piece.score, 0, cut)))
        valid.append(replace(piece, score=slice_bars(piece.score, cut, last)))
    if not valid:
        raise CorpusError(
            f"{corpus.name!r} holds one piece in a single bar, of which nothing can be held out; add more music"
        )
    what = "one piece" if len(corpus.pieces) == 1 else "versions of one piece"
    note = f"Only {what}: its first 85 % of bars are learnt, its last 15 % validate, and nothing is left for testing."
    return Split(tuple(train), tuple(valid), (), note)


def _cut(score: Score) -> int | None:
    """The bar nearest to 85 % of all with an onset before it and one from it on; none if there is no such bar."""
    bars = score.bars()
    onsets = np.concatenate([track.notes.onset for track in score.tracks]) if score.tracks else np.empty(0, np.int64)
    if not len(onsets):
        return None
    inner = np.flatnonzero((bars > onsets.min()) & (bars <= onsets.max()))
    if not len(inner):
        return None
    return int(inner[np.abs(inner - TRAIN_BARS * (len(bars) - 1)).argmin()])
