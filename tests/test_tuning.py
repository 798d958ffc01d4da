"""Tuning: trials that can be compared, in a study that nothing can spoil, and the best of them as a style."""

from __future__ import annotations

import json
import math
import shutil
import signal
import subprocess
import sys
import time
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
from kapelle.errors import CorpusError, KapelleError, MissingExtra, RunError
from kapelle.networks import Columns, network, networks, presets, stepwise
from kapelle.styles import learn, resume, save_style
from kapelle.styles.lesson import FINE_TUNING_RATE, Lesson, Settings
from kapelle.styles.plan import Plan, TuningFolder
from kapelle.styles.study import LEAST_SLICES, LEAST_TRIALS, SLICES, Study, Trial, configuration, nearest
from kapelle.styles.tuning import OTHER_BYTES, Tuned, tune, tune_on
from kapelle.training.run import RunFolder
from kapelle.training.weights import num_weights
from terminal import Terminal

COLUMNS = Columns.of(codecs()["events"].for_scores([tiny.band(0)]).layout)
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


@pytest.mark.parametrize("preset", sorted(presets()))
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


@pytest.mark.parametrize("preset", sorted(presets()))
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tuned]:
    """A tuning of three trials; and where it lies."""
    run = tmp_path_factory.mktemp("runs") / "tiny.run"
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch.setattr)
        return run, tuned(run)


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


@pytest.mark.usefixtures("small")
def test_no_trial_is_larger_than_the_style_may_be(tmp_path: Path) -> None:
    with pytest.raises(KapelleError, match=r"smallest network .* 0\.\d MB, got 0\.01 MB; allow more with --megabytes"):
        tuned(tmp_path / "none.run", megabytes=0.01)
    assert not (tmp_path / "none.run").exists()
    most = 0.15
    found = tuned(tmp_path / "tiny.run", 4, megabytes=most)
    columns = found.style.network.config.columns
    largest = Settings("x", changes={name: values[-1] for name, values in SMALL_SPACE.items()})
    assert 2 * num_weights(largest.network_of(columns)) + OTHER_BYTES > most * 1e6
    assert all(2 * trial.weights + OTHER_BYTES <= most * 1e6 for trial in found.trials)
    assert save_style(found.style, tmp_path / "tiny.safetensors").stat().st_size <= most * 1e6


@pytest.mark.usefixtures("small")
def test_a_tuning_without_a_number_of_trials_makes_as_many_as_fit(tmp_path: Path) -> None:
    found = tuned(tmp_path / "tiny.run", None, 0.2)
    spent = sum(trial.seconds for trial in found.trials)
    assert 6 - 6 / 12 <= spent <= 6 + 2 * 6 / 12
    assert len(found.trials) > 8


@pytest.mark.usefixtures("small")
def test_trials_in_which_next_to_nothing_is_learnt_are_said_to_be_too_short(tmp_path: Path) -> None:
    def said(name: str, minutes: float) -> list[str]:
        told: list[str] = []

        def tell(line: str) -> None:
            told.append(line)
            if line.startswith("the best"):
                raise Stop

        with pytest.raises(Stop):
            tuned(tmp_path / name, 1, minutes, tell=tell)
        return [line for line in told if "give more --minutes, or fewer --trials" in line]

    assert said("short.run", 0.1) == [
        "in 3 seconds next to nothing is learnt, and so little can be compared: give more --minutes, or fewer --trials"
    ]
    assert said("long.run", 6.0) == []


@pytest.mark.usefixtures("small")
def test_another_network_is_tuned_by_what_it_says_itself(tmp_path: Path) -> None:
    found = tuned(tmp_path / "tiny.run", 2, 0.1, network_name="event", megabytes=1.0)
    assert set(found.trials[0].changes) == {"hidden_dims", "embed_dim", "dropout", "learning_rate", "crop"}
    # As its makers trained it.
    assert (found.trials[0].changes["learning_rate"], found.trials[0].changes["crop"]) == (1e-3, 25)
    assert found.style.compose(bars=1, seed=1).num_notes


# -- going on -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("update", [5, 75])
def test_a_tuning_that_was_cut_off_goes_on_to_the_same_trials(
    tmp_path: Path, finished: tuple[Path, Tuned], update: int
) -> None:
    seen = 0

    def stop(share: float, cost: float, row: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == update:
            raise Stop

    with pytest.raises(Stop):
        tuned(tmp_path / "tiny.run", progress=stop)
    again = tune_on(tmp_path / "tiny.run", tiny.corpus())
    assert again.trials == finished[1].trials
    assert all(np.array_equal(again.style.weights[name], weight) for name, weight in finished[1].style.weights.items())


CHILD = """
import sys
sys.path.insert(0, {tests!r})
import test_tuning
test_tuning.set_up(setattr)
test_tuning.tuned(test_tuning.Path({run!r}), tell=lambda line: print(line, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "after", ["trial 1", *(pytest.param(line, marks=pytest.mark.slow) for line in ("", "trial 2", "the best is"))]
)
def test_a_tuning_whose_process_is_killed_goes_on_to_the_same_trials(
    tmp_path: Path, finished: tuple[Path, Tuned], after: str
) -> None:
    run = tmp_path / "tiny.run"
    code = CHILD.format(tests=str(Path(__file__).parent), run=str(run))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while after and not child.stdout.readline().startswith(after):
            assert child.poll() is None
        while not after and not (run / "tuning" / "study.db").exists():
            assert child.poll() is None
            time.sleep(0.01)
        # In the middle of whatever comes next.
        time.sleep(0.2)
        child.send_signal(signal.SIGKILL)
    again = tune_on(run, tiny.corpus())
    assert again.trials == finished[1].trials
    assert again.best == finished[1].best


@pytest.mark.usefixtures("small")
def test_a_tuning_may_have_more_trials_and_more_time(tmp_path: Path, finished: tuple[Path, Tuned]) -> None:
    run = Path(shutil.copytree(finished[0], tmp_path / "tiny.run"))
    more = tune_on(run, tiny.corpus(), trials=1)
    assert more.trials[:3] == finished[1].trials
    assert len(more.trials) == 4
    longer = tune_on(run, tiny.corpus(), minutes=0.2)
    assert longer.trials[:4] == more.trials
    assert len(longer.trials) > 5
    with pytest.raises(RunError, match="complete"):
        tune_on(run, tiny.corpus())


@pytest.mark.usefixtures("small")
def test_after_ctrl_c_the_trial_is_made_again(tmp_path: Path, finished: tuple[Path, Tuned]) -> None:
    def interrupt(share: float, cost: float, row: Any) -> None:
        if share > 0.1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path / "tiny.run", progress=interrupt)
    assert tune_on(tmp_path / "tiny.run", tiny.corpus()).trials == finished[1].trials


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
