"""One take: from wishes to a score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..codecs import Codec
from ..errors import WishError
from ..evaluation import Memory
from ..music import Key, Meter, Score, TempoMap, Wishes
from ..networks import Player
from ..sampling import Taste, write
from ..sampling.writing import Steps
from .card import Habits, closes_on


@dataclass(frozen=True)
class Request:
    """What a take is asked for.

    Attributes:
        wishes: what must hold.
        taste: how freely words are drawn.
        prompt: steps of a beginning, its header included, or None.
        not_before: ticks before which nothing new may start.
        repetition: share of bars that may be exact repetition after the second time; None for the style's habit.
        shift: semitones from a key that the style knows well to that of the prompt.
        instruments: how many pitched tracks are wished; 0 for as many as the style likes.
        memory: of pieces that must not be copied for longer than its limit; None where they may.
        seen: called now and then with the piece as far as it is.
    """

    wishes: Wishes
    taste: Taste
    prompt: Steps | None = None
    not_before: int = 0
    repetition: float | None = None
    shift: int = 0
    instruments: int = 0
    memory: Memory | None = None
    seen: Callable[[Score], None] | None = None


def compose_once(
    codec: Codec, player: Player, habits: Habits, request: Request, rng: np.random.Generator
) -> tuple[Score, bool]:
    """A score and whether it came to its end.

    The header facts are drawn first, so that seconds can be turned into bars at the tempo and metre the
    style chose, and the countdown of bars can start.
    """
    wishes, prompt, guide = request.wishes, request.prompt, None
    shift = request.shift
    if prompt is None:
        shift = habits.shift_to(wishes.key)
        wishes = replace(wishes, lineup=habits.draw_lineup(rng, request.instruments))
        prompt, wishes, guide = _header(codec, player, habits, wishes, shift, request.taste, rng)
        player.reset()
    watch = None if request.memory is None else request.memory.watch()
    walk = codec.walk(wishes, request.not_before, guide, shift, watch)
    facts = codec.facts(prompt)
    tonic = Key.parse(facts["key"]).tonic if habits.ends_on_tonic and facts["key"] != "none" else None

    def scored(steps: Steps) -> Score:
        score = codec.decode(steps)
        return score.replace(tempos=_tempo(score, request.wishes))

    seen = request.seen
    draft = write(
        player,
        codec,
        walk,
        request.taste,
        rng,
        prompt,
        _most_steps(wishes, habits, codec),
        None if tonic is None else lambda steps: closes_on(codec.decode(steps), tonic),
        None if seen is None else lambda steps: seen(scored(steps)),
    )
    return scored(draft.steps), draft.finished


def _most_steps(wishes: Wishes, habits: Habits, codec: Codec) -> int:
    """Steps at which a piece is given up: many times what the style needs for the length."""
    if wishes.notes is not None:
        bars, steps = wishes.notes / habits.notes_per_bar, 3 * wishes.notes + 200.0
    else:
        bars = wishes.bars or habits.bars
        steps = 500 + 12 * habits.notes_per_bar * bars
    # A bar has sixteen quarters at most; where notes are wished, bars may come out much emptier than is usual.
    quarters = (16 if wishes.notes is None else 64) * bars
    return int(steps + codec.steps_per_quarter * quarters)


def _header(
    codec: Codec, player: Player, habits: Habits, wishes: Wishes, shift: int, taste: Taste, rng: np.random.Generator
) -> tuple[Steps, Wishes, int | None]:
    """The header facts, the wishes with their length in bars, and the bars to announce for wished notes."""
    open_ended = wishes.bars is None and wishes.notes is None and wishes.seconds is None
    # The other facts are drawn for a piece of about the length that it will have.
    expected = max(1, round(wishes.notes / habits.notes_per_bar)) if wishes.notes is not None else habits.bars
    # From transposed pieces a network of voices learns every key, but hardly which ones are usual.
    key = habits.draw_key(rng) if wishes.key is None and codec.in_voices else wishes.key
    walk = codec.walk(replace(wishes, seconds=None, key=key), guide=None if open_ended else expected, shift=shift)
    steps = write(player, codec, walk, taste, rng, most_steps=codec.header_steps).steps
    facts = codec.facts(steps)
    meter = Meter.parse(facts["meter"])
    guide = None
    if wishes.seconds is not None:
        rate = wishes.tempo * meter.beat_quarters if wishes.tempo is not None else float(facts["tempo"])
        bars = max(1, round(wishes.seconds * rate / 60 / meter.bar_quarters))
        if bars > 10_000:
            raise WishError(f"expected at most 10000 bars, got {bars}: wish for fewer seconds")
        wishes = replace(wishes, seconds=None, bars=bars, meter=meter)
    elif wishes.notes is not None:
        guide = expected
        wishes = replace(wishes, meter=meter)
    elif open_ended:
        wishes = replace(wishes, bars=habits.bars if facts["bars"] == "many" else int(facts["bars"]))
    tempo = None if wishes.tempo is None else wishes.tempo * meter.beat_quarters
    return codec.with_facts(steps, wishes.bars or guide, tempo), wishes, guide


def _tempo(score: Score, wishes: Wishes) -> TempoMap:
    """The wished tempo exactly; or, for wished seconds without a tempo, the one that makes them come out."""
    if wishes.tempo is not None:
        return TempoMap.constant(wishes.tempo * score.meters[0].beat_quarters)
    if wishes.seconds is not None and score.end:
        ticks = int(score.bars()[-1])
        return TempoMap.constant(60.0 * ticks / score.ticks_per_quarter / wishes.seconds)
    return score.tempos
