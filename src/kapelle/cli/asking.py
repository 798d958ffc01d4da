"""The terminal's side of a listening test: plays, asks, and tells."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import clock, count, shown
from .playing import PLAYERS, play_aloud
from .writing import make_folder

if TYPE_CHECKING:
    from ..quiz import Listening, Question

KEYS = "1 and 2 hear clip A and clip B; a or b says which one is real; s skips the pair, q quits and keeps all"


def ask_experience() -> str:
    """How the listener rates themselves; "" if they do not say."""
    from ..quiz import EXPERIENCES

    click.echo("How much do you know about music?")
    for number, (name, line) in enumerate(EXPERIENCES.items(), 1):
        click.echo(f"  {number}  {name}: {line}")
    names = list(EXPERIENCES)
    while (key := _key()) not in ("", "\n", "\r"):
        if key in "1234":
            return names[int(key) - 1]
        click.echo("press 1 to 4, or Enter to leave it out")
    return ""


def ask_all(listening: Listening, whom: str, folder: Path) -> None:
    """Ask about each pair that is left.

    Args:
        whom: the real clips are by.
        folder: for the clips where no program plays them; it is gone afterwards.
    """
    click.echo(f"Which one is by {whom}?")
    click.echo(KEYS)
    with closing(_Ear(folder)) as ear:
        while (question := listening.question()) is not None:
            if not _ask(listening, question, ear):
                click.echo("kept; go on with --resume")
                return
    click.echo(f"{count(len(listening.quiz.kinds), 'pair')} done, thank you; what the answers say: --analyse")


def _ask(listening: Listening, question: Question, ear: _Ear) -> bool:
    """Ask about one pair; False if the listener quits."""
    from ..quiz import SIDES

    click.echo(f"pair {question.number + 1} of {len(listening.quiz.kinds)}")
    heard = set(question.heard)
    while (key := _key()) not in ("", "q"):
        if key in ("1", "2"):
            side = SIDES[int(key) - 1]
            ear.hear(question, side)
            heard.add(side)
            listening.hear(side)
        elif key in SIDES:
            if len(heard) == len(SIDES):
                listening.answer(key)
                click.echo("kept")
                return True
            click.echo("hear both clips first: only then an answer counts")
        elif key == "s":
            listening.skip()
            click.echo("skipped")
            return True
        elif not key.isspace():
            click.echo(KEYS)
    return False


def _key() -> str:
    """The next key in small letters; without a terminal the first of the next line. "" at the end of input."""
    if sys.stdin.isatty():
        return click.getchar().lower()
    line = sys.stdin.readline()
    return (line.strip() or "\n")[:1].lower() if line else ""


class _Ear:
    """Plays clips through the programs there are, or writes them once it is known that none of them plays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._players = [player for player in PLAYERS if shutil.which(player[0])]

    def hear(self, question: Question, side: str) -> None:
        """Play a clip to its end, or write it where it can be played."""
        clip = question.pair.a if side == "a" else question.pair.b
        name = f"clip {side.upper()}"
        if self._players:
            failure = play_aloud(clip, None, self._players, name)
            if not failure:
                return
            click.echo(failure, err=True)
            self._players = []
        from ..files import write_atomically
        from ..rendering.audio import to_audio

        path = self._folder / f"pair-{question.number + 1}-{side}.wav"
        make_folder(self._folder)
        write_atomically(path, to_audio(clip, ".wav"), force=True)
        click.echo(f"{name}, {clock(clip.seconds)}, to be played: {shown(path)}")

    def close(self) -> None:
        """Take away what was written."""
        shutil.rmtree(self._folder, ignore_errors=True)
        parent = self._folder.parent
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
