"""What may be wished of a style of windows, and what is said where it may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ..errors import WishError
from ..music import Meter, Score, clip
from ..sampling import Taste


def beat(meter: str) -> float:
    """Quarters of a beat in a metre."""
    return Meter.parse(meter).beat_quarters


def taste_of(temperature: float, top_k: int = 0, top_p: float = 0.98, min_p: float = 0.0) -> Taste:
    """How freely words are drawn; a value out of range is the user's error."""
    try:
        return Taste(temperature, top_k, top_p, min_p)
    except ValueError as error:
        raise WishError(str(error)) from None


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
