"""Some bars of some tracks written anew; all else stays as it is, to the tick."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from ..errors import WishError
from ..music import Notes, Score, Track, Wishes, graft, resample, slice_bars
from ..music.partwriting import NAMES
from ..networks import Player
from ..sampling import Taste
from .harmonising import choir_of, harmonised

Tell = Callable[[str], None]
GoOn = Callable[[Score, int], Score]
"""From a beginning and a number of bars to the beginning with so many bars after it."""


def bars_of(score: Score, bars: Sequence[int] | None) -> list[tuple[int, int]]:
    """Bars as stretches, each the first and the last of bars in a row, counted from 1, a pickup being bar 0.

    Args:
        score: whose bars they are.
        bars: in any order; None for all.

    Raises:
        WishError: if there are no such bars, or none are named.
    """
    least = 0 if score.pickup else 1
    last = len(score.bars()) - 2 + least
    wanted = range(least, last + 1) if bars is None else sorted(set(bars))
    if not wanted or wanted[0] < least or wanted[-1] > last:
        came = "none" if not wanted else f"{wanted[0]} to {wanted[-1]}"
        raise WishError(f"expected bars between {least} and {last} to write, got {came}")
    runs = [[bar for _, bar in run] for _, run in groupby(enumerate(wanted), lambda pair: pair[1] - pair[0])]
    return [(run[0], run[-1]) for run in runs]


def tracks_of(score: Score, tracks: Sequence[int] | None) -> list[int]:
    """The places of tracks in a score, ascending; None is all.

    Raises:
        WishError: if there are no such tracks, or none are named.
    """
    wanted = list(range(len(score.tracks))) if tracks is None else sorted(set(tracks))
    if not wanted or wanted[0] < 0 or wanted[-1] >= len(score.tracks):
        raise WishError(f"expected tracks between 0 and {len(score.tracks) - 1} to write, got {wanted or 'none'}")
    return wanted


def rewritten_voices(
    codec: Any,
    player: Callable[[], Player],
    score: Score,
    tracks: Sequence[int],
    stretches: Sequence[tuple[int, int]],
    wishes: Wishes,
    taste: Taste,
    rng: np.random.Generator,
    tell: Tell,
) -> Score:
    """A score in up to four voices, of which some bars of some were written anew, by a style in voices.

    Args:
        codec: of the style.
        player: gives a player of its weights, at the start of a piece.
        score: its tracks are voices by their names, or else from above.
        tracks: places of the voices to be written.
        stretches: of bars, as `bars_of` gives them.
        wishes: rules of part-writing, if any.
        taste, rng, tell: as in `harmonised` and `choir_of`.

    Raises:
        WishError: if the score has more than four voices or drums, or a rule cannot be.
    """
    voices = _voices(score)
    for stretch in stretches:
        named = score.replace(
            tracks=tuple(track.replace(name=NAMES[voice]) for track, voice in zip(score.tracks, voices, strict=True))
        )
        choir = choir_of(named, " ".join(NAMES[voices[place]] for place in tracks), tell)
        sung = harmonised(codec, player(), choir, stretch, wishes, taste, rng).score
        # What is given may be sung octaves away, where its voices lie; what comes of it goes back to where it was.
        octaves = _octaves(named, choir.score)
        unit = math.lcm(score.ticks_per_quarter, sung.ticks_per_quarter)
        score, sung = resample(score, unit), resample(sung, unit)
        written = {track.name: track.notes for track in sung.tracks}
        start, stop = _ticks(score, stretch)
        new = list(score.tracks)
        for place in tracks:
            notes = written.get(NAMES[voices[place]], Notes.of([]))
            notes = notes.replace(pitch=np.clip(notes.pitch - octaves, 0, 127))
            new[place] = new[place].replace(notes=graft(new[place].notes, notes, start, stop))
        score = score.replace(tracks=tuple(new))
    return score


def rewritten_end(
    go_on: GoOn, score: Score, tracks: Sequence[int], stretches: Sequence[tuple[int, int]], name: str
) -> Score:
    """A score whose last bars were written anew in all tracks, by a style that can only go on.

    Args:
        go_on: composes the new bars.
        name: of the style.

    Raises:
        WishError: if the bars do not reach the end, nothing stands before them, or some tracks are to stay.
    """
    least, last = (0 if score.pickup else 1), bars_of(score, None)[-1][1]
    first = stretches[0][0]
    if len(stretches) > 1 or stretches[0][1] != last or len(tracks) < len(score.tracks):
        raise WishError(f"{name} writes anew whole bars up to the end only: choose all tracks, and bars up to {last}")
    if first <= max(least, 1):
        raise WishError("expected a bar to stay, after which to go on, got all to write: compose does that")
    beginning = slice_bars(score, 0, first - least)
    longer = go_on(beginning, last - first + 1)
    come = list(longer.tracks)
    tracks_now = []
    for old in beginning.tracks:
        # What was silent so far does not come back, and stays silent.
        same = next((track for track in come if _alike(track, old)), None)
        tracks_now.append(old if same is None else come.pop(come.index(same)))
    return longer.replace(tracks=(*tracks_now, *come), title=score.title)


def _alike(one: Track, other: Track) -> bool:
    return (one.program, one.is_drum, one.name) == (other.program, other.is_drum, other.name)


def _ticks(score: Score, stretch: tuple[int, int]) -> tuple[int, int]:
    lines, least = score.bars(), 0 if score.pickup else 1
    return int(lines[stretch[0] - least]), int(lines[stretch[1] - least + 1])


def _voices(score: Score) -> list[int]:
    """Which voice each track sings: by its name, or else by its place."""
    if len(score.tracks) > 4 or any(track.is_drum for track in score.tracks):
        raise WishError("expected up to four voices without drums to write some of them anew; keep the ones that sing")
    names = [name.casefold() for name in NAMES]
    called = [next((n for n, name in enumerate(names) if track.name.strip().casefold().startswith(name)), -1)
              for track in score.tracks]  # fmt: skip
    return called if -1 not in called and len(set(called)) == len(called) else list(range(len(called)))


def _octaves(before: Score, after: Score) -> int:
    """By how many semitones a choir was moved."""
    high = [
        max((int(t.notes.pitch.max()) for t in score.tracks if len(t.notes)), default=0) for score in (before, after)
    ]
    return high[1] - high[0]


__all__ = ["bars_of", "rewritten_end", "rewritten_voices", "tracks_of"]
