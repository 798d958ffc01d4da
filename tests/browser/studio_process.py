"""`kapelle studio` as a user has it, and waiting for what its page does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src"


class Server:
    """`kapelle studio` in a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it, at the same port as before if there was one."""
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "HOME": str(self.home), "XDG_DATA_HOME": str(self.home)}
        command = [sys.executable, "-m", "kapelle", "studio", "--no-browser", "--data", str(self.home / "data")]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[0]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def stop(self, hard: bool = False) -> int:
        """Stop it, or kill it; its exit code."""
        if hard:
            self.process.kill()
        else:
            self.process.terminate()
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


PATIENCE = 240.0
"""Seconds until something is taken to be broken and not only slow; nothing waits for that long on a machine at rest."""


def wait(page: Any, expression: str, seconds: float = PATIENCE) -> Any:
    """The value of an expression once it is true; the page's policy forbids Playwright's own way to wait for one."""
    end = time.monotonic() + seconds
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < end, f"not true in time: {expression}"
        time.sleep(0.05)
    return value
