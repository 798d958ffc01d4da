"""Pure edits: each takes a score and returns a new one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from .key import Key, detect_key
from .meter import Meter
from .notes import MAX_UNIT, IntArray, Notes, Spans, check_int
from .score import Score, TempoMap, Track

Sign = TypeVar("Sign", Meter, Key)


def transpose(score: Score, semitones: int) -> Score:
    """The score with every pitched note and key `semitones` higher; drums stay.

    Raises:
        ValueError: if a note would leave 0..127.
    """
    tracks = tuple(
        track if track.is_drum else track.replace(notes=track.notes.replace(pitch=track.notes.pitch + semitones))
        for track in score.tracks
    )
    return score.replace(tracks=tracks, keys=tuple(key.transpose(semitones) for key in score.keys))


def clip(score: Score, start: int, stop: int) -> Score:
    """What sounds in [start, stop) ticks, moved so that `start` becomes 0.

    Notes that reach over an edge are cut there. The metre, key and tempo in force at `start` stand at 0. A
    cut inside a bar gives a pickup.

    Raises:
        ValueError: if not 0 <= start < stop.
    """
    if not 0 <= start < stop:
        raise ValueError(f"a clip needs 0 <= start < stop, got {start} and {stop}")
    tracks = tuple(
        track.replace(notes=_clip_notes(track.notes, start, stop), pedal=_clip_spans(track.pedal, start, stop))
        for track in score.tracks
    )
    bars = score.bars()
    following = bars[bars >= start]
    meters = _move_signs(score.meters, start, stop)
    # A pickup starts at 0 without being a whole bar, so a clip from 0 keeps it.
    pickup = (int(following[0] - start) if len(following) else 0) if start else score.pickup
    if pickup >= meters[0].bar_length(score.ticks_per_quarter):
        pickup = 0
    at = int(np.searchsorted(score.tempos.onset, start, side="right")) - 1
    inside = score.tempos.onset < stop
    inside[:at] = False
    tempos = TempoMap(np.maximum(score.tempos.onset[inside] - start, 0), score.tempos.quarters_per_minute[inside])
    return score.replace(
        tracks=tracks,
        meters=meters,
        keys=_move_signs(score.keys, start, stop),
        tempos=tempos,
        pickup=pickup,
        fermatas=tuple(onset - start for onset in score.fermatas if start <= onset < stop),
    )


def slice_bars(score: Score, first: int, stop: int) -> Score:
    """Bars first..stop-1, counted from 0; a pickup is bar 0.

    Raises:
        ValueError: if there are no such bars.
    """
    bars = score.bars()
    if not 0 <= first < stop <= len(bars) - 1:
        raise ValueError(f"the score has bars 0..{len(bars) - 2}, asked for {first}..{stop - 1}")
    return clip(score, int(bars[first]), int(bars[stop]))


def chain(scores: Sequence[Score], bars: int) -> Score:
    """Scores one after the other as one, each so many bars of its first metre long, each at its own mean tempo.

    Tracks that stand at the same place among the drums, or among the others, become one.

    Raises:
        ValueError: if there is no score.
    """
    if not scores:
        raise ValueError("a chain needs at least one score")
    unit = max(score.ticks_per_quarter for score in scores)
    length = bars * scores[0].meters[0].bar_length(unit)
    parts: dict[tuple[bool, int], list[Track]] = {}
    for number, score in enumerate(scores):
        fitted = clip(resample(score, unit), 0, length)
        for is_drum in (False, True):
            for place, track in enumerate(track for track in fitted.tracks if track.is_drum == is_drum):
                notes = track.notes.replace(onset=track.notes.onset + number * length)
                parts.setdefault((is_drum, place), []).append(track.replace(notes=notes, pedal=Spans.none()))
    tracks = tuple(own[0].replace(notes=together([track.notes for track in own])) for own in parts.values())
    tempos = [score.tempos.mean(score.end) for score in scores]
    onset = length * np.arange(len(scores))
    return Score(unit, tracks, TempoMap(onset, np.array(tempos)), (replace(scores[0].meters[0], onset=0),))


def concatenate(scores: Sequence[Score]) -> Score:
    """Scores one after the other as one, each as long as its bars; tempos, metres and keys stand where they change.

    Tracks of one program and one name become one.

    Raises:
        ValueError: if there is no score.
    """
    if not scores:
        raise ValueError("there is nothing to put together without a score")
    unit = math.lcm(*(score.ticks_per_quarter for score in scores))
    parts: dict[tuple[int, bool, str], list[Notes]] = {}
    tempos: list[tuple[int, float]] = []
    meters: list[Meter] = []
    keys: list[Key] = []
    start = 0
    for score in (resample(score, unit) for score in scores):
        for track in score.tracks:
            notes = track.notes.replace(onset=track.notes.onset + start)
            parts.setdefault((track.program, track.is_drum, track.name), []).append(notes)
        rates = zip(score.tempos.onset.tolist(), score.tempos.quarters_per_minute.tolist(), strict=True)
        tempos += [(start + onset, rate) for onset, rate in rates if not tempos or onset or rate != tempos[-1][1]]
        for meter in score.meters:
            if not meters or meter.name != meters[-1].name:
                meters.append(replace(meter, onset=start + meter.onset))
        for key in score.keys:
            if not keys or key.name != keys[-1].name:
                keys.append(replace(key, onset=start + key.onset))
        start += int(score.bars()[-1])
    tracks = tuple(Track(together(notes), *about) for about, notes in parts.items())
    map_ = TempoMap(np.array([onset for onset, _ in tempos]), np.array([rate for _, rate in tempos]))
    return Score(unit, tracks, map_, tuple(meters), tuple(keys), scores[0].pickup)


def beside(scores: Sequence[Score]) -> Score:
    """Scores that sound at the same time as one: the tracks of all, the tempos and metres of the first.

    Raises:
        ValueError: if there is no score.
    """
    if not scores:
        raise ValueError("there must be a score for others to stand beside")
    unit = max(score.ticks_per_quarter for score in scores)
    fitted = [resample(score, unit) for score in scores]
    return fitted[0].replace(tracks=tuple(track for score in fitted for track in score.tracks))


def swing(score: Score, share: float) -> Score:
    """The first of two eighths longer than the second, in metres whose beats are halved; others stay.

    Args:
        share: of a quarter that its first eighth has: 1/2 is as written, 2/3 is the swing of a triplet.

    >>> swing(Score(12, (Track(Notes.of([(0, 6, 60, 80), (6, 6, 62, 80)])),)), 2 / 3).tracks[0].notes.onset.tolist()
    [0, 8]

    Raises:
        ValueError: if the share is not in [0.5, 0.8].
    """
    if not 0.5 <= share <= 0.8:
        raise ValueError(f"expected a share of 0.5 to 0.8 for the first of two eighths, got {share:g}")
    unit, bars = score.ticks_per_quarter, score.bars().copy()
    # The quarters of a pickup are counted from its end.
    bars[0] -= -score.pickup % unit
    onsets = np.array([meter.onset for meter in score.meters])
    halved = np.array([meter.denominator <= 4 for meter in score.meters])

    def late(ticks: IntArray) -> IntArray:
        starts = bars[np.searchsorted(bars, ticks, side="right") - 1]
        quarter, rest = np.divmod(ticks - starts, unit)
        first = np.minimum(rest, unit / 2)
        swung = starts + quarter * unit + np.rint(2 * (share * first + (1 - share) * (rest - first)))
        here = halved[np.searchsorted(onsets, np.maximum(starts, 0), side="right") - 1]
        return np.where(here, swung, ticks).astype(np.int64)

    def swung(track: Track) -> Track:
        onset = late(track.notes.onset)
        length = np.maximum(late(track.notes.end) - onset, 1)
        return track.replace(notes=track.notes.replace(onset=onset, duration=length))

    return score.replace(tracks=tuple(map(swung, score.tracks)))


def quantise(score: Score, steps_per_quarter: int) -> Score:
    """Every onset and end moved to the nearest of `steps_per_quarter` places in a quarter.

    A note keeps at least one step. The unit of time stays, so it must be a multiple of the steps.

    Raises:
        ValueError: if ticks_per_quarter is no multiple of steps_per_quarter.
    """
    if steps_per_quarter < 1 or score.ticks_per_quarter % steps_per_quarter:
        raise ValueError(
            f"{score.ticks_per_quarter} ticks a quarter do not divide into {steps_per_quarter} steps; resample first"
        )
    step = score.ticks_per_quarter // steps_per_quarter
    coarse = resample(score, steps_per_quarter)
    return resample(coarse, steps_per_quarter * step)


def resample(score: Score, ticks_per_quarter: int) -> Score:
    """The same music in another unit of time, each time rounded to the nearest tick.

    A note keeps at least one tick. Tempos, metres or keys that fall on one tick give way to the last.

    Raises:
        ValueError: if the unit is not 1..2**22, or a time would lie beyond what notes can have.
    """
    check_int(ticks_per_quarter, "ticks_per_quarter", 1, MAX_UNIT)
    if ticks_per_quarter == score.ticks_per_quarter:
        return score
    old, new = score.ticks_per_quarter, ticks_per_quarter
    tracks = tuple(
        track.replace(notes=_scale_notes(track.notes, old, new), pedal=_scale_spans(track.pedal, old, new))
        for track in score.tracks
    )
    onset = rescale(score.tempos.onset, old, new)
    last = np.append(onset[1:] != onset[:-1], True)
    meters = {int(rescale(meter.onset, old, new)): meter for meter in score.meters}
    keys = {int(rescale(key.onset, old, new)): key for key in score.keys}
    meters_moved = tuple(replace(meter, onset=onset) for onset, meter in meters.items())
    return score.replace(
        ticks_per_quarter=new,
        tracks=tracks,
        tempos=TempoMap(onset[last], score.tempos.quarters_per_minute[last]),
        meters=meters_moved,
        keys=tuple(replace(key, onset=onset) for onset, key in keys.items()),
        pickup=min(int(rescale(score.pickup, old, new)), meters_moved[0].bar_length(new) - 1),
        fermatas=tuple(sorted({int(rescale(onset, old, new)) for onset in score.fermatas})),
    )


def rescale(ticks: IntArray | int, old: int, new: int) -> IntArray:
    """Ticks in another unit, rounded to the nearest, halves upwards."""
    # Ticks are whole, so half a unit rounded down is as good as half a unit.
    return np.asarray((np.asarray(ticks, np.int64) * new + old // 2) // old)


def merge(score: Score) -> Score:
    """All pitched tracks as one (with the first one's program) and all drum tracks as one."""
    merged = []
    for is_drum in (False, True):
        parts = [track for track in score.tracks if track.is_drum == is_drum]
        if not parts:
            continue
        pedal = Spans.union(
            np.concatenate([track.pedal.onset for track in parts]),
            np.concatenate([track.pedal.duration for track in parts]),
        )
        merged.append(parts[0].replace(notes=together([track.notes for track in parts]), pedal=pedal))
    return score.replace(tracks=tuple(merged))


def with_detected_key(score: Score) -> Score:
    """The score with the one key that its pitched notes, weighted by duration, suggest.

    Signatures in MIDI files are often missing or left at C major, so training does not rely on them.
    """
    pitched = [track.notes for track in score.tracks if not track.is_drum and len(track.notes)]
    if not pitched:
        return score.replace(keys=())
    pitch = np.concatenate([notes.pitch for notes in pitched])
    duration = np.concatenate([notes.duration for notes in pitched])
    return score.replace(keys=(detect_key(pitch, np.minimum(duration, 4 * score.ticks_per_quarter)),))


def together(parts: Sequence[Notes]) -> Notes:
    """The notes of several parts as those of one."""
    return Notes(
        *(
            np.concatenate([getattr(notes, name) for notes in parts])
            for name in ("onset", "duration", "pitch", "velocity")
        )
    )


def _clip_notes(notes: Notes, start: int, stop: int) -> Notes:
    inside = notes.where((notes.onset < stop) & (notes.end > start))
    onset = np.maximum(inside.onset, start)
    return inside.replace(onset=onset - start, duration=np.minimum(inside.end, stop) - onset)


def _clip_spans(spans: Spans, start: int, stop: int) -> Spans:
    inside = (spans.onset < stop) & (spans.end > start)
    onset = np.maximum(spans.onset[inside], start)
    return Spans(onset - start, np.minimum(spans.end[inside], stop) - onset)


def _move_signs(signs: tuple[Sign, ...], start: int, stop: int) -> tuple[Sign, ...]:
    before = [sign for sign in signs if sign.onset <= start]
    inside = [sign for sign in signs if start < sign.onset < stop]
    return tuple(replace(sign, onset=max(sign.onset - start, 0)) for sign in before[-1:] + inside)


def _scale_notes(notes: Notes, old: int, new: int) -> Notes:
    onset = rescale(notes.onset, old, new)
    return notes.replace(onset=onset, duration=np.maximum(rescale(notes.end, old, new) - onset, 1))


def _scale_spans(spans: Spans, old: int, new: int) -> Spans:
    onset = rescale(spans.onset, old, new)
    return Spans.union(onset, np.maximum(rescale(spans.end, old, new) - onset, 1))


def graft(notes: Notes, others: Notes, start: int, stop: int) -> Notes:
    """What sounds in [start, stop) ticks from `others`, and all else from `notes`, to the tick.

    A note of `others` that reaches over an edge goes on with one of that pitch in `notes`, or is cut there.

    >>> old, new = Notes.of([(0, 48, 60, 80)]), Notes.of([(0, 36, 60, 80), (36, 12, 62, 80)])
    >>> graft(old, new, 24, 48).end.tolist()
    [36, 48]
    """
    rows: list[list[int]] = []
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for onset, end, pitch, velocity in _rows(notes):
        if onset < start:
            rows.append([onset, min(end, start), pitch, velocity])
            if end >= start:
                before[pitch] = rows[-1]
        if end > stop:
            rows.append([max(onset, stop), end, pitch, velocity])
            if onset < stop:
                after[pitch] = rows[-1]
    for onset, end, pitch, velocity in _rows(others):
        if end <= start or onset >= stop:
            continue
        row = [max(onset, start), min(end, stop), pitch, velocity]
        earlier = before.get(pitch) if onset < start else None
        later = after.get(pitch) if end > stop else None
        if earlier is not None:
            earlier[1] = row[1]
            row = earlier
        else:
            rows.append(row)
        if later is not None:
            row[1] = later[1]
            rows.remove(later)
    return Notes.of((onset, end - onset, pitch, velocity) for onset, end, pitch, velocity in rows)


def _rows(notes: Notes) -> list[list[int]]:
    rows: list[list[int]] = np.stack([notes.onset, notes.end, notes.pitch, notes.velocity], axis=1).tolist()
    return rows
