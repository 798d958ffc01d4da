"""Chord symbols over a melody, where an accompaniment of chords says what they are."""

from __future__ import annotations

import itertools

import numpy as np

from ...music import ChordSymbol, Notes, Score, name_chord

_MONOPHONIC, _CHORDAL = 0.95, 0.8
"""The share of onsets with one note that a melody has, and of onsets with three that an accompaniment has."""


def chord_symbols(score: Score) -> list[tuple[int, ChordSymbol]]:
    """The chords of a lead sheet by onset; none for other music.

    A lead sheet is a piece of two pitched parts, drums aside: first a melody of single notes, then chords, three
    notes or more struck together four times of five. Each chord that has a name is named once until another comes.

    >>> from kapelle.music import Key, Track
    >>> melody = Track(Notes.of([(0, 96, 76, 80), (96, 96, 74, 80)]))
    >>> rows = [(at, 96, root + third, 60) for at, root in ((0, 48), (96, 55)) for third in (0, 4, 7)]
    >>> chords = Track(Notes.of(rows))
    >>> [(at, symbol.name(Key())) for at, symbol in chord_symbols(Score(24, (melody, chords)))]
    [(0, 'C'), (96, 'G')]
    """
    pitched = [track for track in score.tracks if not track.is_drum]
    if len(pitched) != 2 or score.tracks[0] is not pitched[0]:
        return []
    melody, chords = (track.notes for track in pitched)
    if not (_share(melody, 1, 1) >= _MONOPHONIC and _share(chords, 3, 12) >= _CHORDAL):
        return []
    found: list[tuple[int, ChordSymbol]] = []
    edges = [*np.flatnonzero(np.diff(chords.onset, prepend=-1)).tolist(), len(chords)]
    for start, stop in itertools.pairwise(edges):
        symbol = name_chord(chords.pitch[start:stop]) if stop - start > 2 else None
        if symbol and (not found or found[-1][1] != symbol):
            found.append((int(chords.onset[start]), symbol))
    return found


def _share(notes: Notes, least: int, most: int) -> float:
    """The share of onsets at which so many notes start."""
    if not len(notes):
        return 0.0
    _, counts = np.unique(notes.onset, return_counts=True)
    return float(((counts >= least) & (counts <= most)).mean())
