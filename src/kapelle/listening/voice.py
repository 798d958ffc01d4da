"""Notes as they were performed, out of the frames of one voice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .frames import Frames
from .performed import Performed
from .pitch import HOP
from .recording import RATE

FRAMES_PER_SECOND = RATE / HOP

# Costs, as minus the logarithm of how likely something is in a frame.
_STEADY, _GLIDING = 0.30, 1.3
"""How far in semitones the pitch of a note lies from the note where it is held, and where it begins."""

_WORST_STEADY, _WORST_GLIDING = 4.0, 2.0
"""No pitch costs more: a frame may be heard wrongly."""

_BEGINNING = 0.35
"""For each frame of a beginning, so that beginnings are short."""

_HELD_UNVOICED, _HELD_SILENT, _SILENT_VOICED = 0.9, 3.0, 2.2
"""A frame without pitch in a note, one without sound in a note, and one with pitch in a silence."""

_NEW, _AGAIN, _NEVER, _AFTER_SILENCE, _STOP, _SETTLE = 7.0, 2.0, 20.0, 4.0, 1.0, 0.3
"""Another note; the same note anew, with something new and without; a note after a silence; the end of a note; the
end of its beginning."""

_PER_DECIBEL = 1.0
"""What a decibel of newness makes a new note cheaper."""

_NOTHING_NEW, _USUAL = 1.5, 0.5
"""Decibels of rise that are never new, and how much of what the voice always has is not."""

_ATTACK = 4
"""Frames before and after the newest one that belong to the same attack."""

_FOOT = 0.4
"""An attack sets in where it has this part of its greatest rise."""

_RINGING, _LEAVING, _GAP = 16, 9, 3
"""Frames: how long an old string rings while the new one sounds; how long a voice stays on a note that it has left
already; and the silence between."""

_QUIET = -42.0
"""Decibels: below this nobody sings, it is a room that rings."""

_SHORTEST = 0.055
"""Seconds: nobody hums a shorter note."""


def notes_of_voice(frames: Frames) -> tuple[Performed, float]:
    """The notes of one voice, and by how many semitones the whole is out of tune, -0.5..0.5.

    A hidden Markov model, decoded by Viterbi: each semitone has a beginning, where the pitch may glide, and a held
    part, where it stays near; there is a silence too. A new note is cheap where the sound has something new.

    Source:
        The note states follow Ryynänen & Klapuri 2004 and Mauch et al. 2015 (Tony). Differs: costs are set by hand,
        a note is begun anew by the growth of the spectrum, and the tuning is followed while it drifts.
    """
    heard = np.isfinite(frames.pitch) & (frames.level > _QUIET)
    if not heard.any():
        return Performed.none(), 0.0
    tuning = tuning_of(frames, heard)
    pitch = np.where(heard, frames.pitch - tuning, np.nan)
    newness = _newness(frames, heard)
    path, low = _decoded(pitch, frames.level > _QUIET, newness)
    return _notes(path, low, newness, frames), float(np.median(tuning[heard]))


def tuning_of(frames: Frames, heard: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far the voice lies off the keys of a piano in tune at each frame, in semitones, shape (T,).

    The mean angle of the fractions of its steady pitches in a window of some ten seconds, followed around the circle.
    """
    pitch = np.where(heard, frames.pitch, 0).astype(np.float64)
    moved = np.abs(np.diff(pitch, prepend=pitch[:1])) + np.abs(np.diff(pitch, append=pitch[-1:]))
    weight = heard * np.exp(-((moved / 0.15) ** 2))
    turn = np.concatenate([[0], np.cumsum(weight * np.exp(2j * np.pi * pitch))])
    half = int(5 * FRAMES_PER_SECOND)
    at = np.arange(len(pitch))
    local = turn[np.minimum(at + half, len(pitch))] - turn[np.maximum(at - half, 0)]
    whole = turn[-1] / max(weight.sum(), 1e-9)
    # Where little was heard the tuning of the whole holds.
    local = local + 0.5 * half * whole
    drift = np.unwrap(np.angle(local)) / (2 * np.pi)
    return np.asarray(drift - np.round(np.median(drift)))


