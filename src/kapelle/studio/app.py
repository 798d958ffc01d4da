"""The application: every address of the studio. /api/openapi.json documents them."""

from __future__ import annotations

import asyncio
import mimetypes
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.resources import files as package_files
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from .. import __version__
from ..errors import FileError, KapelleError
from ..music.instruments import PROGRAM_NAMES
from .guard import MAX_BODY, Guard
from .jobs import Bus, Job, Jobs, NoSuchJob, TooMany
from .shapes import Changes, Compose, Continue, NewTake
from .takes import NoSuchTake, Take, Takes, TakesError
from .tasks import RECORDINGS
from .workers import Bounds, Pool

FORMS = {
    "mid": ("MIDI", "audio/midi"),
    "musicxml": ("MusicXML", "application/vnd.recordare.musicxml+xml"),
    "pdf": ("Sheet music", "application/pdf"),
    "wav": ("Sound", "audio/wav"),
    "mp3": ("Sound, small", "audio/mpeg"),
    "png": ("Piano roll", "image/png"),
}
"""What a take can be taken away as: a name for people and the type of the file."""

CACHED_BYTES = 64 * 2**20

_STATUS: dict[type[Exception], int] = {NoSuchTake: 404, NoSuchJob: 404, TooMany: 429, TakesError: 507}


class Studio:
    """What the addresses share."""

    def __init__(self, takes: Takes) -> None:
        self.takes = takes
        self.token = secrets.token_urlsafe(24)
        self.bus = Bus()
        self.jobs = Jobs(self.bus)
        self.composers = Pool(2, Bounds(600))
        self.renderers = Pool(2, Bounds(120))
        # Strangers' files: what they make of a parser stays in a process that is small and soon over.
        self.readers = Pool(1, Bounds(60, 3 * 2**30))
        self.warming: asyncio.Task[None] | None = None
        self._cache: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    def keep(self, origin: str, made: dict[str, Any], **more: Any) -> str:
        """Save what a job has made and tell all pages; the id of the take."""
        title = more.pop("title", "") or made["title"] or "Untitled"
        take = Take(secrets.token_hex(8), title, origin, score=made["score"], summary=made["summary"], **more)
        self.tell_take(self.takes.add(take))
        return take.id

    def tell_take(self, take: Take) -> None:
        """Tell all pages how a take is now."""
        self.bus.tell({"type": "take", "take": _line(take)})

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
        for pool in (self.composers, self.renderers, self.readers):
            pool.close()


