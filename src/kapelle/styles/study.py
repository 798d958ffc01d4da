"""Trials of a network's configurations, in a file that outlives the process. Only this module knows Optuna."""

from __future__ import annotations

import math
import sqlite3
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingExtra, RunError

Space = Mapping[str, Sequence[Any]]
"""What is tried: for each name its values, ascending; of sizes, what weighs most comes first."""

SLICES = 10
"""Trials are compared after each of so many equal parts of the time that a trial may take."""
LEAST_SLICES, LEAST_TRIALS = 3, 4
"""No trial is broken off before so many parts of its time, nor before so many trials are complete."""
RANDOM_TRIALS = 6
"""The first trials are drawn at random, the usual configuration aside; then Optuna's model has something to go by."""


@dataclass(frozen=True)
class Trial:
    """A configuration that was tried.

    Attributes:
        number: from 1, in the order in which they were tried.
        nats_per_note: of held-out pieces, at the best look.
        weights: of the network.
        seconds: that it was trained.
        complete: whether it was trained to the end, and not broken off as it was behind the others.
        changes: the configuration: what may be given to `kapelle.learn`.
    """

    number: int
    nats_per_note: float
    weights: int
    seconds: float
    complete: bool
    changes: dict[str, Any]


def configuration(
    space: Space, fits: Callable[[dict[str, Any]], bool], choose: Callable[[str, Sequence[Any]], int]
) -> dict[str, Any]:
    """A configuration that fits: each value is chosen among those that leave room for the least of all later ones.

    Args:
        space: what there is to choose from.
        fits: whether a configuration is small enough; if one is, so are all that have lesser values.
        choose: tells by a name and its values which of them it takes.

    Raises:
        ValueError: if not even the least configuration fits.

    >>> sizes = {"layers": range(1, 4), "units": range(10, 60, 10)}
    >>> configuration(sizes, lambda it: it["layers"] * it["units"] <= 60, lambda name, values: len(values) - 1)
    {'layers': 3, 'units': 20}
    """
    chosen = {name: values[0] for name, values in space.items()}
    if not fits(chosen):
        raise ValueError("the least of all configurations is too large")
    for name, values in space.items():
        if not fits({**chosen, name: values[-1]}):
            values = values[: bisect(values, False, key=lambda value: not fits({**chosen, name: value}))]
        chosen[name] = values[choose(name, values)]
    return chosen


def nearest(values: Sequence[Any], wanted: Any) -> int:
    """Which of ascending values is nearest to one; of values that are no numbers, it or else the last.

    >>> nearest(range(64, 513, 16), 300), nearest([(64,), (128,)], (512,))
    (15, 1)
    """
    if wanted in values:
        return values.index(wanted)
    if isinstance(wanted, (int, float)):
        return min(range(len(values)), key=lambda index: abs(values[index] - wanted))
    return len(values) - 1


class Attempt:
    """A trial while it goes on.

    Attributes:
        changes: the configuration that is tried.
        pruned: whether it is to be broken off: at this moment half of the others were better.
    """

    def __init__(self, study: Any, trial: Any, changes: dict[str, Any], weights: int) -> None:
        self._study, self._trial, self._slice = study, trial, 0
        self.changes, self.pruned = changes, False
        trial.set_user_attr("changes", changes)
        trial.set_user_attr("weights", weights)

    def reach(self, share: float, nats_per_note: float) -> None:
        """Tell how well it does.

        Args:
            share: of its time that is over, 0..1.
            nats_per_note: of held-out pieces at the best look so far; infinite before the first.
        """
        if not math.isfinite(nats_per_note) or self._slice >= int(share * SLICES):
            return
        with _told():
            while self._slice < int(share * SLICES):
                self._slice += 1
                self._trial.report(nats_per_note, self._slice)
            self.pruned = share < 1 and self._trial.should_prune()

    def end(self, nats_per_note: float, seconds: float) -> None:
        """Keep what came of it: the nats per note of held-out pieces at the best look, and the seconds it took."""
        from optuna.trial import TrialState

        with _told():
            self._trial.set_user_attr("nats", nats_per_note)
            self._trial.set_user_attr("seconds", seconds)
            if self.pruned:
                self._study.tell(self._trial, state=TrialState.PRUNED)
            else:
                self._study.tell(self._trial, nats_per_note)


