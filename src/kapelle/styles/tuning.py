"""Which configuration of a network learns a corpus best in the time there is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..corpora import Corpus
from ..errors import CorpusError, KapelleError, RunError
from ..networks import networks
from ..training.run import RunFolder
from .learning import Source, Tell, learn, resume
from .lesson import Lesson, Settings
from .plan import SEARCH_SHARE, Plan, TuningFolder, spent_minutes
from .study import Study, Trial, optuna_or_refuse
from .style import Style

USUAL_TRIALS = 12
"""The time for trials is enough for so many, and for more of them if some are broken off."""
HALF_PRECISION_BYTES = 2
OTHER_BYTES = 50_000
"""Of a style's file, besides weights and memory: vocabulary, card, names."""

RECIPE_SPACE: dict[str, Sequence[Any]] = {
    "learning_rate": (5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3, 1.2e-2),
    "crop": (25, 64, 128, 192, 256, 384, 512),
}
"""What is tried for every network; see `kapelle.training.recipe.Recipe`."""


@dataclass(frozen=True)
class Tuned:
    """What comes of a tuning: the style, all trials, and the best of them, as which it was trained."""

    style: Style
    trials: tuple[Trial, ...]
    best: Trial


def tune(
    corpus: Corpus,
    name: str,
    run: Path,
    network_name: str = "stepwise",
    minutes: float = 60.0,
    trials: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    megabytes: float = 5.0,
    force: bool = False,
    source: Source | None = None,
    command: str = "",
    title: str = "",
    progress: Any = None,
    tell: Tell = lambda line: None,
) -> Tuned:
    """Try configurations of a network on a corpus, and train the best of them.

    Half of the time goes to short trainings, all with the same split, seed and time, from nothing. The first has the
    usual configuration; the others are chosen by Optuna, and those behind half of the others at the same time are
    broken off. In the rest of the time the configuration that foretells held-out pieces best is trained.

    Args:
        corpus: at least one piece.
        name: of the style.
        run: folder in which trials and run are kept.
        network_name: of a configuration; see `kapelle.networks.presets`.
        minutes: for all of it.
        trials: how many; None for as many as fit into the time.
        seed: of the split and of every random choice.
        threads: of torch; None for its own choice.
        megabytes: that the style's file may have; larger configurations are not tried.
        force: whether a tuning or a run that is in this folder is thrown away.
        source, command, title, tell: as in `kapelle.learn`.
        progress: as in `kapelle.learn`; the share is that of all the time.

    Raises:
        CorpusError: if there is nothing to learn from.
        RunError: if the folder holds a run and `force` is not given, or another program works in it.
        KapelleError: if no configuration is so small.
        MissingExtra: if torch or Optuna is not installed.
    """
    folder = TuningFolder(run)
    check_free(run, force)
    optuna_or_refuse()
    lesson = Lesson.of(corpus, Settings(name, network_name, seed=seed))
    space: Mapping[str, Sequence[Any]] = getattr(networks()[lesson.net.name], "SPACE", {})
    search = SEARCH_SHARE * minutes
    plan = Plan(
        name,
        network_name,
        minutes,
        search,
        search / (trials or USUAL_TRIALS),
        trials,
        seed,
        threads,
        megabytes,
        corpus.fingerprint,
        source,
        command,
        title,
        # As JSON has it, so that what is tried is the same when it is read again.
        json.loads(json.dumps({key: list(values) for key, values in {**space, **RECIPE_SPACE}.items()})),
    )
    task = _Task(plan, lesson)
    task.check_room()
    return _tune(folder, task, progress, tell)


def check_free(run: Path, force: bool) -> None:
    """See that a tuning can be begun in a folder.

    Raises:
        RunError: if it holds a tuning or a run, and `force` is not given.
    """
    if force:
        return
    if TuningFolder(run).exists:
        raise RunError(f"{run}: a tuning of that name was begun; go on with --resume, or begin anew with --force")
    if RunFolder(run).exists:
        raise RunError(f"{run}: holds a run already; take another --name, or begin anew with --force")


def tune_on(
    run: Path,
    corpus: Corpus,
    minutes: float | None = None,
    trials: int | None = None,
    progress: Any = None,
    tell: Tell = lambda line: None,
) -> Tuned:
    """Go on with a tuning that was cut off, or that is to have more time or more trials.

    Args:
        run: folder of its run.
        corpus: the very music that it learns from.
        minutes: more; None for what is left of those there were, or what more trials need.
        trials: more; None for what is left of those there were, or as many as fit into more minutes.
        progress, tell: as in `tune`.

    Raises:
        RunError: if there is no tuning, or it is complete, damaged, or another program works in it.
        CorpusError: if the corpus is another one.
    """
    folder = TuningFolder(run)
    plan = folder.plan
    if corpus.fingerprint != plan.fingerprint:
        raise CorpusError(
            f"the music of the tuning in {run.name} has changed since: its trials cannot be compared with new ones; "
            "put the files back, or begin anew with --force"
        )
    lesson = Lesson.of(corpus, Settings(plan.name, plan.network, seed=plan.seed))
    return _tune(folder, _Task(plan, lesson), progress, tell, lambda made: plan.longer(made, minutes, trials))


