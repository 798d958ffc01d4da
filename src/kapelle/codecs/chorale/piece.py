"""What the chorale codec keeps of a score, on its grid: half way between a Score and its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import CodecError
from ...music import IntArray, Key, Meter, Notes, Score, TempoMap, Track
from ...music.edit import resample
from ...music.partwriting import NAMES
from ..grid import Grid, bar_length, bar_lines
from ..words import KEYS, METERS, TEMPO_RATES, TEMPOS, TICKS_PER_QUARTER, nearest
from .vocabulary import STEP, Vocabulary

VELOCITY = 80
MAX_STEPS = 2**16
"""Sixteenths of the longest piece."""


class Piece(NamedTuple):
    """What the codec keeps of a score, on its grid.

    Attributes:
        sounds: height of each voice in each sixteenth from the first bar line on, -1 for silence, shape (T, 4).
        struck: where a note starts, shape (T, 4).
        programs: of each voice, -1 for nobody.
        meters: (sixteenth, index into METERS), the first at 0.
        pickup: in sixteenths.
        tempo, key: indices into TEMPOS and KEYS.
        fermatas: sixteenths in which a note that is held beyond its time starts, ascending.
        moved: sixteenths by which the score of this piece lies later than the one it was read from, whose silent bars
            at the start are left out.
    """

    sounds: IntArray
    struck: NDArray[np.bool_]
    programs: tuple[int, ...]
    meters: tuple[tuple[int, int], ...]
    pickup: int
    tempo: int
    key: int
    fermatas: tuple[int, ...] = ()
    moved: int = 0

    @property
    def grid(self) -> Grid:
        """The bar lines in ticks from the first bar line on."""
        return Grid.of([(STEP * step, meter) for step, meter in self.meters], 0)


def bar_steps(meter: int) -> int:
    """Sixteenths in a bar of the metre with this index into METERS."""
    return bar_length(meter) // STEP


def voices_of(score: Score) -> list[tuple[int, Track]]:
    """The tracks that are told, each with its voice 0..3."""
    tracks: Sequence[Track] = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    names = [track.name for track in tracks]
    if set(names) <= set(NAMES) and len(set(names)) == len(names):
        return sorted(((NAMES.index(track.name), track) for track in tracks), key=lambda pair: pair[0])
    return list(enumerate(tracks[:4]))


def read(score: Score, vocabulary: Vocabulary) -> Piece:
    """What the codec keeps of a score.

    Raises:
        CodecError: if the score has no pitched notes, or more than MAX_STEPS sixteenths.
    """
    voices = voices_of(score)
    if not voices:
        raise CodecError("expected music with pitched notes, got none: choose another file")
    longest = score.end // score.ticks_per_quarter
    if longest >= MAX_STEPS // 4 - 32:
        raise CodecError(f"expected music of at most {MAX_STEPS // 4} quarters, got {longest}")
    score = resample(score, 4)
    voices = voices_of(score)
    first = min(int(track.notes.onset.min()) for _, track in voices)
    meters, pickup, moved = bar_lines(score, STEP * first)
    # From the first bar line on; `bar_lines` counts from the first note of a pickup.
    before = (bar_steps(meters[0][1]) - pickup // STEP) if pickup else 0
    later = moved // STEP
    moved = later + before
    stop = max(int(track.notes.end.max()) for _, track in voices) + moved
    sounds = np.full((stop, 4), -1)
    struck = np.zeros((stop, 4), bool)
    programs = [-1] * 4
    for voice, track in voices:
        programs[voice] = vocabulary.nearest_program(track.program)
        _lay(track.notes, vocabulary, moved, sounds[:, voice], struck[:, voice])
    sounding = np.flatnonzero((sounds >= 0).any(1))[-1] + 1
    if before + pickup // STEP >= sounding:
        pickup, later = 0, moved  # nothing comes after the pickup: it is the end of a bar that is silent before
    tempo = int(nearest(np.array([score.tempos.mean(score.end)]), TEMPO_RATES)[0])
    return Piece(
        sounds[:sounding], struck[:sounding], tuple(programs),
        tuple(
            (tick // STEP + before if tick else 0, meter) for tick, meter in meters
            if tick // STEP + before < sounding or not tick
        ),
        pickup // STEP, tempo, KEYS.index(score.keys[0].name) if score.keys else 0,
        tuple(onset + moved for onset in score.fermatas if before <= onset + moved < sounding), later,
    )  # fmt: skip


def _lay(notes: Notes, vocabulary: Vocabulary, moved: int, sounds: IntArray, struck: NDArray[np.bool_]) -> None:
    """Write the notes of a track into its voice: the highest of those that start together, each up to the next."""
    rows = sorted(zip(notes.onset.tolist(), notes.pitch.tolist(), notes.end.tolist(), strict=True))
    for index, (onset, pitch, end) in enumerate(rows):
        following = rows[index + 1][0] if index + 1 < len(rows) else end
        if following == onset:
            continue
        sounds[onset + moved : min(end, following) + moved] = vocabulary.folded(pitch) - vocabulary.low
        struck[onset + moved] = True


def score_of(piece: Piece, vocabulary: Vocabulary) -> Score:
    """The score that a piece is."""
    before = bar_steps(piece.meters[0][1]) - piece.pickup if piece.pickup else 0
    tracks = []
    for voice, program in enumerate(piece.programs):
        sounds, struck = piece.sounds[:, voice], piece.struck[:, voice]
        onset = np.flatnonzero(struck & (sounds >= 0))
        if program < 0 or not len(onset):
            continue
        changes = np.append(np.flatnonzero(struck | (np.diff(sounds, prepend=-1) != 0)), len(sounds))
        end = changes[np.searchsorted(changes, onset, side="right")]
        notes = Notes(
            STEP * (onset - before), STEP * (end - onset), sounds[onset] + vocabulary.low,
            np.full(len(onset), VELOCITY),
        )  # fmt: skip
        tracks.append(Track(notes, program, name=NAMES[voice]))
    return Score(
        TICKS_PER_QUARTER,
        tuple(tracks),
        TempoMap.constant(float(TEMPOS[piece.tempo])),
        tuple(Meter.parse(METERS[meter], STEP * max(step - before, 0)) for step, meter in piece.meters),
        () if piece.key == 0 else (Key.parse(KEYS[piece.key]),),
        STEP * piece.pickup,
        fermatas=tuple(STEP * (onset - before) for onset in piece.fermatas if onset >= before),
    )
