"""What a run is: told in a word, with the reason and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .log import Row

ABOVE_BASELINE, OF_THE_REST = 0.02, 0.1
"""What has learnt anything names the word that comes this share more often than the most frequent word does, or this
share of the times when that one is wrong: nearly every key of a frame is silent."""
LATE = 3
"""The last looks, whose median counts: a network may leave the most frequent word for a moment and come back to it."""
SURE_UPDATES = 300
"""Before so many updates nothing is called "not learning" while the run still goes on."""
TURNED = 1.01
"""Held-out nats per note this many times those of the best look have turned."""


@dataclass(frozen=True)
class Verdict:
    """What a run is.

    Attributes:
        name: "learning", "not learning", "done", "copying" or "diverged".
        reason: what was seen.
        advice: what to do, or nothing.
    """

    name: str
    reason: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" + (f"; {self.advice}" if self.advice else "")


def learnt_from(baseline: float) -> float:
    """The accuracy, 0..1, from which on something has been learnt.

    Args:
        baseline: of always naming the most frequent word.
    """
    return baseline + min(ABOVE_BASELINE, OF_THE_REST * (1 - baseline))


def judge(rows: Sequence[Row], baseline: float, ended: str = "", copies: str = "") -> Verdict:
    """What the rows of a run say about it.

    Args:
        rows: of the log, in order.
        baseline: accuracy on the held-out pieces of always naming the most frequent word.
        ended: why the run is over, or nothing while it goes on.
        copies: how what it composes was found to be copied, in words, or nothing if it was not.
    """
    looks = [row for row in rows if math.isfinite(row.valid)]
    falls = [row for row in rows if row.event.startswith("diverged")]
    if ended == "diverged" or (falls and not looks):
        return Verdict(
            "diverged",
            f"the cost blew up {len(falls)} times, though the learning rate was lowered each time",
            "look for strange files among the music, or choose another network",
        )
    if not looks:
        return Verdict("learning", "it has only begun")
    best, last = min(looks, key=lambda row: row.valid), looks[-1]
    late = looks[-LATE:]
    reached = max(
        *(best.valid_accuracy, best.train_accuracy),
        *(median(row.valid_accuracy for row in late), median(row.train_accuracy for row in late)),
    )
    if reached < learnt_from(baseline) and (ended or last.updates >= SURE_UPDATES):
        return Verdict(
            "not learning",
            f"accuracy {reached:.0%}, and always naming the most frequent word gives {baseline:.0%}",
            "train for longer, or go on from another style with --from",
        )
    if copies:
        return Verdict("copying", copies, "compose with --original, stop earlier, or add music")
    if ended.startswith("held-out") or (last.valid > TURNED * best.valid and last.epoch > best.epoch):
        gap = f"held-out pieces were foretold best at epoch {best.epoch:.4g} and have become harder since"
        return Verdict("done", gap, "" if ended else "more time brings nothing; more music would")
    again = f" after {len(falls)} falls back" if falls else ""
    more = "more time would help" if ended in ("time", "epochs") and best is last else ""
    return Verdict("learning", f"held-out pieces are foretold better and better{again}", more)
