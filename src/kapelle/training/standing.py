"""How far a run has come, and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray

from .log import Row

Weights = dict[str, NDArray[Any]]


@dataclass
class Standing:
    """How far a run has come; with the tensors of a `Snapshot` it is all that going on needs.

    Attributes:
        epoch: whole epochs that are done.
        batch: batches of the next one that are done.
        batch_steps: steps of a batch, which stay as they are when more or fewer processes go on with the run.
        updates: of the weights.
        seconds: that the run has taken.
        looked: updates at the last look at the held-out pieces.
        warm: updates at which the rate last began to rise.
        scale: of the learning rate.
        falls: how often the run has diverged.
        recent: running mean of the cost, nats per note.
        lowest: least such mean.
        since: sums since the last row: cost, notes, hits, fields, norms of gradients, updates, seconds.
        best: the look at the weights that are kept.
        ended: why the run is over, or nothing.
    """

    epoch: int = 0
    batch: int = 0
    batch_steps: int = 0
    updates: int = 0
    seconds: float = 0.0
    looked: int = 0
    warm: int = 0
    scale: float = 1.0
    falls: int = 0
    recent: float = math.nan
    lowest: float = math.inf
    since: list[float] = field(default_factory=lambda: [0.0] * 7)
    best: Row | None = None
    ended: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Standing:
        """What `to_json` wrote."""
        best = values["best"]
        return cls(**{**values, "best": None if best is None else Row(**best)})


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment.

    Attributes:
        tensors: by name; see `kapelle.training.compact.pack`.
        standing: how far it has come.
        best: the weights of the best look, in half precision; none before the first.
    """

    tensors: Weights
    standing: Standing
    best: Weights = field(default_factory=dict)


@dataclass
class Outcome:
    """What training gives: the best weights by the held-out pieces, in half precision, and how it went."""

    weights: Weights
    rows: list[Row] = field(default_factory=list)
    best: Row | None = None
    seconds: float = 0.0
    updates: int = 0
    ended: str = ""
