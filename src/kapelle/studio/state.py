"""What the addresses of the studio share."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from pathlib import Path
from typing import Any

from ..errors import KapelleError
from .jobs import Bus, Job, Jobs
from .takes import Take, Takes
from .trainings import Trainings
from .workers import Bounds, Pool

CACHED_BYTES = 64 * 2**20


class Studio:
    """Takes, jobs, the processes that work, and the pages that listen.

    Args:
        takes: the file of takes, open.
        data: the folder in which it lies.
    """

    def __init__(self, takes: Takes, data: Path) -> None:
        self.takes, self.data = takes, data
        self.token = secrets.token_urlsafe(24)
        self.bus = Bus()
        self.jobs = Jobs(self.bus)
        self.composers = Pool(2, Bounds(600))
        self.renderers = Pool(2, Bounds(120))
        # Strangers' files: what they make of a parser stays in a process that is small and soon over.
        self.readers = Pool(1, Bounds(60, 3 * 2**30))
        self.learners = Pool(1, Bounds(7 * 86_400))
        self.examiners = Pool(1, Bounds(300))
        self.trainings = Trainings(data / "trainings")
        self.warming: asyncio.Task[None] | None = None
        self._cache: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    @property
    def pools(self) -> tuple[Pool, ...]:
        """All processes."""
        return self.composers, self.renderers, self.readers, self.learners, self.examiners

    def keep(self, origin: str, made: dict[str, Any], **more: Any) -> str:
        """Save what a job has made and tell all pages; the id of the take."""
        title = more.pop("title", "") or made["title"] or "Untitled"
        take = Take(secrets.token_hex(8), title, origin, score=made["score"], summary=made["summary"], **more)
        self.tell_take(self.takes.add(take))
        return take.id

    def tell_take(self, take: Take) -> None:
        """Tell all pages how a take is now."""
        self.bus.tell({"type": "take", "take": line(take)})

    async def work(self, pool: Pool, job: Job, task: str, *arguments: Any) -> Any:
        """The result of a task that a job needs; pages are told when its turn has come, and what it tells."""
        return await pool.run(
            task,
            *arguments,
            tell=lambda told: self.jobs.hear(job, told),
            started=lambda task: self.jobs.begun(job),
        )

    async def cached(self, key: tuple[Any, ...], pool: Pool, task: str, *arguments: Any) -> Any:
        """The bytes that a task makes, from the last ones that were made if they are among them."""
        if key not in self._cache:
            self._cache[key] = await pool.run(task, *arguments)
        self._cache.move_to_end(key)
        data = self._cache[key]
        while sum(map(len, self._cache.values())) > CACHED_BYTES and len(self._cache) > 1:
            self._cache.popitem(last=False)
        return data

    def close_pages(self) -> None:
        """Let go the pages that listen: a server that stops would wait for them."""
        self.bus.close()

    async def close(self) -> None:
        """End all work."""
        if self.warming is not None:
            self.warming.cancel()
            await asyncio.gather(self.warming, return_exceptions=True)
        await self.jobs.close()
        self.close_pages()
        for pool in self.pools:
            pool.close()


def line(take: Take) -> dict[str, Any]:
    """A take as it stands in lists, without its notes."""
    return {name: value for name, value in vars(take).items() if name != "score"}


def listing_of(name: str) -> Any:
    """A style by its name: never by a path, which would come from the request.

    Raises:
        NoSuchStyle: if there is none.
    """
    from ..styles import list_styles

    found = {listing.name: listing for listing in list_styles()[0]}
    if name not in found:
        raise NoSuchStyle(f"there is no style {name[:80]!r}; there are {', '.join(found)}")
    return found[name]


class NoSuchStyle(KapelleError):
    """A style that is not there."""
