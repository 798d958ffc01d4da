"""Tuning: trials that can be compared, in a study that nothing can spoil, and the best of them as a style."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("optuna")
import tiny
from kapelle import save
from kapelle.codecs import codecs
from kapelle.errors import CorpusError, MissingExtra, RunError
from kapelle.networks import Columns, is_latent, network, networks, presets
from kapelle.styles import learn, resume
from kapelle.styles.lesson import FINE_TUNING_RATE, Lesson, Settings
from kapelle.styles.plan import Plan, TuningFolder
from kapelle.styles.study import LEAST_SLICES, LEAST_TRIALS, SLICES, Study, Trial, configuration, nearest
from kapelle.styles.tuning import Tuned, tune_on
from kapelle.training.run import RunFolder
from kapelle.training.weights import num_weights
from terminal import Terminal
from tunings import TICK, finished, small, tuned

__all__ = ["finished", "small"]

COLUMNS = Columns.of(codecs()["events"].for_scores([tiny.band(0)]).layout)
# -- what is tried --------------------------------------------------------------------------------


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True).map(sorted), min_size=1, max_size=4),
    st.integers(0, 3000),
    st.randoms(use_true_random=False),
)
def test_a_configuration_is_small_enough_whatever_is_chosen(values: list[list[int]], most: int, random: Any) -> None:
    space = {str(number): numbers for number, numbers in enumerate(values)}

    def fits(chosen: dict[str, int]) -> bool:
        return math.prod(chosen.values()) <= most

    offered: list[tuple[dict[str, int], str, Sequence[int]]] = []

    def choose(name: str, room: Sequence[int]) -> int:
        offered.append(({}, name, room))
        return random.randrange(len(room))

    if not fits({name: numbers[0] for name, numbers in space.items()}):
        with pytest.raises(ValueError, match="too large"):
            configuration(space, fits, choose)
        return
    found = configuration(space, fits, choose)
    assert fits(found)
    assert all(found[name] in numbers for name, numbers in space.items())
    # And nothing that fits is kept from being chosen: of the last name the next value would be too much.
    *_, (_, last, room) = offered
    assert all(fits({**found, last: value}) == (value in room) for value in space[last])


def test_what_is_nearest_to_the_usual_is_tried_first() -> None:
    assert nearest(range(64, 513, 16), 304) == 15
    assert nearest((0.0, 0.25, 0.5), 0.3) == 1
    assert nearest((25, 64, 128), 1000) == 2
    assert nearest(([64], [128], [512, 512]), [128]) == 1
    assert nearest(([64], [128]), [512, 512, 512]) == 1


@pytest.mark.parametrize("preset", sorted(preset for preset in presets() if not is_latent(preset)))
def test_a_network_says_what_can_be_tuned_by_the_fields_of_its_configuration(preset: str) -> None:
    module = networks()[presets()[preset][0]]
    known = {field.name for field in fields(module.CONFIG)}
    assert set(module.SPACE) <= known
    least = {name: values[0] for name, values in module.SPACE.items()}
    for name, values in module.SPACE.items():
        weights = [num_weights(network(preset, COLUMNS, **{**least, name: value})) for value in values]
        assert weights == sorted(weights), name
    rng = np.random.default_rng(0)
    for _ in range(20):
        network(preset, COLUMNS, **{name: values[rng.integers(len(values))] for name, values in module.SPACE.items()})


@pytest.mark.parametrize("preset", sorted(preset for preset in presets() if not is_latent(preset)))
def test_a_network_is_weighed_without_making_its_weights(preset: str) -> None:
    net = network(preset, COLUMNS)
    assert num_weights(net) == sum(weight.numel() for weight in net.module().state_dict().values())


def test_a_lesson_takes_a_learning_rate_and_a_crop_and_a_base_keeps_the_rate_low(tmp_path: Path) -> None:
    def recipe(base: Any = None, **changes: Any) -> Any:
        return Lesson.of(tiny.corpus(), Settings("x", changes={**tiny.SMALL, **changes}), base).trainer().recipe

    usual, other = recipe(), recipe(learning_rate=2e-4, crop=32)
    assert (other.learning_rate, other.crop) == (2e-4, 32)
    assert other == replace(usual, learning_rate=2e-4, crop=32)
    base = tiny.style()
    assert recipe(base).learning_rate == recipe(base, learning_rate=1e-2).learning_rate == FINE_TUNING_RATE
    assert recipe(base, learning_rate=2e-4).learning_rate == 2e-4
    run = tmp_path / "x.run"
    learn(tiny.corpus(), "x", epochs=1, run=run, learning_rate=2e-4, crop=32, **tiny.SMALL)
    assert RunFolder(run).rows[0].rate <= 2e-4
    with pytest.raises(RunError, match="complete"):
        resume(run, tiny.corpus())


# -- the study ------------------------------------------------------------------------------------


def attempts(study: Study, figures: Sequence[float]) -> list[bool]:
    """Make trials that stand at these figures all the time; which are broken off?"""
    broken = []
    for figure in figures:
        attempt = study.attempt({"a": range(3)}, {"a": 1}, lambda changes: 1, 1)
        reached = 0
        while reached < SLICES and not attempt.pruned:
            reached += 1
            attempt.reach(reached / SLICES, figure)
        broken.append(attempt.pruned)
        assert not attempt.pruned or reached == LEAST_SLICES
        attempt.end(figure, float(reached))
    return broken


def test_a_trial_that_is_behind_half_of_the_others_is_broken_off_but_not_too_early(tmp_path: Path) -> None:
    with Study(tmp_path / "study.db", 0) as study:
        assert attempts(study, [1.0, 9.0, 2.0, 3.0, 9.0, 1.5]) == [False] * LEAST_TRIALS + [True, False]
        assert [trial.complete for trial in study.trials] == [True] * LEAST_TRIALS + [False, True]
        assert [trial.seconds for trial in study.trials][-2:] == [LEAST_SLICES, SLICES]


def test_a_trial_that_never_gets_as_far_as_a_figure_counts_as_the_worst(tmp_path: Path) -> None:
    with Study(tmp_path / "study.db", 0) as study:
        attempts(study, [math.inf, 2.0])
        assert [trial.nats_per_note for trial in study.trials] == [math.inf, 2.0]
    TuningFolder(tmp_path).begin(Plan("", "", 1, 1, 1, None, 0, None, 5, "", None, "", "", {}))
    TuningFolder(tmp_path).tell([Trial(1, math.inf, 1, 1.0, True, {})])
    assert json.loads((tmp_path / "tuning/trials.json").read_text())[0]["nats_per_note"] is None


def test_a_study_lies_in_any_folder_and_chooses_the_same_when_it_is_opened_again(tmp_path: Path) -> None:
    def chosen(path: Path, at_once: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < 9:
            with Study(path, 5) as study:
                for _ in range(at_once):
                    attempt = study.attempt({"a": range(30), "b": range(30)}, {"a": 4, "b": 7}, lambda it: it["a"], 20)
                    attempt.end(attempt.changes["a"] + attempt.changes["b"], 1.0)
                found = [trial.changes for trial in study.trials]
        return found

    odd = tmp_path / "a?b #1 100% ü"
    odd.mkdir()
    once = chosen(odd / "study.db", 9)
    assert once == chosen(tmp_path / "study.db", 1)
    assert once[0] == {"a": 4, "b": 7}
    assert all(changes["a"] <= 20 for changes in once)
    assert len({str(changes) for changes in once}) > 5


# -- a whole tuning -------------------------------------------------------------------------------


def test_the_best_of_three_trials_becomes_the_style(finished: tuple[Path, Tuned]) -> None:
    run, found = finished
    assert [trial.number for trial in found.trials] == [1, 2, 3]
    assert found.best.nats_per_note == min(trial.nats_per_note for trial in found.trials)
    # The first is the usual one, as far as there is room.
    assert found.trials[0].changes == {
        "hidden_dim": 32,
        "embed_dim": 16,
        "inner_dim": 16,
        "attention_dim": 16,
        "dropout": 0.25,
        "learning_rate": 0.003,
        "crop": 256,
    }
    for trial in found.trials:
        # Equal time: all stop at the first update after it, or at a look that is a few ticks longer.
        assert trial.seconds == pytest.approx(3.0, abs=5 * TICK)
    manifest = RunFolder(run).manifest["settings"]
    assert manifest["changes"] == found.best.changes
    assert manifest["minutes"] == pytest.approx(0.3 - sum(trial.seconds for trial in found.trials) / 60)
    config = found.style.network.config
    assert config.hidden_dim == found.best.changes["hidden_dim"]
    assert found.style.card.parameters == found.best.weights
    assert found.style.card.figures["valid nats per note"] < found.best.nats_per_note
    assert found.style.compose(bars=1, seed=1).num_notes
    told = json.loads((run / "tuning" / "trials.json").read_text())
    assert [row["nats_per_note"] for row in told] == [trial.nats_per_note for trial in found.trials]


# -- what can go wrong ----------------------------------------------------------------------------


def test_there_is_a_line_for_everything_that_cannot_be_tuned(
    finished: tuple[Path, Tuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(finished[0], tmp_path / "tiny.run"))
    with pytest.raises(RunError, match="there is no tuning to go on with"):
        tune_on(tmp_path / "none.run", tiny.corpus())
    with pytest.raises(RunError, match=r"was begun; go on with --resume, or begin anew with --force"):
        tuned(run)
    with pytest.raises(CorpusError, match="has changed since"):
        tune_on(run, tiny.corpus(5))
    other = RunFolder(run)
    other.lock()
    with pytest.raises(RunError, match="another program"):
        tune_on(run, tiny.corpus(), trials=1)
    other.release()
    plan = run / "tuning" / "plan.json"
    whole = plan.read_text()
    for text, said in ((whole[:99], "damaged"), ("[]", "damaged"), ('{"version": 9}', "version 9"), ("{}", "damaged")):
        plan.write_text(text)
        with pytest.raises(RunError, match=said):
            tune_on(run, tiny.corpus())
    plan.write_text(whole)
    (run / "tuning" / "study.db").write_bytes(b"no database at all" * 99)
    with pytest.raises(RunError, match=r"study cannot be read or written \(.*not a database\)"):
        tune_on(run, tiny.corpus())
    shutil.rmtree(run / "tuning")
    with pytest.raises(RunError, match="holds a run already"):
        tuned(run)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"tuning needs the extra 'tune'"):
        tuned(tmp_path / "new.run")


@pytest.mark.usefixtures("small")
def test_a_folder_is_tuned_at_the_terminal_and_all_trials_are_told(terminal: Terminal) -> None:
    Path("music").mkdir()
    for seed in range(4):
        save(tiny.tune(seed, bars=4), Path("music", f"tune {seed}.mid"))
    said = terminal.run("tune music --name mine --minutes 0.1 --trials 2 --threads 1")
    assert said.err.count("trial ") == 3
    head, *rows = [line for line in said.out.splitlines() if line.startswith(("trial", "1 ", "2 "))]
    assert head.split("  ")[0] == "trial"
    assert "hidden_dim" in head
    assert len(rows) == 2
    assert said.out.splitlines()[-1] == "now: kapelle compose mine"
    assert "kapelle tune music --name mine --minutes 0.1 --trials 2 --threads 1" in terminal.run("styles mine").out
    terminal.run("compose mine --bars 1 --seed 1")
    more = terminal.run("tune --name mine --resume --trials 1")
    assert len([line for line in more.out.splitlines() if line[:2] in ("1 ", "2 ", "3 ")]) == 3
    terminal.refuses("tune --name mine --resume", "complete")
    terminal.refuses("tune music --name mine", "exists already; take another --name")
    terminal.refuses("tune music --name mine --resume", "expected FOLDER only where a tuning begins")
    terminal.refuses("tune --name mine --resume --seed 3", "expected --seed only where a tuning begins")
    terminal.refuses("tune --name other --resume", "there is no tuning to go on with")
    terminal.refuses("tune music --name other --minutes 0", "expected --minutes above 0")
    terminal.refuses("tune music --name other --megabytes nan", "expected --megabytes above 0")
    terminal.refuses("tune music --name other --megabytes 0.01", "allow more with --megabytes")
    terminal.refuses("tune music --name other --trials 0", "expected --trials to be a whole number from 1")
    terminal.refuses("tune music", "expected --name, got none; for example: kapelle tune ")
