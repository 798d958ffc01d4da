"""Learning a style from music that is dropped on the page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ...errors import FileError, KapelleError
from ..jobs import Job
from ..learning import STOP, plain_row
from ..shapes import Train
from ..state import Studio, listing_of
from ..trainings import Lesson
from .work import named

SHOWN_FILES = 5000


def serve(app: FastAPI, studio: Studio) -> None:
    """Answer under /api/trainings."""
    _serve_music(app, studio)
    _serve_runs(app, studio)


def _serve_music(app: FastAPI, studio: Studio) -> None:
    trainings = studio.trainings

    @app.get("/api/trainings", tags=["trainings"])
    def trainings_there() -> Response:
        """All trainings, the newest first, without their files."""
        return JSONResponse({"trainings": [_short(lesson) for lesson in trainings.all()]})

    @app.post("/api/trainings", tags=["trainings"], status_code=201)
    def begin() -> Response:
        """A new training, to which files can be sent."""
        return JSONResponse(_short(trainings.begin()), 201)

    @app.get("/api/trainings/{training}", tags=["trainings"])
    def one(training: str) -> Response:
        """A training: what its files give, the curves so far, what was composed on the way, and what came of it."""
        return JSONResponse(_whole(studio, trainings.get(training)))

    @app.post("/api/trainings/{training}/files", tags=["trainings"], status_code=201)
    async def receive(training: str, request: Request, name: Annotated[str, Query(max_length=500)]) -> dict[str, Any]:
        """Send a file of music as the body: what it gives to learn from, or why nothing."""
        lesson = trainings.get(training)
        _, suffix, _ = named(name)
        number, path = trainings.receive(lesson, suffix, await request.body())
        line = {"number": number, "name": "".join(c for c in name if c.isprintable())[-200:], "file": path.name}
        try:
            found = await studio.readers.run("inspect", str(path))
        except KapelleError as error:
            found = {"pieces": [], "problems": [str(error)]}
        line |= _without_twins(lesson, found)
        if not line["pieces"]:
            path.unlink(missing_ok=True)
        lesson.files[number - 1] = line
        trainings.keep_soon(lesson)
        return _told(line)

    @app.delete("/api/trainings/{training}", tags=["trainings"])
    def throw_away(training: str) -> dict[str, Any]:
        """Its files go; a style that came of it stays."""
        trainings.throw_away(trainings.get(training))
        return {}


def _serve_runs(app: FastAPI, studio: Studio) -> None:
    trainings = studio.trainings

    @app.post("/api/trainings/{training}/start", tags=["trainings"], status_code=202)
    async def start(training: str, asked: Train) -> Job:
        """Begin to learn; go on where it was stopped; or, where it has come to its end, go on for so many minutes more.
        /api/events tells of its progress."""
        lesson = trainings.get(training)
        if lesson.state == "running":
            raise KapelleError("this training is running already; stop it first, or wait for its end")
        if not any(line.get("pieces") for line in lesson.files):
            raise FileError("expected a file with music to learn from, got none; drop some first")
        if lesson.state in ("collecting", "failed"):
            _name_style(lesson, asked)
        further = lesson.state == "done"
        if further:
            lesson.asked["minutes"] = asked.minutes
        trainings.keep(lesson, state="running", error="")
        return studio.jobs.start("train", lesson.asked["title"], lambda job: _learn(studio, lesson, job, further))

    @app.post("/api/trainings/{training}/stop", tags=["trainings"])
    def stop(training: str) -> Response:
        """Ask it to stop after what it is at; what it has learnt is a style, and it can be gone on with."""
        lesson = trainings.get(training)
        (trainings.path(lesson) / STOP).touch()
        return JSONResponse(_short(lesson))

    @app.get("/api/trainings/{training}/samples/{number}", tags=["trainings"])
    def sample(training: str, number: int) -> Response:
        """What was composed on the way, with its score."""
        return JSONResponse(trainings.sample(trainings.get(training), number))

    @app.get("/api/trainings/{training}/report", tags=["trainings"], response_class=Response)
    def report(training: str) -> Response:
        """The report as a page: curves, figures, samples, and how much of them is copied."""
        lesson = trainings.get(training)
        path = _run(lesson) / "report.html" if lesson.asked else None
        if path is None or not path.is_file():
            raise HTTPException(404, "there is no report before a training has come to its end")
        return Response(path.read_bytes(), media_type="text/html")


def _name_style(lesson: Lesson, asked: Train) -> None:
    """Take down what is to be learnt, if there is no such style yet.

    Raises:
        KapelleError: if the name is not fit, or taken.
    """
    from ...styles import run_path, style_path

    path = style_path(asked.name)
    if path.exists() or run_path(path).exists():
        raise FileError(f"there is a style {asked.name!r}, or a run of that name, already; take another name")
    base = listing_of(asked.base).name if asked.base else ""
    lesson.asked = {"name": asked.name, "title": asked.title or asked.name, "minutes": asked.minutes, "base": base}


async def _learn(studio: Studio, lesson: Lesson, job: Job, further: bool) -> str:
    from ...styles import style_path

    asked, trainings = lesson.asked, studio.trainings
    names = {line["file"]: line["name"] for line in lesson.files if line.get("pieces")}

    def hear(told: Any) -> None:
        studio.jobs.hear(job, told if isinstance(told, str) else {"training": lesson.id, **told})

    try:
        base = str(listing_of(asked["base"]).path) if asked["base"] else ""
        found = await studio.learners.run(
            "train", str(trainings.path(lesson)), names, str(style_path(asked["name"])), asked, base, further,
            tell=hear, started=lambda task: studio.jobs.begun(job),
        )  # fmt: skip
    except KapelleError as error:
        trainings.keep(lesson, state="failed" if not _run(lesson).exists() else "stopped", error=str(error))
        raise
    except BaseException:
        trainings.keep(lesson, state="stopped")
        raise
    stopped = any("--resume" in remark for remark in found["remarks"])
    trainings.keep(lesson, state="stopped" if stopped else "done", found=found)
    studio.bus.tell({"type": "styles"})
    return ""


def _without_twins(lesson: Lesson, found: dict[str, Any]) -> dict[str, Any]:
    """What a file gives beside those before it: a piece with the same notes is learnt once."""
    there = {print_: line["name"] for line in lesson.files for print_ in line.get("prints", ())}
    twins = [there[piece["print"]] for piece in found["pieces"] if piece["print"] in there]
    pieces = [piece for piece in found["pieces"] if piece["print"] not in there]
    problems = [*found["problems"], *(f"the same notes as {name}" for name in twins)]
    prints = [piece.pop("print") for piece in found["pieces"]]
    return {"pieces": pieces, "problems": problems, "prints": prints}


def _told(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in ("prints", "file")}


def _short(lesson: Lesson) -> dict[str, Any]:
    values = {name: value for name, value in asdict(lesson).items() if name != "files"}
    kept = [line for line in lesson.files if line.get("pieces")]
    pieces = [piece for line in kept for piece in line["pieces"]]
    return values | {
        "num_files": len(lesson.files),
        "num_pieces": len(pieces),
        "notes": sum(piece["notes"] for piece in pieces),
        "seconds": round(sum(piece["seconds"] for piece in pieces), 1),
    }


def _whole(studio: Studio, lesson: Lesson) -> dict[str, Any]:
    from ...training.run import RunFolder

    rows = RunFolder(_run(lesson)).rows if lesson.asked else []
    return _short(lesson) | {
        "files": [_told(line) for line in lesson.files[:SHOWN_FILES] if line],
        "rows": [plain_row(row) for row in rows],
        "samples": studio.trainings.samples(lesson),
        "report": bool(lesson.asked) and (_run(lesson) / "report.html").is_file(),
    }


def _run(lesson: Lesson) -> Path:
    from ...styles import run_path, style_path

    return run_path(style_path(lesson.asked["name"]))
