"""The application: every address of the studio. /api/openapi.json documents them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from .. import __version__
from ..errors import KapelleError
from ..music.instruments import PROGRAM_NAMES
from .addresses import band, page, quiz, radio, takes, training, work
from .guard import MAX_BODY, Guard
from .jobs import NoSuchJob, TooMany
from .shapes import KINDS
from .state import NoSuchStyle, Studio, listing_of
from .takes import NoSuchTake, Takes, TakesError
from .trainings import MOST_FILES, NoSuchTraining

ALL_CAN, GIVEN_CAN, WINDOW_CAN = ("compose", "continue", "end"), ("bars", "harmonize"), ("vary", "morph")
"""What every style can, "end" being to write all tracks anew from a bar on; what those can that write voices to others
that are given, "bars" being to write any bars of any voices anew; and what styles of windows can, "morph" being all of
the band room."""

_STATUS: dict[type[Exception], int] = {
    NoSuchTake: 404,
    NoSuchJob: 404,
    NoSuchStyle: 404,
    NoSuchTraining: 404,
    TooMany: 429,
    TakesError: 507,
}


def application(kept: Takes, data: Path) -> tuple[Guard, Studio]:
    """The ASGI application of a studio that keeps its takes there, and all else in the folder `data`."""
    studio = Studio(kept, data)

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
    page.serve(app)
    _serve_state(app, studio)
    for part in (takes, work, training, quiz, radio, band):
        part.serve(app, studio)
    _answer_errors(app)
    return Guard(app, studio.token), studio


def _serve_state(app: FastAPI, studio: Studio) -> None:
    @app.get("/api/session", tags=["studio"])
    async def session() -> dict[str, Any]:
        """The token for writing, the version, and what this installation can do."""
        return {
            "token": studio.token,
            "version": __version__,
            "max_bytes": MAX_BODY,
            "most_files": MOST_FILES,
            "sheet": find_spec("verovio") is not None and find_spec("typst") is not None,
            "train": find_spec("torch") is not None and find_spec("filelock") is not None,
            "imports": work.imports(),
            "learns_from": work.music(),
            "instruments": PROGRAM_NAMES,
            "forms": [{"suffix": suffix, "name": name, "type": kind} for suffix, (name, kind) in takes.FORMS.items()],
        }

    @app.get("/api/events", tags=["studio"], response_class=EventSourceResponse)
    async def events() -> AsyncIterable[ServerSentEvent]:
        """Server-sent events: {"type": "job", "job": ...}, {"type": "take", "take": ...}, and while a job goes on
        {"type": "progress", "job": its id, ...}, such as the "score" of a piece as far as it is."""
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
        """The styles there are and what each can do, and a line for each file that could not be read."""
        from ..styles import list_styles

        listings, problems = list_styles()
        # Where a file lies is nobody's business but the server's.
        problems = [Path(line.partition(": ")[0]).name + ": " + line.partition(": ")[2] for line in problems]
        lines = [_style_line(listing) for listing in listings]
        titles = Counter(line["title"] for line in lines)
        for line in lines:
            # Styles of the same music are told apart by what one types.
            if titles[line["title"]] > 1:
                line["title"] += f" ({line['name']})"
        return {"styles": lines, "problems": problems}

    @app.get("/api/styles/{name}/sample.wav", tags=["styles"], response_class=Response)
    async def sample(name: str) -> Response:
        """How it sounds: eight bars, the same every time."""
        listing = listing_of(name)
        key = ("sample", listing.name, listing.path.stat().st_mtime_ns)
        return Response(await studio.cached(key, studio.composers, "sample", str(listing.path)), media_type="audio/wav")


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
        place = ".".join(str(part) for part in first["loc"][1:] if part not in KINDS)
        return JSONResponse({"error": f"{place}: {first['msg']}" if place else str(first["msg"])}, 422)

    def of_kapelle(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": f"a fault in Kapelle: {type(error).__name__}: {error}"[:300]}, 500)

    app.add_exception_handler(KapelleError, of_ours)
    app.add_exception_handler(HTTPException, of_the_web)
    app.add_exception_handler(RequestValidationError, of_shape)
    app.add_exception_handler(Exception, of_kapelle)


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
        "temperature": listing.temperature,
        "can": [*ALL_CAN, *(GIVEN_CAN if listing.can_be_given else ()), *(WINDOW_CAN if listing.window else ())],
        "manners": listing.manners,
        "window": _window_line(listing) if listing.window else None,
    }


def _window_line(listing: Any) -> dict[str, Any]:
    window = listing.window
    return {
        "bars": window.bars,
        "meters": window.meters,
        "parts": window.parts,
        "tempo": window.tempo,
        "measures": listing.measures,
    }
