"""`kapelle train --resume`, `report` and `pick`, as typed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from kapelle import load_style, save
from terminal import SOURCE, Terminal

pytest.importorskip("torch")
import tiny

QUICK = "--epochs 2 --threads 1 --network textbook"


def fill(folder: str, pieces: range) -> None:
    """A folder of tunes."""
    Path(folder).mkdir()
    for seed in pieces:
        save(tiny.tune(seed, bars=4), Path(folder, f"tune {seed}.mid"))


def test_a_report_is_written_beside_the_style_in_every_form(terminal: Terminal) -> None:
    fill("music", range(4))
    terminal.run(f"train music --name mine {QUICK}")
    said = terminal.run("report mine")
    verdict, *paths = said.out.splitlines()
    assert re.match(r"(learning|not learning|done|copying): ", verdict)
    run = terminal.styles / "mine.run"
    assert paths == [f"{run}/{file}" for file in ("report.html", "report.png", "report.gif", "report.json", "samples")]
    page = (run / "report.html").read_text("utf-8")
    assert verdict.split(":")[0] in page
    for heading in ("Curves", "Figures", "Copying", "Samples"):
        assert f">{heading}</h2>" in page
    values = json.loads((run / "report.json").read_text("utf-8"))
    assert values["verdict"]["name"] == verdict.split(":")[0]
    assert values["rows"][-1]["epoch"] == 2
    assert len(list((run / "samples").glob("*.mid"))) == 12
    # A report can be written as often as one likes.
    assert terminal.run("report mine").out == said.out


def test_a_report_and_a_pick_need_no_torch(terminal: Terminal, tmp_path: Path) -> None:
    fill("music", range(4))
    terminal.run(f"train music --name mine {QUICK} --save-every 1")
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch here', name='torch')")
    without = f"{tmp_path}{os.pathsep}{SOURCE}"
    for words in ("report mine", "pick mine --epoch 1"):
        said = terminal.separately(words, PYTHONPATH=without)
        assert said.code == 0, said.err


def test_an_epoch_that_was_saved_can_be_picked_and_given_back(terminal: Terminal) -> None:
    fill("music", range(4))
    terminal.run(f"train music --name mine {QUICK} --save-every 1")
    best = load_style("mine")
    assert "epoch 1\n" in terminal.run("pick mine --epoch 1").out
    assert load_style("mine").card.figures["epochs"] == 1
    terminal.run("pick mine")
    back = load_style("mine")
    assert back.card == best.card
    assert back.compose(bars=2, seed=1) == best.compose(bars=2, seed=1)
    said = terminal.run_any("pick mine --epoch 9")
    assert said.is_refusal
    assert "saved are 1, 2" in said.err


def test_more_files_are_added_to_those_that_were_learnt_from(terminal: Terminal) -> None:
    fill("music", range(4))
    fill("more", range(4, 7))
    terminal.run(f"train music --name mine {QUICK.replace('textbook', 'stepwise')}")
    said = terminal.run("train more --name mine --resume --epochs 1")
    assert "read 7 pieces, " in said.out
    assert "Goes on from the style mine" in said.out
    assert terminal.styles.joinpath("mine.run.1", "manifest.json").exists()


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("report tiny", "there is no run"),
        ("pick tiny", "there is no run"),
        ("train --name none --resume", "there is no run"),
        ("train --name tiny --resume --seed 3", "expected --seed only where a run begins"),
        ("train music --name new --from nowhere --epochs 1", "no style named 'nowhere'"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused_in_a_line(terminal: Terminal, command: str, line: str) -> None:
    fill("music", range(3))
    said = terminal.run_any(command)
    assert said.is_refusal
    assert line in said.err


def test_a_complete_run_is_not_gone_on_with_unless_it_is_given_something(terminal: Terminal) -> None:
    fill("music", range(3))
    terminal.run(f"train music --name mine {QUICK}")
    said = terminal.run_any("train --name mine --resume")
    assert said.is_refusal
    assert "complete" in said.err
    save(tiny.tune(99, bars=4), Path("music", "late.mid"))
    said = terminal.run_any("train --name mine --resume")
    assert "has changed since: it had 3 pieces, now there are 4" in said.err
    said = terminal.run_any(f"train music --name mine {QUICK}")
    assert "--force" in said.err
