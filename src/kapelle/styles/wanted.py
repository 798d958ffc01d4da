"""Wishes as they are said, by name or number, read; and what is said where one cannot be met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from ..codecs import Codec
from ..errors import WishError
from ..music import Key, Meter, Score, Wishes, clip, parse_pitch
from ..music.instruments import program_of
from ..sampling import Taste
from .card import Habits


def beat(meter: str) -> float:
    """Quarters of a beat in a metre."""
    return Meter.parse(meter).beat_quarters


@contextmanager
def understood() -> Iterator[None]:
    """What cannot be read, or is out of range, becomes the user's error."""
    try:
        yield
    except ValueError as error:
        raise WishError(str(error)) from None


def taste_of(
    codec: Codec, temperature: float | None, top_k: int = 0, top_p: float | None = None, min_p: float = 0.0
) -> Taste:
    """How freely words are drawn; None for what suits the codec."""
    warm, enough, motion = codec.taste
    with understood():
        return Taste(
            warm if temperature is None else temperature, top_k, enough if top_p is None else top_p, min_p, motion
        )


def wishes_of(
    habits: Habits,
    bars: int | None,
    notes: int | None,
    seconds: float | None,
    key: str | Key | None,
    meter: str | Meter | None,
    tempo: float | None,
    range: tuple[str | int, str | int] | None,
    polyphony: int | None,
    fermatas: Sequence[int] | None,
    rules: Sequence[str],
) -> Wishes:
    """What must hold; the register and number of notes that nothing is said of are those of the style's own pieces."""
    with understood():
        low, high = (habits.low, habits.high) if range is None else (pitch_of(range[0]), pitch_of(range[1]))
        return Wishes(
            bars,
            notes,
            seconds,
            Key.parse(key) if isinstance(key, str) else key and replace(key, onset=0),
            Meter.parse(meter) if isinstance(meter, str) else meter and replace(meter, onset=0),
            tempo,
            low,
            high,
            (habits.polyphony or None) if polyphony is None else polyphony,
            habits.monophonic,
            fermatas=None if fermatas is None else tuple(fermatas),
            rules=tuple(rules),
        )


def part_writing(fermatas: Sequence[int] | None, rules: Sequence[str]) -> Wishes:
    """What may be wished where some voices are given."""
    with understood():
        return Wishes(fermatas=None if fermatas is None else tuple(fermatas), rules=tuple(rules))


def tempo_of(tempo: float | None) -> float | None:
    """Beats a minute, 10..400, or none."""
    with understood():
        return Wishes(tempo=tempo).tempo


def share_of(repetition: float | None) -> float | None:
    """A share of bars, 0..1, or none."""
    if repetition is not None and not 0 <= repetition <= 1:
        raise WishError(f"expected repetition as a share of bars, 0..1, got {repetition}")
    return repetition


def pitch_of(pitch: str | int) -> int:
    """The MIDI number of a pitch by name or number."""
    return parse_pitch(pitch) if isinstance(pitch, str) else pitch


def programs_of(instruments: Sequence[str | int]) -> list[int]:
    """General MIDI programs by name or number."""
    with understood():
        return [program_of(str(instrument)) for instrument in instruments]


def first_bars(score: Score, bars: int) -> Score:
    """The first bars, whose number divides no window."""
    ends = score.meters[0].bar_length(score.ticks_per_quarter) * bars
    return clip(score, 0, ends) if score.end > ends else score


def only_possible(wishes: Mapping[str, Any]) -> None:
    """Refuse what can be wished of other styles only."""
    if unmet := [name for name, value in wishes.items() if value is not None and value != () and value is not False]:
        refuse(f"{', '.join(unmet)} cannot be wished of a style of windows", "wish for bars, key, metre or tempo")


def refuse(what: str, instead: str) -> NoReturn:
    """Raise: what was expected and what came, and what to do instead, or nothing."""
    raise WishError(f"{what}; {instead}" if instead else what)