def _newness(frames: Frames, heard: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Decibels by which each frame is newer than the voice always is, at most 10."""
    usual = float(np.median(frames.rise[heard]))
    # An attack is new for several frames; only the newest begins a note.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(frames.rise, _ATTACK), 2 * _ATTACK + 1)
    peak = frames.rise >= around.max(axis=1)
    return np.asarray(np.where(peak, (frames.rise - _NOTHING_NEW - _USUAL * usual).clip(0, 10), 0), np.float64)


def _decoded(
    pitch: NDArray[np.float64], sounds: NDArray[np.bool_], newness: NDArray[np.float64]
) -> tuple[NDArray[np.int16], int]:
    """The cheapest path of states, and the lowest pitch: states 2 k and 2 k + 1 are the beginning and the held part
    of the pitch k above the lowest; -1 is silence."""
    heard = np.isfinite(pitch)
    known = pitch[heard]
    low, high = int(np.floor(known.min())), int(np.ceil(known.max()))
    keys = np.arange(low, high + 1)
    off = np.abs(np.where(heard, pitch, 0)[:, None] - keys)
    without = np.where(sounds, _HELD_UNVOICED, _HELD_SILENT)[:, None]
    held = np.where(heard[:, None], np.minimum((off / _STEADY) ** 2 / 2, _WORST_STEADY), without)
    begun = np.where(heard[:, None], np.minimum((off / _GLIDING) ** 2 / 2, _WORST_GLIDING), without)
    begun = begun + _BEGINNING
    silent = np.where(heard, _SILENT_VOICED, 0.0)
    cheaper = _PER_DECIBEL * newness
    number = len(keys)
    # Where each state came from: 0 itself; a beginning also 1 + k from key k, or 1 + number from silence.
    from_where = np.zeros((len(pitch), number), np.uint8)
    settled = np.zeros((len(pitch), number), np.bool_)
    stopped = np.full(len(pitch), -1, np.int16)
    beginning, holding, silence = begun[0] + _AFTER_SILENCE, np.full(number, np.inf), float(silent[0])
    for at in range(1, len(pitch)):
        best = int(holding.argmin())
        lowest = holding[best]
        new = np.full(number, lowest + _NEW)
        origin = np.full(number, 1 + best)
        # The same key is begun anew only where there is something new.
        again = holding + (_AGAIN if cheaper[at] else _NEVER)
        other = _second(holding, best)
        new[best] = other[1] + _NEW
        origin[best] = 1 + other[0]
        take = again < new
        new, origin = np.where(take, again, new), np.where(take, 1 + np.arange(number), origin)
        new = new - min(cheaper[at], _NEW - 0.5)
        new = np.where(take, again - cheaper[at], new)
        if silence + _AFTER_SILENCE < lowest + _NEW:
            way = silence + _AFTER_SILENCE - min(cheaper[at], _AFTER_SILENCE)
            origin = np.where(way < new, 1 + number, origin)
            new = np.minimum(new, way)
        stay = beginning <= new
        next_beginning = np.where(stay, beginning, new) + begun[at]
        from_where[at] = np.where(stay, 0, origin)
        settle = beginning + _SETTLE < holding
        settled[at] = settle
        next_holding = np.where(settle, beginning + _SETTLE, holding) + held[at]
        if lowest + _STOP < silence:
            stopped[at] = best
            silence = lowest + _STOP
        silence += float(silent[at])
        beginning, holding = next_beginning, next_holding
    return _traced(from_where, settled, stopped, (holding, silence)), low


def _second(values: NDArray[np.float64], best: int) -> tuple[int, float]:
    kept = values[best]
    values[best] = np.inf
    second = int(values.argmin())
    found = float(values[second])
    values[best] = kept
    return second, found


def _traced(
    from_where: NDArray[np.uint8],
    settled: NDArray[np.bool_],
    stopped: NDArray[np.int16],
    last: tuple[NDArray[np.float64], float],
) -> NDArray[np.int16]:
    count, number = from_where.shape
    path = np.empty(count, np.int16)
    holding, silence = last
    state = -1 if silence <= holding.min() else 2 * int(holding.argmin()) + 1
    for at in range(count - 1, -1, -1):
        path[at] = state
        if state == -1:
            if stopped[at] >= 0:
                state = 2 * int(stopped[at]) + 1
        elif state % 2:
            if settled[at, state // 2]:
                state -= 1
        else:
            origin = int(from_where[at, state // 2])
            if origin == 1 + number:
                state = -1
            elif origin:
                state = 2 * (origin - 1) + 1
    return path


def _notes(path: NDArray[np.int16], low: int, newness: NDArray[np.float64], frames: Frames) -> Performed:
    sounds = path >= 0
    begins = sounds & (path % 2 == 0) & np.concatenate([[True], path[1:] != path[:-1]])
    onset = np.flatnonzero(begins)
    ends = np.flatnonzero(sounds & np.concatenate([~sounds[1:] | begins[1:], [True]])) + 1
    key = path[onset] // 2 + low
    length, new = ends[:-1] - onset[:-1], newness[onset] > 0
    follows = onset[1:] - ends[:-1] <= _GAP
    # The old string still rings while the new one sounds: the newness was the new note's.
    rings = (length < _RINGING) & new[:-1] & ~new[1:] & (key[1:] != key[:-1])
    # A voice that leaves a note, and a breath that finds its tone, seem to begin it anew.
    leaves = (length < _LEAVING) & new[:-1] & ((key[:-1] == np.roll(key, 1)[:-1]) | (key[:-1] == key[1:]))
    late = follows & (rings | leaves)
    onset[1:][late] = onset[:-1][late]
    kept = np.ones(len(onset), np.bool_)
    kept[:-1] = ~late
    onset, ends, key = onset[kept], ends[kept], key[kept]
    start = _starts(onset, frames.rise)
    # A note ends where the next one begins, and there is none where both begin at once.
    ends = np.minimum(ends, np.append(start[1:], len(path)))
    level = np.array([frames.level[a : max(a, b) + 1].max() for a, b in zip(onset, ends, strict=True)])
    notes = Performed(start / FRAMES_PER_SECOND, ends / FRAMES_PER_SECOND, key.astype(np.int64), level)
    return notes.where(((ends - start) / FRAMES_PER_SECOND >= _SHORTEST) & (key >= 0) & (key <= 127))


def _starts(onset: NDArray[np.intp], rise: NDArray[np.float32]) -> NDArray[np.intp]:
    """Where the newness of each note sets in, in frames: a soft attack is half over when it is newest."""
    starts = np.empty(len(onset), np.intp)
    for index, frame in enumerate(onset):
        first = max(frame - _ATTACK, 0)
        at = first + int(rise[first : frame + 2].argmax())
        peak = rise[at]
        while at > 0 and rise[at - 1] > _FOOT * peak and frame - at < 2 * _ATTACK:
            at -= 1
        starts[index] = at
    return np.asarray(np.maximum.accumulate(starts))
