"""The listening test: which one is by a composer?"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from fastapi.responses import Response

from ...errors import KapelleError
from ...quiz import EXPERIENCES
from ..quizzing import OF_CORPUS
from ..shapes import Answer
from ..state import Studio, listing_of

FILE = "quiz.db"


def serve(app: FastAPI, studio: Studio) -> None:
    """Answer under /api/quiz."""

    def real(style: str) -> str:
        """Where the real pieces are that a style is compared with; "" if none are known."""
        if style in OF_CORPUS:
            return style if find_spec("music21") is not None else ""
        for lesson in studio.trainings.all():
            if lesson.asked.get("name") == style and lesson.found:
                return str(studio.trainings.music(lesson))
        return ""

    def work(style: str) -> tuple[str, str, str]:
        listing, pieces = listing_of(style), real(style)
        if not pieces:
            raise KapelleError(
                f"expected a style whose real pieces are at hand, got {style}: chorale and folk need "
                "pip install 'kapelle[score]', others must be learnt here"
            )
        return str(studio.data / FILE), str(listing.path), pieces

    @app.get("/api/quiz", tags=["quiz"])
    def quizzes() -> dict[str, Any]:
        """The styles that can be asked about, by whom the real pieces are, and how listeners rate themselves."""
        from ...styles import list_styles

        styles = [
            {"name": each.name, "title": each.card.title or each.name, "whom": OF_CORPUS.get(each.name, "a composer")}
            for each in list_styles()[0]
            if real(each.name)
        ]
        return {"styles": styles, "experiences": EXPERIENCES, "needs_music21": find_spec("music21") is None}

    @app.post("/api/quiz/{style}", tags=["quiz"])
    async def act(style: str, asked: Answer) -> dict[str, Any]:
        """Begin, or tell that a clip was heard or which is taken for the real one; then how it stands: the next
        question, and the results with their 95 % intervals."""
        found: dict[str, Any] = await studio.examiners.run("quiz", *work(style), asked.model_dump())
        return found

    @app.get("/api/quiz/{style}/clips/{side}.mp3", tags=["quiz"], response_class=Response)
    async def sound(
        style: str, side: Literal["a", "b"], listener: Annotated[str, Query(max_length=80)] = ""
    ) -> Response:
        """A clip of the question that is asked now."""
        data = await studio.examiners.run("clip", *work(style), listener, side)
        return Response(data, media_type="audio/mpeg")
