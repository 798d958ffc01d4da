"""A style of windows: music as points of a space, to be drawn, gone between, varied and steered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..codecs.bars import BarsCodec
from ..errors import CodecError, WishError
from ..music import Key, Meter, Score, TempoMap, clip, with_detected_key
from ..sampling import Taste, likelihood
from ..sampling import tell as tell_windows
from .space import Floats, Space, between
from .steering import measured, steered
from .style import Style, Tell
from .wanted import beat, first_bars, only_possible, pitch_of, programs_of, refuse, taste_of

MOST_STEPS, MOST_GRID, MOST_BARS = 100, 32, 1024
TRIES = 8
"""So often a window that says nothing, or nothing new, is drawn again."""
CANDIDATES = 256
"""Points among which that of a window is drawn that has to begin in a given way."""


@dataclass(frozen=True, eq=False)
class WindowStyle(Style):
    """A style whose codec tells windows.

    Attributes:
        space: where its music lies.
    """

    space: Space | None = None

    @property
    def _codec(self) -> BarsCodec:
        codec: Any = self.codec
        return codec  # type: ignore[no-any-return]

    @property
    def _space(self) -> Space:
        if self.space is None:
            raise WishError(f"the style {self.name} was stopped before its space was learnt: train it again")
        return self.space

    @property
    def player(self) -> Any:
        """What encodes and tells windows."""
        return self._player

    # -- from nothing -----------------------------------------------------------------------------

    def compose(  # type: ignore[override]
        self,
        bars: int | None = None,
        key: str | Key | None = None,
        meter: str | Meter | None = None,
        tempo: float | None = None,
        range: tuple[str | int, str | int] | None = None,
        instruments: Sequence[str | int] = (),
        title: str = "",
        seed: int | None = None,
        temperature: float | None = None,
        top_k: int = 0,
        top_p: float | None = None,
        min_p: float = 0.0,
        original: bool = False,
        tell: Tell | None = None,
        seen: Callable[[Score], None] | None = None,
        **wishes: Any,
    ) -> Score:
        """A new window, or several that are kin, one after the other.

        A piece that is longer than a window goes on from the first in a slow walk through the space.

        Args:
            bars: 1..MOST_BARS; None for one window.
            meter: of those the style knows; None for one drawn as often as its music has it.
            key, tempo, range, instruments, title, seed, temperature, top_k, top_p, min_p, tell, seen: as in
                `Style.compose`.
            original: whether a window that copies what was learnt for longer than human pieces do is drawn again.
            wishes: what else `Style.compose` takes, of which nothing can be wished here.

        Raises:
            WishError: if a wish is out of range or cannot be met here.
        """
        only_possible(wishes)
        if bars is not None and not 1 <= bars <= MOST_BARS:
            refuse(f"expected bars from 1 to {MOST_BARS}, got {bars}", "leave it out for one window")
        rng = np.random.default_rng(seed)
        taste = taste_of(self.codec, temperature, top_k, top_p, min_p)
        allowed = self._allowed(key, range)
        own = self._codec.vocabulary.meters
        name = meter.name if isinstance(meter, Meter) else meter or own[int(rng.choice(self._space.meters))]
        length = self._codec.vocabulary.bars
        count = -(-(bars or length) // length)
        number = self._known(name)
        for _ in repeat(None, TRIES):
            start = self._space.draw(number, 1, rng)[0]
            points = [start]
            while len(points) < count:
                # Kin to the first, so that the piece stays itself.
                points.append(between(start, self._space.draw(number, 1, rng)[0], 0.3))
            steps = self._told(np.array(points[:1]), name, taste, rng, allowed)
            if count > 1:
                # What follows keeps to the key that the first window is in.
                kept = self._allowed(key or self._key(steps), range)
                steps = np.concatenate([steps, self._told(np.array(points[1:]), name, taste, rng, kept)])
            score = self._score(steps, tempo, instruments)
            said = all(self._codec.num_notes(window) for window in steps)
            copied = self._copied(score, 0) if said else ""
            if said and not (original and copied):
                break
        if copied and tell is not None:
            tell(copied)
        if bars is not None:
            score = first_bars(score, bars)
        score = score.replace(title=title)
        if seen is not None:
            seen(score)
        return score

    def continue_(  # type: ignore[override]
        self,
        beginning: Score,
        bars: int = 8,
        seed: int | None = None,
        temperature: float | None = None,
        top_k: int = 0,
        top_p: float | None = None,
        min_p: float = 0.0,
        tell: Tell | None = None,
        seen: Callable[[Score], None] | None = None,
        **wishes: Any,
    ) -> Score:
        """The beginning as it is, to the tick, and `bars` new bars after it.

        The last bars of what there is are the first half of a window; its point is drawn among many, each as often as
        a window that is told from it would begin so, and the window's second half is told from there.

        Args:
            beginning: a score that ends in a metre the style knows, with all its parts.
            bars: to add, after the bar in which the beginning ends.
            seed, temperature, top_k, top_p, min_p, tell, seen: as in `compose`.
            wishes: what else `Style.continue_` takes, of which nothing can be wished here.

        Raises:
            WishError: if a wish is out of range or cannot be met here, or the style's windows are of a single bar.
            CodecError: if the beginning lacks a part, or ends in another metre.
        """
        only_possible(wishes)
        length = self._codec.vocabulary.bars
        if length < 2:
            refuse(f"the style {self.name} has windows of one bar, which go on from nothing", "take one of two or more")
        if not 1 <= bars <= MOST_BARS:
            refuse(f"expected bars from 1 to {MOST_BARS}, got {bars}", "")
        rng = np.random.default_rng(seed)
        taste = taste_of(self.codec, temperature, top_k, top_p, min_p)
        known = self._codec.last_bars(beginning, length - length // 2)
        meter = self._codec.vocabulary.meters[int(known[0, 0])]
        number, bar = self._known(meter), self._codec.vocabulary.bar_steps[int(known[0, 0])]
        told = np.empty((0, known.shape[1]), np.int32)
        while len(told) < bars * bar:
            points = self._space.draw(number, CANDIDATES, rng)
            chances = likelihood(self.player, self._codec, points, known)
            weights = np.exp(chances - chances.max())
            point = points[rng.choice(CANDIDATES, p=weights / weights.sum())]
            window = tell_windows(self.player, self._codec, point[None], meter, taste, rng, None, known)[0]
            told = np.concatenate([told, window[len(known) :]])
            known = np.concatenate([known, told])[-len(known) :].copy()
            known[:, :3] = window[: len(known), :3]
        score = self._codec.appended(beginning, told[: bars * bar])
        if seen is not None:
            seen(score)
        return score

    # -- from windows -----------------------------------------------------------------------------

    def morph(
        self,
        scores: Sequence[Score],
        steps: int = 8,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> list[Score]:
        """From one window to the next, through all of them; where the way comes by one of them, it is that itself.

        Args:
            scores: two or more, each one window, in one metre.
            steps: pieces from each to the next, both counted, 2..MOST_STEPS.
            temperature: 0 for the most likely of each point.
            seed: any integer; None draws one.

        Raises:
            WishError, CodecError: if they are in several metres, or the style cannot tell them.
        """
        if len(scores) < 2 or not 2 <= steps <= MOST_STEPS:
            refuse(f"expected 2 pieces or more and 2 to {MOST_STEPS} steps, got {len(scores)} and {steps}", "")
        points, meter = self._points(scores)
        places = [(leg, step / (steps - 1)) for leg in range(len(scores) - 1) for step in range(steps - 1)]
        way = np.array([between(points[leg], points[leg + 1], share) for leg, share in places] + [points[-1]])
        told = self._played(way, meter, temperature, seed, self._tempos(scores, places))
        for leg, score in enumerate(scores):
            told[leg * (steps - 1)] = self._original(score)
        return told

    def grid(
        self, scores: Sequence[Score], size: int = 11, temperature: float = 0.0, seed: int | None = None
    ) -> list[list[Score]]:
        """A square of windows whose corners are four given ones: the first row leads from the first to the second.

        Args:
            scores: four: top left, top right, bottom left, bottom right; each one window, in one metre.
            size: of a side, 2..MOST_GRID.
            temperature, seed: as in `morph`.

        Raises:
            WishError, CodecError: as `morph`.
        """
        if len(scores) != 4 or not 2 <= size <= MOST_GRID:
            refuse(f"expected 4 pieces and a side of 2 to {MOST_GRID}, got {len(scores)} and {size}", "")
        points, meter = self._points(scores)
        shares = np.linspace(0, 1, size)
        cells = [
            between(between(points[0], points[1], across), between(points[2], points[3], across), down)
            for down in shares
            for across in shares
        ]
        tempo = float(np.mean([score.tempos.mean(score.end) for score in scores]))
        told = self._played(np.array(cells), meter, temperature, seed, [tempo] * len(cells))
        for corner, score in zip((0, size - 1, size * (size - 1), size * size - 1), scores, strict=True):
            told[corner] = self._original(score)
        return [told[row * size : (row + 1) * size] for row in range(size)]

    def vary(
        self, score: Score, similarity: float = 0.8, count: int = 6, temperature: float = 0.5, seed: int | None = None
    ) -> list[Score]:
        """Windows like one window, each another.

        Args:
            score: one window.
            similarity: 1 stays at its point, 0 goes anywhere.
            count: how many, 1..MOST_STEPS.
            temperature, seed: as in `compose`.

        Raises:
            WishError, CodecError: if a value is out of range, or the style cannot tell the window.
        """
        if not 0 <= similarity <= 1 or not 1 <= count <= MOST_STEPS:
            refuse(f"expected a similarity of 0 to 1 and 1 to {MOST_STEPS} pieces, got {similarity} and {count}", "")
        rng = np.random.default_rng(seed)
        points, meter = self._points([score])
        taste, tempo = taste_of(self.codec, temperature), score.tempos.mean(score.end)
        found: dict[bytes, Score] = {}
        known = {self._codec.encode(score).tobytes()}
        spare: list[Score] = []
        for _ in repeat(None, TRIES):
            others = self._space.draw(self._known(meter), count, rng)
            way = np.array([between(points[0], other, 1 - similarity) for other in others])
            for window in self._told(way, meter, taste, rng):
                if self._codec.num_notes(window):
                    mark, piece = window.tobytes(), self._score(window[None], tempo / beat(meter), ())
                    if mark in known | found.keys():
                        spare.append(piece)
                    else:
                        found[mark] = piece
            if len(found) >= count:
                break
        if len(found) + len(spare) < count:
            refuse(f"the style {self.name} tells hardly anything near this window", "try another temperature")
        return [*found.values(), *spare][:count]

    def steer(self, score: Score, wanted: Mapping[str, float], seed: int | None = None) -> Score:
        """A window with more or less of what can be measured, and the rest as it was, as far as can be.

        How it is found: see `steered`.

        Args:
            score: one window.
            wanted: by name of a measure, by how many standard deviations of the style's music it is to rise.
            seed: any integer; None draws one.

        Raises:
            WishError, CodecError: if the style knows no such measure, or cannot tell the window.
        """
        space = self._space
        for name, change in wanted.items():
            if name not in space.names:
                refuse(f"the style {self.name} knows no {name}", f"it knows {', '.join(space.names)}")
            if not -4 <= change <= 4:
                refuse(f"expected {name} to change by -4 to 4 standard deviations, got {change:g}", "")
        points, meter = self._points([score])
        steps = self._codec.encode(score)
        told = steered(self.player, self._codec, space, steps, points[0], meter, wanted, np.random.default_rng(seed))
        return self._score(told[None], score.tempos.mean(score.end) / beat(meter), ())

    def measure(self, score: Score) -> dict[str, float]:
        """What can be measured of a window, in standard deviations from the mean of the style's music."""
        values = measured(self._codec, self._space, self._codec.encode(score)[None])[0]
        return dict(zip(self._space.names, values.tolist(), strict=True))

    def windows(self, score: Score) -> list[tuple[int, Score]]:
        """The windows of a score with the bars, from 1, at which they start; a pickup is bar 0."""
        first, starts = int(score.pickup == 0), self._codec.starts(score)
        bars, length = score.bars(), self._codec.vocabulary.bars
        return [(bar + first, clip(score, int(bars[bar]), int(bars[bar + length]))) for bar in starts]

    def try_a_window(self) -> None:
        """Encode silence and tell it again.

        Raises:
            ValueError: if no point or no words come of it; or whatever the player stumbles over.
        """
        empty = self._codec.empty(self._codec.vocabulary.meters[0])
        mean, deviation = self.player.encode(empty[None])
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all()):
            raise ValueError("the weights give no points")
        if self.space is not None and self.space.anchors.shape[1:] != mean.shape[1:]:
            raise ValueError("the space is of another network")
        self._told(mean, self._codec.vocabulary.meters[0], Taste(), np.random.default_rng(0))

    # -- inside -----------------------------------------------------------------------------------

    def _points(self, scores: Sequence[Score]) -> tuple[Floats, str]:
        """The point of each score's window, and their metre."""
        meters = list(dict.fromkeys(score.meters[0].name for score in scores))
        if len(meters) > 1:
            refuse(f"expected pieces in one metre, got {' and '.join(meters)}", "choose pieces alike")
        steps = np.stack([self._codec.encode(score) for score in scores])
        return np.asarray(self.player.encode(steps)[0], np.float64), meters[0]

    def _told(
        self,
        points: Floats,
        meter: str,
        taste: Taste,
        rng: np.random.Generator,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int32]:
        return tell_windows(self.player, self._codec, points, meter, taste, rng, allowed)

    def _played(
        self, points: Floats, meter: str, temperature: float, seed: int | None, tempos: Sequence[float]
    ) -> list[Score]:
        steps = self._told(points, meter, taste_of(self.codec, temperature), np.random.default_rng(seed))
        return [self._score(window[None], tempo / beat(meter), ()) for window, tempo in zip(steps, tempos, strict=True)]

    def _tempos(self, scores: Sequence[Score], places: Sequence[tuple[int, float]]) -> list[float]:
        """Quarters a minute along the way, from that of each score to that of the next by equal ratios."""
        own = [score.tempos.mean(score.end) for score in scores]
        return [own[leg] * (own[leg + 1] / own[leg]) ** share for leg, share in places] + [own[-1]]

    def _original(self, score: Score) -> Score:
        """The window as it was given."""
        bars = score.bars()
        first = int(score.pickup > 0)
        last = min(first + self._codec.vocabulary.bars, len(bars) - 1)
        return clip(score, int(bars[first]), int(bars[last]))

    def _known(self, meter: str) -> int:
        known = self._codec.vocabulary.meters
        if meter not in known:
            refuse(f"the style {self.name} has no music in {meter}", f"it has {', '.join(known)}")
        return known.index(meter)

    def _key(self, steps: NDArray[np.int32]) -> Key | None:
        """The key that windows seem to be in; None where there are only drums."""
        return next(iter(with_detected_key(self._score(steps, None, ())).keys), None)

    def _allowed(self, key: str | Key | None, range: tuple[str | int, str | int] | None) -> NDArray[np.bool_] | None:
        if key is None and range is None:
            return None
        try:
            tonality = Key.parse(key) if isinstance(key, str) else key
            low, high = (pitch_of(pitch) for pitch in range or (0, 127))
            return self._codec.allowed(tonality, low, high)
        except (ValueError, CodecError) as error:
            raise WishError(str(error)) from None

    def _score(self, windows: NDArray[np.int32], tempo: float | None, instruments: Sequence[str | int]) -> Score:
        """Windows one after the other; the tempo in beats a minute."""
        score = self._codec.decode(windows.reshape(-1, windows.shape[-1]))
        if tempo is not None:
            score = score.replace(tempos=TempoMap.constant(tempo * score.meters[0].beat_quarters))
        if instruments:
            programs = programs_of(instruments)
            lines = iter([*programs, *[programs[-1]] * len(score.tracks)])
            score = score.replace(
                tracks=tuple(t if t.is_drum else t.replace(program=next(lines)) for t in score.tracks)
            )
        return score