def application(takes: Takes) -> tuple[Guard, Studio]:
    """The ASGI application of a studio that keeps its takes there."""
    studio = Studio(takes)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await studio.close()

    app = FastAPI(
        title="Kapelle studio",
        version=__version__,
        description="Writing needs the header x-kapelle-token with the token from /api/session.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    _serve_page(app)
    _serve_state(app, studio)
    _serve_takes(app, studio)
    _serve_work(app, studio)
    _answer_errors(app)
    return Guard(app, studio.token), studio


def _serve_page(app: FastAPI) -> None:
    """The page's files, read once: what is asked for is a word in a table, never a path on the disk."""
    folder = package_files(__package__) / "page"
    contents = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
    # Neither Debian nor Windows always knows these.
    kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}

    def answer(name: str) -> Response:
        if name not in contents:
            raise HTTPException(404, "there is no such page")
        kind = kinds.get(PurePosixPath(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(contents[name], media_type=kind)

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return answer("index.html")

    @app.get("/page/{name}", include_in_schema=False)
    async def page(name: str) -> Response:
        return answer(name)

    @app.get("/page/sounds/bank.sf2", include_in_schema=False)
    async def bank() -> Response:
        from ..rendering.audio import bundled_file

        return Response(bundled_file().read_bytes(), media_type="application/octet-stream")


def _serve_state(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/session", tags=["studio"])
    async def session() -> dict[str, Any]:
        """The token for writing, the version, and what this installation can do."""
        return {
            "token": studio.token,
            "version": __version__,
            "max_bytes": MAX_BODY,
            "sheet": find_spec("verovio") is not None and find_spec("typst") is not None,
            "imports": imports(),
            "instruments": PROGRAM_NAMES,
            "forms": [{"suffix": suffix, "name": name} for suffix, (name, _) in FORMS.items()],
        }

    @app.get("/api/events", tags=["studio"], response_class=EventSourceResponse)
    async def events() -> AsyncIterable[ServerSentEvent]:
        """Server-sent events: {"type": "job", "job": ...} and {"type": "take", "take": ...}."""
        queue = studio.bus.listen()
        # The page is there: its first press on Compose shall find a worker that has the styles loaded.
        if studio.warming is None:
            studio.warming = asyncio.create_task(_warm(studio))
        try:
            yield ServerSentEvent(data={"type": "hello"}, retry=1000)
            while (event := await queue.get()) is not None:
                yield ServerSentEvent(data=event)
        finally:
            studio.bus.leave(queue)

    @app.get("/api/styles", tags=["styles"])
    def styles() -> dict[str, Any]:
        """The styles there are, and a line for each file that could not be read."""
        from ..styles import list_styles

        listings, problems = list_styles()
        # Where a file lies is nobody's business but the server's.
        problems = [Path(line.partition(": ")[0]).name + ": " + line.partition(": ")[2] for line in problems]
        return {"styles": [_style_line(listing) for listing in listings], "problems": problems}

    @app.get("/api/styles/{name}/sample.wav", tags=["styles"], response_class=Response)
    async def sample(name: str) -> Response:
        """How it sounds: eight bars, the same every time."""
        listing = _listing(name)
        key = ("sample", listing.name, listing.path.stat().st_mtime_ns)
        return Response(await studio.cached(key, studio.composers, "sample", str(listing.path)), media_type="audio/wav")


def _serve_takes(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/takes", tags=["takes"])
    def takes() -> Response:
        """All takes, the newest first, without their notes."""
        return JSONResponse({"takes": [_line(take) for take in studio.takes.list()]})

    @app.get("/api/takes/{take}", tags=["takes"])
    def one(take: str) -> Response:
        """A take with its score."""
        return JSONResponse(vars(studio.takes.get(take)))

    @app.post("/api/takes", tags=["takes"], status_code=201)
    async def edited(new: NewTake) -> dict[str, Any]:
        """Keep an edited score as a new take."""
        parent = studio.takes.get(new.parent)
        made = await studio.readers.run("check", new.score)
        more = {"style": parent.style, "parent": parent.id, "wishes": parent.wishes}
        take = studio.keep("edited", made, title=new.title or parent.title, **more)
        return vars(studio.takes.get(take))

    @app.patch("/api/takes/{take}", tags=["takes"])
    async def change(take: str, changes: Changes) -> dict[str, Any]:
        """Another title, a star; thrown away, or taken back."""
        changed = studio.takes.change(take, **changes.model_dump(exclude_none=True))
        studio.tell_take(changed)
        return _line(changed)

    @app.get("/api/takes/{take}/sheet", tags=["takes"])
    async def sheet(take: str) -> Response:
        """Sheet music: pages as SVG, and at which quarters which of their notes begin and end."""
        kept = studio.takes.get(take)
        values = kept.score | {"title": kept.title}
        drawn = await studio.cached((take, "sheet", kept.title), studio.renderers, "sheet", values)
        return Response(drawn, media_type="application/json")

    @app.get("/api/takes/{take}/files/{suffix}", tags=["takes"], response_class=Response)
    async def file(take: str, suffix: str) -> Response:
        """A take as a file: mid, musicxml, pdf, wav, mp3 or png."""
        if suffix not in FORMS:
            raise HTTPException(404, f"a take can be had as {', '.join(FORMS)}, not as {suffix[:20]!r}")
        kept = studio.takes.get(take)
        values = kept.score | {"title": kept.title}
        data = await studio.cached((take, suffix, kept.title), studio.renderers, "render", values, f".{suffix}")
        headers = {"content-disposition": f'attachment; filename="{file_name(kept.title)}.{suffix}"'}
        return Response(data, media_type=FORMS[suffix][1], headers=headers)


def _serve_work(app: FastAPI, studio: Studio) -> None:
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
    async def start(asked: Annotated[Compose | Continue, Body(discriminator="kind")]) -> Job:
        """Begin to compose or to go on. /api/events tells how it goes; the job names the take that it made."""
        listing = _listing(asked.style)
        seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
        wishes = asked.model_dump(exclude={"kind", "style", "take"}) | {"seed": seed}
        if isinstance(asked, Continue):
            beginning = studio.takes.get(asked.take)
            title = f"{beginning.title}, continued"
            work: tuple[Any, ...] = ("go_on", str(listing.path), beginning.score, title, wishes)
            more = {"origin": "continued", "parent": beginning.id, "title": title}
        else:
            title = wishes["title"] = asked.title or f"{listing.card.title or listing.name} {seed}"
            work, more = ("compose", str(listing.path), wishes), {"origin": "composed"}

        async def make(job: Job) -> str:
            made = await studio.composers.run(*work, tell=_noting(studio, job), started=_beginning(studio, job))
            return studio.keep(made=made, style=listing.name, wishes=wishes, **more)

        return studio.jobs.start(asked.kind, title, make)

    @app.delete("/api/jobs/{job}", tags=["jobs"])
    async def cancel(job: str) -> Job:
        """Cancel a job."""
        return studio.jobs.cancel(job)

    @app.post("/api/imports", tags=["jobs"], status_code=202)
    async def bring_in(request: Request, name: Annotated[str, Query(max_length=300)]) -> Job:
        """Read a file of music or a recording, sent as the body, as a take; of its name only the last part counts."""
        plain = PurePosixPath(name.replace("\\", "/"))
        suffix, title = plain.suffix.lower(), "".join(c for c in plain.stem if c.isprintable())[:120]
        if suffix not in imports():
            raise FileError(f"{plain.name[:80]}: expected a file that ends in {', '.join(imports())}")
        data = await request.body()

        async def make(job: Job) -> str:
            made = await studio.readers.run(
                "read", title, suffix, data, tell=_noting(studio, job), started=_beginning(studio, job)
            )
            return studio.keep("imported", made)

        return studio.jobs.start("import", plain.name[:120], make)


def _answer_errors(app: FastAPI) -> None:
    """Every error is one line of JSON: {"error": "..."}."""

    def of_ours(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, _STATUS.get(type(error), 422))

    def of_the_web(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"error": str(error.detail)}, error.status_code)

    def of_shape(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:] if part not in ("compose", "continue"))
        return JSONResponse({"error": f"{place}: {first['msg']}" if place else str(first["msg"])}, 422)

    def of_kapelle(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": f"a fault in Kapelle: {type(error).__name__}: {error}"[:300]}, 500)

    app.add_exception_handler(KapelleError, of_ours)
    app.add_exception_handler(HTTPException, of_the_web)
    app.add_exception_handler(RequestValidationError, of_shape)
    app.add_exception_handler(Exception, of_kapelle)


@lru_cache
def imports() -> tuple[str, ...]:
    """Endings of the names of files that can be brought in: music first, recordings after it."""
    from ..files import formats

    return (*sorted({suffix for form in formats().values() for suffix in form.SUFFIXES}), *RECORDINGS)


def file_name(title: str) -> str:
    """A title as a name that any system takes.

    >>> file_name("Bach/../chorales 7: A·B")
    'Bach chorales 7 A B'
    """
    words = "".join(c if c.isascii() and (c.isalnum() or c in " -_") else " " for c in title).split()
    return " ".join(words)[:80] or "kapelle"


def _listing(name: str) -> Any:
    """A style by its name: never by a path, which would come from the request."""
    from ..styles import list_styles

    found = {listing.name: listing for listing in list_styles()[0]}
    if name not in found:
        raise HTTPException(404, f"there is no style {name[:80]!r}; there are {', '.join(found)}")
    return found[name]


async def _warm(studio: Studio) -> None:
    from ..styles import list_styles

    paths = [str(listing.path) for listing in list_styles()[0]][:4]
    await studio.composers.run("warm", paths)
    await studio.renderers.run("warm", [])


def _style_line(listing: Any) -> dict[str, Any]:
    card = listing.card
    return {
        "name": listing.name,
        "title": card.title or listing.name,
        "pieces": card.pieces,
        "notes": card.notes,
        "licence": card.licence,
        "attribution": card.attribution,
        "remarks": card.remarks,
        "parameters": card.parameters,
        "own": listing.own,
        "can": ["compose", "continue"],
    }


def _line(take: Take) -> dict[str, Any]:
    return {name: value for name, value in vars(take).items() if name != "score"}


def _noting(studio: Studio, job: Job) -> Callable[[str], None]:
    return lambda line: studio.jobs.note(job, line)


def _beginning(studio: Studio, job: Job) -> Callable[[str], None]:
    return lambda task: studio.jobs.begun(job)