class _Task:
    """What all trials have in common.

    Attributes:
        plan: what the tuning is.
        lesson: its music, split and encoded.
        usual: the value that everything has where nothing is tuned.
        most_weights: that a network may have.
    """

    def __init__(self, plan: Plan, lesson: Lesson) -> None:
        from ..training.recipe import Recipe

        self.plan, self.lesson = plan, lesson
        config = json.loads(json.dumps(lesson.net.to_json()["config"]))
        self.usual = {**config, **asdict(Recipe()), **lesson.settings.habits}
        self._other_bytes = len(lesson.memory.bits) + OTHER_BYTES
        self.most_weights = (plan.megabytes * 1e6 - self._other_bytes) / HALF_PRECISION_BYTES

    def check_room(self) -> None:
        """Refuse before anything is begun what leaves no room for any network.

        Raises:
            KapelleError: if that is so.
        """
        least = self.weigh({name: values[0] for name, values in self.plan.space.items()})
        if least > self.most_weights:
            needed = math.ceil((least * HALF_PRECISION_BYTES + self._other_bytes) / 1e5) / 10
            raise KapelleError(
                f"expected room for the smallest network and for what a style remembers of this music, {needed:g} MB, "
                f"got {self.plan.megabytes:g} MB; allow more with --megabytes"
            )

    def settings(self, changes: dict[str, Any]) -> Settings:
        """Of a trial."""
        plan = self.plan
        return Settings(plan.name, plan.network, plan.trial_minutes, None, plan.seed, plan.threads, changes=changes)

    def weigh(self, changes: dict[str, Any]) -> int:
        """How many weights a configuration has."""
        from ..training.weights import num_weights

        return num_weights(self.settings(changes).network_of(self.lesson.net.config.columns))


def _tune(
    folder: TuningFolder,
    task: _Task,
    progress: Any,
    tell: Tell,
    replan: Callable[[Sequence[Trial]], Plan] | None = None,
) -> Tuned:
    """Make the trials that are left, and train the best.

    Args:
        replan: what the plan is from now on, by the trials that were made; None begins a new tuning.
    """
    run = RunFolder(folder.run)
    try:
        folder.run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder.run}: cannot be made ({error.strerror})") from None
    run.lock()
    try:
        if replan is None:
            folder.begin(task.plan)
        with Study(folder.study, task.plan.seed) as study:
            if replan is not None:
                task.plan = replan(study.trials)
                folder.write(task.plan)
            plan = task.plan
            while plan.goes_on(before := study.trials):
                verdict = _try(study, task, spent_minutes(before), progress)
                folder.tell(trials := study.trials)
                tell(_line(trials[-1]))
                if not before and verdict == "not learning":
                    tell(
                        f"in {60 * plan.trial_minutes:.0f} seconds next to nothing is learnt, and so little can be "
                        "compared: give more --minutes, or fewer --trials"
                    )
            trials = study.trials
    finally:
        run.release()
    best = min(trials, key=lambda trial: trial.nats_per_note)
    style = _trained(folder.run, task.lesson.corpus, plan, spent_minutes(trials), best, progress, tell)
    return Tuned(style, tuple(trials), best)


def _try(study: Study, task: _Task, before: float, progress: Any) -> str:
    """Train a configuration for as long as each is trained, or until it is far enough behind.

    Returns:
        What it was: the name of a verdict; see `kapelle.training.judgement`.
    """
    plan = task.plan
    attempt = study.attempt(plan.space, task.usual, task.weigh, task.most_weights)
    trainer = task.lesson.with_settings(task.settings(attempt.changes)).trainer()

    def watch(share: float, cost: float, row: Any) -> None:
        best = trainer.standing.best
        attempt.reach(share, math.inf if best is None else best.valid)
        if attempt.pruned:
            trainer.stop()
        if progress is not None:
            progress(min((before + share * plan.trial_minutes) / plan.minutes, 1.0), cost, row)

    trainer.progress = watch
    outcome = trainer.run()
    nats = math.inf if outcome.best is None else outcome.best.valid
    if not attempt.pruned:
        if outcome.ended == "stopped":
            # By Ctrl-C. The trial is made again when the tuning is gone on with.
            raise KeyboardInterrupt
        attempt.reach(1.0, nats)
    attempt.end(nats, outcome.seconds)
    verdict: str = task.lesson.verdict(outcome.rows, outcome.ended).name
    return verdict


def _trained(run: Path, corpus: Corpus, plan: Plan, spent: float, best: Trial, progress: Any, tell: Tell) -> Style:
    """The style of the best trial, trained in what time is left, or gone on with if that was cut off."""
    minutes = max(plan.minutes - spent, plan.trial_minutes)

    def watch(share: float, cost: float, row: Any) -> None:
        if progress is not None:
            progress((spent + share * minutes) / (spent + minutes), cost, row)

    folder = RunFolder(run)
    if folder.exists:
        asked = folder.manifest["settings"]
        if asked["changes"] == best.changes and math.isclose(asked["minutes"] or 0.0, minutes):
            return resume(run, corpus, watch, tell)
    tell(f"the best is trial {best.number}; it is trained in the time that is left")
    return learn(
        corpus,
        plan.name,
        plan.network,
        minutes,
        seed=plan.seed,
        threads=plan.threads,
        run=run,
        force=True,
        source=plan.source,
        command=plan.command,
        title=plan.title,
        progress=watch,
        tell=tell,
        **best.changes,
    )


def _line(trial: Trial) -> str:
    how = "" if trial.complete else ", broken off"
    values = ", ".join(f"{name} {value}" for name, value in trial.changes.items())
    return f"trial {trial.number}: {trial.nats_per_note:.3f} nats a note{how}, {trial.weights:,} weights: {values}"


__all__ = ["Tuned", "check_free", "tune", "tune_on"]
