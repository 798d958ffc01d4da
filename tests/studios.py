"""A studio that runs, and what tests ask of it again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kapelle.music import Notes, Score, Track

SCALE = Score(24, (Track(Notes.of((24 * at, 24, 60 + pitch, 80) for at, pitch in enumerate((0, 2, 4, 5)))),))


def running(folder: Path) -> Iterator[Any]:
    """A client of a studio that keeps all in a folder, with the token; it ends with the generator."""
    from fastapi.testclient import TestClient

    from kapelle.studio.app import application
    from kapelle.studio.guard import TOKEN
    from kapelle.studio.takes import Takes

    takes = Takes(folder / "studio.sqlite")
    app, state = application(takes, folder)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.headers[TOKEN] = client.get("/api/session").json()["token"]
        client.state = state
        yield client
    takes.close()


def over(studio: Any, job: dict[str, Any], states: tuple[str, ...] = ("done", "failed", "cancelled")) -> dict[str, Any]:
    """The job as it is when it has come to one of these states."""
    while True:
        found = studio.get(f"/api/jobs/{job['id']}").json()
        if found["state"] in states:
            return found
        time.sleep(0.02)


def bring_in(studio: Any, name: str, data: bytes) -> dict[str, Any]:
    answer = studio.post("/api/imports", params={"name": name}, content=data)
    return over(studio, answer.json()) if answer.status_code == 202 else {"state": "refused", **answer.json()}


def composed(studio: Any, **asked: Any) -> str:
    """The id of a take that was composed."""
    job = over(studio, studio.post("/api/jobs", json={"kind": "compose", **asked}).json())
    assert job["state"] == "done", job
    return str(job["take"])
