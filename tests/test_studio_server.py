"""What the studio makes of takes, and takes of what it makes."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

import kapelle
from kapelle.files import format_of
from kapelle.music import clip

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from kapelle.studio.addresses.takes import FORMS
from kapelle.studio.scores import from_values
from studios import SCALE, bring_in, over


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


def test_styles_of_the_same_music_have_titles_of_their_own(studio: Any) -> None:
    titles = {style["name"]: style["title"] for style in studio.get("/api/styles").json()["styles"]}
    assert (titles["melody"], titles["drums"]) == ("Fiddle tunes, 2 bars", "Drummers, 2 bars (drums)")
    assert titles["chorale"] == "Bach chorales"
    assert len(set(titles.values())) == len(titles)


def test_a_style_of_several_manners_is_mixed_as_wished(studio: Any) -> None:
    styles = {style["name"]: style for style in studio.get("/api/styles").json()["styles"]}
    assert {"bach", "mozart"} < set(styles["composers"]["manners"])
    assert styles["folk"]["manners"] == []
    asked = {"kind": "compose", "style": "composers", "bars": 2, "seed": 5}
    made = []
    for mix in ({"bach": 1.0}, {"mozart": 1.0}, {"mozart": 1.0}):
        job = over(studio, studio.post("/api/jobs", json={**asked, "mix": mix}).json())
        made.append(studio.get(f"/api/takes/{job['take']}").json())
    first, second, third = (take["score"]["tracks"] for take in made)
    assert first != second == third
    assert made[0]["wishes"]["mix"] == {"bach": 1.0}
    assert studio.post("/api/jobs", json={**asked, "mix": {"bach": -1}}).status_code == 422
    played = studio.post("/api/radio/next", json={"style": "composers", "bars": 2, "mix": {"bach": 1}})
    assert played.status_code == 200


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
