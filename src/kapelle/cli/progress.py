"""How far a long run is: one line that is written over on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import shutil
import sys
import time

import click

from .output import clock

TERMINAL_SECONDS, LOG_SECONDS = 0.2, 10.0


class ProgressLine:
    """A line on stderr; used as a context, it takes itself away at the end.

    Args:
        what: is being done, such as "training".
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.terminal = sys.stderr.isatty()
        self.start = self.last = time.monotonic()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *error: object) -> None:
        if self.terminal:
            click.echo("\r\033[K", nl=False, err=True)

    def say(self, line: str) -> None:
        """Show a line that stays."""
        click.echo(f"{self._wiped}{line}", err=True)

    @property
    def _wiped(self) -> str:
        return "\r\033[K" if self.terminal else ""

    def tell(self, share: float, more: str = "") -> None:
        """Show the share that is done, 0..1, the time left, and what more there is to say."""
        now = time.monotonic()
        if now - self.last < (TERMINAL_SECONDS if self.terminal else LOG_SECONDS):
            return
        self.last = now
        left = f", {clock((now - self.start) * (1 - share) / share)} left" if share > 0.01 else ""
        line = f"{self.what} {share:4.0%}{left}{', ' if more else ''}{more}"
        if self.terminal:
            # Cut to the terminal's width: a line that wraps cannot be written over.
            width = shutil.get_terminal_size().columns
            click.echo(f"\r\033[K{line[: max(width, 20) - 1]}", nl=False, err=True)
        else:
            click.echo(line, err=True)
