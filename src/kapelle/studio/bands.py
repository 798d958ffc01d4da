"""What a worker does for the band room: windows are drawn, gone between, varied, steered, and kept."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from ..codecs.bars import TICKS_PER_QUARTER, Vocabulary
from ..errors import CodecError, FileError, WishError
from ..music import Key, Notes, Score, TempoMap, Track, beside, clip, graft, resample, swing, with_detected_key
from ..styles import WindowStyle
from . import scores
from .opened import style_at

Tell = Callable[[Any], None]

MOST_DRAWS = 20
"""For each window that is wanted."""
MOST_WINDOWS = 200
"""Of a take, from which a corner is chosen."""


def band_draw(tell: Tell, path: str, meter: str, key: str | None, count: int, seed: int | None) -> list[dict[str, Any]]:
    """New windows in one key, so that what lies between them is, too; they say in which."""
    style, found = _windowed(path), []
    seeds = itertools.repeat(None) if seed is None else itertools.count(seed)
    # A part may be silent in a window that is drawn; such a one is no corner, since nothing lies near it.
    for one in itertools.islice(seeds, MOST_DRAWS * count):
        window = style.compose(meter=meter, key=key, seed=one)
        if not _is_understood(style, window):
            continue
        window = with_detected_key(window) if key is None else window.replace(keys=(Key.parse(key),))
        key = key or next((each.name for each in window.keys), None)
        found.append(scores.to_values(window))
        if len(found) == count:
            return found
    raise WishError(f"{style.name} draws hardly any window in which all its parts play; choose takes instead")


def band_windows(tell: Tell, path: str, meter: str, take: dict[str, Any]) -> list[dict[str, Any]]:
    """The windows of a take that are in a metre, and the bars at which they start.

    Raises:
        FileError: if there are none.
    """
    style, score = _windowed(path), scores.from_values(take)
    found = [(bar, window) for bar, window in style.windows(score) if window.meters[0].name == meter]
    if not found:
        bars = "a bar" if _window(style).bars == 1 else f"{_window(style).bars} bars"
        parts = ", ".join(_window(style).parts)
        raise FileError(
            f"expected {bars} in a row in {meter} that {style.name} understands ({parts}), found none in this take"
        )
    return [{"bar": bar, "score": scores.to_values(_alone(style, window))} for bar, window in found[:MOST_WINDOWS]]


def band_grid(tell: Tell, path: str, corners: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    """A square of windows between four."""
    rows = _windowed(path).grid([scores.from_values(corner) for corner in corners], size, seed=0)
    return [[scores.to_values(cell) for cell in row] for row in rows]


def band_morph(tell: Tell, path: str, ends: list[dict[str, Any]], steps: int) -> list[dict[str, Any]]:
    """A way of windows from one to another."""
    way = _windowed(path).morph([scores.from_values(end) for end in ends], steps, seed=0)
    return [scores.to_values(step) for step in way]


def band_vary(tell: Tell, path: str, window: dict[str, Any], similarity: float, count: int) -> list[dict[str, Any]]:
    """Windows like one."""
    found = _windowed(path).vary(scores.from_values(window), similarity, count)
    return [scores.to_values(one) for one in found]


def band_steer(tell: Tell, path: str, window: dict[str, Any], wanted: dict[str, float]) -> dict[str, Any]:
    """A window with more or less of what can be measured, and the measures of both."""
    style, before = _windowed(path), scores.from_values(window)
    after = style.steer(before, wanted, seed=0)
    return {"score": scores.to_values(after), "before": style.measure(before), "after": style.measure(after)}


def band_keep(
    tell: Tell, layers: list[tuple[str, list[dict[str, Any]]]], tempo: float, share: float, title: str
) -> dict[str, Any]:
    """Windows of each layer one after the other, all layers at the same time: the shorter begin anew until the longest
    is over.

    Args:
        layers: path of the style and the windows of each.
        tempo: quarters a minute.
        share: see `kapelle.music.swing`.
    """
    played = [(_windowed(path), [scores.from_values(window) for window in windows]) for path, windows in layers]
    meters = list(dict.fromkeys(window.meters[0].name for _, windows in played for window in windows))
    if len(meters) > 1:
        raise WishError(f"expected all in one metre, got {' and '.join(meters)}; choose clips alike")
    bars = max(len(windows) * _window(style).bars for style, windows in played)
    lines = []
    for style, windows in played:
        chained = style.chained(list(itertools.islice(itertools.cycle(windows), -(-bars // _window(style).bars))))
        bar = chained.meters[0].bar_length(chained.ticks_per_quarter)
        lines.append(clip(chained.replace(tempos=TempoMap.constant(tempo)), 0, bars * bar))
    return scores.made(swing(beside(lines), share).replace(title=title))


def vary(tell: Tell, path: str, take: dict[str, Any], wishes: dict[str, Any]) -> dict[str, Any]:
    """A take of which each window, or each in the bars that are wanted, is another that is like it; all else stays.

    Raises:
        WishError: if nothing in it is a window that the style understands, or it has other tracks.
    """
    style, score = _windowed(path), scores.from_values(take)
    length, wanted = _window(style).bars, wishes["bars"]
    score = resample(score, math.lcm(score.ticks_per_quarter, TICKS_PER_QUARTER))
    bars, at = score.bars().tolist(), int(score.pickup > 0)
    number = int(score.pickup == 0)
    varied = score
    while at + length < len(bars):
        window = clip(score, bars[at], bars[at + length])
        inside = wanted is None or all(bar + number in wanted for bar in range(at, at + length))
        if not (inside and _is_understood(style, window)):
            at += 1
            continue
        (other,) = style.vary(window, wishes["similarity"], 1, seed=wishes["seed"] + at)
        varied = _put(style, varied, other, bars[at], bars[at + length])
        at += length
    if varied is score:
        raise WishError(f"expected bars that {style.name} understands, {length} in a row and whole, found none there")
    return scores.made(varied)


def _is_understood(style: WindowStyle, window: Score) -> bool:
    try:
        style.measure(window)
    except CodecError:
        return False
    return True


def _put(style: WindowStyle, score: Score, window: Score, start: int, stop: int) -> Score:
    """A score with the tracks of a window in its place."""
    window = resample(window, score.ticks_per_quarter)
    if _window(style).loose:
        return _put_parts(style, score, window, start, stop)
    if [track.is_drum for track in score.tracks] != [track.is_drum for track in window.tracks]:
        raise WishError(f"expected the tracks that the style writes, {len(window.tracks)}, got {len(score.tracks)}")
    moved = [track.notes.replace(onset=track.notes.onset + start) for track in window.tracks]
    pairs = zip(score.tracks, moved, strict=True)
    return score.replace(tracks=tuple(old.replace(notes=graft(old.notes, new, start, stop)) for old, new in pairs))


def _put_parts(style: WindowStyle, score: Score, window: Score, start: int, stop: int) -> Score:
    """The same of a style whose parts may be missing: who plays none there is silent, and who was missing comes in."""
    codec: Any = style.codec
    told = {track.name: track for track in window.tracks}
    places, tracks = codec.places(score), list(score.tracks)
    for title in codec.vocabulary.titles:
        new = told.get(title, Track(Notes.of(())))
        moved = new.notes.replace(onset=new.notes.onset + start)
        at = places.get(title)
        if at is not None:
            tracks[at] = tracks[at].replace(notes=graft(tracks[at].notes, moved, start, stop))
        elif len(moved):
            tracks.append(new.replace(notes=moved))
    return score.replace(tracks=tuple(tracks))


def _alone(style: WindowStyle, window: Score) -> Score:
    """Only what the style understands of a window."""
    codec: Any = style.codec
    own: Score = codec.canonical(window)
    return own.replace(tempos=window.tempos)


def _window(style: WindowStyle) -> Vocabulary:
    codec: Any = style.codec
    return codec.vocabulary  # type: ignore[no-any-return]


def _windowed(path: str) -> WindowStyle:
    style = style_at(path)
    if not isinstance(style, WindowStyle):
        raise WishError(f"expected a style of windows, such as drums or melody, got {style.name}")
    return style


TASKS: dict[str, Callable[..., Any]] = {
    "band_draw": band_draw,
    "band_windows": band_windows,
    "band_grid": band_grid,
    "band_morph": band_morph,
    "band_vary": band_vary,
    "band_steer": band_steer,
    "band_keep": band_keep,
    "vary": vary,
}