class Study:
    """All trials of one tuning, in an SQLite file: each is there whole or not at all, whenever the process is killed.

    Used as a context, it closes the file at the end.

    Args:
        path: of the file; made if it is not there.
        seed: every choice follows from it and from the trials that have ended.

    Raises:
        MissingExtra: if Optuna is not installed.
        RunError: if the file is damaged or cannot be written.
    """

    def __init__(self, path: Path, seed: int) -> None:
        optuna = optuna_or_refuse()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._seed = seed
        with _told():
            # Opened by us: in an address, as Optuna would have it, a path may not hold every character.
            options = {"creator": lambda: sqlite3.connect(path)}
            self._storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=options)
            pruner = optuna.pruners.MedianPruner(LEAST_TRIALS, LEAST_SLICES)
            self._study = optuna.create_study(
                storage=self._storage, pruner=pruner, study_name="tuning", load_if_exists=True
            )
            for trial in self._study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
                # Cut off with its process. The one that is tried in its place comes out the same.
                self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *error: object) -> None:
        self._storage.remove_session()
        self._storage.engine.dispose()

    @property
    def trials(self) -> list[Trial]:
        """Those that have ended, in order."""
        from optuna.trial import TrialState

        with _told():
            ended = self._study.get_trials(states=[TrialState.COMPLETE, TrialState.PRUNED])
        return [
            Trial(
                number,
                trial.user_attrs["nats"],
                trial.user_attrs["weights"],
                trial.user_attrs["seconds"],
                trial.state == TrialState.COMPLETE,
                trial.user_attrs["changes"],
            )
            for number, trial in enumerate(ended, 1)
        ]

    def attempt(
        self,
        space: Space,
        usual: Mapping[str, Any],
        weigh: Callable[[dict[str, Any]], int],
        most_weights: float,
    ) -> Attempt:
        """The next trial; the first one is the usual configuration, or what is nearest to it in the space.

        Args:
            space: what there is to try.
            usual: the value that each name has where nothing is tuned.
            weigh: tells how many weights a configuration has.
            most_weights: that it may have.

        Raises:
            ValueError: if not even the least configuration is so small.
        """
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        def fits(changes: dict[str, Any]) -> bool:
            return weigh(changes) <= most_weights

        ended = len(self.trials)
        # Seeded anew for each trial, so that a study that was cut off goes on as if it had not been.
        seed = int(np.random.SeedSequence((self._seed, ended)).generate_state(1)[0])
        with _told():
            if not ended and not self._study.get_trials(states=[TrialState.WAITING]):
                first: dict[str, int] = {}

                def take(name: str, values: Sequence[Any]) -> int:
                    return first.setdefault(name, nearest(values, usual[name]))

                configuration(space, fits, take)
                self._study.enqueue_trial(first)
            self._study.sampler = TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS, multivariate=False)
            trial = self._study.ask()
            # Told by their places, sizes and choices are all alike to the model: ascending, in even steps.
            changes = configuration(space, fits, lambda name, values: trial.suggest_int(name, 0, len(values) - 1))
            return Attempt(self._study, trial, changes, weigh(changes))


def optuna_or_refuse() -> Any:
    """The library.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise MissingExtra("tuning", "tune") from None
    return optuna


@contextmanager
def _told() -> Iterator[None]:
    """What the file refuses is told in a line."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError, sqlite3.Error) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise RunError(
            f"the study cannot be read or written ({reason}); see that the disk has room and go on with --resume, "
            "or begin anew with --force"
        ) from None


__all__ = ["Attempt", "Space", "Study", "Trial", "configuration", "nearest", "optuna_or_refuse"]
