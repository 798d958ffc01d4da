"""Where the beats of played music are, so that its bar lines fall where a listener would put them.

Three cases are told apart by how well the onsets agree on a place inside the quarter (the length of their mean
direction on a circle of a whole, a half, a third or a quarter of it):

- They agree, and on the file's own beats: nothing is done.
- They agree on another place, as in a recording that was cut freely: all is moved by that much.
- They do not agree: the file's beats mean nothing, and beats are tracked by dynamic programming over the strength of
  onsets (Ellis 2007, Beat Tracking by Dynamic Programming). Differs: the period that is expected follows the music,
  as estimated in windows, since pianists play rubato.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...music import Meter, Notes, Score, TempoMap

Floats = NDArray[np.float64]

_AGREES, _NEARLY_AS_WELL = 0.3, 0.8
_LEAST_SHIFT = 0.001
_LEAST_NOTES = 32
"""Fewer do not tell where beats are."""

_LONGEST_PIECE = 3 * 3600
"""Seconds; tracking the beats of more would take minutes."""

_FRAME = 0.02
"""Seconds."""

_SHORTEST, _LONGEST, _USUAL = 0.35, 1.2, 0.6
"""Seconds that a beat may last, and lasts most often."""

_WINDOW, _HOP = 400, 100
"""Frames: eight seconds, every two."""

_STEADINESS = 6.0
"""What a beat costs that is e times as long as expected, in strengths of a usual onset."""

UNIT = 480
"""Ticks a quarter of music whose beats were found."""


def on_beats(score: Score) -> Score:
    """The score with its notes on the beats that they are played on; as it is if they are."""
    onset = np.concatenate([track.notes.onset for track in score.tracks] or [np.zeros(0, np.int64)])
    if len(onset) < _LEAST_NOTES:
        return score
    place = onset / score.ticks_per_quarter
    mean = {parts: np.exp(2j * np.pi * parts * place).mean() for parts in (1, 2, 3, 4)}
    best = max(abs(each) for each in mean.values())
    if best < _AGREES:
        return _on_tracked_beats(score)
    parts = next(parts for parts, each in mean.items() if abs(each) >= _NEARLY_AS_WELL * best)
    shift = float(np.angle(mean[parts])) / (2 * np.pi * parts)
    if abs(shift) < _LEAST_SHIFT:
        return score
    return _moved(score, -round(shift * score.ticks_per_quarter))


def _moved(score: Score, ticks: int) -> Score:
    """The notes `ticks` later; those that would start before 0 start there."""
    if not ticks:
        return score
    tracks = []
    for track in score.tracks:
        onset = np.maximum(track.notes.onset + ticks, 0)
        end = np.maximum(track.notes.end + ticks, onset + 1)
        tracks.append(track.replace(notes=track.notes.replace(onset=onset, duration=end - onset)))
    return score.replace(tracks=tuple(tracks))


def _on_tracked_beats(score: Score) -> Score:
    unit, tempos = score.ticks_per_quarter, score.tempos
    starts = np.concatenate([tempos.seconds(track.notes.onset, unit) for track in score.tracks])
    velocity = np.concatenate([track.notes.velocity for track in score.tracks]).astype(np.float64)
    pitch = np.concatenate([track.notes.pitch for track in score.tracks])
    lasts = np.concatenate([tempos.seconds(track.notes.end, unit) for track in score.tracks]) - starts
    weight = velocity * (1 + (pitch < 52)) * np.clip(lasts, 0.1, 1.0)
    if starts.max() - starts.min() > _LONGEST_PIECE:
        return score
    beats = tracked_beats(starts, weight)
    if len(beats) < 4:
        return score
    threes = _divides_in_three(starts, beats)
    group, first = _bars(starts, weight, beats, threes=threes)
    quarters = 1.5 if threes else 1.0
    meter = Meter(0, 3 * group, 8) if threes else Meter(0, group, 4)

    counted = np.arange(len(beats)) - first
    # The first note stands in the first bar.
    counted -= int(np.floor(np.interp(starts.min(), beats, counted) / group + 0.01)) * group

    def ticks(seconds: Floats) -> NDArray[np.int64]:
        return np.maximum(np.round(np.interp(seconds, beats, counted) * quarters * UNIT), 0).astype(np.int64)

    tracks = []
    for track in score.tracks:
        onset = ticks(tempos.seconds(track.notes.onset, unit))
        end = np.maximum(ticks(tempos.seconds(track.notes.end, unit)), onset + 1)
        notes = Notes(onset, end - onset, track.notes.pitch, track.notes.velocity)
        tracks.append(track.replace(notes=notes))
    at = ticks(beats)
    kept = np.concatenate(([True], np.diff(at) > 0))
    at, times = at[kept], beats[kept]
    rate = 60 * np.diff(at) / UNIT / np.diff(times)
    onsets = np.concatenate(([0], at[1:-1]))
    return score.replace(
        ticks_per_quarter=UNIT,
        tracks=tuple(tracks),
        tempos=TempoMap(onsets, rate),
        meters=(meter,),
        keys=tuple(key for key in score.keys if key.onset == 0),
        pickup=0,
    )


def tracked_beats(onset: Floats, weight: Floats) -> Floats:
    """The times of beats, in seconds, before the first onset to after the last one.

    Args:
        onset: seconds, shape (N,), in any order.
        weight: how strong each onset is, shape (N,).
    """
    begin = float(onset.min()) - 2 * _FRAME
    frames = int((float(onset.max()) - begin) / _FRAME) + 3
    raw = np.bincount(((onset - begin) / _FRAME).astype(np.int64), weight, frames)
    strength = np.convolve(np.sqrt(raw), [0.3, 0.7, 1.0, 0.7, 0.3], "same")
    strength /= np.sqrt(np.mean(strength[strength > 0] ** 2))
    period = _periods(strength)
    lags = np.arange(int(0.5 * _SHORTEST / _FRAME), int(1.6 * _LONGEST / _FRAME))
    total = strength.copy()
    came = np.full(frames, -1)
    cost = {each: _STEADINESS * np.log(lags / each) ** 2 for each in np.unique(period).tolist()}
    for frame in range(int(lags[0]), frames):
        reach = lags[: np.searchsorted(lags, frame, side="right")]
        before = total[frame - reach] - cost[int(period[frame])][: len(reach)]
        best = int(before.argmax())
        if before[best] > 0:
            total[frame] += before[best]
            came[frame] = frame - reach[best]
    tail = frames - int(period[-1])
    frame = max(tail, 0) + int(total[max(tail, 0) :].argmax())
    path = []
    while frame >= 0:
        path.append(frame)
        frame = int(came[frame])
    beats = begin + np.array(path[::-1]) * _FRAME
    gap = period[0] * _FRAME
    ahead = np.arange(int((beats[0] - begin) / gap) + 1, 0, -1) * gap
    after = np.arange(1, 3) * period[-1] * _FRAME
    return np.concatenate((beats[0] - ahead, beats, beats[-1] + after))


def _periods(strength: Floats) -> NDArray[np.int64]:
    """The frames that a beat lasts around each frame: by autocorrelation in windows, smooth from one to the next."""
    lags = np.arange(int(_SHORTEST / _FRAME), int(_LONGEST / _FRAME) + 1)
    prior = np.exp(-0.5 * (np.log2(lags * _FRAME / _USUAL) / 0.6) ** 2)
    centres = np.arange(0, len(strength), _HOP)
    padded = np.pad(strength, (_WINDOW // 2, _WINDOW // 2 + 2 * int(lags[-1])))
    scores = []
    for centre in centres:
        window = padded[centre : centre + _WINDOW]
        long = padded[centre : centre + _WINDOW + 2 * int(lags[-1])]
        match = np.correlate(long, window, "valid") / (window @ window + 1e-9)
        scores.append((match[lags] + 0.5 * match[2 * lags]) * prior)
    change = 4.0 * np.log(lags[:, None] / lags) ** 2 * 4
    total, came = scores[0], []
    for row in scores[1:]:
        reached = total[:, None] - change
        came.append(reached.argmax(axis=0))
        total = reached.max(axis=0) + row
    place = int(total.argmax())
    path = [place]
    for best in reversed(came):
        place = int(best[place])
        path.append(place)
    return np.asarray(np.repeat(lags[path[::-1]], _HOP)[: len(strength)])


def _divides_in_three(onset: Floats, beats: Floats) -> bool:
    """Whether what lies between beats lies on thirds of them rather than on halves and quarters."""
    place = np.interp(onset, beats, np.arange(len(beats)))
    inside = place - np.floor(place)
    between = inside[(inside > 0.12) & (inside < 0.88)]
    if len(between) < _LEAST_NOTES // 2:
        return False
    thirds = np.abs(between * 3 - np.round(between * 3)) / 3
    fourths = np.abs(between * 4 - np.round(between * 4)) / 4
    return bool((thirds < fourths).mean() > 0.62)


def _bars(onset: Floats, weight: Floats, beats: Floats, *, threes: bool) -> tuple[int, int]:
    """How many beats a bar has, and which beat is the first of one: where the strong beats are."""
    strength = np.zeros(len(beats))
    near = np.round(np.interp(onset, beats, np.arange(len(beats)))).astype(np.int64)
    np.add.at(strength, near, weight * (np.abs(onset - beats[near]) < 0.07))
    strength = np.sqrt(strength)
    best = (-1.0, 4, 0)
    for group, liking in ((2, 1.0), (4, 0.95)) if threes else ((4, 1.0), (3, 1.0), (2, 0.9)):
        for first in range(group):
            bars = strength[first:][: len(strength[first:]) // group * group].reshape(-1, group)
            if len(bars):
                contrast = float((bars[:, 0].mean() - bars[:, 1:].mean()) / (strength.mean() + 1e-9)) * liking
                best = max(best, (contrast, group, first))
    return best[1], best[2]
