"""Which word of one vocabulary means most nearly what a word of another means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...music import IntArray
from ..words import nearest
from .vocabulary import DRUM_PITCH, Vocabulary


def nearest_words(own: Vocabulary, other: Vocabulary) -> dict[str, IntArray]:
    """For each column, the index in `other` of the word nearest to each word of `own`.

    A program that `other` has not is played as the nearest of its family, as when a score is encoded; drums in a
    vocabulary without drums are its first kind of note, each at the pitch of the drum's key.
    """
    columns = {name: _nearest(words, other.columns[name]) for name, words in own.columns.items() if name != "kind"}
    columns["kind"] = np.array([_kind(kind, other) for kind in own.kinds])
    if not other.drums:
        columns["pitch"][DRUM_PITCH:] = np.array(own.drums) if own.drums else []
    return columns


def _nearest(own: Sequence[object], other: Sequence[object]) -> IntArray:
    """Where the words stand that are equal, or else the nearest number."""
    index = {word: place for place, word in enumerate(other)}
    if all(word in index for word in own):
        return np.array([index[word] for word in own])
    return nearest(np.array(own), np.array(other)) if len(other) > 1 else np.zeros(len(own), np.int64)


def _kind(kind: str, other: Vocabulary) -> int:
    if kind in other.kind_index:
        return other.kind_index[kind]
    notes = [index for name, index in other.kind_index.items() if name.startswith("program ") or name == "drums"]
    if kind.startswith("program ") and other.kind_of_program:
        return other.kind_of_program[int(kind.split()[1])]
    return other.kind_index["wait"] if kind == "pedal" else notes[0]
