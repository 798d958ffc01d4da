"""The log of a run: what was told of it, one row after another."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """How a run stood at one moment. What was not measured is NaN.

    Attributes:
        epoch: epochs done, with the fraction of the one that ran.
        updates: of the weights, so far.
        seconds: so far.
        train: nats per note of the batches since the last row, as they were learnt, dropout, smoothing
            and all.
        train_accuracy: of the same, 0..1.
        valid: nats per note of held-out pieces.
        valid_accuracy: of the same, 0..1.
        rate: learning rate.
        gradient: mean norm of the gradient since the last row, before it was clipped.
        notes_per_second: that were learnt from since the last row.
        event: what happened, such as a fall back after the run had diverged; mostly nothing.
    """

    epoch: float
    updates: int
    seconds: float
    train: float
    train_accuracy: float
    valid: float
    valid_accuracy: float
    rate: float
    gradient: float
    notes_per_second: float
    event: str = ""


def to_line(row: Row) -> str:
    """The row as one line of JSON."""
    return json.dumps(asdict(row)) + "\n"


def from_lines(lines: Iterable[str]) -> list[Row]:
    """The rows that `to_line` wrote; a last line that was cut short, as a power cut may leave it, does not count.

    Raises:
        ValueError: if another line is no row.
    """
    rows = []
    for line in lines:
        if not line.endswith("\n"):
            break
        values = json.loads(line)
        if not isinstance(values, dict):
            raise ValueError(f"expected a row, got {line!r}")
        try:
            rows.append(Row(**values))
        except TypeError as error:
            raise ValueError(str(error)) from None
    return rows
