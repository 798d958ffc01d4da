"""Takes: listed, opened, edited, thrown away, and taken away as files."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ..shapes import Changes, NewTake
from ..state import Studio, line

FORMS = {
    "mid": ("MIDI", "audio/midi"),
    "musicxml": ("MusicXML", "application/vnd.recordare.musicxml+xml"),
    "pdf": ("Sheet music", "application/pdf"),
    "wav": ("Sound", "audio/wav"),
    "mp3": ("Sound, small", "audio/mpeg"),
    "stems.zip": ("Each track as sound and as MIDI", "application/zip"),
    "png": ("Piano roll", "image/png"),
    "kapelle": ("Project, to be opened here again", "application/vnd.kapelle+json"),
}
"""What a take can be taken away as: a name for people and the type of the file."""


def serve(app: FastAPI, studio: Studio) -> None:
    """Answer under /api/takes."""

    @app.get("/api/takes", tags=["takes"])
    def takes() -> Response:
        """All takes, the newest first, without their notes."""
        return JSONResponse({"takes": [line(take) for take in studio.takes.list()]})

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
        return line(changed)

    @app.get("/api/takes/{take}/sheet", tags=["takes"])
    async def sheet(take: str) -> Response:
        """Sheet music: pages as SVG, and at which quarters which of their notes begin and end."""
        kept = studio.takes.get(take)
        values = kept.score | {"title": kept.title}
        drawn = await studio.cached((take, "sheet", kept.title), studio.renderers, "sheet", values)
        return Response(drawn, media_type="application/json")

    @app.get("/api/takes/{take}/files/{suffix}", tags=["takes"], response_class=Response)
    async def file(take: str, suffix: str) -> Response:
        """A take as a file: mid, musicxml, pdf, wav, mp3, stems.zip, png or kapelle."""
        if suffix not in FORMS:
            raise HTTPException(404, f"a take can be had as {', '.join(FORMS)}, not as {suffix[:20]!r}")
        kept = studio.takes.get(take)
        values = kept.score | {"title": kept.title}
        if suffix == "kapelle":
            about = {"style": kept.style, "wishes": kept.wishes}
            data = await studio.renderers.run("pack", values, about)
        else:
            data = await studio.cached((take, suffix, kept.title), studio.renderers, "render", values, f".{suffix}")
        headers = {"content-disposition": f'attachment; filename="{file_name(kept.title)}.{suffix}"'}
        return Response(data, media_type=FORMS[suffix][1], headers=headers)


def file_name(title: str) -> str:
    """A title as a name that any system takes.

    >>> file_name("Bach/../chorales 7: A·B")
    'Bach chorales 7 A B'
    """
    words = "".join(c if c.isascii() and (c.isalnum() or c in " -_") else " " for c in title).split()
    return " ".join(words)[:80] or "kapelle"
