"""One training in several processes: each learns from its share of every batch, and all do what the first decides.

Gradients are summed by hand and not by torch's DistributedDataParallel. That one takes means, which are right only
where all shares have equally many paid steps, and it waits for ever where a share is empty; a sum has neither fault.
What it would gain, sending while still computing, is little with networks of some million weights.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from ..errors import KapelleError, RunError

DEVICES = ("cpu", "cuda")
PATIENCE = timedelta(days=1)
"""How long the others wait for a word of the first, which may read music, take a look, or wait for a full disk.
That a process was killed is noticed at once all the same: its connections close."""
SUM_PATIENCE = timedelta(seconds=60)
"""How long gradients are waited for, which all compute at the same time."""

T = TypeVar("T")


class Alone:
    """The only process: it has all rows, and nobody to ask or to tell.

    Args:
        device: where the weights are, "cpu" or "cuda".
    """

    rank, count = 0, 1

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that looks, keeps, and decides."""
        return self.rank == 0

    @property
    def low_precision(self) -> bool:
        """Whether products in bfloat16 are faster here than in 32 bits."""
        if self.device == "cpu":
            # Other processors that know bfloat16, or only pretend to, take longer with it than without.
            return bool(torch.cpu._is_amx_tile_supported())
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))

    def told(self, value: T) -> T:
        """What the first process gives here; each has to call this as often as the others.

        Raises:
            RunError: if a process has ended.
        """
        return value

    def add_up(self, parameters: Sequence[Any], figures: Sequence[float]) -> Sequence[float]:
        """Sum the gradients of these parameters over all processes, in place, and some figures, in 32 bits.

        Raises:
            RunError: if a process has ended.
        """
        return figures

    def leave(self) -> None:
        """Close the connections: whoever still waits for this process learns that it has ended."""


class Together(Alone):
    """One process of several, connected by torch.distributed; only one such object at a time.

    Args:
        rank: its number, from 0.
        count: of all processes.
        device: "cpu" or "cuda".
        place: its number on its machine, and that of its GPU.
        store: where the processes find each other; None if the environment tells, as torchrun sets it.

    Raises:
        RunError: if the others cannot be reached.
    """

    def __init__(self, rank: int, count: int, device: str = "cpu", place: int = 0, store: Any = None) -> None:
        super().__init__(f"cuda:{place}" if device == "cuda" else device)
        self.rank, self.count = rank, count
        where = {"init_method": "env://"} if store is None else {"store": store}
        if device == "cuda":
            torch.cuda.set_device(place)
        with _connected():
            # Words go by gloo in any case, so that whoever waits for one is woken when a process ends.
            dist.init_process_group("gloo", rank=rank, world_size=count, timeout=PATIENCE, **where)
            self._sums = dist.new_group(backend="nccl" if device == "cuda" else "gloo", timeout=SUM_PATIENCE)

    def told(self, value: T) -> T:
        """As in `Alone`; what is told goes through pickle, from one process of ours to another."""
        box = [value if self.is_first else None]
        with _connected():
            dist.broadcast_object_list(box, src=0)
        return value if self.is_first else box[0]  # type: ignore[return-value]

    def add_up(self, parameters: Sequence[Any], figures: Sequence[float]) -> Sequence[float]:
        """As in `Alone`; a parameter without a gradient, as after an empty share, adds nothing."""
        sent = [torch.zeros_like(own) if own.grad is None else own.grad for own in parameters]
        sent.append(torch.tensor(figures, dtype=torch.float32, device=self.device))
        flat = torch.cat([tensor.flatten() for tensor in sent])
        with _connected():
            dist.all_reduce(flat, group=self._sums)
        *sums, figured = flat.split([tensor.numel() for tensor in sent])
        for own, gradient in zip(parameters, sums, strict=True):
            own.grad = gradient.view_as(own)
        return [float(figure) for figure in figured]

    def leave(self) -> None:
        """As in `Alone`."""
        dist.destroy_process_group()


def check_device(device: str, processes: int = 1) -> None:
    """Refuse what this machine has not.

    Args:
        device: as typed.
        processes: that are to train on this machine.

    Raises:
        KapelleError: if there is no such device, or not one for each process.
    """
    if device not in DEVICES:
        raise KapelleError(f"expected --device to be {' or '.join(DEVICES)}, got {device!r}")
    found = torch.cuda.device_count() if device == "cuda" and torch.cuda.is_available() else 0
    if device == "cuda" and found < processes:
        wanted = "a GPU" if processes == 1 else f"{processes} GPUs, one for each process,"
        raise KapelleError(f"expected {wanted} for --device cuda, but torch finds {found or 'none'}; try --device cpu")


@contextmanager
def started(count: int, device: str = "cpu") -> Iterator[Alone]:
    """Processes on this machine, which help with every training until the block ends; this one is the first.

    Args:
        count: of processes, this one among them.
        device: "cpu", or "cuda" for a GPU each.

    Raises:
        RunError: if they cannot be started.
    """
    if count == 1:
        yield Alone(device)
        return
    store = dist.TCPStore("127.0.0.1", 0, count, is_master=True, wait_for_workers=False)
    before = torch.get_num_threads()
    threads = max(1, before // count)
    others = [
        multiprocessing.get_context("spawn").Process(
            target=_help, args=(rank, count, device, store.port, threads), daemon=True
        )
        for rank in range(1, count)
    ]
    parallel: Together | None = None
    try:
        with _deaf():
            # The others inherit that they do not hear Ctrl-C, even before they have begun to listen to us.
            for other in others:
                other.start()
        while not store.check([f"here {rank}" for rank in range(1, count)]):
            if not all(other.is_alive() for other in others):
                raise RunError(f"expected to start {count - 1} more processes, but one ended at once; see above")
            time.sleep(0.02)
        torch.set_num_threads(threads)
        parallel = Together(0, count, device, 0, store)
        yield parallel
        parallel.told(None)
        for other in others:
            other.join()
    finally:
        torch.set_num_threads(before)
        for other in others:
            if other.is_alive():
                other.terminate()
        if parallel is not None:
            parallel.leave()


def _help(rank: int, count: int, device: str, port: int, threads: int) -> None:
    """What a process does that was started."""
    # The trainer needs this module.
    from .trainer import assist

    try:
        with _connected():
            store = dist.TCPStore("127.0.0.1", port, count, is_master=False)
            store.set(f"here {rank}", "")
        torch.set_num_threads(threads)
        assist(Together(rank, count, device, rank, store))
    except RunError as error:
        sys.exit(f"kapelle: {error}")


@contextmanager
def _connected() -> Iterator[None]:
    """What torch says when a process is gone, in our words."""
    try:
        yield
    except RuntimeError as error:
        raise RunError("another process of this training has ended or is out of reach; go on with --resume") from error


@contextmanager
def _deaf() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


__all__ = ["Alone", "Together", "check_device", "started"]
