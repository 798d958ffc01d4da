"""What a tuning is, and the folder in which it is kept."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..files import write_atomically
from .learning import Source
from .study import Trial

VERSION = 1
SEARCH_SHARE = 0.5
"""So much of the time goes to trials; in the rest the best configuration is trained."""


@dataclass(frozen=True)
class Plan:
    """What a tuning is; it stands in its folder as JSON.

    Attributes:
        name: of the style.
        network: name of its configuration; what is not tuned is as there.
        minutes: for all of it.
        search_minutes: of these, for trials.
        trial_minutes: for each of them.
        trials: how many; None for as many as fit.
        seed: of the split and of every random choice, the same in each trial.
        threads: of torch; None for its own choice.
        megabytes: that the style's file may have.
        fingerprint: of the corpus.
        source: where the corpus comes from.
        command: what makes the style again.
        title: for people.
        space: what is tried: the values of each name.
    """

    name: str
    network: str
    minutes: float
    search_minutes: float
    trial_minutes: float
    trials: int | None
    seed: int
    threads: int | None
    megabytes: float
    fingerprint: str
    source: Source | None
    command: str
    title: str
    space: dict[str, list[Any]]

    def goes_on(self, trials: Sequence[Trial]) -> bool:
        """Whether another trial is to be made after these."""
        if self.trials is not None:
            return len(trials) < self.trials
        return spent_minutes(trials) + self.trial_minutes / 2 <= self.search_minutes

    def longer(self, trials: Sequence[Trial], minutes: float | None, more: int | None) -> Plan:
        """The plan with more time or more trials than these."""
        if minutes is None:
            if more is None:
                return self
            minutes = more * self.trial_minutes / SEARCH_SHARE
        spent = spent_minutes(trials)
        return replace(
            self,
            minutes=spent + minutes,
            search_minutes=spent + SEARCH_SHARE * minutes,
            trials=None if more is None else len(trials) + more,
        )


class TuningFolder:
    """Where a tuning is kept: in the folder of the style's run.

        tuning/plan.json      what it is
        tuning/study.db       the trials, as Optuna keeps them
        tuning/trials.json    the trials, to be read

    Args:
        run: folder of the run.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._folder = run / "tuning"
        self._plan = self._folder / "plan.json"
        self.study = self._folder / "study.db"

    @property
    def exists(self) -> bool:
        """Whether a tuning was begun here."""
        return self._plan.exists()

    @property
    def plan(self) -> Plan:
        """What it is.

        Raises:
            RunError: if there is none, or it is damaged or of another version.
        """
        try:
            values = json.loads(self._plan.read_text(encoding="utf-8"))
            version = values.pop("version")
            if version != VERSION:
                raise RunError(f"{self._plan}: has version {version}, this Kapelle knows {VERSION}; update Kapelle")
            return Plan(**values)
        except FileNotFoundError:
            raise RunError(f"{self.run}: there is no tuning to go on with; begin one without --resume") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{self._plan}: is damaged ({error}); begin anew with --force") from None

    def begin(self, plan: Plan) -> None:
        """Begin here; what was here is thrown away."""
        # The plan goes first: without it the rest is no tuning, should we be stopped in the middle.
        self._plan.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self.write(plan)

    def write(self, plan: Plan) -> None:
        """Keep a plan in place of the one that was."""
        _write_json(self._plan, {"version": VERSION, **asdict(plan)})

    def tell(self, trials: Sequence[Trial]) -> None:
        """Write the trials to be read; one that never got as far as a look has no figure."""
        rows = [asdict(trial) for trial in trials]
        for row in rows:
            row["nats_per_note"] = row["nats_per_note"] if math.isfinite(row["nats_per_note"]) else None
        _write_json(self._folder / "trials.json", rows)


def spent_minutes(trials: Sequence[Trial]) -> float:
    """How long trials took in all."""
    return sum(trial.seconds for trial in trials) / 60


def _write_json(path: Path, value: Any) -> None:
    write_atomically(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode(), force=True)


__all__ = ["SEARCH_SHARE", "Plan", "TuningFolder", "spent_minutes"]
