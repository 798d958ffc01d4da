"""A style of windows: music as points of a space, to be gone between, varied and steered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ..errors import CodecError
from ..music import Score, Track, chain, clip, with_detected_key
from ..sampling import Taste
from ..sampling import tell as tell_windows
from .mapping import Map
from .remarks import remarks
from .space import Floats, between
from .steering import measured, steered, wide
from .style import Tell
from .wanted import beat, refuse, taste_of
from .window_composing import TRIES, WindowComposer

MOST_STEPS, MOST_GRID = 100, 32
FOUND_AGAIN = "valid accuracy, free-running"
"""The figure of a card that says how well windows are found again from their points."""
ROUGH = 0.5
"""The temperature between clips in a style that finds less again: the most likely is one note again and again."""


@dataclass(frozen=True, eq=False)
class WindowStyle(WindowComposer):
    """A style whose codec tells windows."""

    # -- from windows -----------------------------------------------------------------------------

    def morph(
        self,
        scores: Sequence[Score],
        steps: int = 8,
        temperature: float | None = None,
        seed: int | None = 0,
    ) -> list[Score]:
        """From one window to the next, through all of them; where the way comes by one of them, it is that itself.

        Each window keeps to the notes of the nearer end and of its scale, and is played by its instruments. One chance
        decides in all of them, so that they differ by their points alone.

        Args:
            scores: two or more, each one window, in one metre.
            steps: pieces from each to the next, both counted, 2..MOST_STEPS.
            temperature: 0 for the most likely of each point; None for that, or ROUGH in a style that finds windows
                again but roughly.
            seed: any integer; None draws one.

        Raises:
            WishError, CodecError: if they are in several metres, or the style cannot tell them.
        """
        if len(scores) < 2 or not 2 <= steps <= MOST_STEPS:
            refuse(f"expected 2 pieces or more and 2 to {MOST_STEPS} steps, got {len(scores)} and {steps}", "")
        points, meter = self._points(scores)
        places = [(leg, step / (steps - 1)) for leg in range(len(scores) - 1) for step in range(steps - 1)]
        way = np.array([between(points[leg], points[leg + 1], share) for leg, share in places] + [points[-1]])
        ends = [leg if share <= 0.5 else leg + 1 for leg, share in places] + [len(scores) - 1]
        near = [scores[end] for end in ends]
        told = self._played(way, meter, temperature, seed, self._tempos(scores, places), near)
        for leg, score in enumerate(scores):
            told[leg * (steps - 1)] = self._original(score)
        return told

    def grid(
        self, scores: Sequence[Score], size: int = 11, temperature: float | None = None, seed: int | None = 0
    ) -> list[list[Score]]:
        """A square of windows whose corners are four given ones: the first row leads from the first to the second.

        Each window keeps to the notes of the nearest corner and of its scale, and is played by its instruments.

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
        near = [scores[2 * (down > 0.5) + (across > 0.5)] for down in shares for across in shares]
        told = self._played(np.array(cells), meter, temperature, seed, [tempo] * len(cells), near)
        for corner, score in zip((0, size - 1, size * (size - 1), size * size - 1), scores, strict=True):
            told[corner] = self._original(score)
        return [told[row * size : (row + 1) * size] for row in range(size)]

    def vary(
        self, score: Score, similarity: float = 0.8, count: int = 6, temperature: float = 0.5, seed: int | None = None
    ) -> list[Score]:
        """Windows like one window, each another, of its notes and of its scale.

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
        taste, tempo, scale = taste_of(self.codec, temperature), score.tempos.mean(score.end), self._scale(score)
        found: dict[bytes, Score] = {}
        known = {self._codec.encode(score).tobytes()}
        spare: list[Score] = []
        for _ in repeat(None, TRIES):
            others = self._space.draw(self._known(meter), count, rng)
            way = np.array([between(points[0], other, 1 - similarity) for other in others])
            for window in self._told(way, meter, taste, rng, scale):
                if self._codec.num_notes(window):
                    mark, piece = window.tobytes(), self._played_like(window, tempo, score)
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
        about = self.player, self._codec, space, steps, points[0], meter, wanted, np.random.default_rng(seed)
        told = steered(*about, allowed=self._scale(score))
        return self._played_like(told, score.tempos.mean(score.end), score)

    def measure(self, score: Score) -> dict[str, float]:
        """What can be measured of a window, in standard deviations from the mean of the style's music."""
        values = measured(self._codec, self._space, self._codec.encode(score)[None])[0]
        return dict(zip(self._space.names, values.tolist(), strict=True))

    def leaps(self, score: Score) -> dict[str, float]:
        """By how many standard deviations each measure of a window changes at the least; 0 for any amount."""
        found = wide(self._codec, self._space, self._codec.encode(score))
        return dict(zip(self._space.names, found.tolist(), strict=True))

    def remarks(self, score: Score) -> list[str]:
        """How a window is heard, where that is not as anybody would expect; see `remarks`."""
        return remarks(self._codec, score)

    def windows(self, score: Score) -> list[tuple[int, Score]]:
        """The windows of a score with the bars, from 1, at which they start; a pickup is bar 0."""
        first, starts = int(score.pickup == 0), self._codec.starts(score)
        bars, length = score.bars(), self._codec.vocabulary.bars
        return [(bar + first, clip(score, int(bars[bar]), int(bars[bar + length]))) for bar in starts]

    def map(self, scores: Mapping[str, Score], tell: Tell | None = None) -> Map:
        """Where the windows of some scores lie beside each other; of a long one those that do not overlap.

        Args:
            scores: by their names.
            tell: called with a line for each that gives no window.

        Raises:
            WishError: if none gives one.
        """
        clips: list[tuple[str, int]] = []
        points: list[Floats] = []
        for name, score in scores.items():
            try:
                found = self.windows(score)
                if not found:
                    # Shorter than a window: silence fills it.
                    found = [(1, score)]
                last = -MOST_GRID
                for bar, clip in found:
                    if bar >= last + self._codec.vocabulary.bars:
                        points.append(self._points([clip])[0][0])
                        clips.append((name, bar))
                        last = bar
            except CodecError as error:
                if tell is not None:
                    tell(f"{name}: {error}")
        if not clips:
            refuse(f"expected music that the style {self.name} can tell, got none", "name another style")
        return Map.of(tuple(clips), np.array(points))

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

    def chained(self, scores: Sequence[Score]) -> Score:
        """Windows one after the other as one piece.

        Args:
            scores: one window each; where parts may be missing each part is one track all the same.
        """
        bars = self._codec.vocabulary.bars
        if not self._codec.vocabulary.loose:
            return chain(scores, bars)
        whole = chain([self._in_parts(score) for score in scores], bars)
        return whole.replace(tracks=tuple(track for track in whole.tracks if len(track.notes)))

    # -- inside -----------------------------------------------------------------------------------

    def _in_parts(self, score: Score) -> Score:
        """A window with a track for each part in order, silent or not, and what it has besides after them."""
        players, vocabulary = self._codec.players(score), self._codec.vocabulary
        parts = zip(players, vocabulary.titles, vocabulary.parts, strict=True)
        named = [player.replace(name=title, is_drum=part == "drums") for player, title, part in parts]
        mine = {id(player) for player in players}
        rest = [track for track in score.tracks if id(track) not in mine and not track.is_drum]
        return score.replace(tracks=(*named, *rest))

    def _points(self, scores: Sequence[Score]) -> tuple[Floats, str]:
        """The point of each score's window, and their metre."""
        meters = list(dict.fromkeys(score.meters[0].name for score in scores))
        if len(meters) > 1:
            refuse(f"expected pieces in one metre, got {' and '.join(meters)}", "choose pieces alike")
        steps = np.stack([self._codec.encode(score) for score in scores])
        return np.asarray(self.player.encode(steps)[0], np.float64), meters[0]

    def _played(
        self,
        points: Floats,
        meter: str,
        temperature: float | None,
        seed: int | None,
        tempos: Sequence[float],
        near: Sequence[Score],
    ) -> list[Score]:
        """The windows of points, each in a tempo, in the scale and on the instruments of a clip."""
        if temperature is None:
            temperature = 0.0 if self.card.figures.get(FOUND_AGAIN, 1.0) >= ROUGH else ROUGH
        taste, rng = taste_of(self.codec, temperature), np.random.default_rng(seed)
        own = {id(clip): self._scale(clip) for clip in near}
        allowed = np.array([own[id(clip)] for clip in near])
        steps = tell_windows(self.player, self._codec, points, meter, taste, rng, allowed, alike=True)
        return [self._played_like(*each) for each in zip(steps, tempos, near, strict=True)]

    def _played_like(self, window: NDArray[np.int32], tempo: float, like: Score) -> Score:
        """A window in a tempo, in quarters a minute, with the key signature and the instruments of a clip."""
        score = self._score(window[None], tempo / beat(like.meters[0].name), ())
        players = dict(zip(self._codec.vocabulary.titles, self._codec.players(like), strict=True))
        loose = self._codec.vocabulary.loose
        tracks = tuple(_by(own, players[own.name], renamed=not loose) for own in score.tracks)
        return score.replace(tracks=tracks, keys=like.keys[:1] or with_detected_key(like).keys)

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


def _by(track: Track, player: Track, renamed: bool) -> Track:
    """What a track plays, played by another one; as it is if that is nobody."""
    name = player.name or track.name if renamed else track.name
    return track.replace(program=player.program, name=name) if len(player.notes) else track
