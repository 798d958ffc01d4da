"""What the frames codec keeps of a score, on its grid: half way between a Score and its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...errors import CodecError
from ...music import IntArray, Key, Meter, Notes, Score, TempoMap, Track
from ...music.edit import resample
from ..grid import Grid, bar_length, bar_lines
from ..words import KEYS, METERS, TEMPO_RATES, TEMPOS, TICKS_PER_QUARTER, nearest
from .vocabulary import DRUMS, GRIDS, HELD, HIGH, LOW, NOBODY, STRUCK, Vocabulary

MAX_FRAMES = 2**16
"""Frames of the longest piece."""
ON_GRID = 0.9
"""Share of the onsets that must lie on a grid for it to be the music's own."""
NEAR = 1 / 96
"""Quarters by which an onset may miss a grid and still lie on it."""
FEW_NOTES = 100
"""What fewer notes than this do shows no habit, so nothing of them may be lost."""


class Picture(NamedTuple):
    """What the codec keeps of a score.

    Attributes:
        cells: word of each key in each frame, shape (T, K): the pitches from low to high, then the drums.
        program: index of the kind.
        meters: (tick, index into METERS), the first at 0.
        pickup: in ticks.
        tempo, key: indices into TEMPOS and KEYS.
    """

    cells: IntArray
    program: int
    meters: tuple[tuple[int, int], ...]
    pickup: int
    tempo: int
    key: int

    @property
    def grid(self) -> Grid:
        """The bar lines in ticks."""
        return Grid.of(self.meters, self.pickup)


def read(score: Score, vocabulary: Vocabulary) -> Picture:
    """What the codec keeps of a score.

    Raises:
        CodecError: if nothing of it can be played with the vocabulary, or it has more than MAX_FRAMES frames.
    """
    tracks = [track for track in score.tracks if len(track.notes)]
    tracks = [track for track in tracks if (vocabulary.drums if track.is_drum else vocabulary.programs)]
    if not tracks:
        raise CodecError("expected music with notes, got none: choose another file")
    longest, most = score.end // score.ticks_per_quarter, MAX_FRAMES // vocabulary.per_quarter
    if longest >= most - 32:
        raise CodecError(f"expected music of at most {most} quarters, got {longest}")
    tempo = int(nearest(np.array([score.tempos.mean(score.end)]), TEMPO_RATES)[0])
    key = KEYS.index(score.keys[0].name) if score.keys else 0
    program = vocabulary.kind_index[f"program {_program(tracks, vocabulary)}"]
    score = resample(score, vocabulary.per_quarter)
    tracks = [track for track in score.tracks if len(track.notes)]
    tracks = [track for track in tracks if (vocabulary.drums if track.is_drum else vocabulary.programs)]
    onset, end, velocity = (
        np.concatenate([getattr(track.notes, name) for track in tracks]) for name in ("onset", "end", "velocity")
    )
    place = np.concatenate([
        (vocabulary.place_of_drum if track.is_drum else vocabulary.place_of_pitch)[track.notes.pitch]
        for track in tracks
    ])  # fmt: skip
    frame = vocabulary.frame
    meters, pickup, moved = bar_lines(score, frame * int(onset.min()))
    length = bar_length(meters[0][1])
    if frame * int(end.max()) + moved <= pickup:
        # Nothing comes after the pickup: it is the end of a bar that is silent before.
        pickup, moved = 0, moved + length - pickup
    onset, end = onset + moved // frame, end + moved // frame
    stop = int(end.max())
    cells = _laid(
        onset,
        end,
        place,
        STRUCK + vocabulary.velocity_index[velocity],
        stop,
        len(vocabulary.pitches) + len(vocabulary.drums),
    )
    meters = [(tick, meter) for tick, meter in meters if not tick or tick < frame * stop]
    return Picture(cells, program, tuple(meters), pickup, tempo, key)


def _program(tracks: Iterable[Track], vocabulary: Vocabulary) -> int | str:
    """The program with the most notes plays them all."""
    notes = _notes_by_program(tracks)
    return vocabulary.nearest_program(max(notes, key=lambda own: notes[own])) if notes else NOBODY


def _notes_by_program(tracks: Iterable[Track]) -> Counter[int]:
    notes: Counter[int] = Counter()
    for track in tracks:
        if not track.is_drum and len(track.notes):
            notes[track.program] += len(track.notes)
    return notes


