"""Endless music: a few bars at a time, each going on from the last."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from ..shapes import Heard, Radio
from ..state import Studio, listing_of


def serve(app: FastAPI, studio: Studio) -> None:
    """Answer under /api/radio."""

    @app.post("/api/radio/next", tags=["radio"])
    async def following(asked: Radio) -> Response:
        """The score of what is to be played next; nothing is kept of it."""
        wishes = asked.model_dump(include={"bars", "temperature", "mix"}) | {"seed": secrets.randbelow(2**31)}
        path = str(listing_of(asked.style).path)
        return JSONResponse(await studio.composers.run("radio", path, asked.before, wishes))

    @app.post("/api/radio/takes", tags=["radio"], status_code=201)
    async def keep(heard: Heard) -> dict[str, Any]:
        """Keep what was played, one after the other, as a take."""
        made = await studio.readers.run("join", heard.parts, heard.title)
        take = studio.keep("radio", made, style=listing_of(heard.style).name, title=heard.title)
        if heard.starred:
            studio.tell_take(studio.takes.change(take, starred=True))
        return {"id": take}
