"""Small tunings whose time is counted, so that the same trials come out on any machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tiny
from kapelle.networks import stepwise
from kapelle.styles.lesson import Lesson
from kapelle.styles.tuning import Tuned, tune

SMALL_SPACE = {
    "hidden_dim": range(8, 33, 8),
    "embed_dim": range(8, 17, 8),
    "inner_dim": range(8, 17, 8),
    "attention_dim": range(8, 17, 8),
    "dropout": (0.0, 0.25),
}
TICK = 0.1
"""Seconds that pass, as far as a training can tell, whenever it looks at the clock."""


class Stop(Exception):
    """The process ends here, as far as the tuning can tell."""


class Clock:
    """Makes time a matter of what is done, so that the same trials come out on a machine that is slow or busy."""

    def __init__(self) -> None:
        self.ticks = 0

    def __call__(self) -> float:
        self.ticks += 1
        return self.ticks * TICK


def set_up(patch: Any) -> None:
    """Small networks, and time that is counted."""
    train = Lesson.trainer

    def trainer(lesson: Lesson, *arguments: Any, **named: Any) -> Any:
        made = train(lesson, *arguments, **named)
        made.recipe = replace(made.recipe, clock=Clock())
        return made

    patch(stepwise, "SPACE", SMALL_SPACE)
    patch(Lesson, "trainer", trainer)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch.setattr)


def tuned(run: Path, trials: int | None = 3, minutes: float = 0.3, **more: Any) -> Tuned:
    return tune(tiny.corpus(), "tiny", run, minutes=minutes, trials=trials, threads=1, **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tuned]:
    """A tuning of three trials; and where it lies."""
    run = tmp_path_factory.mktemp("runs") / "tiny.run"
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch.setattr)
        return run, tuned(run)
