"""A score on the codec's grid, as flat arrays: half way between a Score and its steps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...errors import CodecError
from ...music import IntArray, Score, Spans, Track
from ...music.edit import rescale
from ..grid import Grid, bar_lines
from ..words import KEYS, TEMPO_RATES, TICKS_PER_QUARTER
from .vocabulary import Vocabulary

MAX_LENGTH = 2**24
"""Ticks of the longest piece: about 97 hours at 120 quarters a minute."""

_TEMPO_BORDERS = ((TEMPO_RATES[1:] + TEMPO_RATES[:-1]) / 2).tolist()


class Table(NamedTuple):
    """Notes and pedal presses in the order of steps, as indices into the vocabulary, onsets in ticks.

    Kind and voice are one number, kind * voices + voice. `parts` has those of the piece, ascending, and `part`
    says of each note which of them it is.
    """

    parts: IntArray
    onset: IntArray
    part: IntArray
    pitch: IntArray
    duration: IntArray
    velocity: IntArray
    meters: list[tuple[int, int]]
    pickup: int
    tempo: int
    key: int
    grid: Grid
    bars: int

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        parts: Sequence[int],
        onset: IntArray,
        part: IntArray,
        pitch: IntArray,
        duration: IntArray,
        velocity: IntArray,
        *,
        meters: list[tuple[int, int]],
        pickup: int,
        tempo: int,
        key: int,
    ) -> Table:
        """A table from notes in any order: sorted, doubles removed, overlaps of one pitch cut."""
        words = vocabulary.duration_ticks
        num_pitches = len(vocabulary.pitches)
        num_lines = len(parts) * num_pitches + 1
        # A line is one pitch of one part, the highest pitch first.
        line = (part + 1) * num_pitches - pitch
        place = onset * num_lines + line
        # Of notes that are the same but for their length the longest stays: it comes last in this order.
        order = (place * len(words) + duration).argsort(kind="stable")
        place = place.take(order)
        differs = place[1:] != place[:-1]
        if not differs.all():
            order = order[np.append(differs, True)]
        onset, part, pitch, duration, velocity, line = (
            column.take(order) for column in (onset, part, pitch, duration, velocity, line)
        )
        end = onset + words.take(duration)
        # The notes of one line together, in order of time. The sort of 16 bits takes linear time.
        order = line.astype(np.min_scalar_type(num_lines)).argsort(kind="stable")
        line = line.take(order)
        late = (end.take(order[:-1]) > onset.take(order[1:])) & (line[1:] == line[:-1])
        if late.any():
            cut, following = order[:-1][late], order[1:][late]
            duration[cut] = words.searchsorted(onset[following] - onset[cut], side="right") - 1
            end[cut] = onset[cut] + words[duration[cut]]
        if vocabulary.pedal and parts[0] < (vocabulary.kind_index["pedal"] + 1) * vocabulary.voices:
            # The pedal may be held beyond the last bar; only notes, whose kinds come later, say how long the piece is.
            end = end[part > 0]
        last = int(end.max(initial=1))
        meters = [pair for pair in meters if pair[0] == 0 or pair[0] < last]
        grid = Grid.of(meters, pickup)
        bars = grid.find(last - 1)[1] + 1 - (pickup > 0)
        return cls(
            np.array(parts), onset, part, pitch, duration, velocity, meters, pickup, tempo, key, grid, max(bars, 1)
        )  # fmt: skip


def tabulate(score: Score, vocabulary: Vocabulary) -> Table:
    """What the codec keeps of a score.

    Raises:
        CodecError: if nothing of it can be played with the vocabulary, or it is longer than MAX_LENGTH.
    """
    parts = _assign(score.tracks, vocabulary)
    if not parts:
        raise CodecError("expected music with notes, got none: choose another file")
    unit, stop = score.ticks_per_quarter, score.end
    rows = []
    for kind, voice, track in parts:
        notes = track.notes
        pitch = vocabulary.drum_index[notes.pitch] if track.is_drum else notes.pitch
        rows.append((kind * vocabulary.voices + voice, notes.onset, notes.duration, pitch, notes.velocity))
    pedal = _pedal([track for _, _, track in parts if not track.is_drum], stop) if vocabulary.pedal else Spans.none()
    if len(pedal):
        # The first pitch and the quietest velocity are the words of what has none.
        none = np.zeros(len(pedal), np.int64)
        rows.append((vocabulary.kind_index["pedal"] * vocabulary.voices, pedal.onset, pedal.duration, none, none))
    numbers, *columns = zip(*rows, strict=True)
    present = sorted(set(numbers))
    part = np.array([present.index(number) for number in numbers]).repeat([len(onset) for onset in columns[0]])
    onset, length, pitch, velocity = (np.concatenate(column) for column in columns)
    end = onset + length
    longest = int(end.max()) // unit
    if longest >= MAX_LENGTH // TICKS_PER_QUARTER - 16:
        raise CodecError(f"expected music of at most {MAX_LENGTH // TICKS_PER_QUARTER} quarters, got {longest}")
    if unit != TICKS_PER_QUARTER:
        onset, end = rescale(onset, unit, TICKS_PER_QUARTER), rescale(end, unit, TICKS_PER_QUARTER)
    meters, pickup, moved = bar_lines(score, int(onset.min()))
    length = np.minimum(np.maximum(end - onset, 1), vocabulary.durations[-1])
    return Table.of(
        vocabulary, present, onset + moved, part, pitch,
        vocabulary.duration_index.take(length), vocabulary.velocity_index.take(velocity),
        meters=meters, pickup=pickup, tempo=bisect_left(_TEMPO_BORDERS, score.tempos.mean(stop)),
        key=KEYS.index(score.keys[0].name) if score.keys else 0,
    )  # fmt: skip


def _assign(tracks: Sequence[Track], vocabulary: Vocabulary) -> list[tuple[int, int, Track]]:
    """The (kind, voice) under which each track with notes is told: tracks of one program are counted up."""
    parts: list[tuple[int, int, Track]] = []
    count: dict[int, int] = {}
    for track in tracks:
        if not len(track.notes):
            continue
        if track.is_drum:
            kind = vocabulary.kind_index.get("drums")
        elif vocabulary.programs:
            kind = vocabulary.kind_of_program[track.program]
        else:
            kind = None
        if kind is not None:
            voice = count.get(kind, 0)
            count[kind] = voice + 1
            parts.append((kind, min(voice, vocabulary.voices - 1), track))
    return parts


def _pedal(tracks: Sequence[Track], end: int) -> Spans:
    """Where the pedal is down in any of the tracks, presses after the last note left out."""
    pressed = [track.pedal for track in tracks if len(track.pedal)]
    if not pressed:
        return Spans.none()
    spans = pressed[0]
    if len(pressed) > 1:
        spans = Spans.union(np.concatenate([p.onset for p in pressed]), np.concatenate([p.duration for p in pressed]))
    if spans.onset[-1] < end:
        return spans
    heard = spans.onset < end
    return Spans(spans.onset[heard], spans.duration[heard])
