"""Where a score is stuck: exact repetition that does not end, and silence that does not end.

A *loop* is a pattern of at most four bars whose notes come again, all of them and nothing else, once or more in direct
succession. In ticks: with a period P and k >= 2 repetitions from a tick `start` on, which is the onset of a note, the
notes with onsets in [start, start + k·P) are the same in each of the k stretches of P ticks, when onsets are counted
from the beginning of the stretch. Notes are the same when track, onset, pitch and duration are; velocity may differ.
One note struck for ever is a loop whose pattern has one note.

Music repeats itself too: a phrase played twice is no sign of a fault. What counts as *looped* is therefore only what
comes after the second time, and a figure means something beside that of the pieces a style was learnt from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kapelle.music import IntArray, Score, Spans

MAX_BARS = 4
"""Longest pattern looked for, in bars."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A pattern repeated without change.

    Attributes:
        start: onset of its first note, ticks.
        period: length of the pattern, ticks.
        period_notes: notes in the pattern, all tracks.
        period_bars: length of the pattern in bars of the metre where it starts.
        repetitions: how many times it sounds in direct succession, >= 2.
        bars: length of all repetitions together, in bars.
    """

    start: int
    period: int
    period_notes: int
    period_bars: float
    repetitions: int
    bars: float

    @property
    def looped_bars(self) -> float:
        """Bars after the second time: what `looped_bars` would say of this loop alone."""
        return self.bars * (self.repetitions - 2) / self.repetitions

    @property
    def stop(self) -> int:
        """Where the last repetition ends, ticks."""
        return self.start + self.repetitions * self.period


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch in which no note sounds.

    Attributes:
        start: ticks.
        duration: ticks; 0 if there is no silence.
        bars: the duration in bars.
    """

    start: int
    duration: int
    bars: float


def longest_loop(score: Score) -> Loop | None:
    """The loop with the most bars after its second time.

    Among equals the one with more bars in all, then with the shorter pattern, then the earlier one. None if
    nothing is played twice in direct succession.

    >>> from kapelle.music import Notes, Track
    >>> stuck = Notes.of([(24 * i, 24, 60, 80) for i in range(16)])
    >>> loop = longest_loop(Score(24, (Track(stuck),)))
    >>> loop.period_notes, loop.repetitions, loop.bars, loop.looped_bars
    (1, 16, 4.0, 3.5)
    """
    bars = score.bars()
    best, best_rank = None, (-1.0, -1.0, 0, 0)
    for run in _runs(score):
        edges = run.start + run.period * np.array([0, 1, run.repetitions])
        begin, one, stop = bar_position(bars, edges).tolist()
        loop = Loop(run.start, run.period, run.size, one - begin, run.repetitions, stop - begin)
        rank = (round(loop.looped_bars, 9), round(loop.bars, 9), -run.period, -run.start)
        if rank > best_rank:
            best, best_rank = loop, rank
    return best


def looped_bars(score: Score) -> float:
    """How much of a score is exact repetition: bars covered by loops after their second time.

    Each loop covers what lies from the end of its second repetition to the end of its last, wherever its pattern
    is taken to begin; what several loops cover counts once. The figure is 0.0 if nothing is played three times
    in direct succession, and (n - 2) / 4 for a quarter struck n times in 4/4. Divide by the bars of the score
    for a share.

    >>> from kapelle.music import Notes, Track
    >>> looped_bars(Score(24, (Track(Notes.of([(24 * i, 24, 60, 80) for i in range(16)])),)))
    3.5
    """
    runs = [run for run in _runs(score) if run.repetitions > 2]
    if not runs:
        return 0.0
    onset = np.array([run.start + 2 * run.period for run in runs])
    spans = Spans.union(onset, np.array([run.last_stop for run in runs]) - onset)
    bars = score.bars()
    return float((bar_position(bars, spans.end) - bar_position(bars, spans.onset)).sum())


def longest_silence(score: Score) -> Silence:
    """The longest stretch before the last note's end in which no track sounds; the beginning counts, pedals do not.

    >>> from kapelle.music import Notes, Track
    >>> longest_silence(Score(24, (Track(Notes.of([(0, 24, 60, 80), (216, 24, 62, 80)])),)))
    Silence(start=24, duration=192, bars=2.0)
    """
    onset = np.concatenate([np.zeros(0, np.int64), *(track.notes.onset for track in score.tracks)])
    if not len(onset):
        return Silence(0, 0, 0.0)
    sounding = Spans.union(onset, np.concatenate([track.notes.duration for track in score.tracks]))
    ends = np.append(0, sounding.end[:-1])
    gaps = sounding.onset - ends
    at = int(gaps.argmax())
    begin, stop = bar_position(score.bars(), np.array([ends[at], sounding.onset[at]])).tolist()
    return Silence(int(ends[at]), int(gaps[at]), stop - begin)


