"""Whole tunings: how many trials fit, how large they may be, and that nothing that happens changes them."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("optuna")
import tiny
from kapelle.errors import KapelleError, RunError
from kapelle.styles import save_style
from kapelle.styles.lesson import Settings
from kapelle.styles.tuning import OTHER_BYTES, Tuned, tune_on
from kapelle.training.weights import num_weights
from tunings import SMALL_SPACE, Stop, finished, small, tuned

__all__ = ["finished", "small"]
pytestmark = pytest.mark.slow


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
from pathlib import Path
import tunings
tunings.set_up(setattr)
tunings.tuned(Path({run!r}), tell=lambda line: print(line, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("after", ["", "trial 1", "trial 2", "the best is"])
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
