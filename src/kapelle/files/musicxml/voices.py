"""Which notes share a stem, and which stems a voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...music import Notes

FEET = (35, 36, 44)
"""Drum keys that are played with the feet: bass drums and the hi-hat's pedal."""


@dataclass(frozen=True, slots=True)
class Chord:
    """Notes of one onset and one end, of different pitches, from low to high."""

    onset: int
    end: int
    pitches: tuple[int, ...]
    velocities: tuple[int, ...]


Voice = list[Chord]
"""Chords in order that do not overlap."""


def drum_voices(notes: Notes) -> list[Voice]:
    """What the hands play, then what the feet play; more voices only where strokes of one kind overlap."""
    feet = np.isin(notes.pitch, FEET)
    hands = voices_of(notes.where(~feet))
    if not feet.any():
        return hands
    return [*hands, *voices_of(notes.where(feet))]


def _chords(notes: Notes) -> list[Chord]:
    """The notes by onset and end; a pitch that is there twice makes a second chord. Highest first at one onset."""
    groups: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    seen: dict[tuple[int, int, int], int] = {}
    columns = (notes.onset.tolist(), notes.end.tolist(), notes.pitch.tolist(), notes.velocity.tolist())
    for onset, end, pitch, velocity in zip(*columns, strict=True):
        copy = seen.get((onset, end, pitch), 0)
        seen[onset, end, pitch] = copy + 1
        groups.setdefault((onset, end, copy), []).append((pitch, velocity))
    chords = []
    for (onset, end, _), members in groups.items():
        pitches, velocities = zip(*sorted(members), strict=True)
        chords.append(Chord(onset, end, pitches, velocities))
    return sorted(chords, key=lambda chord: (chord.onset, -chord.pitches[-1], -chord.end))


def voices_of(notes: Notes) -> list[Voice]:
    """As few voices as the overlaps need, the higher ones first."""
    voices: list[Voice] = [[]]
    for cluster in _clusters(_chords(notes)):
        parts: list[Voice] = []
        for chord in cluster:
            free = [part for part in parts if part[-1].end <= chord.onset]
            if free:
                # A line goes on where it left off: no gap first, then the smaller leap.
                best = min(free, key=lambda part: (chord.onset - part[-1].end, _leap(part[-1], chord)))
                best.append(chord)
            else:
                parts.append([chord])
        parts.sort(key=_height, reverse=True)
        voices.extend([] for _ in range(len(parts) - len(voices)))
        for voice, part in zip(voices, parts, strict=False):
            voice.extend(part)
    return voices


def _clusters(chords: Iterable[Chord]) -> Iterable[list[Chord]]:
    """Stretches of music between two moments at which nothing is held."""
    cluster: list[Chord] = []
    end = 0
    for chord in chords:
        if cluster and chord.onset >= end:
            yield cluster
            cluster = []
        cluster.append(chord)
        end = max(end, chord.end)
    if cluster:
        yield cluster


def _leap(before: Chord, after: Chord) -> int:
    return abs(before.pitches[-1] - after.pitches[-1])


def _height(part: Voice) -> float:
    weight = sum((chord.end - chord.onset) for chord in part)
    return sum((chord.pitches[0] + chord.pitches[-1]) * (chord.end - chord.onset) for chord in part) / weight
