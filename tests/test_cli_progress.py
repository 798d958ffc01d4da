"""The line that tells how far work is, and the picture above it, as they stand on a terminal."""

from __future__ import annotations

import io
import re
import sys

import pytest

from kapelle.cli.progress import ProgressLine


def screen(written: str) -> list[str]:
    """What a terminal shows after these characters: new lines, back to the start, up, wipe a line, wipe all below."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[\d*[AKJ]|\r|\n|[^\x1b\r\n]+", written):
        if part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            column = 0
        elif part.endswith("A") and part.startswith("\x1b"):
            row -= int(part[2:-1])
            assert row >= 0
        elif part == "\x1b[K":
            lines[row] = lines[row][:column]
        elif part == "\x1b[J":
            lines = [*lines[:row], lines[row][:column]]
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return lines


class Screen(io.StringIO):
    """A terminal that takes what is written to stderr."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        return screen(self.getvalue())


def opened(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal in place of stderr, until the test is over."""
    made = Screen()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr("kapelle.cli.progress.TERMINAL_SECONDS", 0.0)
    return made


def test_a_picture_stands_above_the_line_and_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = opened(monkeypatch)
    line = ProgressLine("learning")
    line.tell(0.1, "at first")
    line.draw("old a\nold b\nold c")
    line.tell(0.2, "with a picture")
    line.draw("new a\nnew b")
    line.tell(0.3, "now")
    assert terminal.lines[:2] == ["new a", "new b"]
    assert terminal.lines[2].endswith("now")
    assert len(terminal.lines) == 3


def test_what_is_said_stays_above_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = opened(monkeypatch)
    with ProgressLine("learning") as line:
        line.say("first word")
        line.draw("a\nb")
        line.tell(0.2)
        line.say("second word")
        line.tell(0.4)
        line.draw("c")
        line.tell(0.5)
    assert terminal.lines == ["first word", "second word", "c", ""]


def test_elsewhere_than_on_a_terminal_there_is_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine("learning")
    line.draw("a\nb")
    line.say("word")
    assert capsys.readouterr().err == "word\n"
