"""What the answers say: how often the real clip was found, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .pairs import KINDS
from .results import EXPERIENCES, Judged

_Z = 1.959963984540054
"""Of the normal distribution 95 % lie within so many standard deviations."""

NOT_TOLD = "not told"


@dataclass(frozen=True)
class Tally:
    """Some of the answers.

    Attributes:
        right: how many found the real clip.
        answers: how many there are, without skipped pairs.
    """

    right: int
    answers: int

    @property
    def share(self) -> float:
        """Of right answers, 0..1; NaN without answers."""
        return self.right / self.answers if self.answers else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, with 95 % confidence."""
        return wilson(self.right, self.answers)

    @property
    def verdict(self) -> str:
        """Whether half, which is guessing, lies outside the interval, and on which side."""
        low, high = self.interval
        return "told apart" if low > 0.5 else "taken for the other" if high < 0.5 else "not told apart from chance"

    def to_json(self) -> dict[str, Any]:
        """As plain values; what is not known is null."""
        low, high = self.interval
        share = self.share if self.answers else None
        figures = {"right": self.right, "answers": self.answers, "share": share, "low": low, "high": high}
        return {**figures, "differs_from_chance": not low <= 0.5 <= high}


@dataclass(frozen=True)
class Analysis:
    """The answers about a style, counted in four ways; each answer once in each of them.

    Attributes:
        everything: all of them.
        by_kind: by the voices that were composed.
        by_experience: by how listeners rate themselves.
        by_both: by both, kind first.
        skipped: pairs that were left out, which count nowhere else.
        sittings: how many there were.
    """

    everything: Tally
    by_kind: dict[str, Tally]
    by_experience: dict[str, Tally]
    by_both: dict[tuple[str, str], Tally]
    skipped: int
    sittings: int

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "everything": self.everything.to_json(),
            "by_kind": {kind: tally.to_json() for kind, tally in self.by_kind.items()},
            "by_experience": {name: tally.to_json() for name, tally in self.by_experience.items()},
            "by_kind_and_experience": [
                {"kind": kind, "experience": name, **tally.to_json()} for (kind, name), tally in self.by_both.items()
            ],
            "skipped": self.skipped,
            "sittings": self.sittings,
        }


def analyse(answers: Sequence[Judged]) -> Analysis:
    """Count answers.

    >>> answers = [Judged("1", 0, "S", "novice", True), Judged("1", 1, "S", "novice", False)]
    >>> analyse(answers).by_kind["S"].share
    0.5
    """
    told = [answer for answer in answers if answer.right is not None]
    kinds = _ordered({answer.kind for answer in told}, tuple(KINDS))
    names = _ordered({answer.experience or NOT_TOLD for answer in told}, tuple(EXPERIENCES))
    both = {
        (kind, name): _tally([a for a in told if a.kind == kind and (a.experience or NOT_TOLD) == name])
        for kind in kinds
        for name in names
    }
    return Analysis(
        _tally(told),
        {kind: _tally([answer for answer in told if answer.kind == kind]) for kind in kinds},
        {name: _tally([answer for answer in told if (answer.experience or NOT_TOLD) == name]) for name in names},
        {place: tally for place, tally in both.items() if tally.answers},
        len(answers) - len(told),
        len({answer.sitting for answer in answers}),
    )


def wilson(right: int, answers: int) -> tuple[float, float]:
    """The interval in which a share lies with 95 % confidence; all there is, without answers.

    Unlike the usual one it never leaves 0..1 and holds for few answers too.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212.

    >>> [round(bound, 3) for bound in wilson(59, 100)]
    [0.492, 0.681]
    """
    if not answers:
        return 0.0, 1.0
    share, spread = right / answers, _Z * _Z / answers
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    # Rounding must not leave the share outside.
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def _tally(answers: Sequence[Judged]) -> Tally:
    return Tally(sum(answer.right is True for answer in answers), len(answers))


def _ordered(found: set[str], known: tuple[str, ...]) -> list[str]:
    return [name for name in known if name in found] + sorted(found - set(known))
