"""How far long work is: one line that is written over on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import shutil
import sys
import time

import click

from .output import clock

TERMINAL_SECONDS, LOG_SECONDS = 0.2, 10.0


class ProgressLine:
    """A line on stderr, and on a terminal a picture above it; used as a context, the line goes away at the end.

    Args:
        what: is being done, such as "training".
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.terminal = sys.stderr.isatty()
        self.start = self.last = time.monotonic()
        self._picture: list[str] = []

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *error: object) -> None:
        if self.terminal:
            click.echo("\r\033[K", nl=False, err=True)

    def say(self, line: str) -> None:
        """Show a line that stays."""
        click.echo("".join([self._wiped, line, *(f"\n{row}" for row in self._picture)]), err=True)

    def draw(self, picture: str) -> None:
        """Show some lines above this one in place of those before, on a terminal; no wider than `room`."""
        if self.terminal:
            wiped, self._picture = self._wiped, picture.splitlines()
            click.echo("\n".join([wiped + self._picture[0], *self._picture[1:]]), err=True)

    @property
    def room(self) -> int:
        """Characters that a line of this terminal has room for, at most a hundred."""
        return min(shutil.get_terminal_size().columns - 1, 100)

    @property
    def _wiped(self) -> str:
        """What takes away all that is written over."""
        if not self.terminal:
            return ""
        return f"\r\033[{len(self._picture)}A\033[J" if self._picture else "\r\033[K"

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
