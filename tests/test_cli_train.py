"""`kapelle train`, as typed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kapelle import load_style, save
from kapelle.cli.progress import ProgressLine
from terminal import Terminal

pytest.importorskip("torch")
import tiny

QUICK = "--minutes 0.3 --epochs 1 --threads 1 --network textbook"


def fill(folder: str, pieces: int = 3) -> None:
    """A folder of tunes."""
    Path(folder).mkdir()
    for seed in range(pieces):
        save(tiny.tune(seed, bars=4), Path(folder, f"tune {seed}.mid"))


def test_a_folder_becomes_a_style_that_composes(terminal: Terminal) -> None:
    fill("my music")
    Path("my music", "readme.txt").write_text("All mine.")
    Path("my music", "broken.mid").write_text("oops")
    terminal.write("my music/short.mid", np.arange(4))
    said = terminal.run(f"train 'my music' --name mine {QUICK} --seed 3")
    assert "left out 2 files:\n  broken.mid: expected a MIDI file" in said.out
    assert "  short.mid: fewer than 8 notes\nread 3 pieces, " in said.out
    assert "readme" not in said.out
    assert re.search(r"^  valid nats per note +\d", said.out, re.MULTILINE)
    assert re.search(r"^  pieces +3: 2 learnt from, 1 held out to choose by$", said.out, re.MULTILINE)
    *_, path, then = said.out.splitlines()
    assert path.startswith(str(terminal.styles / "mine.safetensors"))
    assert then == "now: kapelle compose mine"
    terminal.run("compose mine --bars 1 --seed 1")
    card = load_style("mine").card
    assert card.command == (
        "kapelle train 'my music' --name mine --network textbook --minutes 0.3 --epochs 1 --seed 3 --threads 1"
    )
    assert (card.title, card.seed, card.network) == ("my music", 3, "textbook")


def test_a_style_may_go_to_a_file_of_its_own(terminal: Terminal) -> None:
    fill("music", 2)
    said = terminal.run(f"train music --name mine --out new/mine.safetensors {QUICK}")
    assert said.out.splitlines()[-1] == "now: kapelle compose new/mine.safetensors"
    assert terminal.files("new") == ["mine.run", "mine.safetensors"]
    assert sorted(path.name for path in terminal.styles.iterdir()) == ["tiny.safetensors"]


def test_one_file_is_a_folder_too(terminal: Terminal) -> None:
    save(tiny.tune(1, bars=8), "one.mid")
    said = terminal.run(f"train one.mid --name one {QUICK}")
    assert "One piece: expect its instruments" in said.out
    # Its last bars are held out; that is no second piece.
    assert "held out to choose" not in said.out + terminal.run("styles one").out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("none --name mine", r"expected a folder of music or one music file, but there is no none"),
        ("empty --name mine", r"expected music files .* in empty, found no files at all"),
        ("letters --name mine", r"expected music files .* in letters, found .txt 1; point to a folder"),
        ("broken --name mine", r"expected at least one usable piece in broken, but all 2 files were left out: .*"),
        ("four.mid --name mine", r"its one file was left out: fewer than 8 notes"),
        ("music", r"expected --name, got none; for example: kapelle train "),
        ("--name mine", r"expected a FOLDER of music or a --corpus, got neither"),
        ("--name mine --corpus fok", r"expected one of the corpora .*, got 'fok'; did you mean 'folk'\?"),
        ("--name mine --corpus piano", r"the corpus piano is read from files: expected its FOLDER too"),
        ("music --name mine --corpus folk", r"expected a FOLDER of music or the corpus folk, got both"),
        ("music --name mine --corpus piano", r"expected folders like composer/piano_midi_de"),
        ("music --name tiny", r"tiny\.safetensors: exists already; take another --name, or replace it with --force"),
        ("music --name a/b", r"expected a style's name of letters, .* got 'a/b'"),
        ("music --name ''", r"expected a style's name"),
        ("music --name mine --out music", r"expected --out to be a file that ends in \.safetensors"),
        ("music --name mine --out taken.safetensors", r"taken\.safetensors: exists already; take another --out"),
        ("music --name mine --out four.mid/a.safetensors", r"four\.mid: expected a folder to write to, got a file"),
        ("music --name mine --out folder.safetensors --force", r"expected a style's file, got a folder"),
        ("music --name mine --network stepwize", r"no network named 'stepwize'; did you mean 'stepwise'\?"),
        ("music --name mine --minutes 0", r"expected --minutes above 0, .* got 0"),
        ("music --name mine --minutes nan", r"expected --minutes above 0, .* got nan"),
        ("music --name mine --minutes soon", r"expected --minutes to be a number, such as 10; got 'soon'"),
        ("music --name mine --epochs 0", r"expected --epochs to be a whole number from 1 on, such as 20; got '0'"),
        ("music --name mine --threads 0", r"expected --threads to be a whole number from 1 to 256, .*got '0'"),
        ("music --name mine --seed -1", r"expected --seed to be a whole number from 0 to .*got '-1'"),
    ],
)
def test_what_cannot_be_learnt_is_told_in_one_line_before_the_run(
    terminal: Terminal, words: str, expected: str
) -> None:
    fill("music")
    for folder in ("empty", "letters", "broken", "folder.safetensors"):
        Path(folder).mkdir()
    Path("letters/SOURCE.txt").write_text("Dear Sir,")
    Path("broken/a.mid").touch()
    Path("broken/b.mid").write_text("oops")
    Path("taken.safetensors").write_text("mine")
    terminal.write("four.mid", np.arange(4))
    before = terminal.files()
    said = terminal.refuses(f"train {words}", expected)
    assert "learning" not in said.out
    assert terminal.files() == before
    assert sorted(path.name for path in terminal.styles.iterdir()) == ["tiny.safetensors"]


def test_a_style_is_replaced_by_force_only(terminal: Terminal) -> None:
    fill("music", 2)
    before = (terminal.styles / "tiny.safetensors").read_bytes()
    terminal.run(f"train music --name tiny --force {QUICK}")
    assert (terminal.styles / "tiny.safetensors").read_bytes() != before


def test_a_style_that_cannot_be_saved_after_the_run_is_saved_elsewhere_and_that_is_told(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("music", 2)
    from kapelle.styles import learn

    def slow(*arguments: object, **wishes: object) -> object:
        # While it was learning, another program took the name.
        style = learn(*arguments, **wishes)  # type: ignore[arg-type]
        (terminal.styles / "mine.safetensors").write_text("another")
        return style

    monkeypatch.setattr("kapelle.styles.learn", slow)
    terminal.refuses(f"train music --name mine {QUICK}", r"exists already.*; so as not to lose the style, it was saved")
    assert (terminal.styles / "mine.safetensors").read_text() == "another"
    terminal.run("compose ./mine.safetensors --bars 1 --seed 1")


def test_stopping_keeps_the_best_so_far(terminal: Terminal) -> None:
    fill("music", 12)
    said = terminal.separately("train music --name mine --minutes 5 --threads 1", interrupt="read 12 pieces")
    assert "Traceback" not in said.err
    if said.code == 130:
        # Ctrl-C came before the run had begun.
        assert said.err.splitlines()[-1] == "kapelle: stopped"
        assert not (terminal.styles / "mine.safetensors").exists()
    else:
        assert said.code == 0
        assert "stopped on the way; --resume goes on" in said.out
        terminal.run("compose mine --bars 1 --seed 1")


def test_ctrl_c_is_one_line_and_130(terminal: Terminal) -> None:
    said = terminal.separately("compose tiny --bars 1 --count 5000 --out new", interrupt="new/tiny-")
    assert said.code == 130
    assert said.err.splitlines()[-1] == "kapelle: stopped"
    assert all(name.startswith("tiny-") for name in terminal.files("new"))


def test_progress_is_a_line_every_ten_seconds_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with ProgressLine("learning") as line:
        for _ in range(100):
            now[0] += 0.5
            line.tell(now[0] / 100, "2.00 nats a note")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "learning  10%, 1:30 left, 2.00 nats a note"
    assert len(lines) == 5


def test_odd_files_are_learnt_from_or_refused_in_one_line(terminal: Terminal, shared_data: Path) -> None:
    said = terminal.run(f"train '{shared_data / '_odd'}' --name odd --network textbook --minutes 0.02 --threads 1")
    assert "left out" in said.out


@pytest.mark.slow
def test_each_odd_file_alone_is_learnt_from_or_refused_in_one_line(terminal: Terminal, shared_data: Path) -> None:
    for path in sorted((shared_data / "_odd").glob("*/*")):
        said = terminal.run_any(f"train '{path}' --name odd --force --network textbook --minutes 0.005 --threads 1")
        assert said.code == 0 or said.is_refusal, f"{path.name}: {said.err}"
