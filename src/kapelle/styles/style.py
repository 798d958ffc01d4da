"""A style: one composer in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..codecs import Codec
from ..errors import WishError
from ..evaluation import Memory, longest_silence, looped_bars
from ..music import Key, Meter, Score, clip
from ..networks import Network, Player, mixed
from .card import Card, Habits, places
from .continuation import join, prompt_of
from .endless import Endless
from .harmonising import Harmony, choir_of, harmonised
from .piece import Request, compose_once
from .rewriting import bars_of, rewritten_end, rewritten_voices, tracks_of
from .wanted import part_writing, programs_of, refuse, share_of, taste_of, wishes_of

TAKES = 8
"""How often a piece that got stuck is drawn again before the best of them is taken."""

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Style(Endless):
    """A codec, a network, its weights, and where they come from.

    Attributes:
        name: short, as typed.
        codec: between its steps and scores.
        network: what proposes the steps.
        weights: of the network, in half precision on disk, by the names torch gives them.
        card: where it comes from and how good it is.
        habits: bounds that the pieces it was learnt from keep.
        memory: tells what is copied from those pieces; None in styles from before there was one.
    """

    name: str
    codec: Codec
    network: Network
    weights: Mapping[str, NDArray[Any]]
    card: Card
    habits: Habits
    memory: Memory | None = None

    def compose(
        self,
        bars: int | None = None,
        notes: int | None = None,
        seconds: float | None = None,
        key: str | Key | None = None,
        meter: str | Meter | None = None,
        tempo: float | None = None,
        range: tuple[str | int, str | int] | None = None,
        polyphony: int | None = None,
        instruments: Sequence[str | int] = (),
        fermatas: Sequence[int] | None = None,
        rules: Sequence[str] = (),
        title: str = "",
        seed: int | None = None,
        temperature: float | None = None,
        top_k: int = 0,
        top_p: float | None = None,
        min_p: float = 0.0,
        repetition: float | None = None,
        original: bool = False,
        mix: Mapping[str, float] | None = None,
        chords: str | None = None,
        tell: Tell | None = None,
        seen: Callable[[Score], None] | None = None,
    ) -> Score:
        """A new piece in this style.

        What is wished holds in every note; what is not wished, the style chooses. The same seed and wishes
        give the same piece.

        Args:
            bars: whole bars, a pickup not counted.
            notes: notes in all.
            seconds: playing time; kept to the nearest bar if a tempo is wished too, else exactly.
            key: such as "D minor"; every pitched note is of its scale.
            meter: such as "3/4".
            tempo: beats per minute, 10..400.
            range: lowest and highest pitch, as names or MIDI numbers; None for that of the style's own pieces.
            polyphony: how many pitched notes may sound at once; None for as many as in the style's own pieces.
            instruments: General MIDI names or programs for the pitched tracks, in order; the last one
                serves all that are left. A style of bands plays in one with as many, if it knows one.
            fermatas: in a style of voices, the bars in which a line ends, from 1 on.
            rules: in a style of voices, rules of part-writing to keep to, of `kapelle.music.partwriting.RULES`.
            title: written into the score.
            seed: any integer; None draws one.
            temperature: 1 draws as learnt, less is safer, 0 always takes the most likely; None for what suits the
                style, 0.9, or 0.7 where it is in voices.
            top_k: only the k most likely words of each choice; 0 for no limit.
            top_p: only the most likely words of each choice that together reach this probability; None for what suits
                the style, 0.98, or 0.95 where it is in voices.
            min_p: only words at least this share as likely as the most likely.
            repetition: largest share of bars, 0..1, that may repeat what was played twice before; None for as
                much as the pieces the style was learnt from do. A piece with more is drawn again.
            original: whether no passage may be copied from those pieces for longer than other human pieces share one
                with them.
            mix: in a style of several manners, such as composers, how much of each; None draws one of them.
            chords: in a style of windows; see `WindowStyle.compose`.
            tell: called with a line whenever a take was thrown away, a wish could be met only roughly, or a passage
                is copied for longer than that.
            seen: called now and then with the piece as far as it is; what a take is drawn again for begins anew.

        Raises:
            WishError: if a wish is out of range, two exclude each other, or the style has no memory to be original by.
        """
        if fermatas is not None or rules:
            self._check_voices("fermatas and rules of part-writing")
        if chords is not None:
            refuse(
                f"chords cannot be wished of the style {self.name}", "wish them of a style of windows, such as melody"
            )
        taste = taste_of(self.codec, temperature, top_k, top_p, min_p)
        wishes = wishes_of(
            self.habits, bars, notes, seconds, key, meter, tempo, range, polyphony, fermatas, tuple(rules)
        )
        programs = programs_of(instruments)
        memory = self._memory() if original else None
        request = Request(wishes, taste, repetition=share_of(repetition), instruments=len(programs), memory=memory)
        if seen is not None:
            request = replace(request, seen=lambda score: seen(self._dressed(score, programs, title)))
        score = self._mixed(mix, seed)._best_of_takes(request, seed, tell or (lambda line: None))
        return self._dressed(score, programs, title)

    @property
    def manners(self) -> tuple[str, ...]:
        """What can be mixed, such as composers; empty where all music is of one manner."""
        return getattr(self.codec, "manners", ())

    def _mixed(self, mix: Mapping[str, float] | None, seed: int | None) -> Style:
        """This style with its manners mixed; without a mixture, in one of them."""
        if mix is None:
            if not self.manners:
                return self
            # From a stream of its own, so that the piece is that of the same mixture if it is wished.
            mix = {str(np.random.default_rng(seed).choice(self.manners)): 1.0}
        if not self.manners:
            raise WishError(
                f"expected a style with several manners to mix, got {self.name}, which has one: leave mix out"
            )
        strangers = [manner for manner in mix if manner not in self.manners]
        if strangers:
            raise WishError(f"expected manners of {', '.join(self.manners)} to mix, got {strangers[0]!r}")
        shares = [mix.get(manner, 0.0) for manner in self.manners]
        if not (min(shares) >= 0 and 0 < sum(shares) < np.inf):
            raise WishError(f"expected shares from 0 on to mix, one above it, got {', '.join(map(str, mix.values()))}")
        return replace(self, weights=mixed(self.weights, self.network.config.columns, "manner", shares))

    def drawn_once(self, wishes: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """See `Endless`: music without an end stays in one manner."""
        if not self.manners or wishes.get("mix") is not None:
            return dict(wishes)
        return {**wishes, "mix": {str(rng.choice(self.manners)): 1.0}}

    def continue_(
        self,
        beginning: Score,
        bars: int = 8,
        seed: int | None = None,
        temperature: float | None = None,
        top_k: int = 0,
        top_p: float | None = None,
        min_p: float = 0.0,
        repetition: float | None = None,
        original: bool = False,
        mix: Mapping[str, float] | None = None,
        tell: Tell | None = None,
        seen: Callable[[Score], None] | None = None,
    ) -> Score:
        """The beginning as it is, to the tick, and `bars` new bars after it.

        Instruments that the style has not are played as its nearest, and come back as they were.

        Args:
            beginning: any score with notes.
            bars: to add, after the bar in which the beginning ends.
            seed, temperature, top_k, top_p, min_p, repetition, original, mix, tell, seen: as in `compose`.

        Raises:
            WishError: if a wish is out of range, or the style has no memory to be original by.
            CodecError: if the beginning has no notes that this style can play.
        """
        taste = taste_of(self.codec, temperature, top_k, top_p, min_p)
        prompt = prompt_of(self.codec, beginning, bars, self.habits)
        request = Request(
            prompt.wishes,
            taste,
            prompt.steps,
            prompt.stop,
            share_of(repetition),
            prompt.shift,
            memory=self._memory() if original else None,
            seen=None if seen is None else lambda score: seen(join(beginning, score, prompt)),
        )
        score = self._mixed(mix, seed)._best_of_takes(request, seed, tell or (lambda line: None))
        return join(beginning, score, prompt)

    def harmonize(
        self,
        given: Score,
        write: str | None = None,
        bars: tuple[int, int] | None = None,
        fermatas: Sequence[int] | None = None,
        rules: Sequence[str] = (),
        seed: int | None = None,
        temperature: float | None = None,
        top_k: int = 0,
        top_p: float | None = None,
        min_p: float = 0.0,
        tell: Tell | None = None,
    ) -> Harmony:
        """Voices for a melody, or new ones in a score of up to four; what is given stays as it is, to the tick.

        Tracks that are named Soprano, Alto, Tenor and Bass are these voices. A track alone is the soprano, or the
        one that is not to be written; others are the voices that are not to be written, from the highest on.

        Args:
            given: a score with at least one pitched track, in any key and metre.
            write: the voices to be written, such as "ATB" or "bass"; None for those that are not there.
            bars: the first and the last to be written, a pickup being bar 0; None for all.
            fermatas: the bars in which lines end; None for those of the score, or, if it has none, as the style likes.
            rules: of part-writing to keep to, of `kapelle.music.partwriting.RULES`.
            seed, temperature, top_k, top_p, min_p: as in `compose`.
            tell: called with a line for everything that could not be taken as it was.

        Raises:
            WishError: if the style was not learnt in voices, the score has none or too many, or a wish cannot be.
        """
        self._check_voices("harmonies")
        choir = choir_of(given, write, tell or (lambda line: None))
        taste = taste_of(self.codec, temperature, top_k, top_p, min_p)
        wishes = part_writing(fermatas, rules)
        return harmonised(self.codec, self.player, choir, bars, wishes, taste, np.random.default_rng(seed))

    def rewrite(
        self,
        score: Score,
        tracks: Sequence[int] | None = None,
        bars: Sequence[int] | None = None,
        rules: Sequence[str] = (),
        seed: int | None = None,
        temperature: float | None = None,
        top_k: int = 0,
        top_p: float | None = None,
        min_p: float = 0.0,
        tell: Tell | None = None,
    ) -> Score:
        """The score with some bars of some tracks written anew; what sounds elsewhere stays, to the tick.

        A style that was learnt in voices, and to be given some (`can_be_given`), writes any bars of any of up to four.
        Every other style goes on from what stands before: it writes all tracks, from a bar on to the end.

        Args:
            score: any that the style can play.
            tracks: places of the tracks to be written; None for all.
            bars: to be written, counted from 1, a pickup being bar 0; None for all.
            rules: of part-writing, as in `harmonize`.
            seed, temperature, top_k, top_p, min_p: as in `compose`.
            tell: called with a line for everything that could not be taken as it was.

        Raises:
            WishError: if there are no such bars or tracks, or the style cannot write them and leave the others.
        """
        stretches, places = bars_of(score, bars), tracks_of(score, tracks)
        tell = tell or (lambda line: None)
        taste: dict[str, Any] = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
        if not self.can_be_given:
            return rewritten_end(
                lambda beginning, new: self.continue_(beginning, new, seed, tell=tell, **taste),
                score,
                places,
                stretches,
                self.name,
            )
        wishes, drawn = part_writing(None, rules), taste_of(self.codec, **taste)
        rng = np.random.default_rng(seed)
        return rewritten_voices(self.codec, lambda: self.player, score, places, stretches, wishes, drawn, rng, tell)

    @property
    def can_be_given(self) -> bool:
        """Whether it was learnt in voices, and to write some of them where others are given."""
        return self.codec.in_voices and getattr(self.network.config, "reveal", 0) > 0

    @property
    def player(self) -> Player:
        """What plays the weights, at the start of a piece."""
        self._player.reset()
        return self._player

    @cached_property
    def _player(self) -> Player:
        return self.network.player(self.weights)

    def _dressed(self, score: Score, programs: Sequence[int], title: str) -> Score:
        """The score with what is set rather than composed: instruments, names of tracks and title."""
        tracks, pitched = [], 0
        for place, track in zip(places(score), score.tracks, strict=True):
            if programs and not track.is_drum:
                track = track.replace(program=programs[min(pitched, len(programs) - 1)])
                pitched += 1
            else:
                track = track.replace(name=self.habits.names.get(place, ""))
            tracks.append(track)
        return score.replace(tracks=tuple(tracks), title=title)

    def _memory(self) -> Memory:
        """What keeps a piece original."""
        if self.memory is None:
            raise WishError(
                f"expected a style that remembers its pieces, so as not to copy them, got {self.name!r}, which does "
                "not: train it again, or leave original out"
            )
        return self.memory

    def _best_of_takes(self, request: Request, seed: int | None, tell: Tell) -> Score:
        """Draw until a piece is whole, not stuck and not silent; else the least bad of the takes."""
        faults: list[tuple[float, str, Score]] = []
        for take, chance in enumerate(np.random.default_rng(seed).spawn(TAKES)):
            score, finished = compose_once(self.codec, self.player, self.habits, request, chance)
            fault = self._fault(score, finished, request)
            if fault is None:
                if request.memory is None and (copied := self._copied(score, request.not_before)):
                    tell(copied)
                return score
            faults.append((*fault, score))
            if request.taste.temperature == 0:
                # Every further take would be the same.
                break
            if take + 1 < TAKES:
                tell(f"take {take + 1} {fault[1]}; drew again")
        _, what, score = min(faults, key=lambda fault: fault[0])
        tell(f"the best of {len(faults)} takes {what}; try another seed or a temperature nearer to 1")
        if request.memory is None and (copied := self._copied(score, request.not_before)):
            tell(copied)
        return score

    def _fault(self, score: Score, finished: bool, request: Request) -> tuple[float, str] | None:
        """How bad a take is, and why, beside what the style's own pieces do."""
        # Its mask leaves a copied note only where a wish for few pitches leaves no other.
        copied = self._copied(score, request.not_before) if request.memory is not None else ""
        if request.not_before and request.not_before < score.end:
            # How a given beginning is, is not the take's fault.
            score = clip(score, request.not_before, score.end)
        if not score.num_notes:
            return 1e6, "has no notes"
        length = len(score.bars()) - 1
        loop, silence = looped_bars(score), longest_silence(score).bars
        if not finished:
            return 1e3 + loop, "found no end"
        # A short piece may repeat a bar or two that a long one would not be allowed in proportion.
        habit = max(self.habits.loop_share * length, 2.0)
        if loop > (habit if request.repetition is None else request.repetition * length):
            return loop / length, f"repeats itself for {loop:.0f} of {length} bars"
        if silence > max(self.habits.silence_bars, 1.0) + 0.01:
            return silence / length, f"is silent for {silence:.1f} bars"
        return (1.0, copied) if copied else None

    def _copied(self, score: Score, start: int) -> str:
        """What is copied from `start` ticks on, if it is more than human pieces share; else nothing."""
        if self.memory is None:
            return ""
        found = self.memory.longest(score, start)
        if found is None or found.notes <= self.memory.limit:
            return ""
        return f"copies {found} from what it learnt; up to {self.memory.limit} in a row are usual"

    def _check_voices(self, what: str) -> None:
        if not self.codec.in_voices:
            raise WishError(f"{what} are for styles that were learnt in voices, as chorale was; {self.name} was not")
