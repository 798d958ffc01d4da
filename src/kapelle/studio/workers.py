"""Processes that do the work, so that none of it can hold up, fill or end the server.

A worker is spawned, not forked: a fork would copy threads and locks. It does one task after the other. To cancel one
is to end its process and all that it has started, which takes no longer than a signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from ..errors import KapelleError, MissingExtra

Tell = Callable[[Any], None]

_CONTEXT = multiprocessing.get_context("spawn")


class WorkError(KapelleError):
    """A task that did not come to its end; the line says why."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a task may take.

    Attributes:
        seconds: by the clock.
        memory_bytes: of address space, where the system can bound it; 0 for no bound.
    """

    seconds: float
    memory_bytes: int = 0


class Worker:
    """One process."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._ended = False
        self._process: SpawnProcess | None = None
        self._here, self._there = _CONTEXT.Pipe()

    def do(self, task: str, arguments: tuple[Any, ...], tell: Tell) -> Any:
        """The result of a task; blocks. The first one starts the process.

        Raises:
            KapelleError: as the task did.
            WorkError: if the process ended, or the task had a fault.
        """
        try:
            self._start()
            self._here.send((task, arguments))
            while True:
                kind, value = self._here.recv()
                if kind == "tell":
                    tell(value)
                elif kind == "done":
                    return value
                else:
                    raise value
        # Another thread may have shut the pipe in the middle of a read, of which it then says a TypeError.
        except (EOFError, OSError, TypeError):
            self.end()
            if self._process is not None:
                self._process.join()
            code = self._process.exitcode if self._process is not None else None
            how = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
            raise WorkError(f"the process that did it ended ({how}); try again, or with a smaller piece") from None

    def _start(self) -> None:
        with self._lock:
            if self._ended or self._process is not None:
                return
            arguments = (self._there, self._bounds.memory_bytes)
            self._process = _CONTEXT.Process(target=_work, args=arguments)
            self._process.start()
            self._there.close()

    @property
    def lives(self) -> bool:
        """Whether another task can be given to it."""
        return not self._ended and self._process is not None and self._process.is_alive()

    def end(self) -> None:
        """End the process, and whatever it has started, at once."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            if self._process is not None:
                pid = self._process.pid or 0
                with contextlib.suppress(OSError):
                    if hasattr(os, "killpg") and os.getpgid(pid) == pid:
                        os.killpg(pid, signal.SIGKILL)
                self._process.kill()
                self._process.join(2)
            self._here.close()


class Pool:
    """So many workers of a kind, started when they are needed.

    Attributes:
        busy: those that are at work.
    """

    def __init__(self, size: int, bounds: Bounds) -> None:
        self._bounds = bounds
        self._idle: list[Worker] = []
        self.busy: set[Worker] = set()
        self._places = asyncio.Semaphore(size)
        # A cancelled task leaves its thread a moment later than its place.
        self._threads = ThreadPoolExecutor(2 * size, "studio-worker")
        self._closed = False

    async def run(
        self, task: str, *arguments: Any, tell: Tell | None = None, started: Callable[[str], None] | None = None
    ) -> Any:
        """The result of a task; cancelling the coroutine ends the process that works on it.

        Args:
            task: name of one of `kapelle.studio.tasks`.
            tell: called in this thread with all that is told on the way.
            started: called with the task's name when its turn has come.

        Raises:
            KapelleError: as the task did.
            WorkError: if it took too long, its process ended, or it had a fault.
        """
        loop = asyncio.get_running_loop()

        def pass_on(told: Any) -> None:
            if tell is not None:
                loop.call_soon_threadsafe(tell, told)

        async with self._places:
            if started is not None:
                started(task)
            worker = self._worker()
            self.busy.add(worker)
            try:
                work = loop.run_in_executor(self._threads, worker.do, task, arguments, pass_on)
                result = await asyncio.wait_for(work, self._bounds.seconds)
            except TimeoutError:
                worker.end()
                seconds = f"{self._bounds.seconds:.0f} seconds"
                raise WorkError(f"it took more than {seconds} and was stopped; try a smaller piece") from None
            except asyncio.CancelledError:
                worker.end()
                raise
            finally:
                self.busy.discard(worker)
                if worker.lives and not self._closed:
                    self._idle.append(worker)
            return result

    def _worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.lives:
                return worker
            worker.end()
        return Worker(self._bounds)

    def close(self) -> None:
        """End all workers."""
        self._closed = True
        for worker in [*self._idle, *self.busy]:
            worker.end()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _work(connection: Connection, memory_bytes: int) -> None:
    """What the process does: one task after the other, until nobody asks any more."""
    # In a group of its own it is not hit by the Ctrl-C that stops the server, and can be ended with its children.
    if hasattr(os, "setsid"):
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from .tasks import TASKS

    _bound_memory(memory_bytes)

    def tell(told: Any) -> None:
        connection.send(("tell", told))

    while True:
        try:
            task, arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = "done", TASKS[task](tell, *arguments)
        except MissingExtra as error:
            answer = "error", KapelleError(str(error))
        except KapelleError as error:
            answer = "error", error
        except MemoryError:
            answer = "error", WorkError("it needs more memory than the studio gives; try a smaller piece")
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            line = " ".join(str(error).split())[:200]
            answer = "error", WorkError(f"a fault in Kapelle: {type(error).__name__}: {line}")
        try:
            connection.send(answer)
        except (BrokenPipeError, OSError):
            return


def _end_with_parent() -> None:
    """Nobody waits for the work of a server that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _bound_memory(memory_bytes: int) -> None:
    if not memory_bytes:
        return
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, resource.getrlimit(resource.RLIMIT_AS)[1]))
