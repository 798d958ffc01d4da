"""Going on from a given beginning, of which not a tick is altered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..codecs import Codec
from ..errors import WishError
from ..evaluation import facts
from ..music import Meter, Notes, Score, Spans, Track, Wishes, bar_starts, resample, with_detected_key
from ..sampling.writing import Steps
from .card import Habits, lineup_of


@dataclass(frozen=True)
class Prompt:
    """A beginning as a style hears it.

    Attributes:
        steps: header and notes, without an end.
        wishes: that make the piece as long as wished.
        stop: ticks of the codec at which what is new starts.
        tracks: for each track of the codec's score, the track of the beginning that it is.
        shift: semitones from a key that the style knows well to that of the beginning.
    """

    steps: Steps
    wishes: Wishes
    stop: int
    tracks: tuple[int, ...]
    shift: int


def prompt_of(codec: Codec, beginning: Score, bars: int, habits: Habits) -> Prompt:
    """What a style is told of a beginning, to go on for `bars` bars after its last bar line.

    Raises:
        CodecError: if the beginning has no notes that the codec can tell.
        WishError: if `bars` is out of range.
    """
    if not 1 <= bars <= 10_000:
        raise WishError(f"expected 1..10000 bars to go on for, got {bars}")
    heard = beginning if beginning.keys else with_detected_key(beginning)
    canonical = codec.canonical(heard)
    stop = int(canonical.bars()[-1])
    given = len(canonical.bars()) - 1 - (canonical.pickup > 0)
    shift = habits.shift_to(canonical.keys[0] if canonical.keys else None)
    steps = codec.with_facts(codec.encode(heard)[:-1], bars=given + bars, shift=shift)
    meter = canonical.meter_at(stop)
    played = [track.notes.pitch for track in canonical.tracks if not track.is_drum]
    pitches = np.concatenate([*played, [habits.low, habits.high]])
    wishes = Wishes(
        bars=given + bars,
        meter=Meter(0, meter.numerator, meter.denominator),
        low=int(pitches.min()),
        high=int(pitches.max()),
        polyphony=max(habits.polyphony, facts(canonical).max_polyphony) if habits.polyphony else None,
        monophonic=habits.monophonic,
        lineup=lineup_of(canonical),
    )
    return Prompt(
        steps,
        wishes,
        stop,
        _same_tracks(beginning.tracks, canonical.tracks),
        shift,
    )


def _same_tracks(given: Sequence[Track], heard: Sequence[Track]) -> tuple[int, ...]:
    """Which given track each heard one is: the one that shares most of its notes' pitches, in order."""
    free = [index for index, track in enumerate(given) if len(track.notes)]
    same = []
    for track in heard:
        fits = [index for index in free if given[index].is_drum == track.is_drum]
        if not fits:
            same.append(-1)
            continue

        def likeness(index: int, track: Track = track) -> tuple[int, bool]:
            mine, theirs = given[index].notes.pitch, track.notes.pitch
            common = np.minimum(np.bincount(mine, minlength=128), np.bincount(theirs, minlength=128)).sum()
            return int(common) - abs(len(mine) - len(theirs)), given[index].program == track.program

        best = max(fits, key=likeness)
        free.remove(best)
        same.append(best)
    return tuple(same)


def join(beginning: Score, composed: Score, prompt: Prompt) -> Score:
    """The beginning with what was composed after it, in a unit of time that holds both exactly.

    Args:
        beginning: as it was given.
        composed: the beginning as the style heard it, and what is new.
        prompt: what the style was told.
    """
    unit = math.lcm(beginning.ticks_per_quarter, composed.ticks_per_quarter)
    first = resample(beginning, unit)
    border = int(bar_starts(first.meters, first.pickup, unit, first.end)[-1])
    new = resample(composed, unit)
    moved = border - prompt.stop * (unit // composed.ticks_per_quarter)
    tracks = list(first.tracks)
    for place, track in enumerate(new.tracks):
        added = _after(track, border - moved, moved)
        index = prompt.tracks[place] if place < len(prompt.tracks) else -1
        if index < 0:
            tracks.append(added)
        else:
            tracks[index] = _both(tracks[index], added)
    return first.replace(tracks=tuple(track for track in tracks if len(track.notes)))


def _after(track: Track, start: int, moved: int) -> Track:
    """The part of a track whose notes start at `start` or later, moved."""
    late, pressed = track.notes.onset >= start, track.pedal.onset >= start
    notes = track.notes.where(late)
    pedal = Spans(track.pedal.onset[pressed] + moved, track.pedal.duration[pressed])
    return track.replace(notes=notes.replace(onset=notes.onset + moved), pedal=pedal)


def _both(first: Track, second: Track) -> Track:
    columns = ("onset", "duration", "pitch", "velocity")
    notes = Notes(*(np.concatenate([getattr(first.notes, name), getattr(second.notes, name)]) for name in columns))
    pedal = Spans.union(
        np.concatenate([first.pedal.onset, second.pedal.onset]),
        np.concatenate([first.pedal.duration, second.pedal.duration]),
    )
    return first.replace(notes=notes, pedal=pedal)


__all__ = ["Prompt", "join", "prompt_of"]
