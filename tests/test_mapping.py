"""A map of clips: what sounds alike lies close, the same folder gives the same map, and strange files are told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from kapelle import load_style, save
from kapelle.cli.main import main
from kapelle.errors import WishError
from kapelle.music import Notes, Score, Track, slice_bars
from kapelle.rendering import map_to_png, map_to_svg
from kapelle.styles import WindowStyle
from kapelle.styles.mapping import Map


@given(count=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_places_are_the_nearest_of_a_plane_and_a_place_leads_back(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plane = rng.standard_normal((2, 6))
    points = rng.standard_normal((count, 2)) @ plane + rng.standard_normal(6)
    found = Map.of(tuple((str(at), 1) for at in range(count)), points)
    # Points of a plane are shown as they lie: distances stay, and nothing is lost.
    np.testing.assert_allclose(found.centre + found.places @ found.axes, points, atol=1e-9)
    assert found.share == pytest.approx(1)
    again = Map.of(found.clips, points)
    np.testing.assert_array_equal(again.places, found.places)


def test_of_more_than_a_plane_it_says_how_much_is_seen() -> None:
    points = np.vstack([np.eye(4), -np.eye(4)]) * [3, 2, 1, 1]
    assert Map.of((("a", 1),) * 8, points).share == pytest.approx(13 / 15)


def test_clips_of_one_piece_lie_nearer_than_clips_of_all() -> None:
    style = load_style("melody")
    assert isinstance(style, WindowStyle)
    pieces = {f"{seed}": style.compose(bars=8, seed=seed, meter="4/4") for seed in range(6)}
    found = style.map(pieces)
    assert len(found.clips) == 24
    assert [bar for name, bar in found.clips if name == "0"] == [1, 3, 5, 7]
    own = [found.places[[name == piece for name, _ in found.clips]].std(0).mean() for piece in pieces]
    assert np.mean(own) < found.places.std(0).mean()


def test_a_picture_has_every_name_and_stays_with_one_clip_or_many() -> None:
    for count in (1, 100):
        names = [f"clip & {at}" for at in range(count)]
        places = np.random.default_rng(0).standard_normal((count, 2)) * (count > 1)
        drawn = map_to_svg(names, places, "Clips")
        assert drawn.count("clip &amp;") == min(count, 30)
        assert ("and 70 more" in drawn) == (count == 100)
        assert map_to_png(names, places, "Clips")[1:4] == b"PNG"


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for seed in range(4):
        save(slice_bars(tiny.tune(seed + 1), 0, 4), tmp_path / f"clips/{seed}.mid".replace("clips/", "clip"))
    folder = tmp_path / "clips"
    folder.mkdir()
    for path in tmp_path.glob("clip*.mid"):
        path.rename(folder / path.name)
    drums = Track(Notes.of([(0, 24, 36, 80), (24, 24, 38, 80)]), is_drum=True)
    save(Score(24, (drums,)), folder / "beat.mid")
    (folder / "broken.mid").write_bytes(b"no music")
    (folder / "notes.txt").write_text("not music")
    return folder


def test_a_folder_becomes_data_and_a_picture_and_what_gives_no_window_is_told(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", "clips", "--out", "a.json", "--out", "a.svg"]) == 0
    said = capsys.readouterr()
    assert "broken.mid: " in said.err
    assert "beat.mid: " in said.err
    data = json.loads(Path("a.json").read_text())
    assert {row["clip"] for row in data["clips"]} == {f"clip{seed}.mid" for seed in range(4)}
    assert len(data["clips"]) == 8
    assert "8 clips of 4 pieces" in Path("a.svg").read_text()
    assert main(["map", "clips", "--out", "a.json"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_what_cannot_be_mapped_is_refused_in_one_line(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    for words, why in (
        (["map", "nowhere"], "expected a folder of clips"),
        (["map", "empty"], "found none that can be read"),
        (["map", "clips", "--out", "a.gif"], "expected --out to end in .json, .png, .svg"),
        (["map", "clips", "--style", "folk"], "expected a style of windows"),
    ):
        assert main(words) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert why in line
    style = load_style("melody")
    assert isinstance(style, WindowStyle)
    with pytest.raises(WishError, match="expected music that the style melody can tell"):
        style.map({})
