"""What does not change during a walk: masks and tables of the vocabulary under the wishes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import WishError
from ...music import Wishes
from ..grid import bar_length
from ..walking import header_masks
from ..words import METERS
from .codec import EventsCodec

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Book:
    """The masks of one piece; they are shared and must not be changed.

    Attributes:
        every: for each column, all of its words.
        first: for each column, its first word alone: what stands where nothing is chosen.
        header: for each header fact, which kinds may say it.
        is_note: which kinds are notes.
        drums: which kinds are drums that may come.
        notes: which kinds are notes that may come.
        only_end: the end alone.
        only_wait: a wait alone.
        pitches: for each kind that is a note, the pitches it may have.
        voices: for each kind that is a note, the voices it may have.
        durations: ticks of each duration.
        meter: for each kind, its index into METERS, or -1.
        bar_lengths: ticks in a bar of each of METERS.
        new_meter: where the kinds that are metres stand.
        end, wait, pedal: these kinds; pedal is -1 where there is none.
    """

    every: dict[int, Mask]
    first: dict[int, Mask]
    header: dict[str, Mask]
    is_note: Mask
    drums: Mask
    notes: Mask
    only_end: Mask
    only_wait: Mask
    pitches: dict[int, Mask]
    voices: dict[int, Mask]
    durations: NDArray[np.int64]
    meter: NDArray[np.int64]
    bar_lengths: NDArray[np.int64]
    new_meter: slice
    end: int
    wait: int
    pedal: int

    @classmethod
    def of(cls, codec: EventsCodec, wishes: Wishes, bars: int | None) -> Book:
        vocabulary = codec.vocabulary
        every = {index: np.ones(size, bool) for index, (_, size, _) in enumerate(codec.layout)}
        first = {index: np.zeros_like(mask) for index, mask in every.items()}
        for mask in first.values():
            mask[0] = True
        kinds = vocabulary.kind_index
        pitches = _pitch_masks(codec, wishes)
        voices = _voice_masks(codec, wishes)
        notes = codec.is_note.copy()
        for kind, mask in pitches.items():
            notes[kind] = mask.any() and voices[kind].any()
        if not notes.any():
            raise WishError(
                "expected a range that holds notes of the key, got none: widen the range or leave out the key"
            )
        pedal = kinds.get("pedal", -1)
        only_end = np.arange(len(kinds)) == kinds["end"]
        only_wait = np.arange(len(kinds)) == kinds["wait"]
        span = vocabulary.header_ranges["meter"]
        return cls(
            every, first, header_masks(vocabulary, wishes, bars), codec.is_note, notes & (codec.program_of_kind == 128),
            notes, only_end, only_wait, pitches, voices, np.array(vocabulary.durations), codec.meter_of_kind,
            np.array([bar_length(meter) for meter in range(len(METERS))]), slice(*span),
            kinds["end"], kinds["wait"], pedal,
        )  # fmt: skip


def _pitch_masks(codec: EventsCodec, wishes: Wishes) -> dict[int, Mask]:
    """For each kind that is a note, the pitches it may have."""
    pitches = np.array(codec.vocabulary.pitches)
    pitched = (pitches >= wishes.low) & (pitches <= wishes.high)
    if wishes.key is not None:
        pitched &= np.isin(pitches % 12, list(wishes.key.pitch_classes))
    drums = pitches >= 128
    return {
        int(kind): drums if codec.program_of_kind[kind] == 128 else pitched & ~drums
        for kind in np.flatnonzero(codec.is_note)
    }


def _voice_masks(codec: EventsCodec, wishes: Wishes) -> dict[int, Mask]:
    """For each kind that is a note, the voices it may have: as many as the line-up has tracks of its program."""
    voices = np.arange(codec.vocabulary.voices)
    kinds = np.flatnonzero(codec.is_note).tolist()
    if wishes.lineup is None:
        return {kind: np.ones(len(voices), bool) for kind in kinds}
    return {kind: voices < wishes.lineup.count(int(codec.program_of_kind[kind])) for kind in kinds}
