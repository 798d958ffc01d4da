"""The band room: windows of a few bars, drawn, gone between, varied and steered; what is good is kept as a take."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from ..shapes import BandDraw, BandGrid, BandKeep, BandMorph, BandSteer, BandVary, BandWindows
from ..state import Studio, listing_of


def serve(app: FastAPI, studio: Studio) -> None:
    """Answer under /api/band. All but keeping keeps nothing."""

    async def answer(name: str, task: str, style: str, *arguments: Any) -> Response:
        found = await studio.composers.run(task, str(listing_of(style).path), *arguments)
        return JSONResponse({name: found})

    @app.post("/api/band/draw", tags=["band"])
    async def draw(asked: BandDraw) -> Response:
        """New windows of a style: {"windows": [score, ...]}."""
        wishes = (asked.meter, asked.key, asked.count, asked.seed)
        return await answer("windows", "band_draw", asked.style, *wishes)

    @app.post("/api/band/windows", tags=["band"])
    async def windows(asked: BandWindows) -> Response:
        """The windows that a style finds in a take: {"windows": [{"bar": ..., "score": ...}, ...]}."""
        score = studio.takes.get(asked.take).score
        return await answer("windows", "band_windows", asked.style, asked.meter, score)

    @app.post("/api/band/grid", tags=["band"])
    async def grid(asked: BandGrid) -> Response:
        """A square between four windows: {"rows": [[score, ...], ...]}."""
        return await answer("rows", "band_grid", asked.style, asked.corners, asked.size)

    @app.post("/api/band/morph", tags=["band"])
    async def morph(asked: BandMorph) -> Response:
        """A way from one window to another: {"windows": [score, ...]}."""
        return await answer("windows", "band_morph", asked.style, asked.ends, asked.steps)

    @app.post("/api/band/vary", tags=["band"])
    async def vary(asked: BandVary) -> Response:
        """Windows that are like one: {"windows": [score, ...]}."""
        return await answer("windows", "band_vary", asked.style, asked.window, asked.similarity, asked.count)

    @app.post("/api/band/steer", tags=["band"])
    async def steer(asked: BandSteer) -> Response:
        """A window with more or less of what can be measured: {"steered": {"score", "before", "after"}}."""
        return await answer("steered", "band_steer", asked.style, asked.window, asked.wanted)

    @app.post("/api/band/takes", tags=["band"], status_code=201)
    async def keep(asked: BandKeep) -> dict[str, Any]:
        """Keep what was played as a take: the windows of each layer in a row, all layers at the same time."""
        layers = [(str(listing_of(layer.style).path), layer.windows) for layer in asked.layers]
        made = await studio.composers.run("band_keep", layers, asked.tempo, asked.swing, asked.title)
        style = listing_of(asked.layers[0].style).name
        return {"id": studio.keep("band", made, style=style, title=asked.title)}
