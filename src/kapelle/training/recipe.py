"""How a network is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        minutes: longest time, looks included; None for no limit.
        epochs: most epochs; None for as many as fit into the time. One of the two is needed.
        optimiser: "adamw", "adam" or "rmsprop".
        learning_rate: at its highest.
        weight_decay: of AdamW.
        averaging: how much of the averaged weights stays at each update, near 1; 0 for no averaging.
        patience: a run by time ends when so large a share of it brought nothing better; None for never.
        crop: steps of a piece that are looked at together, at most.
        batch: steps that are learnt from together, at most, in each process.
        smoothing: share of the cost that all words bear alike, so that few pieces are not taken for all there is.
        rounding: updates after which the run is rounded to what a checkpoint holds of it.
        seed: every random choice follows from it.
        threads: of torch; None leaves torch's own choice.
        clock: what tells the seconds; `time.process_time` compares fairly on a machine with other work to do.
    """

    minutes: float | None = 10.0
    epochs: int | None = None
    optimiser: str = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    averaging: float = 0.995
    patience: float | None = 0.25
    crop: int = 256
    batch: int = 2048
    smoothing: float = 0.0
    rounding: int = 32
    seed: int = 0
    threads: int | None = None
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if self.minutes is None and self.epochs is None:
            raise ValueError("expected minutes or epochs, got neither")
