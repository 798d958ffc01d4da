"""The band room's addresses: windows are drawn, gone between, varied, steered and kept."""

from __future__ import annotations

from typing import Any

import pytest

from kapelle.studio.scores import from_values
from studios import composed, over

Window = dict[str, Any]


def ask(studio: Any, what: str, **json: Any) -> Any:
    answer = studio.post(f"/api/band/{what}", json=json)
    assert answer.status_code in (200, 201), answer.json()
    return answer.json()


def draw(studio: Any, style: str, count: int = 4) -> list[Window]:
    return list(ask(studio, "draw", style=style, count=count, seed=1)["windows"])


@pytest.mark.parametrize("style", ["drums", "melody", "band"])
def test_the_corners_of_a_grid_and_the_ends_of_a_way_are_the_windows_that_were_given(studio: Any, style: str) -> None:
    windows = draw(studio, style)
    rows = ask(studio, "grid", style=style, corners=windows, size=4)["rows"]
    way = ask(studio, "morph", style=style, ends=windows[:2], steps=5)["windows"]
    assert (len(rows), {len(row) for row in rows}, len(way)) == (4, {4}, 5)
    found = [rows[0][0], rows[0][-1], rows[-1][0], rows[-1][-1], way[0], way[-1]]
    wanted = [*windows, *windows[:2]]
    assert [each["tracks"] for each in found] == [each["tracks"] for each in wanted]
    assert len({str(cell["tracks"]) for row in rows for cell in row}) > 8


def test_windows_that_are_drawn_together_are_in_one_key(studio: Any) -> None:
    windows = draw(studio, "melody")
    assert len({window["key"] for window in windows}) == 1
    assert windows[0]["key"]
    flat = ask(studio, "draw", style="melody", key="Eb major", count=6)["windows"]
    assert {window["key"] for window in flat} == {"Eb major"}
    pitches = {note[2] % 12 for window in flat for note in window["tracks"][0]["notes"]}
    assert pitches <= {3, 5, 7, 8, 10, 0, 2}


def test_a_window_is_varied_and_steered(studio: Any) -> None:
    (window,) = draw(studio, "drums", 1)
    others = ask(studio, "vary", style="drums", window=window, count=3)["windows"]
    assert len({str(each["tracks"]) for each in [window, *others]}) == 4
    steered = ask(studio, "steer", style="drums", window=window, wanted={"density": -1.5})["steered"]
    assert steered["after"]["density"] < steered["before"]["density"] - 0.4
    counts = [from_values(each).num_notes for each in (steered["score"], window)]
    assert counts[0] < counts[1]


def test_a_take_gives_the_windows_that_a_style_understands(studio: Any) -> None:
    take = composed(studio, style="drums", bars=6, meter="4/4", seed=2)
    windows = ask(studio, "windows", style="drums", take=take)["windows"]
    assert {"bar", "score"} == set(windows[0])
    assert all(len(each["score"]["bars"]) == 3 for each in windows)
    answer = studio.post("/api/band/windows", json={"style": "drums", "take": take, "meter": "3/4"})
    assert (answer.status_code, "3/4" in answer.json()["error"]) == (422, True)


def test_a_style_without_windows_and_a_metre_of_another_kind_are_told(studio: Any) -> None:
    answer = studio.post("/api/band/draw", json={"style": "folk"})
    assert "style of windows" in answer.json()["error"]
    answer = studio.post("/api/band/draw", json={"style": "drums", "meter": "7/8"})
    assert "7/8" in answer.json()["error"]
    mixed = [*draw(studio, "drums", 3), *ask(studio, "draw", style="drums", meter="3/4", count=1)["windows"]]
    answer = studio.post("/api/band/grid", json={"style": "drums", "corners": mixed})
    assert "one metre" in answer.json()["error"]


def test_what_is_kept_are_all_layers_at_the_same_time_and_the_shorter_again(studio: Any) -> None:
    beats, tunes = draw(studio, "drums"), draw(studio, "melody")
    layers = [{"style": "drums", "windows": beats[:1]}, {"style": "melody", "windows": tunes[:3]}]
    made = ask(studio, "takes", layers=layers, tempo=96, swing=0.5, title="Both")
    kept = studio.get(f"/api/takes/{made['id']}").json()
    assert (kept["title"], kept["origin"], kept["summary"]["bars"]) == ("Both", "band", 6)
    assert kept["score"]["tempos"] == [[0, 96.0]]
    drums, melody = kept["score"]["tracks"]
    assert drums["is_drum"]
    given = beats[0]["tracks"][0]["notes"]
    wanted = [[onset + again * 2 * 1920, *rest] for again in range(3) for onset, *rest in given]
    assert sorted(drums["notes"]) == sorted(wanted)
    assert len(melody["notes"]) == sum(len(tune["tracks"][0]["notes"]) for tune in tunes[:3])
    swung = ask(studio, "takes", layers=layers[:1], swing=2 / 3)
    score = from_values(studio.get(f"/api/takes/{swung['id']}").json()["score"])
    assert set(score.tracks[0].notes.onset % 480) & {320, 160, 400}


def test_only_the_bars_that_are_wanted_are_varied(studio: Any) -> None:
    take = composed(studio, style="drums", bars=8, meter="4/4", seed=5)
    asked = {"kind": "vary", "style": "drums", "take": take, "bars": [3, 4], "seed": 1}
    job = over(studio, studio.post("/api/jobs", json=asked).json())
    assert job["state"] == "done", job
    before, after = (studio.get(f"/api/takes/{each}").json() for each in (take, job["take"]))
    assert (after["origin"], after["parent"]) == ("varied", take)

    def bars(kept: dict[str, Any]) -> list[list[Any]]:
        notes = [note for track in kept["score"]["tracks"] for note in track["notes"]]
        return [[note for note in notes if note[0] // 1920 == bar] for bar in range(8)]

    assert [one == other for one, other in zip(bars(before), bars(after), strict=True)] == [
        bar not in (2, 3) for bar in range(8)
    ]
    folk = composed(studio, style="folk", bars=4, seed=1)
    job = over(studio, studio.post("/api/jobs", json={"kind": "vary", "style": "drums", "take": folk}).json())
    assert (job["state"], "understands" in job["error"]) == ("failed", True)


def test_a_band_whose_bars_are_varied_keeps_who_plays_what(studio: Any) -> None:
    take = composed(studio, style="band", bars=8, meter="4/4", seed=2)
    job = over(studio, studio.post("/api/jobs", json={"kind": "vary", "style": "band", "take": take, "seed": 1}).json())
    assert job["state"] == "done", job
    before, after = (studio.get(f"/api/takes/{each}").json()["score"]["tracks"] for each in (take, job["take"]))
    names = [track["name"] for track in after]
    assert names[: len(before)] == [track["name"] for track in before]
    assert len(set(names)) == len(names)
    assert [track["notes"] for track in after] != [track["notes"] for track in before]


def test_windows_of_a_band_are_kept_with_one_track_a_part(studio: Any) -> None:
    windows = ask(studio, "draw", style="band", count=4, seed=3)["windows"]
    kept = ask(studio, "takes", layers=[{"style": "band", "windows": windows}])
    tracks = studio.get(f"/api/takes/{kept['id']}").json()["score"]["tracks"]
    for number, window in enumerate(windows):
        for own in window["tracks"]:
            (track,) = (track for track in tracks if track["name"] == own["name"])
            start = number * 4 * 1920
            here = [[onset - start, *rest] for onset, *rest in track["notes"] if start <= onset < start + 4 * 1920]
            assert sorted(here) == sorted(own["notes"])
