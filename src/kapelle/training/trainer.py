"""The one loop that changes weights."""

from __future__ import annotations

import copy
import math
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..codecs import Codec
from ..errors import RunError
from ..networks import Network
from .batches import Batch, BatchPlan, Epoch, Pieces, few
from .compact import pack, unpack
from .counts import word_counts
from .likelihood import likelihood
from .log import Row
from .parallel import Alone
from .recipe import Recipe
from .schedule import has_diverged, learning_rate, share_done
from .standing import Outcome, Snapshot, Standing, Weights
from .stopping import interrupting
from .weights import fill, halved

LOOK_STEPS = 20_000
"""A look is at the first held-out pieces that make up so many steps, so that it costs little of the time."""
LOOK_UPDATES = 200
"""A look is taken after so many updates if an epoch is longer."""
LEAST_UPDATES = 24
"""Between two looks there are at least so many updates, however short an epoch is."""
MOST_FALLS = 3
"""A run that diverges once more than this ends with the best that it has."""
SLOWER = 0.3
"""What the learning rate is multiplied with when a run has diverged."""

Progress = Callable[[float, float, Row | None], None]
"""Called with the share done (0..1), the cost of the last batch in nats per note, and the last row."""


class Keeper(Protocol):
    """Who keeps what a run leaves behind; see `kapelle.training.keeper.FolderKeeper`."""

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


def assist(parallel: Alone) -> None:
    """What a process does that is not the first: help with each training, and leave when there are no more.

    Raises:
        RunError: if another process has ended.
    """
    # Ctrl-C in a terminal reaches every process; it is the first that ends the run, and tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while (lesson := parallel.told(None)) is not None:
            network, codec, train, recipe, low_precision = lesson
            helper = Trainer(network, codec, train, [], recipe, parallel=parallel)
            helper.low_precision = low_precision
            helper.learn()
    finally:
        parallel.leave()


