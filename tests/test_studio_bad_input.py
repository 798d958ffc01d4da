"""Who may ask the studio, and what bad input ends in."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import multiprocessing
import os
import re
import signal
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request
import webbrowser
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kapelle.cli.main import main

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from kapelle.studio.addresses.takes import file_name
from kapelle.studio.guard import MAX_BODY, TOKEN
from kapelle.studio.jobs import MOST_WAITING, Bus, Jobs
from kapelle.studio.takes import Takes
from studios import bring_in, over


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b" " * (80 * 2**20))
    return packed.getvalue()


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><score-partwise>&c;</score-partwise>'


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("bomb.mxl", bomb, "larger"),
        ("laughs.xml", lambda: LAUGHS, "entities"),
        ("junk.mid", lambda: b"no music", "MIDI"),
        ("empty.mid", lambda: b"", "MIDI"),
        ("silent.wav", lambda: b"RIFF", "recording"),
        ("program.exe", lambda: b"MZ", "ends in"),
        ("none", lambda: b"", "ends in"),
    ],
)
def test_a_file_that_is_no_music_is_told_in_a_line(studio: Any, name: str, data: Any, says: str) -> None:
    job = bring_in(studio, name, data())
    assert job["state"] in ("failed", "refused")
    assert says in job["error"]
    assert "\n" not in job["error"]


def test_a_file_of_500_megabytes_is_refused_before_it_is_read(studio: Any) -> None:
    headers = {"content-length": str(500 * 2**20)}
    answer = studio.post("/api/imports?name=a.mid", content=b"MThd", headers=headers)
    assert (answer.status_code, "16 MB" in answer.json()["error"]) == (413, True)
    # One that does not say how long it is, is read no further than the bound.
    parts = (b"x" * 2**20 for _ in range(MAX_BODY // 2**20 + 5))
    assert studio.post("/api/imports?name=a.mid", content=parts).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/takes", {"host": "kapelle.example"}, 403),
        ("GET", "/api/session", {"host": "127.0.0.1.example:80"}, 403),
        ("GET", "/api/takes", {"sec-fetch-site": "cross-site"}, 403),
        ("GET", "/api/session", {"origin": "http://elsewhere.example"}, 403),
        ("GET", "/", {"sec-fetch-site": "cross-site"}, 200),
        ("POST", "/api/jobs", {TOKEN: "guessed"}, 403),
        ("POST", "/api/jobs", {"origin": "http://127.0.0.1:1"}, 403),
        ("DELETE", "/api/jobs/0", {TOKEN: ""}, 403),
        ("PATCH", "/api/takes/0", {TOKEN: ""}, 403),
    ],
)
def test_only_the_studios_own_page_gets_in(
    studio: Any, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = studio.request(method, path, headers=headers)
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/%2e%2e%2fapp.py",
        "/page/..%2f..%2f__init__.py",
        "/page//etc/passwd",
        "/api/takes/..%2f..%2fx",
        "/api/styles/..%2f..%2fbundled%2ffolk/sample.wav",
        "/nowhere",
    ],
)
def test_no_path_reaches_the_disk(studio: Any, path: str) -> None:
    answer = studio.get(path)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"kind": "compose", "style": "/etc/passwd"}, "no style"),
        ({"kind": "compose", "style": "folk", "bars": 0}, "bars"),
        ({"kind": "compose", "style": "folk", "colour": "red"}, "colour"),
        ({"kind": "conduct"}, "conduct"),
        ({"kind": "continue", "style": "folk", "take": "0" * 16}, "no take"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_in_a_line(studio: Any, asked: dict[str, Any], says: str) -> None:
    answer = studio.post("/api/jobs", json=asked)
    assert answer.status_code in (404, 422)
    assert says in answer.json()["error"]


def test_a_wish_that_cannot_be_met_fails_its_job_with_the_reason(studio: Any) -> None:
    job = over(studio, studio.post("/api/jobs", json={"kind": "compose", "style": "folk", "key": "H"}).json())
    assert (job["state"], "expected a key" in job["error"]) == ("failed", True)


LONG = {"kind": "compose", "style": "piano", "bars": 256, "seed": 1}


def test_a_cancelled_job_ends_its_process_and_leaves_no_take(studio: Any) -> None:
    before = len(studio.get("/api/takes").json()["takes"])
    jobs = [studio.post("/api/jobs", json=LONG).json() for _ in range(4)]
    over(studio, jobs[0], ("running",))
    workers = list(studio.state.composers.busy)
    for job in jobs:
        studio.delete(f"/api/jobs/{job['id']}")
    # None of them comes to its end by itself: each takes many times as long as this.
    assert {over(studio, job)["state"] for job in jobs} == {"cancelled"}
    assert workers
    assert not any(worker.lives for worker in workers)
    assert len(studio.get("/api/takes").json()["takes"]) == before
    assert studio.delete("/api/jobs/0").status_code == 404


def test_a_dead_worker_fails_its_job_and_the_next_one_is_done(studio: Any, take: str) -> None:
    job = studio.post("/api/jobs", json=LONG).json()
    over(studio, job, ("running",))
    # It is told to run a moment before its process is there.
    while not (found := over(studio, job, ("running", "failed", "done")))["error"]:
        assert found["state"] != "done"
        for process in multiprocessing.active_children():
            process.kill()
    assert "signal 9" in found["error"]
    short = {"kind": "compose", "style": "folk", "bars": 1, "seed": 1}
    assert over(studio, studio.post("/api/jobs", json=short).json())["state"] == "done"


def test_a_full_disk_fails_the_job_with_a_line_and_what_was_kept_stays(studio: Any, take: str) -> None:
    database = studio.state.takes._db
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.rows(f"PRAGMA max_page_count = {pages}")
    try:
        asked = {"kind": "compose", "style": "folk", "bars": 32, "seed": 3}
        job = over(studio, studio.post("/api/jobs", json=asked).json())
        while job["state"] == "done":
            job = over(studio, studio.post("/api/jobs", json=asked).json())
        assert "make room" in job["error"]
        assert studio.get(f"/api/takes/{take}").status_code == 200
    finally:
        database.rows("PRAGMA max_page_count = 1000000")
    assert over(studio, studio.post("/api/jobs", json=asked).json())["state"] == "done"


def test_what_is_made_is_told_to_every_page(studio: Any) -> None:
    bus = Bus()
    first, second = bus.listen(), bus.listen()
    bus.tell({"type": "take"})
    bus.leave(first)
    bus.tell({"type": "job"})
    bus.close()
    assert [first.qsize(), second.qsize()] == [1, 1]
    assert second.get_nowait() is None


def test_a_page_that_does_not_fetch_its_events_is_let_go() -> None:
    bus = Bus()
    queue = bus.listen()
    for number in range(2000):
        bus.tell({"number": number})
    assert (queue.qsize(), queue.get_nowait()) == (1, None)


def test_ten_thousand_jobs_are_too_many() -> None:
    import asyncio

    from kapelle.studio.jobs import Job, TooMany

    async def wait(job: Job) -> str:
        await asyncio.sleep(60)
        return ""

    async def flood() -> int:
        jobs = Jobs(Bus())
        try:
            for number in range(10_000):
                try:
                    jobs.start("import", "a file", wait)
                except TooMany:
                    return number
        finally:
            await jobs.close()
        return -1

    assert asyncio.run(flood()) == MOST_WAITING


def test_every_address_is_documented(studio: Any) -> None:
    told = studio.get("/api/openapi.json").json()
    assert all(word.get("description") for path in told["paths"].values() for word in path.values())


def test_names_of_files_are_plain() -> None:
    assert re.fullmatch(r"[\w -]+", file_name('../"a\r\nb": c\\d'))
    assert file_name("音楽") == "kapelle"


def test_a_port_in_use_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["studio", "--port", str(port), "--no-browser", "--data", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"kapelle: port {port} is in use")
    assert said.count("\n") == 1


def asked(address: str, **headers: str) -> tuple[int, str]:
    """The status of an answer, and what it says."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("mended", [True, False])
