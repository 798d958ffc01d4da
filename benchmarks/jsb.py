"""The JSB chorales in sixteenths, as the columns that a network of voices learns from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kapelle.codecs.chorale import lines
from kapelle.codecs.chorale.codec import degrees
from kapelle.music import partwriting
from kapelle.music.key import key_fit
from kapelle.networks import Columns

LOW, HEIGHTS = 30, 57
SHIFTS = range(-6, 6)
PLACES = 48
"""Steps after which the place is told anew: whole bars of both 4/4 and 3/4, of which the data does not tell."""

TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
CHORDS = 12 * len(TRIADS) + 2
"""Triads by kind and root, any other chord, and none."""

FACTS = (("place", PLACES, True), ("beats", 16, True), ("shift", len(SHIFTS), True), ("chord", CHORDS, True))
KEY = (("tonic", 13, True), ("mode", 3, True), *((f"degree {name}", 13, True) for name in partwriting.VOICES))
BEFORE, VOICES = lines.columns(HEIGHTS)
COLUMNS = Columns.of(
    [
        *(*FACTS, *KEY, *BEFORE),
        *(
            column
            for place, own in enumerate(lines.ORDER)
            for column in (
                *VOICES[lines.FOLLOWING * place : lines.FOLLOWING * (place + 1)],
                (f"now {partwriting.VOICES[own]}", 13, True),
            )
        ),
    ]
)
VOICE = [COLUMNS.names.index(f"voice {name}") for name in partwriting.VOICES]
SHIFT, CHORD, TONIC = (COLUMNS.names.index(name) for name in ("shift", "chord", "tonic"))

Steps = NDArray[np.int64]


def columns_of(sounds: Steps) -> NDArray[np.int16]:
    """The columns of a piece of heights, -1 for silence, of shape (T, 4); in its own key, shape (T, F)."""
    place = np.arange(len(sounds))
    facts = [place % PLACES, np.minimum(place // 4, 15), np.full(len(sounds), SHIFTS.index(0)), chords_of(sounds)]
    told = lines.told(sounds, np.zeros(sounds.shape, bool))
    before, voices = told[:, : len(BEFORE)], told[:, len(BEFORE) :].reshape(len(told), 4, -1)
    keys = _keys(sounds)
    voices = np.concatenate([voices, degrees(voices[:, :, 1], keys[:, :1])[:, :, None]], axis=2)
    key = [keys, degrees(before[:, :4], keys[:, :1])]
    return np.hstack([np.stack(facts, axis=1), *key, before, voices.reshape(len(told), -1)]).astype(np.int16)


def _keys(sounds: Steps) -> Steps:
    """The words for tonic and mode of the key that the notes before each step fit best, shape (T, 2)."""
    heard = np.array([np.bincount((row[row >= 0] + LOW) % 12, minlength=12) for row in sounds])
    return np.array([key_words(counts) for counts in heard.cumsum(0) - heard])


def key_words(counts: Steps) -> tuple[int, int]:
    """The words for tonic and mode of the key that fits counts of pitch classes (12,) best; 0 and 0 of none."""
    if not counts.any():
        return 0, 0
    best = int(key_fit(counts).argmax())
    return 1 + (best % 12 - LOW) % 12, 1 + best // 12


def chords_of(sounds: Steps) -> Steps:
    """The chord of each step, shape (T,)."""
    found = []
    for row in sounds.tolist():
        classes = {(LOW + height) % 12 for height in row if height >= 0}
        root, kind = next(
            ((partwriting.root_of(classes, [kind]), number) for number, kind in enumerate(TRIADS)
             if partwriting.root_of(classes, [kind]) is not None), (None, 0))  # fmt: skip
        found.append((CHORDS - 1 - bool(classes)) if root is None else 12 * kind + root)
    return np.array(found)


class Pieces:
    """One part of the split; columns are made when they are first asked for.

    Args:
        data: the file.
        split: which part.
        chords: whether the chord of each step is told, or always the same one.
    """

    def __init__(self, data: Path, split: str, chords: bool = False) -> None:
        self._chords = chords
        rows = [np.array(piece) for piece in json.loads(data.read_text("utf-8"))[split]]
        self.sounds = [np.where(piece < 0, -1, piece - LOW) for piece in rows]
        self._made: dict[int, NDArray[np.int16]] = {}

    def steps(self, index: int, shift: int = 0) -> NDArray[np.int16]:
        """The columns of a piece that is moved by so many semitones, shape (T, F)."""
        if index not in self._made:
            self._made[index] = columns_of(self.sounds[index])
        steps = lines.transposed(self._made[index], COLUMNS.names, shift)
        steps[:, SHIFT] += shift
        steps[:, TONIC] = np.where(steps[:, TONIC], 1 + (steps[:, TONIC] - 1 + shift) % 12, 0)
        triad = steps[:, CHORD] < CHORDS - 2
        root = (steps[:, CHORD] % 12 + shift) % 12
        steps[:, CHORD] = np.where(triad, steps[:, CHORD] // 12 * 12 + root, steps[:, CHORD]) if self._chords else 0
        return steps

    def batch(self, indices: list[int], shifts: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Steps (B, T, F), padded with zeros, and which are real (B, T)."""
        pieces = [self.steps(index, shift) for index, shift in zip(indices, shifts, strict=True)]
        longest = max(map(len, pieces))
        real = np.array([np.arange(longest) < len(piece) for piece in pieces])
        steps = np.stack([np.pad(piece, ((0, longest - len(piece)), (0, 0))) for piece in pieces])
        return torch.from_numpy(steps.astype(np.int64)), torch.from_numpy(real)

    def batches(self, size: int, rng: np.random.Generator | None = None) -> list[list[int]]:
        """All pieces, those of about one length together; in another order each time if there is chance."""
        length = np.array([len(piece) for piece in self.sounds], float)
        if rng is not None:
            length *= np.exp(rng.normal(0, 0.08, len(length)))
        order = np.argsort(length, kind="stable").tolist()
        batches = [order[first : first + size] for first in range(0, len(order), size)]
        if rng is not None:
            rng.shuffle(batches)
        return batches
