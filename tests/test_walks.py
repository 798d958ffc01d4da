"""What is made of clips by the bundled styles: nothing falls silent, nothing is cut, and it sounds as the clips do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kapelle import load_style, save
from kapelle.cli.main import main
from kapelle.music import Key, Notes, Score, Track, clip, transpose
from kapelle.styles import WindowStyle


def opened(name: str) -> WindowStyle:
    style = load_style(name)
    assert isinstance(style, WindowStyle)
    return style


def in_full(style: WindowStyle, count: int) -> list[Score]:
    """Windows in which every part has a few notes."""
    drawn = (style.compose(seed=seed, meter="4/4") for seed in range(99))
    full = (score for score in drawn if all(len(track.notes) > 7 for track in score.tracks))
    return [score for score, _ in zip(full, range(count), strict=False)]


@pytest.mark.parametrize("name", ["trio", "melody", "drums"])
@pytest.mark.parametrize("temperature", [0.0, None])
def test_no_part_falls_silent_between_clips_in_which_it_plays(name: str, temperature: float | None) -> None:
    style = opened(name)
    corners = in_full(style, 4)
    for row in style.grid(corners, 4, temperature):
        for cell in row:
            for place, track in enumerate(cell.tracks):
                assert len(track.notes) >= 2
                assert len(track.notes) <= 2 * max(len(corner.tracks[place].notes) for corner in corners) + 8


@pytest.mark.slow
def test_a_band_is_varied_and_steered_with_every_part_in_it() -> None:
    style = opened("trio")
    (score,) = in_full(style, 1)
    for other in (*style.vary(score, 0.7, 3, seed=0), style.steer(score, {"density": -1.0}, seed=0)):
        assert all(len(track.notes) for track in other.tracks)


@pytest.mark.parametrize("meter", ["4/4", "2/4", "6/8"])
def test_what_moves_in_leaps_moves_by_one_where_less_is_asked_for(meter: str) -> None:
    style = opened("melody")
    for seed in range(3):
        score = style.compose(meter=meter, seed=seed)
        leap = style.leaps(score)["syncopation"]
        assert leap > 2
        steered = style.steer(score, {"syncopation": 1.0}, seed=0)
        moved = style.measure(steered)["syncopation"] - style.measure(score)["syncopation"]
        assert moved == pytest.approx(leap)


def test_a_leap_and_what_cannot_be_done_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save(opened("melody").compose(meter="4/4", seed=0), "tune.mid")
    assert main(["steer", "tune.mid", "--syncopation", "+1"]) == 0
    assert "asked for +1; here it changes by 4.1 at the least" in capsys.readouterr().out
    assert main(["steer", "tune.mid", "--syncopation", "-1", "--force"]) == 0
    assert "it stays as it is" in capsys.readouterr().err


def piano() -> Score:
    """Two bars in F major that could as well be in C: there is no B in them."""
    rows = [(24 * beat, 24, pitch, 80) for beat, pitch in enumerate((60, 64, 67, 72, 69, 67, 64, 60))]
    return Score(24, (Track(Notes.of(rows), 4, name="Keys"),), keys=(Key.parse("F major"),))


def test_what_is_made_of_a_clip_has_its_instruments_and_its_key() -> None:
    style = opened("melody")
    flute = style.compose(seed=2, meter="4/4", key="D major", instruments=["flute"])
    way = style.morph([piano(), flute], 6)
    made = [*way, *style.vary(piano(), 0.5, 8, seed=0), style.steer(piano(), {"register": 1.0}, seed=0)]
    assert [score.tracks[0].program for score in way] == [4, 4, 4, 73, 73, 73]
    for score in (*way[:3], *made[6:]):
        assert (score.tracks[0].program, score.tracks[0].name) == (4, "Keys")
        assert [key.name for key in score.keys] == ["F major"]
        assert 11 not in (score.tracks[0].notes.pitch % 12).tolist()


def test_what_follows_a_clip_keeps_to_its_key_and_says_what_was_heard() -> None:
    style = opened("melody")
    flat = transpose(piano(), -2)
    told: list[str] = []
    for seed in range(3):
        (track,) = style.continue_(flat, 8, seed=seed, tell=told.append).tracks
        assert set((track.notes.pitch % 12).tolist()) <= {3, 5, 7, 8, 10, 0, 2}
    assert told == []
    two = flat.replace(tracks=(*flat.tracks, transpose(flat, -24).tracks[0]))
    style.continue_(two, 2, seed=0, tell=told.append)
    assert told == ["of 2 tracks the style hears track 1 Keys (melody)"]


def test_a_key_that_is_stated_falsely_is_not_kept_to() -> None:
    style = opened("melody")
    wrong = piano().replace(keys=(Key.parse("F# major"),))
    found = {
        pitch % 12 for score in style.vary(wrong, 0.5, 8, seed=0) for pitch in score.tracks[0].notes.pitch.tolist()
    }
    assert found <= {0, 2, 4, 5, 7, 9, 11}


def test_no_window_is_cut_short() -> None:
    style = opened("melody")
    first, last = (style.compose(seed=seed, meter="3/4") for seed in (1, 2))
    for score in style.morph([first, last], 8):
        unit = score.ticks_per_quarter
        assert score.end <= 6 * unit
        assert np.isin(np.arange(2), clip(score, 0, 6 * unit).tracks[0].notes.onset // (3 * unit)).all()
