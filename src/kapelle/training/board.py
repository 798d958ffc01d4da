"""The curves of a run as TensorBoard reads them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import MissingExtra
from .log import Row
from .run import RunFolder

CURVES = {
    "loss/learnt": "train",
    "loss/held_out": "valid",
    "accuracy/learnt": "train_accuracy",
    "accuracy/held_out": "valid_accuracy",
    "learning_rate": "rate",
    "gradient_norm": "gradient",
    "notes_per_second": "notes_per_second",
}
"""Names of curves, and the figure of a row that each of them shows. Loss is in nats per note."""

Tell = Callable[[str], None]


class Board:
    """Keeps event files in the folder of a run, one point of each curve for each row of its log.

    A run that goes on begins them anew from its log, so that no point is lost or doubled, whatever was written before
    the process was killed. Used as a context, it closes the files at the end.

    Args:
        run: the run's folder; it need not be begun yet.
        tell: called with a line if the files cannot be written; the run goes on without them.

    Raises:
        MissingExtra: if TensorBoard is not installed.
    """

    def __init__(self, run: Path, tell: Tell = lambda line: None) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            if error.name != "tensorboard":
                raise
            raise MissingExtra("TensorBoard", "watch") from None
        self._make, self._run, self._tell = SummaryWriter, run, tell
        self._writer: Any = None
        self._last: Row | None = None
        self._broken = False

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._safely(self._writer.close)

    def show(self, row: Row | None) -> None:
        """Draw the last row of the log, unless it is drawn already; called as often as one likes."""
        if row is None or row is self._last or self._broken:
            return
        self._last = row
        self._safely(lambda: self._draw(row) if self._writer is not None else self._begin())

    def _begin(self) -> None:
        """Begin with all that the log has; its last row is the one that is to be drawn."""
        folder = self._run / "tensorboard"
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        rows = RunFolder(self._run).rows
        self._zero = time.time() - rows[-1].seconds
        # Who watches meanwhile forgets what the old files said.
        self._writer = self._make(str(folder), purge_step=0, flush_secs=10)
        for row in rows:
            self._draw(row)

    def _draw(self, row: Row) -> None:
        for curve, name in CURVES.items():
            value = getattr(row, name)
            if math.isfinite(value):
                self._writer.add_scalar(curve, value, row.updates, walltime=self._zero + row.seconds)

    def _safely(self, work: Callable[[], object]) -> None:
        """A run must not end because nobody can watch it."""
        try:
            work()
        except OSError as error:
            self._broken, self._writer = True, None
            reason = error.strerror or str(error)
            self._tell(f"the curves for TensorBoard cannot be written ({reason.lower()}): going on without them")


__all__ = ["Board"]