def _laid(onset: IntArray, end: IntArray, place: IntArray, words: IntArray, frames: int, keys: int) -> IntArray:
    """The cells of notes: a key sounds as long as any of its notes does, and is struck where any of them starts."""
    change = np.zeros((frames + 1, keys), np.int64)
    np.add.at(change, (onset, place), 1)
    np.add.at(change, (end, place), -1)
    cells: IntArray = np.where(change.cumsum(axis=0)[:-1] > 0, HELD, 0)
    np.maximum.at(cells, (onset, place), words)
    return cells


def score_of(picture: Picture, vocabulary: Vocabulary) -> Score:
    """The score that a picture is. What sounds in the last frame is switched off at its end."""
    cells, frame = picture.cells, vocabulary.frame
    frames = len(cells)
    # For each cell the next frame at which its key is not held, at the latest the end.
    stops = np.where(cells != HELD, np.arange(frames)[:, None], frames)
    stops = np.minimum.accumulate(stops[::-1], axis=0)[::-1]
    stops = np.vstack([stops[1:], np.full((1, cells.shape[1]), frames)])
    onset, place = np.nonzero(cells >= STRUCK)
    velocity = np.array(vocabulary.velocities)[cells[onset, place] - STRUCK]
    end = stops[onset, place]
    keys = np.array([*vocabulary.pitches, *vocabulary.drums])
    tracks = []
    is_drum = place >= len(vocabulary.pitches)
    for drums in (False, True):
        own = is_drum == drums
        if own.any():
            times = frame * onset[own], frame * (end - onset)[own]
            name = vocabulary.kinds[picture.program].split()[1]
            program = 0 if drums or name == NOBODY else int(name)
            tracks.append(Track(Notes(*times, keys[place[own]], velocity[own]), program, drums))
    return Score(
        TICKS_PER_QUARTER,
        tuple(tracks),
        TempoMap.constant(float(TEMPOS[picture.tempo])),
        tuple(Meter.parse(METERS[meter], tick) for tick, meter in picture.meters),
        () if picture.key == 0 else (Key.parse(KEYS[picture.key]),),
        picture.pickup,
    )


def narrowed(scores: Iterable[Score]) -> Vocabulary:
    """The vocabulary of a corpus: its programs, drums, loudness, its pitches and a tritone around, and its grid.

    The grid is the coarsest of GRIDS on which all times of the corpus lie. If there is none, it is 24 a quarter for
    fewer than 100 notes, and else the coarsest on which 90 % of the onsets lie; sixteenths for music that is played
    too freely to lie on any.
    """
    full = Vocabulary()
    heard: set[int] = set()
    drums: set[int] = set()
    places: set[int] = set()
    programs: set[int] = set()
    exact, on, total = dict.fromkeys(GRIDS, True), dict.fromkeys(GRIDS, 0), 0
    for score in scores:
        notes = _notes_by_program(score.tracks)
        if notes:
            programs.add(max(notes, key=lambda own: notes[own]))
        for track in score.tracks:
            heard.update(np.unique(full.velocity_index[track.notes.velocity]).tolist())
            used = drums if track.is_drum else places
            places_of = full.place_of_drum if track.is_drum else full.place_of_pitch
            used.update(np.unique(places_of[track.notes.pitch]).tolist())
            time = track.notes.onset * (24 / score.ticks_per_quarter)
            total += len(time)
            for grid in GRIDS:
                miss = np.abs(time * grid / 24 - np.round(time * grid / 24)) / grid
                on[grid] += int((miss <= NEAR).sum())
        if score.num_notes and score.end // score.ticks_per_quarter < MAX_FRAMES:
            times = _times(score)
            exact = {grid: exact[grid] and not (times % (24 // grid)).any() for grid in GRIDS}
    if not total:
        return full
    return Vocabulary(
        _grid(exact, on, total),
        max(LOW + min(places, default=0) - 6, LOW),
        min(LOW + max(places, default=0) + 6, HIGH),
        tuple(DRUMS[place - len(full.pitches)] for place in sorted(drums)),
        tuple(sorted(programs)),
        tuple(full.velocities[index] for index in sorted(heard)),
    )


def _grid(exact: dict[int, bool], on: dict[int, int], total: int) -> int:
    whole = [grid for grid in GRIDS[:-1] if exact[grid]]
    if whole or total < FEW_NOTES:
        return (*whole, GRIDS[-1])[0]
    return next((grid for grid in GRIDS if on[grid] >= ON_GRID * total), GRIDS[0])


def _times(score: Score) -> IntArray:
    """All times of a score that the codec keeps, in ticks."""
    score = resample(score, TICKS_PER_QUARTER)
    notes = [time for track in score.tracks for time in (track.notes.onset, track.notes.end)]
    return np.concatenate([*notes, [score.pickup, *(meter.onset for meter in score.meters)]])
