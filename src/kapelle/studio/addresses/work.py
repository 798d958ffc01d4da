"""Jobs: composing, going on, writing some of a take anew, harmonising, and reading what is brought in."""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response

from ...errors import FileError
from ..jobs import Job
from ..shapes import Compose, Continue, Harmonize, Regenerate, Vary
from ..state import Studio, listing_of
from ..tasks import PROJECT, RECORDINGS

Asked = Annotated[Compose | Continue | Regenerate | Harmonize | Vary, Body(discriminator="kind")]


def serve(app: FastAPI, studio: Studio) -> None:
    """Answer under /api/jobs and /api/imports."""

    # What FastAPI would check and copy on its way out is ours already: JSONResponse spares that.
    @app.get("/api/jobs", tags=["jobs"])
    async def jobs() -> Response:
        """What is being made, and what was made last."""
        return JSONResponse({"jobs": [vars(job) for job in studio.jobs.list()]})

    @app.get("/api/jobs/{job}", tags=["jobs"])
    async def one(job: str) -> Response:
        """How it goes with a job."""
        return JSONResponse(vars(studio.jobs.get(job)))

    @app.post("/api/jobs", tags=["jobs"], status_code=202)
    async def start(asked: Asked) -> Job:
        """Begin to compose, or to make something of a take. /api/events tells how it goes, and of a piece what is there
        so far; the job names the take that it made."""
        listing = listing_of(asked.style)
        seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
        wishes = asked.model_dump(exclude={"kind", "style", "take"}) | {"seed": seed}
        if isinstance(asked, Compose):
            title = wishes["title"] = asked.title or f"{listing.card.title or listing.name} {seed}"
            work: tuple[Any, ...] = ("compose", str(listing.path), wishes)
            more = {"origin": "composed"}
        else:
            before = studio.takes.get(asked.take)
            origin, more_title = _NAMED[asked.kind]
            title = before.title if before.origin == origin else before.title + more_title
            work = (asked.kind, str(listing.path), before.score | {"title": title}, wishes)
            more = {"origin": origin, "parent": before.id, "title": title}

        async def make(job: Job) -> str:
            made = await studio.work(studio.composers, job, *work)
            return studio.keep(made=made, style=listing.name, wishes=wishes, **more)

        return studio.jobs.start(asked.kind, title, make)

    @app.delete("/api/jobs/{job}", tags=["jobs"])
    async def cancel(job: str) -> Job:
        """Cancel a job."""
        return studio.jobs.cancel(job)

    @app.post("/api/imports", tags=["jobs"], status_code=202)
    async def bring_in(request: Request, name: Annotated[str, Query(max_length=300)]) -> Job:
        """Read a file of music or a recording, sent as the body, as a take; of its name only the last part counts."""
        title, suffix, plain = named(name)
        if suffix not in imports():
            raise FileError(f"{plain[:80]}: expected a file that ends in {', '.join(imports())}")
        data = await request.body()

        async def make(job: Job) -> str:
            made = await studio.work(studio.readers, job, "read", title, suffix, data)
            about = made.pop("about", {})
            return studio.keep("imported", made, **about)

        return studio.jobs.start("import", plain[:120], make)


_NAMED = {
    "continue": ("continued", ", continued"),
    "regenerate": ("changed", ""),
    "harmonize": ("harmonised", " in four voices"),
    "vary": ("varied", ", varied"),
}
"""What is said of a take after such a job: as where it comes from, and in its title."""


def named(name: str) -> tuple[str, str, str]:
    """Of a file's name that came over the wire: a title, the suffix, and the last part.

    >>> named("../../etc/My tune.MID")
    ('My tune', '.mid', 'My tune.MID')
    """
    plain = PurePosixPath(name.replace("\\", "/"))
    return "".join(c for c in plain.stem if c.isprintable())[:120], plain.suffix.lower(), plain.name


@lru_cache
def imports() -> tuple[str, ...]:
    """Endings of the names of files that can be brought in: music first, recordings after it."""
    return (*music(), PROJECT, *RECORDINGS)


@lru_cache
def music() -> tuple[str, ...]:
    """Endings of the names of files of written music."""
    from ...files import formats

    return tuple(sorted({suffix for form in formats().values() for suffix in form.SUFFIXES}))
