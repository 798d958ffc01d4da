"""The studio's addresses: who may ask, what is made, and what bad input ends in."""

from __future__ import annotations

import io
import multiprocessing
import re
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kapelle
from kapelle.cli.main import main
from kapelle.files import format_of
from kapelle.music import Notes, Score, Track, clip

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from fastapi.testclient import TestClient

from kapelle.studio.addresses.takes import FORMS, file_name
from kapelle.studio.app import application
from kapelle.studio.guard import MAX_BODY, TOKEN
from kapelle.studio.jobs import MOST_WAITING, Bus, Jobs
from kapelle.studio.scores import from_values
from kapelle.studio.takes import Takes

SCALE = Score(24, (Track(Notes.of((24 * at, 24, 60 + pitch, 80) for at, pitch in enumerate((0, 2, 4, 5)))),))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a studio that runs, with the token."""
    folder = tmp_path_factory.mktemp("studio")
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


@pytest.fixture(scope="module")
def take(studio: Any) -> str:
    """The id of a take that was composed."""
    asked = {"kind": "compose", "style": "folk", "bars": 4, "seed": 1, "key": "D major", "title": "A tune"}
    job = over(studio, studio.post("/api/jobs", json=asked).json())
    assert job["state"] == "done", job
    return str(job["take"])


def test_a_take_is_what_the_style_composes_from_the_same_wishes(studio: Any, take: str) -> None:
    kept = studio.get(f"/api/takes/{take}").json()
    assert from_values(kept["score"]) == kapelle.load_style("folk").compose(
        bars=4, seed=1, key="D major", title="A tune"
    )
    assert kept["wishes"]["seed"] == 1
    assert kept["summary"]["bars"] == 4
    assert studio.get("/api/takes").json()["takes"][-1]["id"] == take


def test_a_take_can_be_taken_away_and_what_comes_is_that_music(studio: Any, take: str) -> None:
    for suffix, begins in (("mid", b"MThd"), ("musicxml", b"<?xml"), ("wav", b"RIFF"), ("png", b"\x89PNG")):
        answer = studio.get(f"/api/takes/{take}/files/{suffix}")
        assert answer.content.startswith(begins)
        assert answer.headers["content-disposition"] == f'attachment; filename="A tune.{suffix}"'
        assert answer.headers["content-type"].startswith(FORMS[suffix][1])
    score = format_of("a.mid").decode(studio.get(f"/api/takes/{take}/files/mid").content)
    assert score.num_notes == studio.get(f"/api/takes/{take}").json()["summary"]["notes"]


def test_sheet_music_tells_when_its_notes_sound(studio: Any, take: str) -> None:
    pytest.importorskip("verovio")
    sheet = studio.get(f"/api/takes/{take}/sheet").json()
    first = sheet["moments"][0]["on"][0]
    assert f'id="{first}"' in sheet["pages"][0]


def test_a_take_is_gone_on_with_and_its_beginning_stays(studio: Any, take: str) -> None:
    asked = {"kind": "continue", "style": "folk", "take": take, "bars": 2, "seed": 3}
    job = over(studio, studio.post("/api/jobs", json=asked).json())
    longer = studio.get(f"/api/takes/{job['take']}").json()
    assert (longer["parent"], longer["origin"], longer["summary"]["bars"]) == (take, "continued", 6)


@pytest.fixture(scope="module")
def chorale(studio: Any) -> dict[str, Any]:
    """A take in four voices."""
    asked = {"kind": "compose", "style": "chorale", "bars": 6, "seed": 2}
    return dict(studio.get(f"/api/takes/{over(studio, studio.post('/api/jobs', json=asked).json())['take']}").json())


def test_two_bars_of_the_tenor_are_written_anew_and_nothing_else_changes(studio: Any, chorale: dict[str, Any]) -> None:
    asked = {"kind": "regenerate", "style": "chorale", "take": chorale["id"], "tracks": [2], "bars": [3, 4], "seed": 5}
    job = over(studio, studio.post("/api/jobs", json=asked).json())
    other = studio.get(f"/api/takes/{job['take']}").json()
    assert (other["parent"], other["origin"]) == (chorale["id"], "changed")
    before, after = (take["score"]["tracks"] for take in (chorale, other))
    assert [one == two for one, two in zip(before, after, strict=True)] == [True, True, False, True]
    start, stop = (chorale["score"]["bars"][bar] for bar in ((3, 5) if chorale["score"]["pickup"] else (2, 4)))
    one, two = (from_values(take["score"]) for take in (chorale, other))
    for span in ((0, start), (stop, one.end)):
        assert clip(one, *span).tracks == clip(two, *span).tracks
    assert clip(one, start, stop).tracks != clip(two, start, stop).tracks


def test_a_melody_gets_three_more_voices(studio: Any, take: str) -> None:
    asked = {"kind": "harmonize", "style": "chorale", "take": take, "seed": 1}
    job = over(studio, studio.post("/api/jobs", json=asked).json())
    other = studio.get(f"/api/takes/{job['take']}").json()
    assert [track["name"] for track in other["score"]["tracks"]] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert other["origin"] == "harmonised"


def test_each_style_says_what_it_can(studio: Any, take: str) -> None:
    styles = studio.get("/api/styles").json()["styles"]
    assert {"chorale": 0.7, "folk": 0.9}.items() <= {style["name"]: style["temperature"] for style in styles}.items()
    can = {style["name"]: style["can"] for style in styles}
    assert {"bars", "harmonize"} <= set(can["chorale"])
    assert not {"bars", "harmonize"} & set(can["folk"])
    asked = {"kind": "regenerate", "style": "folk", "take": take, "bars": [1, 2]}
    job = over(studio, studio.post("/api/jobs", json=asked).json())
    assert (job["state"], "up to the end" in job["error"]) == ("failed", True)


def test_a_piece_is_told_of_while_it_is_composed(studio: Any) -> None:
    queue = studio.state.bus.listen()
    job = studio.post("/api/jobs", json={"kind": "compose", "style": "piano", "bars": 24, "seed": 1}).json()
    made = over(studio, job)
    told = [queue.get_nowait() for _ in range(queue.qsize())]
    studio.state.bus.leave(queue)
    grown = [event["score"] for event in told if event["type"] == "progress" and event["job"] == job["id"]]
    counts = [len(score["tracks"][0]["notes"]) for score in grown]
    assert counts == sorted(counts)
    assert counts[0] < studio.get(f"/api/takes/{made['take']}").json()["summary"]["notes"]


def test_a_radio_goes_on_from_what_was_played_and_what_was_heard_is_kept(studio: Any) -> None:
    def following(before: Any = None) -> dict[str, Any]:
        asked = {"style": "folk", "before": before, "bars": 4}
        return dict(studio.post("/api/radio/next", json=asked).json())

    parts = [following()]
    parts += [following(parts[-1])]
    assert [len(part["bars"]) - 1 - (part["pickup"] > 0) for part in parts] == [4, 4]
    assert parts[0]["meters"] == parts[1]["meters"]
    heard = {"style": "folk", "parts": parts, "title": "Heard", "starred": True}
    kept = studio.get(f"/api/takes/{studio.post('/api/radio/takes', json=heard).json()['id']}").json()
    assert (kept["origin"], kept["starred"], kept["summary"]["bars"]) == ("radio", True, 8)
    assert kept["summary"]["notes"] == sum(len(track["notes"]) for part in parts for track in part["tracks"])
    assert kept["score"]["seconds"] == pytest.approx(sum(part["seconds"] for part in parts))
    assert "no style" in studio.post("/api/radio/next", json={"style": "none"}).json()["error"]
    assert "score" in studio.post("/api/radio/takes", json={"style": "folk", "parts": [{}]}).json()["error"]


def test_a_project_opens_again_as_it_was(studio: Any, take: str) -> None:
    kept = studio.get(f"/api/takes/{take}").json()
    again = bring_in(studio, "x.kapelle", studio.get(f"/api/takes/{take}/files/kapelle").content)
    opened = studio.get(f"/api/takes/{again['take']}").json()
    assert (opened["score"], opened["style"], opened["wishes"]["seed"]) == (kept["score"], "folk", 1)
    for damaged in (b"{}", b"[1]", b'{"kapelle": "project", "version": 9}', b'{"kapelle": "project", "version": 1}'):
        assert "project" in bring_in(studio, "x.kapelle", damaged)["error"]


def test_stems_are_each_track_as_sound_and_as_midi(studio: Any, chorale: dict[str, Any]) -> None:
    packed = studio.get(f"/api/takes/{chorale['id']}/files/stems.zip").content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        tenor = format_of("a.mid").decode(archive.read("3-tenor.mid"))
    assert sorted(names) == sorted(
        f"{n}.{end}" for n in ("1-soprano", "2-alto", "3-tenor", "4-bass") for end in ("mid", "wav")
    )
    assert tenor.num_notes == len(chorale["score"]["tracks"][2]["notes"])


def test_an_edited_score_becomes_a_take_of_its_own(studio: Any, take: str) -> None:
    kept = studio.get(f"/api/takes/{take}").json()
    kept["score"]["tracks"][0]["notes"][0][2] += 1
    edited = studio.post("/api/takes", json={"parent": take, "score": kept["score"]})
    assert edited.status_code == 201
    assert edited.json()["score"]["tracks"][0]["notes"] == kept["score"]["tracks"][0]["notes"]
    assert studio.get(f"/api/takes/{take}").json()["score"] != edited.json()["score"]
    kept["score"]["tracks"][0]["notes"][0][2] = 300
    refused = studio.post("/api/takes", json={"parent": take, "score": kept["score"]})
    assert refused.status_code == 422
    assert "0..127" in refused.json()["error"]


def test_a_take_gets_a_star_and_is_thrown_away_and_taken_back(studio: Any, take: str) -> None:
    def listed() -> bool:
        return take in [each["id"] for each in studio.get("/api/takes").json()["takes"]]

    assert studio.patch(f"/api/takes/{take}", json={"starred": True}).json()["starred"]
    studio.patch(f"/api/takes/{take}", json={"hidden": True})
    assert not listed()
    studio.patch(f"/api/takes/{take}", json={"hidden": False})
    assert listed()


def test_music_that_is_brought_in_is_a_take(studio: Any) -> None:
    job = bring_in(studio, "../../etc/My tune.mid", format_of("a.mid").encode(SCALE))
    kept = studio.get(f"/api/takes/{job['take']}").json()
    assert (kept["title"], kept["origin"], kept["summary"]["notes"]) == ("My tune", "imported", 4)


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


def test_without_the_extra_the_studio_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["studio", "--port", "0", "--no-browser", "--data", str(tmp_path)]) == 2
    assert "kapelle[studio]" in capsys.readouterr().err
