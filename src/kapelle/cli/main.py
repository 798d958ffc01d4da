"""The command `kapelle`, and the one line that every bad input ends in."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from .. import __version__
from ..errors import KapelleError
from .bench import bench
from .composing import compose, continue_
from .engraving import engrave
from .grooving import drumify, groove, hats
from .harmonizing import harmonize
from .listening import listen
from .mapping import map_
from .output import STOPPED, USER_ERROR, plain
from .playing import play
from .quiz import quiz
from .radio import radio
from .rendering import render
from .runs import pick, report
from .showing import show
from .studio import studio
from .styles import styles
from .training import train
from .tuning import tune
from .walking import grid, morph, steer, vary
from .words import explained

THREADS = {
    # Threads that spin while they wait starve each other: with two threads and any busy neighbour, training
    # was measured to take twenty times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
    # A player multiplies small matrices; sharing them out among threads costs more than it gains.
    "OPENBLAS_NUM_THREADS": "1",
}
"""What numpy and torch read from the environment when they are imported; the user's own settings go first."""


class _Stopped(click.ClickException):
    """Ctrl-C. Left to click, it would print an empty line and exit with code 1."""


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _Stopped("stopped") from None


@click.group(cls=_Group, invoke_without_command=True)
@click.version_option(__version__, message="kapelle %(version)s")
@click.pass_context
def kapelle(context: click.Context) -> None:
    """Learns a style from a folder of music, and composes in it.

    \b
    kapelle styles                        the styles there are
    kapelle compose folk --bars 16        a new piece as MIDI
    kapelle train ~/music --name mine     a style of your own
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    *(styles, train, tune, report, pick, compose, continue_, harmonize),
    *(morph, vary, grid, steer, map_, radio, groove, drumify, hats),
    *(show, listen, engrave, render, play, quiz, bench, studio),
):
    kapelle.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    What the user can mend is told in one line on stderr that starts with "kapelle: "; only a fault of
    Kapelle's own shows a traceback.

    Args:
        arguments: without the program's name; those the program was started with if None.

    Returns:
        The exit code: 0, 2 for what the user can mend, 130 after Ctrl-C.
    """
    for name, value in THREADS.items():
        os.environ.setdefault(name, value)
    for stream in (sys.stdout, sys.stderr):
        # A title in a script that the terminal lacks must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = kapelle.main(arguments, prog_name="kapelle", standalone_mode=False)
        sys.stdout.flush()
    except _Stopped as error:
        return _refuse(error.format_message(), STOPPED)
    except click.UsageError as error:
        return _refuse(explained(error))
    except click.ClickException as error:
        return _refuse(error.format_message())
    except click.Abort:
        return _refuse("stopped", STOPPED)
    except KapelleError as error:
        return _refuse(str(error))
    except OSError as error:
        # Reading and writing music raise FileError; what is left is the output itself, such as a full disk.
        if error.filename is not None:
            raise
        _give_up_output()
        return _refuse(f"cannot print: {(error.strerror or str(error)).lower()}")
    return code if isinstance(code, int) else 0


def _refuse(line: str, code: int = USER_ERROR) -> int:
    click.echo(f"kapelle: {plain(line)}", err=True)
    return code


def _give_up_output() -> None:
    """Let the interpreter's last flush go nowhere, so that it does not complain a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
