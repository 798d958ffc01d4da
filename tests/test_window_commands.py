"""Styles of windows: their files, their cards and the commands that make something of clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny
from kapelle import load, open_style, save, save_style
from kapelle.cli.main import main
from kapelle.codecs.bars import BarsCodec
from kapelle.errors import KapelleError, StyleError
from kapelle.music import Meter, Notes, Score, Track, clip, transpose
from kapelle.styles import WindowStyle
from windowed import two_bars

pytest.importorskip("torch")


def test_a_style_of_windows_is_saved_and_opened_and_composes_the_same(melody: WindowStyle, tmp_path: Path) -> None:
    again = open_style(save_style(melody, tmp_path / "melody.safetensors"))
    assert isinstance(again, WindowStyle)
    twice = open_style(save_style(again, tmp_path / "twice.safetensors"))
    assert again.compose(seed=3) == twice.compose(seed=3)
    assert again.space is not None
    assert again.space.names == melody.space.names  # type: ignore[union-attr]


def test_a_damaged_space_is_a_damaged_style(melody: WindowStyle, tmp_path: Path) -> None:
    from dataclasses import replace

    space = melody.space
    assert space is not None
    wrong = replace(
        melody, space=replace(space, anchors=space.anchors[:, :3], factor=space.factor[:3, :3], ways=space.ways[:, :3])
    )
    with pytest.raises(StyleError, match=r"damaged|another network"):
        open_style(save_style(wrong, tmp_path / "wrong.safetensors"))


def test_the_card_tells_the_three_figures_together(melody: WindowStyle) -> None:
    for part in ("valid", "train"):
        names = [name for name in melody.card.figures if name.startswith(part)]
        assert names == [
            f"{part} accuracy, told the truth", f"{part} accuracy, free-running", f"{part} nats of a window's point"
        ]  # fmt: skip


@pytest.fixture
def desk(melody: WindowStyle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    save_style(melody, tmp_path / "m.safetensors")
    for seed, name in enumerate("abcd"):
        save(two_bars(seed), tmp_path / f"{name}.mid")
    save(tiny.tune(9), tmp_path / "long.mid")
    return tmp_path


STYLE = ["--style", "./m.safetensors"]


def test_morph_vary_grid_and_steer_write_what_they_say(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["morph", "a.mid", "b.mid", "--steps", "3", *STYLE]) == 0
    assert sorted(path.name for path in desk.glob("a-to-b*")) == [
        "a-to-b-1.mid", "a-to-b-2.mid", "a-to-b-3.mid", "a-to-b.mid"
    ]  # fmt: skip
    assert load("a-to-b-1.mid").tracks[0].notes == load("a.mid").tracks[0].notes
    assert len(load("a-to-b.mid").bars()) - 1 in (5, 6)
    assert main(["vary", "a.mid", "--count", "2", *STYLE]) == 0
    assert (desk / "a-like-2.mid").exists()
    assert main(["grid", "a.mid", "b.mid", "c.mid", "d.mid", "--size", "3", *STYLE]) == 0
    assert len(list(desk.glob("grid-*.mid"))) == 9
    assert main(["grid", "a.mid", "b.mid", "c.mid", "d.mid", "--size", "3", "--path", "1,1 2,2 3,3", *STYLE]) == 0
    assert (desk / "path.mid").exists()
    capsys.readouterr()
    assert main(["steer", "a.mid", "--density", "+1", *STYLE]) == 0
    assert "asked for +1" in capsys.readouterr().out
    assert main(["compose", "./m.safetensors", "--count", "2", "--seed", "1"]) == 0
    assert main(["styles", "./m.safetensors"]) == 0
    assert "steered by" in capsys.readouterr().out


def test_bad_clips_get_one_line_and_nothing_is_written_over(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str) -> str:
        assert main(list(words)) == 2
        return capsys.readouterr().err.strip().splitlines()[-1]

    assert "two files or more" in refused("morph", "a.mid", *STYLE)
    assert "expected a style of windows" in refused("vary", "a.mid", "--style", "folk")
    assert "expected something to change" in refused("steer", "a.mid", *STYLE)
    asked = refused("vary", "long.mid", *STYLE)
    assert "long.mid: has 7 windows of 2 bars, at bars 1, 2, 3, 4, 5, 6 and 1 more; take one, as in long.mid@1" in asked
    assert len(list((desk / "long-windows").glob("*.mid"))) == 7
    assert "no window of 2 bars starts at bar 99" in refused("vary", "long.mid@99", *STYLE)
    assert main(["vary", "long.mid@3", "--count", "1", *STYLE]) == 0
    assert "exists already" in refused("vary", "long.mid@3", "--count", "1", *STYLE)
    save(Score(24, (Track(Notes.of([])),)), "empty.mid")
    assert "empty.mid" in refused("vary", "empty.mid", *STYLE)
    assert "got a score without notes" in refused("vary", "empty.mid", *STYLE)
    save(clip(two_bars(0), 0, 144).replace(meters=(Meter.parse("3/4"),)), "waltz.mid")
    save(transpose(two_bars(0), -36), "low.mid")
    assert "got 4/4 (a.mid) and 3/4 (waltz.mid)" in refused("morph", "a.mid", "waltz.mid", "--style", "melody")
    assert "low.mid: expected notes (pitches " in refused("vary", "low.mid", *STYLE)
    assert "low.mid: expected notes (pitches " in refused("continue", "low.mid", *STYLE)
    assert "four files, one for each corner, got 3" in refused("grid", "a.mid", "b.mid", "c.mid", *STYLE)
    assert "rows and columns" in refused("grid", *["a.mid"] * 4, "--path", "1;1", *STYLE)
    gaps = tiny.tune(9)
    early = gaps.tracks[0].notes.where(gaps.tracks[0].notes.onset < 192)
    save(gaps.replace(tracks=(Track(early),)), "one.mid")
    late = early.replace(onset=early.onset + 96 * np.arange(len(early)))
    save(gaps.replace(tracks=(Track(late.where(np.arange(len(late)) % 3 == 0)),)), "none.mid")
    assert "has no window of 2 bars: the melody is silent (" in refused("vary", "none.mid", *STYLE)
    save(clip(two_bars(0), 0, 96), "short.mid")
    assert main(["vary", "short.mid", "--count", "1", *STYLE]) == 0
    assert "shorter than 2 bars" in capsys.readouterr().err


def test_training_of_windows_tells_what_each_file_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(4):
        save(transpose(tiny.tune(seed), seed), folder / f"{seed}.mid")
    words = ["train", str(folder), "--name", "w", "--network", "cat-drums_2bar_small", "--kind", "drums"]
    assert main([*words, "--epochs", "1"]) == 2
    assert "no track for drums" in capsys.readouterr().err
    assert main(["train", str(folder), "--name", "w", "--network", "stepwise", "--bars", "2"]) == 2
    assert "are for networks of windows" in capsys.readouterr().err
    assert main(["train", str(folder), "--name", "w", "--kind", "opera"]) == 2
    assert main(["train", str(folder), "--name", "w", "--kind", "melody", "--track", "flute"]) == 2
    assert main(["train", str(folder), "--name", "w", "--kind", "melody", "--epochs", "1", "--track", "melody=1"]) == 0
    told = "".join(capsys.readouterr())
    assert "0.mid: 7 windows" in told
    assert "windows: " in told
    assert "--kind melody" in load_command(tmp_path / "home" / "kapelle" / "styles" / "w.safetensors")
    assert (tmp_path / "home" / "kapelle" / "styles" / "w.run" / "windows.txt").read_text().count("windows") == 4
    assert main(["train", "--name", "w", "--resume", "--epochs", "1"]) == 0
    assert main(["train", str(folder), "--name", "own", "--from", "w", "--epochs", "1"]) == 0


def load_command(path: Path) -> str:
    style = open_style(path)
    assert isinstance(style.codec, BarsCodec)  # type: ignore[unreachable]
    return style.card.command


def test_a_style_that_never_learnt_its_space_says_so(melody: WindowStyle) -> None:
    from dataclasses import replace

    with pytest.raises(KapelleError, match="train it again"):
        replace(melody, space=None).compose()


def test_what_is_heard_of_a_clip_is_told_where_it_is_not_all(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(score: Score, *more: str) -> str:
        save(score, "clip.mid", force=True)
        assert main(["vary", "clip.mid", "--count", "1", "--force", *more, *STYLE]) == 0
        return capsys.readouterr().err.strip()

    assert told(two_bars(0)) == ""
    (line,) = two_bars(0).tracks
    many = [transpose(two_bars(seed), -12).tracks[0] for seed in range(199)]
    assert "of 200 tracks the style hears track 200 Top (melody)" in told(
        Score(24, (*many, line.replace(name="Top", notes=transpose(two_bars(0), 3).tracks[0].notes)))
    )
    low = line.notes.replace(pitch=np.where(line.notes.onset < 24, 20, line.notes.pitch))
    assert "notes are not heard: the style knows pitches" in told(Score(24, (line.replace(notes=low),)))
    swung = Notes.of([(16 * beat, 16, 64 + beat % 3, 80) for beat in range(12)])
    assert "notes off the grid: none of the windows learnt from is like that" in told(Score(24, (Track(swung),)))
    late = Score(24, (Track(two_bars(0).tracks[0].notes.replace(onset=two_bars(0).tracks[0].notes.onset + 96)),))
    assert "its one window is taken, bars 2 to 3" in told(late)