class Trainer:
    """Trains a network.

    The learning rate warms up, then falls along a cosine over the time or the epochs there are. What is
    looked at, and kept, are averaged weights. If the cost blows up, the run goes back to the best weights and on
    from there at a lower rate. Ctrl-C stops the run after the update it is at.

    Every random choice follows from the seed and from how far the run is, so a run that goes on from a snapshot
    comes to the same weights, bit for bit on one thread, as one that was never cut off; by epochs, that is: time
    is another one each time.

    Of several processes each has a trainer with the same weights, which learns from its share of the rows of every
    batch; gradients are summed over all. Only the first looks, keeps and decides; all others are its helpers.

    Args:
        network: what to train.
        codec: that made the steps.
        train: encoded pieces to learn from, each of shape (steps, F).
        valid: encoded pieces to choose by; never learnt from.
        recipe: how.
        start: weights to begin with; None for fresh ones.
        keeper: told of each row, update and epoch.
        progress: told about the run after each update.
        parallel: the processes that learn together, and the device; None for this one alone, on the processor.
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
        parallel: Alone | None = None,
    ) -> None:
        self.network, self.codec, self.train, self.recipe = network, codec, train, recipe
        self.valid = few(valid, min(LOOK_STEPS, max(sum(map(len, train)) // 8, 1000)))
        self.start, self.keeper = start, keeper
        self.progress = progress or (lambda share, cost, row: None)
        self.parallel = parallel or Alone()
        lengths = [len(piece) for piece in train]
        self.plan = BatchPlan.for_data(lengths, recipe.crop, recipe.batch, processes=self.parallel.count)
        self.standing = Standing(batch_steps=self.plan.steps)
        self.stopped = False
        self.rows: list[Row] = []
        self.best_weights: Weights = {}
        self.low_precision = self.parallel.low_precision
        if recipe.threads:
            torch.set_num_threads(recipe.threads)
        self._begin(start)

    def _begin(self, weights: Mapping[str, NDArray[Any]] | None) -> None:
        """Fresh weights, or the given ones; a fresh optimiser."""
        with torch.random.fork_rng():
            torch.manual_seed(self.recipe.seed)
            self.module = self.network.module()
        if weights is not None:
            fill(self.module, weights)
        elif hasattr(self.module, "begin_from"):
            counts = word_counts(self.train, self.codec)
            predicted = self.network.config.columns.predicted
            self.module.begin_from([torch.from_numpy(counts[column]).float() for column in predicted])
        self.module.to(self.parallel.device)
        self.average = copy.deepcopy(self.module).eval()
        options: dict[str, Any] = {"lr": self.recipe.learning_rate}
        if self.recipe.optimiser == "adamw":
            options |= {"weight_decay": self.recipe.weight_decay, "betas": (0.9, 0.98)}
        self.optimiser = OPTIMISERS[self.recipe.optimiser](self.module.parameters(), **options)
        self._kept: Snapshot | None = None
        self._is_begun_anew = True

    # -- the loop ---------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Train to the end, from wherever the run is.

        Raises:
            RunError: if another process has ended; what is kept can be gone on with.
        """
        standing = self.standing
        self._clock = self.recipe.clock() - standing.seconds
        try:
            with interrupting(self.stop):
                self.parallel.told((self.network, self.codec, self.train, self.recipe, self.low_precision))
                self.learn()
        except RunError:
            self._keep_end()
            raise
        # What is kept is how the run stood before this last look, which one that is never stopped does not take.
        self._keep_end()
        if self.stopped and not standing.ended:
            keeper, self.keeper = self.keeper, None
            if standing.updates > standing.looked:
                self._add_row(look=True)
            self.keeper = keeper
        ended = standing.ended or "stopped"
        return Outcome(self.best_weights, self.rows, standing.best, standing.seconds, standing.updates, ended)

    def _keep_end(self) -> None:
        if self.standing.ended:
            self._kept = None
        if self.keeper is not None:
            self.keeper.at_end(self)

    def stop(self) -> None:
        """End the run after the update it is at; what is kept can be gone on with."""
        self.stopped = True

    def learn(self) -> None:
        """Update by update, until the first process says that it is over."""
        batches = self._batches()
        self.snapshot()
        with torch.random.fork_rng():
            while not self._is_over():
                self._update(next(batches))
                if self.parallel.is_first:
                    self._settle()
                # Every process does so after the same updates, so that all stay alike.
                if self._kept is None or self.standing.updates % self.recipe.rounding == 0:
                    self._round()

    def _batches(self) -> Iterator[Batch]:
        """What comes next, for ever."""
        while True:
            epoch = Epoch(self.train, self.plan, self.codec, self.recipe.seed, self.standing.epoch)
            self._length = len(epoch)
            for number in range(self.standing.batch, len(epoch)):
                yield epoch[number]

    def _is_over(self) -> bool:
        """Whether the run ends here. All processes then stand where the first does, and have its weights."""
        news = self.snapshot() if self._is_begun_anew and self.parallel.count > 1 else None
        self._is_begun_anew = False
        over = self.stopped or bool(self.standing.ended)
        standing, news, over = self.parallel.told((self.standing, news, over))
        if not self.parallel.is_first:
            self.standing = standing
            if news is not None:
                self.restore(news, [])
        return over

    def _settle(self) -> None:
        """After an update: tell the time, look, fall back, keep, as is due."""
        standing, recipe, before = self.standing, self.recipe, self.standing.seconds
        standing.seconds = recipe.clock() - self._clock
        standing.since[6] += standing.seconds - before
        standing.batch += 1
        last = standing.batch == self._length
        if last:
            standing.epoch, standing.batch = standing.epoch + 1, 0
        share = self.share
        if share >= 1:
            standing.ended = "epochs" if recipe.epochs is not None and standing.epoch >= recipe.epochs else "time"
        unseen = standing.updates - standing.looked
        if has_diverged(standing):
            self._fall_back()
        elif last or standing.ended or unseen >= LOOK_UPDATES:
            self._add_row(look=unseen >= LEAST_UPDATES or bool(standing.ended))
        self.progress(min(share, 1.0), standing.recent, self.rows[-1] if self.rows else None)
        if self.keeper is not None and not standing.ended:
            self.keeper.after_update(self)
            if last:
                self.keeper.after_epoch(self)

    @property
    def share(self) -> float:
        """How much of the run is done; from 1 on it is over."""
        return share_done(self.recipe, self.standing.seconds, self.epoch)

    @property
    def epoch(self) -> float:
        """Epochs that are done, with the fraction of the one that runs."""
        standing = self.standing
        return standing.epoch + (standing.batch / self._length if standing.batch else 0.0)

    def _update(self, batch: Batch) -> None:
        standing = self.standing
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, standing, self.share)
        # Each process leaves other units out. For the first a seed that ends in 0 is the same as one without it.
        seed = np.random.SeedSequence((self.recipe.seed, standing.updates, self.parallel.rank))
        torch.manual_seed(int(seed.generate_state(1)[0]))
        self.module.train()
        self.optimiser.zero_grad(set_to_none=True)
        parameters = list(self.module.parameters())
        cost, hits = self.parallel.add_up(parameters, self._learn_share(batch))
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, 1.0))
        self.optimiser.step()
        standing.updates += 1
        if self.parallel.is_first:
            self._follow()
        notes = max(batch.notes, 1)
        choices = batch.paid[:, :, list(self.network.config.columns.predicted)]
        new = cost, notes, hits, int(choices.sum()), norm, 1
        standing.since[:6] = [sum_ + more for sum_, more in zip(standing.since, new, strict=False)]
        mean = cost / notes
        standing.recent = mean if math.isnan(standing.recent) else 0.9 * standing.recent + 0.1 * mean

    def _learn_share(self, batch: Batch) -> tuple[float, float]:
        """Gradients of the rows that are this process's, over the paid steps of all, and their cost and hits."""
        device = self.parallel.device
        # Rows stand by length, so that every other one is as much work as those between.
        mine = slice(self.parallel.rank, None, self.parallel.count)
        steps, paid, real = (torch.from_numpy(rows[mine]).to(device) for rows in (batch.steps, batch.paid, batch.real))
        if not len(steps):
            return 0.0, 0
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=self.low_precision):
            heard = () if batch.heard is None else (torch.from_numpy(batch.heard[mine]).to(device),)
            costs, _, hits = self.module(steps, *heard, real=real, smoothing=self.recipe.smoothing)
        total = (costs * paid).sum()
        loss = total / torch.tensor(int(batch.paid.any(-1).sum()), device=device)
        loss.backward()
        return total.item(), int((hits & paid).sum())

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
        standing, recipe, before = self.standing, self.recipe, self.recipe.clock()
        cost, notes, hits, fields, norms, updates, seconds = standing.since
        standing.since = [0.0] * 7
        valid = accuracy = math.nan
        if look:
            found = likelihood(self.average, self.valid, self.codec, self.parallel.device)
            valid, accuracy = found.nats_per_note, found.accuracy
            standing.looked = standing.updates
        standing.seconds += recipe.clock() - before
        row = Row(
            self.epoch,
            standing.updates,
            standing.seconds,
            cost / notes if notes else math.nan,
            hits / fields if fields else math.nan,
            valid,
            accuracy,
            learning_rate(recipe, standing, self.share),
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
        return {name: halved(weight) for name, weight in self.average.state_dict().items()}

    def snapshot(self) -> Snapshot:
        """All that going on needs, as it was when the run was last rounded."""
        return self._kept or self._round()

    def _round(self) -> Snapshot:
        """Go on from what a checkpoint holds: so a run that is cut off loses nothing that another one has."""
        packed = pack(self.module, self.average, self.optimiser)
        unpack(packed, self.module, self.average, self.optimiser)
        self._kept = Snapshot(packed, copy.deepcopy(self.standing), self.best_weights)
        return self._kept

    def restore(self, snapshot: Snapshot, rows: list[Row]) -> None:
        """Stand where a snapshot was taken.

        Args:
            snapshot: of a run of the same network, codec, pieces and recipe.
            rows: what that run had told.

        Raises:
            ValueError, KeyError: if the snapshot is of another network or optimiser.
        """
        unpack(snapshot.tensors, self.module, self.average, self.optimiser)
        self._kept, self.best_weights = snapshot, snapshot.best
        self.standing = copy.deepcopy(snapshot.standing)
        self.rows = list(rows)
        self.plan = replace(self.plan, steps=self.standing.batch_steps)
        self._is_begun_anew = True
        if self.standing.batch:
            self._length = len(Epoch(self.train, self.plan, self.codec, self.recipe.seed, self.standing.epoch))


__all__ = ["Keeper", "Outcome", "Progress", "Recipe", "Snapshot", "Standing", "Trainer", "fit"]
