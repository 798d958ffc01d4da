"""The command line as a user has it: words typed, what is printed, and a folder to look into."""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kapelle import save
from kapelle.cli.main import main
from kapelle.music import Notes, Score, Track

SOURCE = Path(__file__).resolve().parent.parent / "src"


@dataclass(frozen=True)
class Said:
    """What a command said: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def is_refusal(self) -> bool:
        """Whether it is one line for the user, besides notes on takes and on room, and the code 2."""
        lines = [line for line in self.err.splitlines() if not line.startswith(("seed ", "the run takes "))]
        return self.code == 2 and len(lines) == 1 and lines[0].startswith("kapelle: ")


class Terminal:
    """Runs commands in an empty folder, with one style called tiny."""

    def __init__(self, style: Path | None, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.capture = capture
        self.styles = home / "kapelle" / "styles"
        self.style = style
        if style is not None:
            self.styles.mkdir(parents=True)
            shutil.copy(style, self.styles / "tiny.safetensors")

    def run_any(self, words: str) -> Said:
        """Run a command; a traceback fails the test."""
        self.capture.readouterr()
        code = main(shlex.split(words))
        return Said(code, *self.capture.readouterr())

    def run(self, words: str) -> Said:
        """Run a command that must succeed."""
        said = self.run_any(words)
        assert said.code == 0, said.err
        return said

    def refuses(self, words: str, expected: str) -> Said:
        """Run a command that must be refused in one line that matches."""
        said = self.run_any(words)
        assert said.is_refusal, (said.code, said.err)
        assert re.search(expected, said.err), said.err
        return said

    def separately(
        self, words: str, most_bytes: int | None = None, output: str = "", interrupt: str = "", **more: str
    ) -> Said:
        """Run a command in a process of its own.

        Args:
            words: of the command.
            most_bytes: that a file may have; the disk is full then.
            output: a file that stdout goes to, or "closed pipe".
            interrupt: Ctrl-C is pressed when this has been printed to stderr or stdout.
            more: environment.
        """

        def limit() -> None:
            if most_bytes is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", **more}
        options: dict[str, Any] = {"env": environment, "text": True, "preexec_fn": limit}
        command: Sequence[str] = [sys.executable, "-m", "kapelle", *shlex.split(words)]
        if output == "closed pipe":
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, **options)
            os.close(writer)
            return Said(done.returncode, "", done.stderr)
        if output:
            with open(output, "w") as file:
                done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, check=False, **options)
            return Said(done.returncode, "", done.stderr)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
            seen = ""
            if interrupt:
                assert process.stdout is not None
                while interrupt not in seen:
                    line = process.stdout.readline()
                    assert line, seen
                    seen += line
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
        return Said(process.returncode, seen + out, err)

    def files(self, folder: str = ".") -> list[str]:
        """The names of everything in a folder, in order; none if there is no such folder."""
        return sorted(path.name for path in Path(folder).iterdir()) if Path(folder).is_dir() else []

    def write(self, name: str, quarters: Any, pitch: int = 60) -> Path:
        """A file of music with one short note at each of these quarters."""
        onset = 24 * np.asarray(quarters)
        notes = Notes(onset, np.full(len(onset), 24), pitch + np.arange(len(onset)) % 12, np.full(len(onset), 80))
        return save(Score(24, (Track(notes),)), name)

    def add_style(self, name: str, drums: bool = True) -> None:
        """Learn another style."""
        import tiny
        from kapelle import save_style

        save_style(tiny.style(name, tiny.band if drums else tiny.tune, epochs=1), self.styles / f"{name}.safetensors")
