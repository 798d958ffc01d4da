"""The one loop that changes weights."""

from __future__ import annotations

import copy
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..codecs import Codec
from ..networks import Network
from .batches import Batch, BatchPlan, Epoch, Pieces
from .likelihood import likelihood, word_counts
from .log import Row

LOOK_STEPS = 20_000
"""A look is at the first held-out pieces that make up so many steps, so that it costs little of the time."""
LOOK_UPDATES = 200
"""A look is taken after so many updates if an epoch is longer."""
LEAST_UPDATES = 24
"""Between two looks there are at least so many updates, however short an epoch is."""
WARM_UPDATES = 60
"""The learning rate rises over so many updates."""
MOST_FALLS = 3
"""A run that diverges once more than this ends with the best that it has."""
SLOWER = 0.3
"""What the learning rate is multiplied with when a run has diverged."""

Weights = dict[str, NDArray[Any]]


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
        seed: every random choice follows from it.
        threads: of torch; None leaves torch's own choice.
        device: "cpu", or another that torch knows.
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
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if self.minutes is None and self.epochs is None:
            raise ValueError("expected minutes or epochs, got neither")


@dataclass
class Standing:
    """How far a run has come; with the tensors of a `Snapshot` it is all that going on needs.

    Attributes:
        epoch: whole epochs that are done.
        batch: batches of the next one that are done.
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
    """A run at one moment: tensors by name, and how far it has come."""

    tensors: Weights
    standing: Standing


@dataclass
class Outcome:
    """What training gives: the best weights by the held-out pieces, in half precision, and how it went."""

    weights: Weights
    rows: list[Row] = field(default_factory=list)
    best: Row | None = None
    seconds: float = 0.0
    updates: int = 0
    ended: str = ""


Progress = Callable[[float, float, Row | None], None]
"""Called with the share done (0..1), the cost of the last batch in nats per note, and the last row."""


class Keeper(Protocol):
    """Who keeps what a run leaves behind; see `kapelle.training.run.RunFolder`."""

    def add(self, row: Row) -> None: ...
    def after_update(self, trainer: Trainer) -> None: ...
    def after_epoch(self, trainer: Trainer) -> None: ...
    def at_end(self, trainer: Trainer) -> None: ...


OPTIMISERS: dict[str, Any] = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}


def fit(
    network: Network, codec: Codec, train: Pieces, valid: Pieces, recipe: Recipe, progress: Progress | None = None
) -> Outcome:
    """Train a network from nothing, keeping nothing but the outcome; see `Trainer`."""
    return Trainer(network, codec, train, valid, recipe, progress=progress).run()


class Trainer:
    """Trains a network.

    The learning rate warms up, then falls along a cosine over the time or the epochs there are. What is
    looked at, and kept, are averaged weights. If the cost blows up, the run goes back to the best weights and on
    from there at a lower rate. Ctrl-C stops the run after the update it is at.

    Every random choice follows from the seed and from how far the run is, so a run that goes on from a snapshot
    comes to the same weights, bit for bit on one thread, as one that was never cut off; by epochs, that is: time
    is another one each time.

    Args:
        network: what to train.
        codec: that made the steps.
        train: encoded pieces to learn from, each of shape (steps, F).
        valid: encoded pieces to choose by; never learnt from.
        recipe: how.
        start: weights to begin with; None for fresh ones.
        keeper: told of each row, update and epoch.
        progress: told about the run after each update.
    """

    def __init__(
        self,
        network: Network,
        codec: Codec,
        train: Pieces,
        valid: Pieces,
        recipe: Recipe,
        start: Mapping[str, NDArray[Any]] | None = None,
        keeper: Keeper | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.network, self.codec, self.train, self.recipe = network, codec, train, recipe
        self.valid = _few(valid, min(LOOK_STEPS, max(sum(map(len, train)) // 8, 1000)))
        self.start, self.keeper = start, keeper
        self.progress = progress or (lambda share, cost, row: None)
        self.plan = BatchPlan.for_data([len(piece) for piece in train], recipe.crop)
        self.standing = Standing()
        self.stopped = False
        self.rows: list[Row] = []
        self.best_weights: Weights = {}
        self.low_precision = recipe.device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        if recipe.threads:
            torch.set_num_threads(recipe.threads)
        self._begin(start)

    def _begin(self, weights: Mapping[str, NDArray[Any]] | None) -> None:
        """Fresh weights, or the given ones; a fresh optimiser."""
        with torch.random.fork_rng():
            torch.manual_seed(self.recipe.seed)
            self.module = self.network.module()
        if weights is not None:
            _fill(self.module, weights)
        elif hasattr(self.module, "begin_from"):
            counts = word_counts(self.train, self.codec)
            predicted = self.network.config.columns.predicted
            self.module.begin_from([torch.from_numpy(counts[column]).float() for column in predicted])
        self.module.to(self.recipe.device)
        self.average = copy.deepcopy(self.module).eval()
        options: dict[str, Any] = {"lr": self.recipe.learning_rate}
        if self.recipe.optimiser == "adamw":
            options |= {"weight_decay": self.recipe.weight_decay, "betas": (0.9, 0.98)}
        self.optimiser = OPTIMISERS[self.recipe.optimiser](self.module.parameters(), **options)

    # -- the loop ---------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Train to the end, from wherever the run is."""
        standing = self.standing
        self._clock = self.recipe.clock() - standing.seconds
        with torch.random.fork_rng(), _interrupting(self.stop):
            while not (standing.ended or self.stopped):
                self._run_epoch()
        # What is kept is how the run stood before this last look, which one that is never stopped does not take.
        if self.keeper is not None:
            self.keeper.at_end(self)
        if self.stopped and not standing.ended:
            keeper, self.keeper = self.keeper, None
            if standing.updates > standing.looked:
                self._add_row(look=True)
            self.keeper = keeper
        ended = standing.ended or "stopped"
        return Outcome(self.best_weights, self.rows, standing.best, standing.seconds, standing.updates, ended)

    def stop(self) -> None:
        """End the run after the update it is at; what is kept can be gone on with."""
        self.stopped = True

    def _run_epoch(self) -> None:
        standing, recipe = self.standing, self.recipe
        epoch = Epoch(self.train, self.plan, self.codec, recipe.seed, standing.epoch)
        for number in range(standing.batch, len(epoch)):
            before = standing.seconds
            self._update(epoch[number])
            standing.seconds = self.recipe.clock() - self._clock
            standing.since[6] += standing.seconds - before
            standing.batch = number + 1
            self._length = len(epoch)
            last = standing.batch == len(epoch)
            if last:
                standing.epoch, standing.batch = standing.epoch + 1, 0
            share = self.share
            if share >= 1:
                standing.ended = "epochs" if recipe.epochs is not None and standing.epoch >= recipe.epochs else "time"
            unseen = standing.updates - standing.looked
            if self._has_diverged():
                self._fall_back()
            elif last or standing.ended or unseen >= LOOK_UPDATES:
                self._add_row(look=unseen >= LEAST_UPDATES or bool(standing.ended))
            self.progress(min(share, 1.0), standing.recent, self.rows[-1] if self.rows else None)
            if self.keeper is not None and not standing.ended:
                self.keeper.after_update(self)
                if last:
                    self.keeper.after_epoch(self)
            if standing.ended or self.stopped:
                return

    @property
    def share(self) -> float:
        """How much of the run is done; from 1 on it is over."""
        standing, recipe = self.standing, self.recipe
        shares = [0.0]
        if recipe.minutes is not None:
            shares.append(standing.seconds / (60 * recipe.minutes))
        if recipe.epochs is not None:
            shares.append(self.epoch / recipe.epochs)
        return max(shares)

    @property
    def epoch(self) -> float:
        """Epochs that are done, with the fraction of the one that runs."""
        standing = self.standing
        return standing.epoch + (standing.batch / self._length if standing.batch else 0.0)

    @property
    def rate(self) -> float:
        """The learning rate now: up over the first updates, then down along a cosine."""
        standing = self.standing
        warm = min(1.0, (standing.updates - standing.warm + 1) / WARM_UPDATES)
        falling = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(self.share, 1.0)))
        return self.recipe.learning_rate * standing.scale * warm * falling

    def _update(self, batch: Batch) -> None:
        standing, device = self.standing, self.recipe.device
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        torch.manual_seed(int(np.random.SeedSequence((self.recipe.seed, standing.updates)).generate_state(1)[0]))
        self.module.train()
        steps, paid = torch.from_numpy(batch.steps).to(device), torch.from_numpy(batch.paid).to(device)
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=self.low_precision):
            costs, _, hits = self.module(steps, real=torch.from_numpy(batch.real).to(device))
        total = (costs * paid).sum()
        loss = total / paid.any(-1).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0))
        self.optimiser.step()
        standing.updates += 1
        self._follow()
        cost, notes = total.item(), max(batch.notes, 1)
        choices = batch.paid[:, :, list(self.network.config.columns.predicted)]
        new = cost, notes, int((hits & paid).sum()), int(choices.sum()), norm, 1
        standing.since[:6] = [sum_ + more for sum_, more in zip(standing.since, new, strict=False)]
        mean = cost / notes
        standing.recent = mean if math.isnan(standing.recent) else 0.9 * standing.recent + 0.1 * mean

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _follow(self) -> None:
        """Move the averaged weights: young averages follow fast."""
        updates = self.standing.updates - self.standing.warm
        keep = min(self.recipe.averaging, updates / (updates + 10))
        for own, new in zip(self.average.state_dict().values(), self.module.state_dict().values(), strict=True):
            if own.dtype.is_floating_point:
                own.lerp_(new, 1 - keep)
            else:
                own.copy_(new)

    # -- looking ----------------------------------------------------------------------------------

    def _add_row(self, look: bool, event: str = "") -> None:
        """Tell how it stands, and with a look at the held-out pieces whether these weights are the best."""
        standing, before = self.standing, self.recipe.clock()
        cost, notes, hits, fields, norms, updates, seconds = standing.since
        standing.since = [0.0] * 7
        valid = accuracy = math.nan
        if look:
            found = likelihood(self.average, self.valid, self.codec, self.recipe.device)
            valid, accuracy = found.nats_per_note, found.accuracy
            standing.looked = standing.updates
        standing.seconds += self.recipe.clock() - before
        row = Row(
            self.epoch,
            standing.updates,
            standing.seconds,
            cost / notes if notes else math.nan,
            hits / fields if fields else math.nan,
            valid,
            accuracy,
            self.rate,
            norms / updates if updates else math.nan,
            notes / seconds if seconds else math.nan,
            event,
        )
        self.rows.append(row)
        if look:
            self._judge(row)
        if self.keeper is not None:
            self.keeper.add(row)

    def _judge(self, row: Row) -> None:
        standing, recipe = self.standing, self.recipe
        if standing.best is None or row.valid < standing.best.valid:
            if math.isfinite(row.valid):
                standing.best, self.best_weights = row, self.weights()
            return
        if recipe.minutes is None or recipe.epochs is not None or recipe.patience is None or standing.ended:
            return
        if row.seconds - standing.best.seconds > 60 * recipe.minutes * recipe.patience:
            standing.ended = "held-out likelihood has turned"

    def _has_diverged(self) -> bool:
        """Whether the cost is no number, or far above what it was."""
        standing = self.standing
        if not math.isfinite(standing.recent) or not math.isfinite(standing.since[4]):
            return True
        if standing.updates - standing.warm >= WARM_UPDATES:
            standing.lowest = min(standing.lowest, standing.recent)
        return standing.recent > 2 * standing.lowest + 1

    def _fall_back(self) -> None:
        """Go back to the best weights, or to the first ones, and on from there at a lower rate."""
        standing = self.standing
        to = "the beginning" if standing.best is None else f"epoch {standing.best.epoch:.4g}"
        self._begin(self.best_weights or self.start)
        standing.falls += 1
        standing.scale *= SLOWER
        standing.warm = standing.updates
        if standing.falls > MOST_FALLS:
            standing.ended = "diverged"
            self._add_row(look=standing.best is None, event="diverged for good")
        else:
            self._add_row(look=False, event=f"diverged; back to {to}, learning rate times {SLOWER:g}")
        standing.recent, standing.lowest = math.nan, math.inf

    # -- what is kept -----------------------------------------------------------------------------

    def weights(self) -> Weights:
        """The averaged weights as they are kept: on the CPU, in half precision."""
        return {name: _halved(weight) for name, weight in self.average.state_dict().items()}

    def snapshot(self) -> Snapshot:
        """All that going on needs, copied."""
        tensors = {f"best/{name}": weight for name, weight in self.best_weights.items()}
        for what, module in (("module", self.module), ("average", self.average)):
            tensors |= {f"{what}/{name}": _copied(tensor) for name, tensor in module.state_dict().items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{name}": _copied(tensor) for name, tensor in values.items()}
        return Snapshot(tensors, copy.deepcopy(self.standing))

    def restore(self, snapshot: Snapshot, rows: list[Row]) -> None:
        """Stand where a snapshot was taken.

        Args:
            snapshot: of a run of the same network, codec, pieces and recipe.
            rows: what that run had told.

        Raises:
            ValueError: if the snapshot is of another network or optimiser.
        """
        parts: dict[str, dict[str, NDArray[Any]]] = {"best": {}, "module": {}, "average": {}, "optimiser": {}}
        for name, tensor in snapshot.tensors.items():
            what, _, rest = name.partition("/")
            parts[what][rest] = tensor
        _fill(self.module, parts["module"])
        _fill(self.average, parts["average"])
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in parts["optimiser"].items():
            index, _, what = name.partition("/")
            states.setdefault(int(index), {})[what] = torch.from_numpy(tensor.copy())
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": states})
        self.best_weights = parts["best"]
        self.standing = copy.deepcopy(snapshot.standing)
        self.rows = list(rows)
        if self.standing.batch:
            self._length = len(Epoch(self.train, self.plan, self.codec, self.recipe.seed, self.standing.epoch))


@contextmanager
def _interrupting(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls `stop`, so that no update is left half done; a second one interrupts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _few(pieces: Pieces, most_steps: int) -> Pieces:
    """The first pieces up to a number of steps, at least one."""
    total = np.cumsum([len(piece) for piece in pieces])
    return pieces[: max(1, int(np.searchsorted(total, most_steps)))]


def _fill(module: torch.nn.Module, weights: Mapping[str, NDArray[Any]]) -> None:
    """Give a module these weights; it keeps its own precision."""
    own = module.state_dict()
    if own.keys() != weights.keys() or any(own[name].shape != weights[name].shape for name in own):
        raise ValueError("the weights are of another network")
    module.load_state_dict({name: torch.from_numpy(np.array(weight)).to(own[name]) for name, weight in weights.items()})


def _copied(tensor: torch.Tensor) -> NDArray[Any]:
    return np.array(tensor.detach().cpu().numpy())


def _halved(tensor: torch.Tensor) -> NDArray[Any]:
    array = _copied(tensor)
    return array.astype(np.float16) if array.dtype.kind == "f" else array


__all__ = ["Keeper", "Outcome", "Progress", "Recipe", "Snapshot", "Standing", "Trainer", "fit"]
