"""Event files for TensorBoard: they hold what the log holds, each point once."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("tensorboard")
import tiny
from kapelle import save
from kapelle.errors import MissingExtra
from kapelle.styles import learn, resume
from kapelle.training import keeper
from kapelle.training.board import CURVES, Board
from kapelle.training.run import RunFolder
from terminal import Terminal


def points(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Every point of every curve in the event files of a run."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard"), {"scalars": 0}, purge_orphaned_data=False)
    events.Reload()
    return {curve: [(e.step, e.value) for e in events.Scalars(curve)] for curve in events.Tags()["scalars"]}


def of_log(run: Path) -> dict[str, list[tuple[int, float]]]:
    """What the curves have to be."""
    found = {}
    for curve, name in CURVES.items():
        figures = [(row.updates, getattr(row, name)) for row in RunFolder(run).rows]
        found[curve] = [(step, pytest.approx(figure, rel=1e-5)) for step, figure in figures if math.isfinite(figure)]
    return found


class Crash(Exception):
    """The process ends here, as far as the run can tell."""


def train(run: Path, crash_at: int | None = None, go_on: bool = False) -> None:
    calls = 0
    with Board(run) as board:

        def progress(share: float, cost: float, row: Any) -> None:
            nonlocal calls
            calls += 1
            board.show(row)
            if calls == crash_at:
                raise Crash

        if go_on:
            resume(run, tiny.corpus(), progress)
        else:
            learn(tiny.corpus(), "x", epochs=9, threads=1, run=run, progress=progress, **tiny.SMALL)


def test_the_curves_are_those_of_the_log(tmp_path: Path) -> None:
    run = tmp_path / "x.run"
    train(run)
    assert len(RunFolder(run).rows) > 3
    assert points(run) == of_log(run)
    assert set(points(run)) == set(CURVES)


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_a_run_that_was_cut_off_goes_on_without_doubling_or_losing_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    defaults = keeper.FolderKeeper.__init__.__defaults__
    assert defaults is not None
    monkeypatch.setattr(keeper.FolderKeeper.__init__, "__defaults__", (*defaults[:2], seconds, *defaults[3:]))
    run = tmp_path / "x.run"
    with pytest.raises(Crash):
        train(run, 30)
    # Without a checkpoint the run begins again: what was drawn before must not stay.
    before = points(run)["loss/learnt"]
    assert before
    train(run, go_on=True)
    assert points(run) == of_log(run)
    assert points(run)["loss/learnt"][: len(before)] == before


def test_a_run_goes_on_when_nobody_can_watch_it(tmp_path: Path) -> None:
    told: list[str] = []
    run = tmp_path / "x.run"
    run.mkdir()
    (run / "tensorboard").write_text("in the way")
    with Board(run, told.append) as board:
        learn(
            tiny.corpus(),
            "x",
            epochs=4,
            threads=1,
            run=run,
            progress=lambda share, cost, row: board.show(row),
            **tiny.SMALL,
        )
    assert len(told) == 1
    assert "going on without them" in told[0]


def test_curves_for_tensorboard_are_kept_if_wished_and_thrown_away_with_their_run(terminal: Terminal) -> None:
    Path("music").mkdir()
    for seed in range(3):
        save(tiny.tune(seed, bars=4), Path("music", f"tune {seed}.mid"))
    quick = "--epochs 2 --threads 1 --network textbook"
    terminal.run(f"train music --name mine {quick} --tensorboard")
    run = terminal.styles / "mine.run"
    assert points(run) == of_log(run)
    terminal.run(f"train music --name mine {quick} --force")
    assert not (run / "tensorboard").exists()


def test_without_the_extra_it_is_refused_before_anything_is_read(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(MissingExtra, match=r"TensorBoard needs the extra 'watch': pip install 'kapelle\[watch\]'"):
        Board(Path("x.run"))
    terminal.refuses("train nowhere --name mine --tensorboard", r"TensorBoard needs the extra 'watch'")
