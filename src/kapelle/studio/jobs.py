"""Jobs: what is being made, and what every open page is told of it."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import KapelleError

MOST_WAITING = 100
"""More would not be a user's wish but a mistake."""

MOST_KEPT = 100
"""Jobs that are over and still told about."""

_ROOM = 1000
"""Events that a page may lag behind; one that does not fetch them is let go, and asks for everything anew."""

Event = dict[str, Any]


class TooMany(KapelleError):
    """More at once than the studio takes."""


class NoSuchJob(KapelleError):
    """A job that is not there."""


@dataclass(eq=False)
class Job:
    """One piece of work.

    Attributes:
        id: sixteen hexadecimal digits.
        kind: "compose", "continue", "regenerate", "harmonize", "vary", "import" or "train".
        title: what is being made, for people.
        state: "waiting", "running", "done", "failed" or "cancelled".
        notes: lines that were told on the way.
        error: why it failed, in one line.
        take: id of what it made.
        created: seconds since 1970.
    """

    kind: str
    title: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: str = "waiting"
    notes: list[str] = field(default_factory=list)
    error: str = ""
    take: str = ""
    created: float = field(default_factory=time.time)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed", "cancelled")


class Bus:
    """Tells every page that listens."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Event | None]] = set()

    def listen(self) -> asyncio.Queue[Event | None]:
        """A queue of all that is told from now on; None means that there is no more."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_ROOM)
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[Event | None]) -> None:
        """Tell this one no more."""
        self._listeners.discard(queue)

    def tell(self, event: Event) -> None:
        """Tell all."""
        for queue in list(self._listeners):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._let_go(queue)

    def close(self) -> None:
        """Let all go."""
        for queue in list(self._listeners):
            self._let_go(queue)

    def _let_go(self, queue: asyncio.Queue[Event | None]) -> None:
        self.leave(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


class Jobs:
    """All jobs of a server that runs."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, kind: str, title: str, make: Callable[[Job], Awaitable[str]]) -> Job:
        """Begin a job.

        Args:
            make: does it and gives the id of the take; raises KapelleError if it cannot.

        Raises:
            TooMany: if a hundred jobs wait already.
        """
        if sum(job.state == "waiting" for job in self._jobs.values()) >= MOST_WAITING:
            raise TooMany(f"{MOST_WAITING} jobs wait already; let some end, or cancel some")
        job = Job(kind, title)
        self._jobs[job.id] = job
        task = self._tasks[job.id] = asyncio.create_task(self._run(job, make))
        task.add_done_callback(lambda done: self._over(job, done))
        self._forget_old()
        self._told(job)
        return job

    async def _run(self, job: Job, make: Callable[[Job], Awaitable[str]]) -> None:
        try:
            job.take = await make(job)
            job.state = "done"
        except KapelleError as error:
            job.state, job.error = "failed", str(error)
        except Exception as error:
            job.state, job.error = "failed", f"a fault in Kapelle: {type(error).__name__}: {error}"
            traceback.print_exc()

    def _over(self, job: Job, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never runs, so this stands outside of it.
        if task.cancelled():
            job.state = "cancelled"
        self._tasks.pop(job.id, None)
        self._told(job)

    def begun(self, job: Job) -> None:
        """Its turn has come."""
        job.state = "running"
        self._told(job)

    def hear(self, job: Job, told: str | dict[str, Any]) -> None:
        """What is told on the way: a line that stays with the job, or what the pages that are there now may show."""
        if isinstance(told, str):
            job.notes.append(told)
            self._told(job)
        else:
            self._bus.tell({"type": "progress", "job": job.id, **told})

    def cancel(self, job: str) -> Job:
        """End a job; one that is over stays as it is.

        Raises:
            NoSuchJob: if there is none of that id.
        """
        found = self.get(job)
        if job in self._tasks:
            self._tasks[job].cancel()
        return found

    def get(self, job: str) -> Job:
        """A job by its id.

        Raises:
            NoSuchJob: if there is none.
        """
        if job not in self._jobs:
            raise NoSuchJob(f"there is no job {job[:40]!r}; the studio may have been started anew")
        return self._jobs[job]

    def list(self) -> list[Job]:
        """All that are under way and the last that are over, the newest first."""
        return list(reversed(self._jobs.values()))

    async def close(self) -> None:
        """Cancel all."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _told(self, job: Job) -> None:
        self._bus.tell({"type": "job", "job": vars(job) | {"notes": list(job.notes)}})

    def _forget_old(self) -> None:
        over = [job.id for job in self._jobs.values() if job.is_over]
        for old in itertools.islice(over, max(0, len(over) - MOST_KEPT)):
            del self._jobs[old]