def test_takes_of_a_newer_version_are_told_on_a_page_until_they_are_moved_away(
    mended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, moved = tmp_path / "studio.sqlite", tmp_path / "of-tomorrow.sqlite"
    Takes(kept).close()
    with contextlib.closing(sqlite3.connect(kept)) as db:
        db.execute("PRAGMA user_version = 99")
    before = kept.read_bytes()
    said = []

    def look(address: str) -> None:
        try:
            said.extend(asked(address + path) for path in ("", "api/events", ""))
            said.append(asked(address, host="evil.example"))
            if mended:
                kept.rename(moved)
                said.append(asked(address))
                end = time.monotonic() + 60
                while said[-1][0] != 200 and time.monotonic() < end:
                    # One that comes while the one server ends and the other begins may stay without an answer.
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        said[5:] = [asked(address + "api/session")]
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(webbrowser, "open", look)
    code = main(["studio", "--port", "0", "--data", str(tmp_path)])
    assert code == (0 if mended else 2)
    assert capsys.readouterr().err.count("version 99") == 1
    assert [status for status, _ in said] == [503, 503, 503, 403, 503, 200][: len(said)]
    assert all("version 99" in line for _, line in said[:3])
    assert "evil.example" in said[3][1]
    assert "version 99" not in said[3][1]
    assert ["The studio starts" in line for _, line in said[4:5]] == [True] * mended
    assert (moved if mended else kept).read_bytes() == before


def test_it_stops_without_a_word_in_the_midst_of_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def wait_for_music(address: str) -> None:
        token = json.loads(asked(address + "api/session")[1])["token"]
        more = {TOKEN: token, "content-type": "application/json"}
        music = json.dumps({"style": "piano", "bars": 64}).encode()
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with contextlib.suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(f"{address}api/radio/next", music, more), timeout=20)

    monkeypatch.setattr(webbrowser, "open", wait_for_music)
    assert main(["studio", "--port", "0", "--data", str(tmp_path)]) == 0
    assert capfd.readouterr().err == ""


def test_without_the_extra_the_studio_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["studio", "--port", "0", "--no-browser", "--data", str(tmp_path)]) == 2
    assert "kapelle[studio]" in capsys.readouterr().err
