"""Composing in a style of windows: from nothing, in chords, and on from a beginning."""

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
from .chorded import ChordLine, check_chords, told_in_chords
from .remarks import remarks
from .space import Floats, Space, between
from .style import Style, Tell
from .wanted import beat, first_bars, only_possible, pitch_of, programs_of, refuse, taste_of, tempo_of

MOST_BARS = 1024
KIN = 0.3
"""How far from its first window the others of a piece are, as a share of the way to anywhere."""
STRIDE, MODULATION = 0.3, 0.1
"""How far the next window of music without an end is, as a share of the way to anywhere; and how often it may leave
the key."""
TRIES = 8
"""So often a window that says nothing, or nothing new, is drawn again."""
KEY_BARS = 8
"""So many bars say in which key music goes on."""
CANDIDATES = 256
"""Points among which that of a window is drawn that has to begin in a given way."""


@dataclass(frozen=True, eq=False)
class WindowComposer(Style):
    """What a style of windows composes.

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
        chords: str | None = None,
        tell: Tell | None = None,
        seen: Callable[[Score], None] | None = None,
        **wishes: Any,
    ) -> Score:
        """A new window, or several that are kin, one after the other.

        A piece that is longer than a window goes on from the first in a slow walk through the space.

        Args:
            bars: 1..MOST_BARS; None for one window, or as many as hold all chords.
            meter: of those the style knows; None for one drawn as often as its music has it.
            key, tempo, range, instruments, title, seed, temperature, top_k, top_p, min_p, tell, seen: as in
                `Style.compose`.
            original: whether a window that copies what was learnt for longer than human pieces do is drawn again.
            chords: one for each bar, such as "Am F C G", from the first again where there are more bars.
            wishes: what else `Style.compose` takes, of which nothing can be wished here.

        Raises:
            WishError: if a wish is out of range or cannot be met here.
        """
        only_possible(wishes)
        if bars is not None and not 1 <= bars <= MOST_BARS:
            refuse(f"expected bars from 1 to {MOST_BARS}, got {bars}", "leave it out for one window")
        tempo = tempo_of(tempo)
        rng = np.random.default_rng(seed)
        taste = taste_of(self.codec, temperature, top_k, top_p, min_p)
        line = None if chords is None else self._chords(chords, tell)
        allowed = self._allowed(key, range, line)
        own = self._codec.vocabulary.meters
        name = meter.name if isinstance(meter, Meter) else meter or own[int(rng.choice(self._space.meters))]
        length = self._codec.vocabulary.bars
        if line is not None:
            bars = bars or max(len(line.words), length)
        count = -(-(bars or length) // length)
        number = self._known(name)
        for _ in repeat(None, TRIES):
            if line is not None:
                asked = line.of_windows(count, length)
                about = self.player, self._codec, self._space, name, asked, taste, rng, allowed
                steps = told_in_chords(*about, near=KIN)
            else:
                steps = self._kin(number, name, count, taste, rng, allowed, key, range)
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

    def _chords(self, text: str, tell: Tell | None) -> ChordLine:
        check_chords(self)
        return ChordLine.parse(text, tell or (lambda line: None))

    def _kin(
        self, number: int, meter: str, count: int, taste: Taste, rng: np.random.Generator,
        allowed: NDArray[np.bool_] | None, key: str | Key | None, range: tuple[str | int, str | int] | None,
    ) -> NDArray[np.int32]:  # fmt: skip
        """A window and others that are kin to it, in its key."""
        start = self._space.draw(number, 1, rng)[0]
        steps = self._told(start[None], meter, taste, rng, allowed)
        if count == 1:
            return steps
        # So the piece stays itself.
        points = [between(start, other, KIN) for other in self._space.draw(number, count - 1, rng)]
        kept = self._allowed(key or self._key(steps), range)
        return np.concatenate([steps, self._told(np.array(points), meter, taste, rng, kept)])

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
        a window that is told from it would begin so, and the window's second half is told from there. It keeps to the
        notes and to the scale of the last bars that are given.

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
        scale = self._scale(_last(beginning, KEY_BARS))
        if tell is not None:
            for line in remarks(self._codec, _last(beginning, length)):
                tell(line)
        while len(told) < bars * bar:
            points = self._space.draw(number, CANDIDATES, rng)
            chances = likelihood(self.player, self._codec, points, known)
            weights = np.exp(chances - chances.max())
            point = points[rng.choice(CANDIDATES, p=weights / weights.sum())]
            whole = self._codec.empty(meter)
            whole[: len(known)] = known
            fixed = np.arange(len(whole))[:, None] < len(known)
            window = tell_windows(self.player, self._codec, point[None], meter, taste, rng, scale, whole, fixed)[0]
            told = np.concatenate([told, window[len(known) :]])
            known = np.concatenate([known, told])[-len(known) :].copy()
            known[:, :3] = window[: len(known), :3]
        score = self._codec.appended(beginning, told[: bars * bar])
        if seen is not None:
            seen(score)
        return score

    def play_on(  # type: ignore[override]
        self,
        before: Score | None,
        bars: int = 8,
        seed: int | None = None,
        temperature: float | None = None,
        **wishes: Any,
    ) -> Score:
        """What comes next: windows a step further through the space, in the key that there is but now and then.

        Args:
            before: what was played last; None begins.
            bars: rounded up to whole windows.
            seed, temperature: as in `compose`.
            wishes: what else `compose` takes; of these the tempo holds for what comes next too.

        Raises:
            WishError: if a wish cannot be met.
        """
        length = self._codec.vocabulary.bars
        if before is None:
            return self.compose(-(-bars // length) * length, seed=seed, temperature=temperature, **wishes)
        rng = np.random.default_rng(seed)
        taste = taste_of(self.codec, temperature)
        steps = self._codec.encode(before, max(len(before.bars()) - 1 - length, 0))
        meter = self._codec.vocabulary.meters[int(steps[0, 0])]
        key = None if rng.random() < MODULATION else self._key(steps[None])
        allowed = self._allowed(wishes.get("key") or key, wishes.get("range"))
        tempo = tempo_of(wishes.get("tempo")) or before.tempos.mean(before.end) / beat(meter)
        found: list[NDArray[np.int32]] = []
        point = np.asarray(self.player.encode(steps[None])[0][0], np.float64)
        while len(found) * length < bars:
            for _ in repeat(None, TRIES):
                # A window that says nothing would be gone on from for good.
                next_point = between(point, self._space.draw(int(steps[0, 0]), 1, rng)[0], STRIDE)
                window = self._told(next_point[None], meter, taste, rng, allowed)[0]
                if self._codec.num_notes(window):
                    break
            point = next_point
            found.append(window)
        return self._score(np.array(found), tempo, wishes.get("instruments", ()))

    def lasting(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """All wishes: a window knows nothing of what was wished of the one before."""
        return dict(wishes)

    # -- inside -----------------------------------------------------------------------------------

    def _told(
        self,
        points: Floats,
        meter: str,
        taste: Taste,
        rng: np.random.Generator,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int32]:
        return tell_windows(self.player, self._codec, points, meter, taste, rng, allowed)

    def _known(self, meter: str) -> int:
        known = self._codec.vocabulary.meters
        if meter not in known:
            refuse(f"the style {self.name} has no music in {meter}", f"it has {', '.join(known)}")
        return known.index(meter)

    def _key(self, steps: NDArray[np.int32]) -> Key | None:
        """The key that windows seem to be in; None where there are only drums."""
        return next(iter(with_detected_key(self._score(steps, None, ())).keys), None)

    def _allowed(
        self,
        key: str | Key | None,
        range: tuple[str | int, str | int] | None,
        line: ChordLine | None = None,
    ) -> NDArray[np.bool_] | None:
        if key is None and range is None and line is None:
            return None
        try:
            tonality = Key.parse(key) if isinstance(key, str) else key
            low, high = (pitch_of(pitch) for pitch in range or (0, 127))
            scale = None if tonality is None else tonality.pitch_classes
            return self._codec.allowed(scale if line is None else line.pitch_classes(tonality), low, high)
        except (ValueError, CodecError) as error:
            raise WishError(str(error)) from None

    def _scale(self, score: Score) -> NDArray[np.bool_]:
        """What may be said so that lines keep to the scale of a score, and its own notes: shape (words,)."""
        pitch = [track.notes.pitch % 12 for track in score.tracks if not track.is_drum]
        own = frozenset(np.concatenate([*pitch, np.empty(0, np.int64)]).astype(int).tolist())
        key = _key_of(score)
        return self._codec.allowed(own | (frozenset(range(12)) if key is None else key.pitch_classes))

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


def _last(score: Score, bars: int) -> Score:
    """The last bars of a score, or all of it if there are not so many."""
    lines = score.bars()
    return clip(score, int(lines[max(len(lines) - 1 - bars, 0)]), int(lines[-1]))


def _key_of(score: Score) -> Key | None:
    """The key that a clip states, unless fewer of its notes are in it than in that which it seems to be in."""
    heard = next(iter(with_detected_key(score).keys), None)
    stated = next(iter(score.keys), None)
    if heard is None or stated is None:
        return heard

    def inside(key: Key) -> int:
        own = [track.notes.pitch % 12 for track in score.tracks if not track.is_drum]
        return int(np.isin(np.concatenate(own), sorted(key.pitch_classes)).sum())

    return stated if inside(stated) >= inside(heard) else heard
