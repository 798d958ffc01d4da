"""The page's files."""

from __future__ import annotations

import mimetypes
from importlib.resources import files as package_files
from pathlib import PurePosixPath

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException


def serve(app: FastAPI) -> None:
    """Serve them, read once: what is asked for is a word in a table, never a path on the disk."""
    folder = package_files("kapelle.studio") / "page"
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
        from ...rendering.audio import bundled_file

        return Response(bundled_file().read_bytes(), media_type="application/octet-stream")
