"""Trainings: music that was brought to learn from, and the runs that learn it; a folder for each.

    trainings/ID/training.json    what it is, and what each file gives
    trainings/ID/music/0001.mid   the files, by number: no name that was sent reaches the disk
    trainings/ID/samples/01.json  what the style composed on the way

The run itself lies beside its style, as that of `kapelle train` does.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import FileError, KapelleError
from ..files import write_atomically

MOST_FILES, MOST_BYTES = 5000, 2**30
"""Of one training; more is learnt with `kapelle train`."""

KEEP_SECONDS = 0.5


class NoSuchTraining(KapelleError):
    """A training that is not there."""


@dataclass
class Lesson:
    """A training.

    Attributes:
        id: sixteen hexadecimal digits.
        created: seconds since 1970.
        state: "collecting", "running", "stopped", "done" or "failed".
        error: why it failed, in one line.
        asked: name and title of the style, minutes, and the style to go on from; empty until it begins.
        files: what each file gives: its name, and its pieces, or why there are none.
        bytes: of all files that were sent.
        found: what came of it; see `kapelle.studio.learning.train`.
    """

    id: str
    created: float
    state: str = "collecting"
    error: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    bytes: int = 0
    found: dict[str, Any] = field(default_factory=dict)


class Trainings:
    """The folder of trainings.

    Args:
        folder: made when the first one is begun.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Lesson] = {}
        self._soon: set[str] = set()
        for path in folder.glob("*/training.json"):
            try:
                lesson = Lesson(**json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, TypeError):
                continue
            # It ran when the studio ended; what is kept of it can be gone on with.
            lesson.state = "stopped" if lesson.state == "running" else lesson.state
            self._open[lesson.id] = lesson

    def all(self) -> list[Lesson]:
        """Every one, the newest first."""
        return sorted(self._open.values(), key=lambda lesson: -lesson.created)

    def get(self, lesson: str) -> Lesson:
        """One by its id.

        Raises:
            NoSuchTraining: if there is none.
        """
        if lesson not in self._open:
            raise NoSuchTraining(f"there is no training {lesson[:40]!r}")
        return self._open[lesson]

    def begin(self) -> Lesson:
        """A new one, without files."""
        lesson = Lesson(secrets.token_hex(8), time.time())
        self.keep(lesson)
        self._open[lesson.id] = lesson
        return lesson

    def keep(self, lesson: Lesson, **changes: Any) -> None:
        """Write how it is now."""
        for name, value in changes.items():
            setattr(lesson, name, value)
        path = self.path(lesson) / "training.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(asdict(lesson), ensure_ascii=False).encode(), force=True)

    def keep_soon(self, lesson: Lesson) -> None:
        """Write how it is, once, when many changes in a row have come: each writes all that is known of all files."""
        if lesson.id not in self._soon:
            self._soon.add(lesson.id)
            asyncio.get_running_loop().call_later(KEEP_SECONDS, self._keep_now, lesson)

    def _keep_now(self, lesson: Lesson) -> None:
        self._soon.discard(lesson.id)
        if lesson.id in self._open:
            self.keep(lesson)

    def path(self, lesson: Lesson) -> Path:
        """Its folder."""
        return self._folder / lesson.id

    def music(self, lesson: Lesson) -> Path:
        """The folder of its files."""
        return self.path(lesson) / "music"

    def receive(self, lesson: Lesson, suffix: str, data: bytes) -> tuple[int, Path]:
        """Write a file that was sent; its number and where it lies.

        Raises:
            FileError: if it would be too many, or too much.
        """
        if lesson.state != "collecting":
            raise FileError("expected files before the training begins; begin a new one with them")
        if len(lesson.files) >= MOST_FILES or lesson.bytes + len(data) > MOST_BYTES:
            raise FileError(
                f"the studio learns from at most {MOST_FILES} files of {MOST_BYTES >> 20} MB together; learn from more "
                "with kapelle train"
            )
        if not re.fullmatch(r"\.[a-z0-9]{1,12}", suffix):
            raise FileError("expected a file of music, got a name without a plain ending")
        lesson.files.append({})
        lesson.bytes += len(data)
        number = len(lesson.files)
        path = self.music(lesson) / f"{number:04d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return number, path

    def samples(self, lesson: Lesson) -> list[dict[str, Any]]:
        """What was composed on the way, the last one first, without notes."""
        found = []
        for path in sorted(self.path(lesson).glob("samples/*.json"), reverse=True):
            values = json.loads(path.read_text("utf-8"))
            found.append({name: value for name, value in values.items() if name != "score"})
        return found

    def sample(self, lesson: Lesson, number: int) -> dict[str, Any]:
        """One of them, with its notes.

        Raises:
            NoSuchTraining: if there is none of that number.
        """
        path = self.path(lesson) / "samples" / f"{number:04d}.json"
        if not path.is_file():
            raise NoSuchTraining(f"there is no sample {number} of that training")
        return dict(json.loads(path.read_text("utf-8")))

    def throw_away(self, lesson: Lesson) -> None:
        """Its files and what was kept of it; a style that came of it stays.

        Raises:
            KapelleError: while it runs.
        """
        if lesson.state == "running":
            raise KapelleError("it is being learnt from just now; stop it first")
        del self._open[lesson.id]
        shutil.rmtree(self.path(lesson), ignore_errors=True)
