"""What keeps a run on the disk while it goes on."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError
from .log import Row
from .run import RunFolder
from .standing import Weights

if TYPE_CHECKING:
    from .trainer import Trainer

PATIENT_SECONDS = 5.0
"""How long a run waits before it tries a full disk again."""

Tell = Callable[[str], None]


class FolderKeeper:
    """Keeps in a folder what a run leaves behind, and stops its loop for as short as can be.

    Args:
        folder: of the run, begun and locked.
        save_style: writes a style with these weights, after these rows, to a path.
        save_every: epochs after which the style as it is then is saved; None for never.
        keep: how many of these are kept, the latest; None for all.
        on_saved: called after an epoch was saved, with its number, the weights and the rows so far.
        seconds: between checkpoints.
        tell: called with a line when the disk is full, and when it goes on.
    """

    def __init__(
        self,
        folder: RunFolder,
        save_style: Callable[[Weights, Sequence[Row], Path], object],
        save_every: int | None = None,
        keep: int | None = None,
        on_saved: Callable[[int, Weights, Sequence[Row]], object] = lambda epoch, weights, rows: None,
        seconds: float = 60.0,
        tell: Tell = lambda line: None,
    ) -> None:
        self.folder, self.save_style, self.tell = folder, save_style, tell
        self.save_every, self.keep, self.seconds = save_every, keep, seconds
        self.on_saved = on_saved
        self._best_saved: Row | None = None
        self.longest_stop = 0.0
        self._written = time.monotonic()
        self._writer: threading.Thread | None = None
        self._failure: BaseException | None = None

    def add(self, row: Row) -> None:
        """Keep a row."""
        self._patiently(lambda: self.folder.add(row))

    def after_update(self, trainer: Trainer) -> None:
        """Write a checkpoint if it is time for one."""
        if time.monotonic() - self._written >= self.seconds and not self._is_writing:
            self._checkpoint(trainer)

    def after_epoch(self, trainer: Trainer) -> None:
        """Save the style if this epoch is one of those that are saved."""
        epoch = trainer.standing.epoch
        if self.save_every is None or epoch % self.save_every:
            return
        self._save(epoch, trainer)
        if not self._is_writing:
            self._checkpoint(trainer)

    def at_end(self, trainer: Trainer) -> None:
        """Write the last checkpoint, and wait until it is on the disk."""
        if self.save_every is not None and trainer.standing.epoch and not trainer.standing.batch:
            self._save(trainer.standing.epoch, trainer)
        self._checkpoint(trainer)
        self._wait()

    @property
    def _is_writing(self) -> bool:
        return self._writer is not None and self._writer.is_alive()

    def _save(self, epoch: int, trainer: Trainer) -> None:
        path = self.folder.epoch_path(epoch)
        weights, rows = trainer.weights(), list(trainer.rows)

        def write() -> None:
            path.parent.mkdir(exist_ok=True)
            self.save_style(weights, rows, path)

            self.on_saved(epoch, weights, rows)

        self._patiently(write)
        if self.keep is not None:
            for old in list(self.folder.epochs.values())[: -self.keep]:
                old.unlink(missing_ok=True)

    def _checkpoint(self, trainer: Trainer) -> None:
        self._wait()
        begun = time.monotonic()
        snapshot, rows = trainer.snapshot(), list(trainer.rows)
        best = snapshot.standing.best

        def write() -> None:
            # The best first: a checkpoint speaks of it.
            if best is not None and best != self._best_saved:
                upto = [row for row in rows if row.updates <= best.updates]
                self.save_style(snapshot.best, upto, self.folder.best)
                self._best_saved = best
            self.folder.write(snapshot)

        def work() -> None:
            try:
                write()
            except BaseException as error:
                self._failure = error

        self._pending = write
        self._writer = threading.Thread(target=work)
        self._writer.start()
        self._written = time.monotonic()
        self.longest_stop = max(self.longest_stop, self._written - begun)

    def _wait(self) -> None:
        """Until the checkpoint is written; if it could not be, try again, here, until there is room."""
        if self._writer is None:
            return
        self._writer.join()
        self._writer = None
        failure, self._failure = self._failure, None
        if failure is not None:
            if not _is_full(failure):
                raise failure
            self._patiently(self._pending)

    def _patiently(self, write: Callable[[], object]) -> None:
        """Write; while the disk is full, wait for room: a run that has taken hours must not end for that."""
        told = False
        while True:
            try:
                write()
            except (FileError, OSError) as error:
                if not _is_full(error):
                    raise
                if not told:
                    self.tell(f"the disk is full: waiting for room in {self.folder.path}; nothing is lost")
                told = True
                time.sleep(PATIENT_SECONDS)
            else:
                if told:
                    self.tell("there is room again: going on")
                return


def _is_full(error: BaseException | None) -> bool:
    """Whether a disk without room is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            return True
        error = error.__cause__
    return False
