"""The one loop that changes weights."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..codecs import Codec
from ..networks import Network
from .batches import Batch, BatchPlan, crops
from .likelihood import likelihood

Pieces = Sequence[NDArray[np.int32]]

LOOK_STEPS = 20_000
"""A look is at the first held-out pieces that make up so many steps, so that it costs little of the time."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        minutes: longest time, evaluation included.
        epochs: most epochs; None for as many as fit into the time.
        optimiser: "adamw", "adam" or "rmsprop".
        learning_rate: at its highest.
        weight_decay: of AdamW.
        averaging: how much of the averaged weights stays at each update, near 1; 0 for no averaging.
        patience: the run ends when this many looks at the held-out pieces in a row brought nothing better.
        crop: steps of a piece that are looked at together, at most.
        seed: every random choice follows from it.
        threads: of torch; None leaves torch's own choice.
        device: "cpu", or another that torch knows.
        clock: what tells the seconds; `time.process_time` compares fairly on a machine with other work to do.
    """

    minutes: float = 10.0
    epochs: int | None = None
    optimiser: str = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    averaging: float = 0.995
    patience: int = 8
    crop: int = 256
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Look:
    """One look at the held-out pieces: `epoch` (with its fraction), `seconds` since the start, nats per note."""

    epoch: float
    seconds: float
    train: float
    valid: float


@dataclass
class Outcome:
    """What training gives: the best weights by the held-out pieces, and how it went."""

    weights: dict[str, NDArray[Any]]
    looks: list[Look] = field(default_factory=list)
    best: Look | None = None
    seconds: float = 0.0
    updates: int = 0
    ended: str = ""


Progress = Callable[[float, float, Look | None], None]
"""Called with the share done (0..1), the cost of the last batch in nats per note, and the last look."""

OPTIMISERS: dict[str, Any] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}


def fit(
    network: Network, codec: Codec, train: Pieces, valid: Pieces, recipe: Recipe, progress: Progress | None = None
) -> Outcome:
    """Train a network from nothing.

    The learning rate warms up, then falls along a cosine over the time or the epochs there are. What is
    looked at, and kept, are averaged weights. Ctrl-C ends the run as the end of time does.

    Args:
        network: what to train.
        codec: that made the steps.
        train: encoded pieces to learn from, each of shape (steps, F).
        valid: encoded pieces to choose by; never learnt from.
        recipe: how.
        progress: told about it several times a second.

    Returns:
        The weights of the best look, on the CPU, in 32 bits.
    """
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        return _Run(network, codec, train, valid, recipe, progress).go()


class _Run:
    def __init__(
        self, network: Network, codec: Codec, train: Pieces, valid: Pieces, recipe: Recipe, progress: Progress | None
    ) -> None:
        self.codec, self.train, self.recipe = codec, train, recipe
        self.valid = _few(valid, LOOK_STEPS)
        self.progress = progress or (lambda share, cost, look: None)
        self.rng = np.random.default_rng(recipe.seed)
        self.module = network.module().to(recipe.device)
        if hasattr(self.module, "begin_from"):
            self.module.begin_from(_counts(network, codec, train, recipe.device))
        self.average = copy.deepcopy(self.module).eval()
        self.plan = BatchPlan.for_data([len(piece) for piece in train], recipe.crop)
        self.optimiser = self._optimiser()
        self.outcome = Outcome({})
        self.start = self.recipe.clock()
        self.epoch = 0.0
        self.cost = math.nan
        self.low_precision = recipe.device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()

    def _optimiser(self) -> Any:
        options: dict[str, Any] = {"lr": self.recipe.learning_rate}
        if self.recipe.optimiser == "adamw":
            options |= {"weight_decay": self.recipe.weight_decay, "betas": (0.9, 0.98)}
        return OPTIMISERS[self.recipe.optimiser](self.module.parameters(), **options)

    def go(self) -> Outcome:
        last_look = self.start
        steps_an_epoch = sum(len(piece) for piece in self.train)
        look_every = max(5.0, 60 * self.recipe.minutes / 30)
        looked_for = 0.0
        try:
            while not self.outcome.ended:
                begun = self.epoch
                passed = 0
                for batch in crops(self.train, self.plan, self.codec, self.rng):
                    self._update(batch)
                    passed += int(batch.real.sum())
                    self.epoch = begun + min(passed / steps_an_epoch, 0.999)
                    now = self.recipe.clock()
                    self.progress(
                        min(self._share(), 1.0), self.cost, self.outcome.looks[-1] if self.outcome.looks else None
                    )
                    if self._share() >= 1:
                        break
                    # Looking must not eat up the time, however slow a network is.
                    if now - last_look > max(look_every, 12 * looked_for):
                        self._look()
                        last_look = self.recipe.clock()
                        looked_for = last_look - now
                    if self.outcome.ended:
                        break
                else:
                    self.epoch = begun + 1
                if self._share() >= 1 and not self.outcome.ended:
                    self.outcome.ended = "time" if self.recipe.epochs is None or self._time_is_up() else "epochs"
        except KeyboardInterrupt:
            self.outcome.ended = "stopped"
        self._look()
        self.outcome.seconds = self.recipe.clock() - self.start
        return self.outcome

    def _share(self) -> float:
        """How much of the run is done; above 1 it is over."""
        share = (self.recipe.clock() - self.start) / (60 * self.recipe.minutes)
        if self.recipe.epochs is not None:
            share = max(share, self.epoch / self.recipe.epochs)
        return share

    def _time_is_up(self) -> bool:
        return self.recipe.clock() - self.start >= 60 * self.recipe.minutes

    def _rate(self) -> float:
        """Share of the highest learning rate: up over the first 60 updates, then down along a cosine."""
        warm = min(1.0, (self.outcome.updates + 1) / 60)
        return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(self._share(), 1.0))))

    def _update(self, batch: Batch) -> None:
        device = self.recipe.device
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * self._rate()
        self.module.train()
        steps, paid = torch.from_numpy(batch.steps).to(device), torch.from_numpy(batch.paid).to(device)
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=self.low_precision):
            costs, _ = self.module(steps, real=torch.from_numpy(batch.real).to(device))
        total = (costs * paid).sum()
        loss = total / paid.any(-1).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimiser.step()
        self.outcome.updates += 1
        self.cost = total.item() / max(batch.notes, 1)
        self._follow()

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _follow(self) -> None:
        """Move the averaged weights: young averages follow fast."""
        keep = min(self.recipe.averaging, self.outcome.updates / (self.outcome.updates + 10))
        for own, new in zip(self.average.state_dict().values(), self.module.state_dict().values(), strict=True):
            if own.dtype.is_floating_point:
                own.lerp_(new, 1 - keep)
            else:
                own.copy_(new)

    def _look(self) -> None:
        valid = likelihood(self.average, self.valid, self.codec, self.recipe.device).nats_per_note
        look = Look(self.epoch, self.recipe.clock() - self.start, self.cost, valid)
        outcome = self.outcome
        outcome.looks.append(look)
        if outcome.best is None or look.valid < outcome.best.valid:
            outcome.best = look
            outcome.weights = {
                name: weight.detach().float().cpu().numpy().copy()
                if weight.dtype.is_floating_point
                else weight.cpu().numpy()
                for name, weight in self.average.state_dict().items()
            }
        since = len(outcome.looks) - 1 - outcome.looks.index(outcome.best)
        if since >= self.recipe.patience and not outcome.ended:
            outcome.ended = "held-out likelihood has turned"


def _few(pieces: Pieces, most_steps: int) -> Pieces:
    """The first pieces up to a number of steps, at least one."""
    total = np.cumsum([len(piece) for piece in pieces])
    return pieces[: max(1, int(np.searchsorted(total, most_steps)))]


def _counts(network: Network, codec: Codec, pieces: Pieces, device: str) -> list[torch.Tensor]:
    """How often each word of each predicted column is chosen in the pieces."""
    columns = network.config.columns
    steps = np.concatenate(list(pieces))
    paid = np.concatenate([codec.paid(piece) for piece in pieces])
    return [
        torch.from_numpy(np.bincount(steps[paid[:, c], c], minlength=columns.sizes[c])).float().to(device)
        for c in columns.predicted
    ]


__all__ = ["Look", "Outcome", "Pieces", "Progress", "Recipe", "fit"]
