"""The folder of a run: all that is needed to watch it, to go on with it, and to go back in it.

    manifest.json        what the run is: music by hash, split, configuration, seed, versions
    log.jsonl            one row after another: figures of training and held-out pieces
    base.safetensors     the style that the run began with, if it did not begin from nothing
    state.safetensors    all that going on needs
    best.safetensors     the style as it was at the best look so far
    epochs/0025.safetensors    the style as it was after so many epochs

Everything but the log is written atomically, and of the log only whole lines count. So a run can be killed at any
moment and loses at most the time since its last checkpoint.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..files.disk import write_atomically
from .log import Row, from_lines, to_line
from .standing import Snapshot, Standing

VERSION = 2


class RunFolder:
    """A run on the disk.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: Any = None

    # -- what is there ----------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether a run has been begun here."""
        return self._manifest.exists()

    @property
    def has_state(self) -> bool:
        """Whether there is something to go on from."""
        return self._state.exists()

    @property
    def _manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def _state(self) -> Path:
        return self.path / "state.safetensors"

    @property
    def best(self) -> Path:
        """Where the style of the best look so far lies."""
        return self.path / "best.safetensors"

    @property
    def base(self) -> Path:
        """Where the style lies that the run began with, if there is one."""
        return self.path / "base.safetensors"

    @property
    def _log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run is.

        Raises:
            RunError: if there is none, or it is damaged or of a newer version.
        """
        try:
            values = json.loads(self._manifest.read_text(encoding="utf-8"))
            version = values["version"]
        except FileNotFoundError:
            raise RunError(f"{self.path}: there is no run; begin one with kapelle train") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.path}: the run's manifest is damaged ({error}); begin anew with --force") from None
        if version != VERSION:
            raise RunError(f"{self.path}: the run has version {version}, this Kapelle knows {VERSION}; update Kapelle")
        return dict(values)

    @property
    def rows(self) -> list[Row]:
        """The log.

        Raises:
            RunError: if it is damaged.
        """
        try:
            with open(self._log, encoding="utf-8") as file:
                return from_lines(file)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise RunError(f"{self._log}: the log is damaged ({error}); begin anew with --force") from None

    @property
    def epochs(self) -> dict[int, Path]:
        """The saved styles by their epochs, ascending."""
        found = {int(path.stem): path for path in self.path.glob("epochs/*.safetensors") if path.stem.isdecimal()}
        return dict(sorted(found.items()))

    def snapshot(self) -> Snapshot:
        """The last checkpoint; the best weights lie in `best`.

        Raises:
            RunError: if there is none or it is damaged.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._state, "np") as file:
                values = json.loads((file.metadata() or {})["standing"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Snapshot(tensors, Standing.from_json(values))
        except FileNotFoundError:
            raise RunError(f"{self.path}: there is no checkpoint yet") from None
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{self._state}: the checkpoint is damaged ({error}); take a saved epoch with kapelle pick, "
                "or begin anew with --force"
            ) from None

    @property
    def ended(self) -> str:
        """Why the run is over; nothing if it can be gone on with."""
        return self.snapshot().standing.ended if self.has_state else ""

    # -- writing ----------------------------------------------------------------------------------

    def begin(
        self, manifest: dict[str, Any], force: bool = False, save_base: Callable[[Path], object] | None = None
    ) -> None:
        """Begin a run here.

        Args:
            manifest: what it is; its version is added.
            force: whether a run that is here is thrown away.
            save_base: writes the style that it begins with; None if it begins from nothing.

        Raises:
            RunError: if there is one, or another program works in it.
        """
        if self.exists and not force:
            raise RunError(f"{self.path}: holds a run already; go on with --resume, or begin anew with --force")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{self.path}: cannot be made ({error.strerror})") from None
        self.lock()
        if self.exists:
            self._clear()
        if save_base is not None:
            save_base(self.base)
        text = json.dumps({"version": VERSION, **manifest}, indent=1, ensure_ascii=False)
        write_atomically(self._manifest, text.encode(), force=True)

    def _clear(self) -> None:
        # The manifest goes first: without it the rest is no run, should we be stopped in the middle.
        self._manifest.unlink()
        for path in (self._state, self._log, self.best, self.base):
            path.unlink(missing_ok=True)
        for name in ("epochs", "curves", "samples", "tensorboard"):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def put_aside(self) -> None:
        """Give the folder a number, so that another run can take its place.

        Raises:
            RunError: if another program is at work here, or the disk refuses.
        """
        self.lock()
        self.release()
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        try:
            self.path.rename(aside)
        except OSError as error:
            raise RunError(f"{self.path}: cannot be put aside ({error.strerror})") from None

    def lock(self) -> None:
        """Keep other programs out until this one ends or `release` is called.

        Raises:
            RunError: if another one is at work here.
        """
        from filelock import FileLock, Timeout

        if self._lock is not None:
            return
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(f"{self.path}: another program trains here; wait for it, or take another --name") from None
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written ({error.strerror})") from None
        self._lock = lock

    def release(self) -> None:
        """Let other programs in."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def add(self, row: Row) -> None:
        """Append a row to the log."""
        size = self._log.stat().st_size if self._log.exists() else 0
        try:
            with open(self._log, "a", encoding="utf-8") as file:
                file.write(to_line(row))
        except OSError:
            # Half a line would spoil the one that comes after it.
            os.truncate(self._log, size)
            raise

    def cut_log(self, updates: int) -> list[Row]:
        """Take out of the log what came after so many updates, and return what is left."""
        kept = [row for row in self.rows if row.updates <= updates]
        write_atomically(self._log, "".join(map(to_line, kept)).encode(), force=True)
        return kept

    def write(self, snapshot: Snapshot) -> int:
        """Write a checkpoint in place of the last one, and return its bytes."""
        from safetensors.numpy import save

        data = save(snapshot.tensors, {"standing": json.dumps(snapshot.standing.to_json())})
        write_atomically(self._state, data, force=True)
        return len(data)

    def epoch_path(self, epoch: int) -> Path:
        """Where the style of an epoch lies."""
        return self.path / "epochs" / f"{epoch:04d}.safetensors"

    def free_bytes(self) -> int:
        """Room on the disk of this folder, or of the nearest one above that exists."""
        place = self.path
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free