def bar_position(bars: IntArray, ticks: IntArray) -> NDArray[np.float64]:
    """Ticks as bars from the start: 2.5 is the middle of the third; the last bar goes on for ever.

    >>> bar_position(np.array([0, 96, 168]), np.array([48, 132, 240]))
    array([0.5, 1.5, 3. ])
    """
    at = np.clip(np.searchsorted(bars, ticks, side="right") - 1, 0, len(bars) - 2)
    return np.asarray(at + (ticks - bars[at]) / (bars[at + 1] - bars[at]))


@dataclass(frozen=True, slots=True)
class _Run:
    """An unbroken stretch of one periodic pattern; see `_runs`.

    Attributes:
        start: onset of the first whole pattern, ticks.
        period: ticks.
        size: notes in a period.
        repetitions: whole patterns from `start` on, >= 2.
        last_stop: ticks at which as many repetitions end if the pattern is taken to begin as late as possible.
    """

    start: int
    period: int
    size: int
    repetitions: int
    last_stop: int


def _runs(score: Score) -> Iterator[_Run]:
    """Every stretch of two repetitions or more that cannot be made longer, for every period.

    With the notes in one order, a pattern of p notes comes again as long as every note is like the p-th after
    it, in what it is and in its distance from the note before. So for each p all notes are compared at once
    with those p places later, and the unbroken runs of equal pairs are what is looked for.
    """
    onset, kind = _in_order(score)
    if len(onset) < 2:
        return
    gap = np.diff(onset, prepend=-1)
    position = bar_position(score.bars(), onset)
    furthest = np.searchsorted(position, position + MAX_BARS + 1e-9, side="right") - 1 - np.arange(len(onset))
    for size in range(1, int(furthest.max()) + 1):
        alike = kind[size:] == kind[:-size]
        # The first note of a run need not be at the same distance from the note before it.
        begins = alike & ~((gap[size:] == gap[:-size]) & np.concatenate(([False], alike[:-1])))
        first = np.flatnonzero(begins)
        breaks = np.append(np.flatnonzero(begins | ~alike), len(alike))
        stop = breaks[np.searchsorted(breaks, first, side="right")]
        long = stop - first >= size
        for one, other in zip(first[long].tolist(), stop[long].tolist(), strict=True):
            run = _run(onset, gap, size, one, other + size)
            if run is not None and furthest[np.searchsorted(onset, run.start)] >= size:
                yield run


def _run(onset: IntArray, gap: IntArray, size: int, first: int, stop: int) -> _Run | None:
    """The run among notes first..stop-1, of which each but the last `size` is like the one `size` places later."""
    # A stretch of time begins with all the notes of a chord, so with the first of them in the order.
    while first + 2 * size <= stop and not (gap[first] > 0 and gap[first + size] > 0):
        first += 1
    if first + 2 * size > stop:
        return None
    start, period = int(onset[first]), int(onset[first + size] - onset[first])

    def is_whole(begin: int, repetitions: int) -> bool:
        # After the last repetition the next note must not come too early: it would be one more in the pattern.
        end = begin + repetitions * size
        return end <= stop and (end == len(onset) or int(onset[end]) >= int(onset[begin]) + repetitions * period)

    repetitions = (stop - first) // size
    if not is_whole(first, repetitions):
        repetitions -= 1
    if repetitions < 2:
        return None
    latest = next(
        begin
        for begin in range(min(first + size - 1, stop - repetitions * size), first - 1, -1)
        if gap[begin] > 0 and is_whole(begin, repetitions)
    )
    return _Run(start, period, size, repetitions, int(onset[latest]) + repetitions * period)


def _in_order(score: Score) -> tuple[IntArray, IntArray]:
    """Onsets of all notes, and a number for what each is (track, pitch, duration), both in one order, shape (N,)."""
    tracks = [track.notes for track in score.tracks]
    onset = np.concatenate([np.zeros(0, np.int64), *(notes.onset for notes in tracks)])
    what = np.stack(
        [
            np.concatenate([np.zeros(0, np.int64), *(np.full(len(notes), i) for i, notes in enumerate(tracks))]),
            np.concatenate([np.zeros(0, np.int64), *(notes.pitch for notes in tracks)]),
            np.concatenate([np.zeros(0, np.int64), *(notes.duration for notes in tracks)]),
        ]
    )
    kind = np.unique(what, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)
    order = np.lexsort((kind, onset))
    return onset[order], kind[order]
