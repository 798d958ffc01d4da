"""A vocabulary that has what scores need and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ...errors import CodecError
from ...music import Score, Track
from .roles import Asked, assign
from .vocabulary import GRIDS, Vocabulary, bar_steps

RARE = 0.01
"""Metres of a smaller share of the bars than this are not learnt."""
ON_GRID = 0.9
"""Share of the onsets that must lie on sixteenths for them to be the music's own grid."""
NEAR = 1 / 48
"""Quarters by which an onset may miss a grid and still lie on it."""
ROOM = 5
"""Semitones beyond the lowest and the highest pitch: training hears the music as much higher and lower."""


def narrowed(
    scores: Iterable[Score], kind: str, bars: int, velocities: tuple[int, ...], timing: int, asked: Asked | None,
    hears: tuple[str, ...] = (),
) -> Vocabulary:  # fmt: skip
    """The vocabulary of scores: their metres, grid, range, instruments and usual tempo.

    Raises:
        CodecError: if no score has all parts, or the kind or the bars are out of range.
    """
    whole = Vocabulary(kind, bars)
    parts = whole.parts
    scores = list(scores)
    bands: list[list[Track]] = []
    reasons: Counter[str] = Counter()
    meters: Counter[str] = Counter()
    tempos = []
    away: list[np.ndarray] = []
    for score in scores:
        try:
            bands.append(assign(score, parts, asked, whole.loose))
        except CodecError as error:
            reasons[str(error)] += 1
            continue
        tempos.append(score.tempos.mean(score.end))
        for bar in score.bars()[:-1][:4096].tolist():
            meters[score.meter_at(bar).name] += 1
        own = [track.notes.onset for track in bands[-1] if not track.is_drum]
        away += [onset / score.ticks_per_quarter for onset in own]
    if not bands:
        why = "; ".join(f"{reason} ({times})" for reason, times in reasons.most_common(3))
        raise CodecError(f"expected music with {', '.join(parts)}, got none that has it: {why}")
    grid = _grid(np.concatenate(away)) if away else GRIDS[0]
    usual = [name for name, times in meters.most_common() if times >= RARE * meters.total() and bar_steps(name, grid)]
    if not usual:
        raise CodecError(f"expected bars of whole sixteenths, got the metres {', '.join(meters)}")
    heard = [track.notes.pitch for band in bands for track in band if not track.is_drum]
    pitch = np.concatenate(heard) if heard else np.array([60])
    players = [[band[number].program for band in bands if len(band[number].notes)] for number in range(len(parts))]
    programs = tuple(
        Counter(own).most_common(1)[0][0] if own else whole.programs[number] for number, own in enumerate(players)
    )
    return Vocabulary(
        kind,
        bars,
        grid,
        tuple(usual),
        max(int(pitch.min()) - ROOM, 0),
        min(int(pitch.max()) + ROOM, 127),
        velocities,
        timing,
        programs,
        float(np.clip(np.median(tempos), 10, 1000)),
        any(name != "drums" for name in parts),
        hears,
    )


def _grid(quarters: np.ndarray) -> int:
    """Sixteenths, unless the music has triplets."""

    def share(steps: int) -> float:
        place = quarters * steps
        return float((np.abs(place - np.round(place)) <= NEAR * steps).mean())

    fine = share(GRIDS[1])
    return GRIDS[1] if share(GRIDS[0]) < ON_GRID and fine >= ON_GRID else GRIDS[0]


__all__ = ["narrowed"]
