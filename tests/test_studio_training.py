"""Learning a style from files that are dropped on the studio's page."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kapelle
from kapelle.files import format_of
from kapelle.music import Notes, Score, Track, transpose

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")
pytest.importorskip("torch")

from kapelle.studio.trainings import Trainings
from kapelle.styles import style_path
from studios import running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which styles of the user's lie, too."""
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        patch.setenv("HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[Any]:
    yield from running(home)


def tune(seed: int) -> Score:
    return kapelle.load_style("folk").compose(bars=8, seed=seed)


def midi(score: Score) -> bytes:
    return format_of("a.mid").encode(score)


def send(studio: Any, training: str, name: str, data: bytes) -> dict[str, Any]:
    return dict(studio.post(f"/api/trainings/{training}/files", params={"name": name}, content=data).json())


def over(studio: Any, training: str) -> dict[str, Any]:
    """The training as it is when it no longer runs."""
    while (found := studio.get(f"/api/trainings/{training}").json())["state"] == "running":
        time.sleep(0.05)
    return dict(found)


def test_each_file_says_what_it_gives_or_why_nothing(studio: Any, home: Path) -> None:
    training = studio.post("/api/trainings").json()["id"]
    first = send(studio, training, "../../tunes/a.mid", midi(tune(1)))
    assert (first["name"], len(first["pieces"]), first["problems"]) == ("../../tunes/a.mid", 1, [])
    assert first["pieces"][0]["bars"] == 8
    assert "MIDI" in send(studio, training, "b.mid", b"no music")["problems"][0]
    assert send(studio, training, "c.mid", midi(transpose(tune(1), 2)))["problems"] == [
        "the same notes as ../../tunes/a.mid"
    ]
    few = Score(24, (Track(Notes.of([(0, 24, 60, 80)])),))
    assert "fewer than" in send(studio, training, "d.mid", midi(few))["problems"][0]
    assert "ending" in send(studio, training, "no ending", b"x")["error"]
    # Only what is learnt from is kept, under numbers.
    assert [path.name for path in home.glob("trainings/*/music/*")] == ["0001.mid"]
    told = studio.get(f"/api/trainings/{training}").json()
    assert (told["num_files"], told["num_pieces"], len(told["files"])) == (4, 1, 4)
    assert studio.delete(f"/api/trainings/{training}").status_code == 200
    assert studio.get(f"/api/trainings/{training}").status_code == 404
    assert list(home.glob("trainings/*")) == []


def test_more_files_than_the_studio_takes_are_refused_in_a_line(studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kapelle.studio.trainings.MOST_FILES", 1)
    training = studio.post("/api/trainings").json()["id"]
    send(studio, training, "a.mid", midi(tune(1)))
    assert "at most 1 files" in send(studio, training, "b.mid", midi(tune(2)))["error"]
    studio.delete(f"/api/trainings/{training}")


def test_what_ran_when_the_studio_ended_can_be_gone_on_with(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path)
    lesson = trainings.begin()
    trainings.keep(lesson, state="running")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "training.json").write_text("{")
    assert [again.state for again in Trainings(tmp_path).all()] == ["stopped"]


def test_a_style_file_that_is_none_is_told_without_where_it_lies_and_the_others_are_there(
    studio: Any, home: Path
) -> None:
    junk = style_path("junk")
    junk.parent.mkdir(parents=True, exist_ok=True)
    junk.write_bytes(b"no style at all")
    told = studio.get("/api/styles").json()
    junk.unlink()
    (line,) = told["problems"]
    assert line.startswith("junk.safetensors: expected a Kapelle style")
    assert str(home) not in line
    assert {"folk", "drums"} <= {style["name"] for style in told["styles"]}


def test_a_style_that_was_learnt_here_is_asked_about_beside_its_pieces(studio: Any, home: Path) -> None:
    trainings = studio.state.trainings
    lesson = trainings.begin()
    trainings.music(lesson).mkdir(parents=True)
    for seed in range(4):
        kapelle.save(
            kapelle.load_style("folk").compose(bars=16, seed=seed, tempo=90), trainings.music(lesson) / f"{seed}.mid"
        )
    trainings.keep(lesson, state="done", asked={"name": "asked"}, found={"figures": {}})
    path = style_path("asked")
    path.parent.mkdir(parents=True, exist_ok=True)
    kapelle.save_style(dataclasses.replace(kapelle.load_style("folk"), name="asked"), path)
    assert {"name": "asked", "title": "Fiddle tunes", "whom": "a composer"} in studio.get("/api/quiz").json()["styles"]

    def act(**asked: Any) -> dict[str, Any]:
        return dict(studio.post("/api/quiz/asked", json=asked).json())

    begun = act(do="begin", pairs=2, experience="expert")
    assert begun["question"] == {"number": 0, "total": 2, "heard": []}
    assert "real" not in str(begun["question"])
    clips = [studio.get(f"/api/quiz/asked/clips/{side}.mp3") for side in "ab"]
    assert all(len(clip.content) > 10_000 and clip.headers["content-type"] == "audio/mpeg" for clip in clips)
    assert "hear both" in act(do="answer", side="a")["error"]
    assert act(do="hear", side="a")["question"]["heard"] == ["a"]
    act(do="hear", side="b")
    assert act(do="answer", side="a")["question"]["number"] == 1
    over = act(do="skip", sitting=begun["sitting"])
    assert over["question"] is None
    assert [answer["right"] for answer in over["answers"]][1] is None
    assert (over["mine"]["answers"], over["rows"][0]["answers"]) == (1, 1)
    assert 0 <= over["mine"]["low"] <= over["mine"]["share"] <= over["mine"]["high"] <= 1
    assert act(do="look", sitting=begun["sitting"])["mine"] == over["mine"]
    path.unlink()
    assert "no style" in studio.post("/api/quiz/asked", json={"do": "look"}).json()["error"]
    assert "real pieces" in studio.post("/api/quiz/piano", json={"do": "look"}).json()["error"]


@pytest.mark.slow
def test_a_style_is_learnt_stopped_gone_on_with_and_composes(studio: Any, home: Path) -> None:
    training = studio.post("/api/trainings").json()["id"]
    for seed in range(6):
        send(studio, training, f"tune {seed}.mid", midi(tune(seed)))
    asked = {"name": "mine", "title": "My tunes", "minutes": 0.15}
    listening = studio.state.bus.listen()
    assert studio.post(f"/api/trainings/{training}/start", json=asked).status_code == 202
    assert "running already" in studio.post(f"/api/trainings/{training}/start", json=asked).json()["error"]
    assert "stop it first" in studio.delete(f"/api/trainings/{training}").json()["error"]
    while not studio.get(f"/api/trainings/{training}").json()["rows"]:
        time.sleep(0.05)
    studio.post(f"/api/trainings/{training}/stop")
    stopped = over(studio, training)
    assert stopped["state"] == "stopped", stopped
    assert stopped["samples"]
    updates = stopped["rows"][-1]["updates"]
    # A style all the same, which composes.
    style = studio.get("/api/styles").json()["styles"]
    assert [each["title"] for each in style if each["own"]] == ["My tunes"]
    assert studio.post(f"/api/trainings/{training}/start", json=asked).status_code == 202
    done = over(studio, training)
    assert done["state"] == "done", done
    assert done["rows"][-1]["updates"] > updates
    assert done["found"]["originality"]["verdict"]
    assert studio.get(f"/api/trainings/{training}/report").text.startswith("<!doctype html>")
    sample = studio.get(f"/api/trainings/{training}/samples/{done['samples'][0]['number']}").json()
    assert sample["score"]["tracks"]
    # What has come to its end is gone on with, for more time, from the best of before.
    more = {**asked, "minutes": 0.05}
    assert studio.post(f"/api/trainings/{training}/start", json=more).status_code == 202
    further = over(studio, training)
    assert (further["state"], further["asked"]["minutes"]) == ("done", 0.05), further
    assert len(further["samples"]) > len(done["samples"])
    # One that was ended while it was looked at is not learnt anew.
    studio.state.trainings.keep(studio.state.trainings.get(training), state="stopped")
    assert studio.post(f"/api/trainings/{training}/start", json=asked).status_code == 202
    again = over(studio, training)
    assert (again["state"], again["rows"]) == ("done", further["rows"])
    told = [listening.get_nowait() for _ in range(listening.qsize())]
    assert {"type": "styles"} in told
    assert any(event.get("share") for event in told if event.get("training") == training)
    taken = {**asked, "name": "mine"}
    other = studio.post("/api/trainings").json()["id"]
    send(studio, other, "a.mid", midi(tune(1)))
    assert "another name" in studio.post(f"/api/trainings/{other}/start", json=taken).json()["error"]
