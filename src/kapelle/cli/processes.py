"""Processes that train together: as `--processes` says, or as torchrun started them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import KapelleError, MissingExtra

DEVICE = "cpu"


@dataclass(frozen=True)
class Launched:
    """Which of the processes this one is that torchrun started.

    Attributes:
        rank: its number, from 0.
        count: of all.
        place: its number on its machine.
    """

    rank: int
    count: int
    place: int

    @classmethod
    def here(cls) -> Launched | None:
        """What torchrun told this process; None if something else started it."""
        told = [os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
        if not all(value.isdecimal() for value in told):
            return None
        launched = cls(*map(int, told))
        return launched if launched.count > 1 else None


def only_helps(processes: int | None, device: str | None) -> bool:
    """Do what a process does that is not the first, to the end; or refuse what this machine has not.

    Args:
        processes: as typed.
        device: as typed.

    Returns:
        Whether that was all there is to do.

    Raises:
        KapelleError: if there is no such device, or two ways to start processes were taken at once.
        RunError: if another process has ended.
        MissingExtra: if torch is not installed.
    """
    launched = Launched.here()
    if launched is not None and processes is not None:
        raise KapelleError("expected processes from --processes or from torchrun, got both; leave --processes out")
    if launched is None and device in (None, DEVICE):
        return False
    try:
        from ..training.parallel import Together, check_device
    except ModuleNotFoundError as error:
        raise MissingExtra("training", "train") from error
    if launched is None:
        check_device(device or DEVICE, processes or 1)
        return False
    check_device(device or DEVICE, launched.place + 1)
    if launched.rank == 0:
        return False
    from ..training.trainer import assist

    assist(Together(launched.rank, launched.count, device or DEVICE, launched.place))
    return True


@contextmanager
def together(processes: int | None, device: str | None) -> Iterator[Any]:
    """The processes that train, of which this is the first; see `kapelle.training.parallel`.

    Raises:
        RunError: if they cannot be started or reached.
    """
    from ..training.parallel import Together, started

    launched = Launched.here()
    if launched is None:
        with started(processes or 1, device or DEVICE) as parallel:
            yield parallel
        return
    parallel = Together(launched.rank, launched.count, device or DEVICE, launched.place)
    try:
        yield parallel
        parallel.told(None)
    finally:
        parallel.leave()
