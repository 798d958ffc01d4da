"""`kapelle show`, `kapelle styles`, and `kapelle` itself, as typed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kapelle import __version__, load
from kapelle.cli.main import kapelle as command_line
from kapelle.cli.main import main
from kapelle.corpora import sources
from kapelle.networks import presets
from kapelle.styles.store import BUNDLED
from terminal import Terminal


def test_showing_a_piece_prints_its_facts_and_draws_it_beside_the_music(terminal: Terminal) -> None:
    terminal.write("riff.mid", np.arange(16))
    said = terminal.run("show riff.mid")
    assert re.search(r"^length +4 bars, 0:08$", said.out, re.MULTILINE)
    assert said.out.splitlines()[-1].split() == ["picture", "riff.png"]
    assert Path("riff.png").read_bytes().startswith(b"\x89PNG")


def test_showing_a_piece_twice_draws_one_picture(terminal: Terminal) -> None:
    terminal.write("riff.mid", np.arange(16))
    assert terminal.run("show riff.mid") == terminal.run("show riff.mid")
    assert terminal.files() == ["riff.mid", "riff.png"]


def test_a_picture_of_someone_elses_stays_and_the_new_one_gets_a_number(terminal: Terminal) -> None:
    terminal.write("riff.mid", np.arange(16))
    Path("riff.png").write_text("a photograph")
    for _ in range(2):
        said = terminal.run("show riff.mid")
        assert said.out.splitlines()[-1].split() == ["picture", "riff-2.png"]
        assert said.err == "riff.png is another file and stays as it is\n"
    assert Path("riff.png").read_text() == "a photograph"
    assert terminal.files() == ["riff-2.png", "riff.mid", "riff.png"]


def test_a_picture_may_be_a_drawing_of_any_name_and_the_folder_is_made(terminal: Terminal) -> None:
    terminal.write("riff.mid", np.arange(16))
    terminal.run("show riff.mid --out pictures/poster.svg")
    assert Path("pictures/poster.svg").read_text().startswith("<svg")
    terminal.refuses("show riff.mid --out pictures/poster.svg", r"poster\.svg: exists already; .*--force")
    terminal.run("show riff.mid --out pictures/poster.svg --force")
    assert terminal.files() == ["pictures", "riff.mid"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("none.mid", r"none\.mid: cannot be read: no such file"),
        (".", r"\.: expected one file of music, got a folder"),
        ("riff.mid --out riff.gif", r"riff\.gif: expected --out to end in \.png or \.svg"),
        ("riff.mid --out riff.mid/a.png", r"expected a folder to write to, got a file"),
        ("riff.mid --out riff.mid", r"expected --out to end in"),
        ("letter.mid", r"letter\.mid: expected a MIDI file .*something else"),
        ("empty.mid", r"empty\.mid: expected a MIDI file .*an empty one"),
        ("empty.musicxml", r"empty\.musicxml: "),
        ("letter.txt", r"letter\.txt: expected a text that starts with 'Kapelle score"),
        ("letter.doc", r"expected a file name that ends in"),
        ("pipe.mid", r"pipe\.mid: expected a file, got a device or a pipe"),
        ("", r"expected MUSIC, got none; for example: kapelle show tunes/folk-7\.mid; see kapelle show --help"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line_and_nothing_is_written(
    terminal: Terminal, words: str, expected: str
) -> None:
    terminal.write("riff.mid", np.arange(16))
    for name in ("letter.mid", "letter.txt", "letter.doc"):
        Path(name).write_text("Dear Sir,")
    for name in ("empty.mid", "empty.musicxml"):
        Path(name).touch()
    os.mkfifo("pipe.mid")
    before = terminal.files()
    terminal.refuses(f"show {words}", expected)
    assert terminal.files() == before


def test_a_piece_without_notes_one_of_four_and_one_of_five_hours_are_shown(terminal: Terminal) -> None:
    Path("none.mid").write_bytes(b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0")
    terminal.write("four.mid", np.arange(4))
    terminal.write("long.mid", np.arange(0, 36_000, 2))
    for name, length in (("none", "1 bar, 0:00"), ("four", "1 bar, 0:02"), ("long", "9,000 bars, 300:00")):
        assert length in terminal.run(f"show {name}.mid").out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(terminal: Terminal) -> None:
    terminal.write("riff.mid", np.arange(16)).chmod(0)
    terminal.refuses("show riff.mid", r"riff\.mid: cannot be read: permission denied")


def test_names_that_are_no_text_and_titles_that_move_the_cursor_are_printed_harmlessly(terminal: Terminal) -> None:
    name = os.fsdecode(b"\xff\xfe riff.mid")
    terminal.write(name, np.arange(16))
    assert terminal.separately(f"show '{name}'").code == 0
    terminal.run("compose tiny --bars 1 --seed 1 --title 'red\x1b[31m\nline'")
    assert "\x1b" not in terminal.run("show tiny-1.mid").out
    assert "\x1b" not in terminal.refuses("show 'no\x1b[31m\n.mid'", "no such file").err


def test_odd_files_are_shown_or_refused_in_one_line(terminal: Terminal, shared_data: Path) -> None:
    odd = sorted((shared_data / "_odd").glob("*/*"))
    codes = []
    for path in odd:
        said = terminal.run_any(f"show '{path}' --out new.png --force")
        assert said.code == 0 or said.is_refusal, f"{path.name}: {said.err}"
        codes.append(said.code)
    assert codes.count(0) > codes.count(2) > 0


# -- styles ---------------------------------------------------------------------------------------


def test_styles_are_listed_with_what_they_were_learnt_from_and_how_well(terminal: Terminal) -> None:
    said = terminal.run("styles")
    line = next(line for line in said.out.splitlines() if line.startswith("tiny "))
    assert re.match(r"tiny +10 pieces, [\d,]+ notes +\d+\.\d\d +0\.\d MB +\(yours\) tiny", line)
    assert "lower is better" in said.out


def test_every_line_of_the_list_fits_and_the_licence_is_told_of_one(terminal: Terminal) -> None:
    long = {"title": "Wind " * 60, "licence": "Only on Sundays " * 30}
    change(terminal, "long", lambda about: about["card"].update(long))  # type: ignore[attr-defined]
    said = terminal.run("styles")
    assert all(len(line) <= 100 for line in said.out.splitlines() if str(terminal.styles) not in line)
    assert "Sundays" not in said.out
    one = terminal.run("styles long").out
    assert one.count("Sundays") == 30
    assert all(len(line) <= 100 for line in one.splitlines() if not line.startswith("made by"))


@pytest.mark.parametrize("own", [True, False])
def test_the_list_says_where_your_styles_lie_or_will(terminal: Terminal, own: bool) -> None:
    if not own:
        (terminal.styles / "tiny.safetensors").unlink()
    if own or len(list(BUNDLED.glob("*.safetensors"))):
        assert f"yours {'lie' if own else 'will lie'} in {terminal.styles}\n" in terminal.run("styles").out


def test_the_pieces_of_a_corpus_are_told_so_that_the_sum_is_right(terminal: Terminal) -> None:
    assert re.search(
        r"^pieces +12: 10 learnt from, 1 held out to choose by, 1 to test by$", terminal.run("styles tiny").out, re.M
    )


def test_a_style_tells_all_about_itself(terminal: Terminal, tiny_style: Path) -> None:
    said = terminal.run("styles tiny")
    for what in ("licence", "learnt", "network", "valid nats per note", "curve", "made by", "habits"):
        assert re.search(rf"^{what}  +\S", said.out, re.MULTILINE), what
    assert terminal.run(f"styles {tiny_style}").out == said.out


def test_an_unknown_style_is_told_with_what_is_near(terminal: Terminal) -> None:
    terminal.refuses("styles tinny", r"no style named 'tinny'; did you mean 'tiny'\?")
    terminal.refuses("styles riff.mid", r"expected a style, got .*music; .*: kapelle show riff\.mid")


def test_one_damaged_style_does_not_hide_the_others(terminal: Terminal) -> None:
    (terminal.styles / "bad.safetensors").write_bytes(b"not a style")
    said = terminal.run("styles")
    assert said.err.startswith(f"kapelle: {terminal.styles}/bad.safetensors: expected a Kapelle style, got a damaged")
    assert "tiny" in said.out


def test_a_style_of_a_newer_version_asks_for_a_newer_kapelle(terminal: Terminal) -> None:
    change(terminal, "new", lambda about: about.update(format=99))
    for words in ("compose new --bars 1", "styles new"):
        terminal.refuses(words, r"new\.safetensors: the style has version 99, .*update Kapelle")
    change(terminal, "new", lambda about: about["codec"]["vocabulary"].update(version=99))
    terminal.refuses("compose new --bars 1", r"new\.safetensors: .*update Kapelle")


def change(terminal: Terminal, name: str, edit: Callable[[dict[str, object]], object]) -> None:
    """Another style whose description is edited."""
    data = (terminal.styles / "tiny.safetensors").read_bytes()
    size = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:size])
    about = json.loads(header["__metadata__"]["kapelle"])
    edit(about)
    header["__metadata__"]["kapelle"] = json.dumps(about)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    (terminal.styles / f"{name}.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + data[size:])


EXCHANGED = st.sampled_from(
    [None, True, -1, 0, 1, 1e308, float("nan"), float("inf"), "", "x", [], {}, [1], {"a": 1}, 10**30, "\x1b[31m"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=EXCHANGED)
def test_a_style_whose_description_is_damaged_anywhere_composes_or_is_refused(
    terminal: Terminal, data: st.DataObject, value: object
) -> None:
    def edit(about: object) -> None:
        # Down into the description, at most six of a list, to the place that is damaged.
        for _ in range(6):
            keys = list(about) if isinstance(about, dict) else list(range(min(len(about), 6)))  # type: ignore[arg-type]
            key = data.draw(st.sampled_from(keys))
            inner = about[key]  # type: ignore[index]
            if not inner or not isinstance(inner, (dict, list)) or data.draw(st.booleans()):
                break
            about = inner
        about[key] = value  # type: ignore[index]

    change(terminal, "damaged", edit)
    composes_or_refuses(terminal)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_style_with_other_bits_or_cut_composes_or_is_refused(terminal: Terminal, data: st.DataObject) -> None:
    whole = bytearray((terminal.styles / "tiny.safetensors").read_bytes())
    header = 8 + int.from_bytes(whole[:8], "little")
    where = data.draw(st.sampled_from([st.integers(0, header - 1), st.integers(header, len(whole) - 1)]))
    if data.draw(st.booleans()):
        del whole[data.draw(where) :]
    else:
        for place in data.draw(st.lists(where, min_size=1, max_size=40)):
            whole[place] ^= 1 << data.draw(st.integers(0, 7))
    (terminal.styles / "damaged.safetensors").write_bytes(whole)
    composes_or_refuses(terminal)


def composes_or_refuses(terminal: Terminal) -> None:
    for words in ("styles damaged", "styles", "compose damaged --bars 1 --seed 1 --force"):
        said = terminal.run_any(words)
        assert said.code == 0 or said.is_refusal, said.err
    assert terminal.files() in ([], ["damaged-1.mid"])
    if terminal.files():
        load("damaged-1.mid")


# -- kapelle itself -------------------------------------------------------------------------------


def test_the_version_and_help_are_told(terminal: Terminal) -> None:
    assert terminal.run("--version").out == f"kapelle {__version__}\n"
    assert terminal.run("").out == terminal.run("--help").out
    for name in command_line.commands:
        assert f"  {name}" in terminal.run("--help").out
        assert terminal.run(f"{name} --help").out.startswith(f"Usage: kapelle {name}")


def test_help_names_every_network_and_corpus_there_is(terminal: Terminal) -> None:
    # Lines may break at a hyphen.
    said = "".join(terminal.run("train --help").out.split())
    assert [name for name in (*presets(), *sources()) if name not in said] == []


def test_an_unknown_command_or_option_is_told_in_one_line(terminal: Terminal) -> None:
    terminal.refuses("compoze", r"there is no command 'compoze'; did you mean compose\?; see kapelle --help")
    terminal.refuses("xyz", r"there is no command 'xyz'; there are styles, .*show.*; see kapelle --help")
    terminal.refuses("--verbose", r"there is no option --verbose")


def test_kapelle_runs_as_a_module_and_as_a_command(terminal: Terminal) -> None:
    assert terminal.separately("--version").out == f"kapelle {__version__}\n"
    assert main(["--version"]) == 0


def test_a_fault_of_kapelles_own_shows_where_it_is(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("kapelle.files.load", fail)
    with pytest.raises(ZeroDivisionError):
        main(["show", "riff.mid"])
