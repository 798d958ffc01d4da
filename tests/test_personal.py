"""A style of one's own clips over the network of another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny
from kapelle import load_style, open_style, save, save_style
from kapelle.cli.main import main
from kapelle.corpora import Corpus, Piece
from kapelle.errors import CorpusError
from kapelle.music import Notes, Score, Track, slice_bars
from kapelle.styles import WindowStyle
from kapelle.styles.personal import personal


@pytest.fixture(scope="module")
def base() -> WindowStyle:
    style = load_style("melody")
    assert isinstance(style, WindowStyle)
    return style


def low_and_slow(seed: int) -> Score:
    """Half notes around A3: what no fiddle tune is like."""
    rng = np.random.default_rng(seed)
    rows = [(48 * at, 48, 57 + int(rng.choice([0, 2, 4, 5, 7])), 80) for at in range(16)]
    return Score(24, (Track(Notes.of(rows), 40),))


def corpus(count: int, make: object = low_and_slow) -> Corpus:
    pieces = [Piece(make(seed), f"clip {seed}", f"{seed}.mid") for seed in range(count)]  # type: ignore[operator]
    return Corpus.of("clips", pieces, (), "mine", ("me",))


def register(style: WindowStyle, **wishes: object) -> float:
    return float(np.mean([style.compose(seed=seed, **wishes).tracks[0].notes.pitch.mean() for seed in range(12)]))


def test_it_draws_near_to_the_clips_and_says_how_near(base: WindowStyle) -> None:
    mine = personal(corpus(8), "mine", base)
    assert register(mine) < register(base) - 5
    assert mine.card.figures["held-out distance"] < mine.card.figures["held-out distance of the base"] - 0.3
    assert mine.card.pieces == 8
    assert mine.card.attribution[0] == "me"
    assert all((mine.weights[name] == base.weights[name]).all() for name in base.weights)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_clip_is_enough(base: WindowStyle, count: int) -> None:
    mine = personal(corpus(count, lambda seed: slice_bars(low_and_slow(seed), 0, 2)), "mine", base)
    assert register(mine) < register(base)
    assert ("held-out distance" in mine.card.figures) == (count >= 4)


def test_it_is_saved_and_opened_and_does_all_that_its_base_does(base: WindowStyle, tmp_path: Path) -> None:
    mine = personal(corpus(4), "mine", base)
    again = open_style(save_style(mine, tmp_path / "mine.safetensors"))
    assert isinstance(again, WindowStyle)
    assert again.compose(bars=4, seed=3) == mine.compose(bars=4, seed=3)
    clips = [slice_bars(low_and_slow(seed), 0, 2) for seed in (1, 2)]
    assert len(again.morph(clips, 4)) == 4
    assert len(again.vary(clips[0], count=2, seed=1)) == 2
    assert set(again.measure(again.steer(clips[0], {"density": 1}, seed=1))) == set(base.measure(clips[0]))


def test_clips_that_the_base_cannot_tell_are_refused_with_their_reason(base: WindowStyle) -> None:
    lines: list[str] = []
    with pytest.raises(CorpusError, match="expected clips that the style melody can tell, got none"):
        personal(corpus(2, lambda seed: only_drums(seed)), "mine", base, told=lines.append)
    assert lines == ["0.mid: 0 windows; no track for the melody", "1.mid: 0 windows; no track for the melody"]


def only_drums(seed: int) -> Score:
    rows = [(24 * at, 6, (36, 38)[(at * seed) % 2], 80 + seed) for at in range(16)]
    return Score(24, (Track(Notes.of(rows), is_drum=True),))


def test_the_command_makes_a_style_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clips").mkdir()
    for seed in range(4):
        save(tiny.tune(seed + 1), f"clips/{seed}.mid")
    words = ["train", "clips", "--name", "mine", "--on", "melody", "--out", "mine.safetensors"]
    assert main(words) == 0
    assert "held-out distance of the base" in capsys.readouterr().out
    assert main(["compose", "mine.safetensors", "--seed", "1"]) == 0
    for more, why in (
        (["--network", "stepwise"], "expected --on alone, got --network too"),
        (["--from", "folk"], "expected --on alone, got --from too"),
    ):
        assert main([*words, *more, "--force"]) == 2
        assert why in capsys.readouterr().err
    assert main(["train", "clips", "--name", "mine", "--on", "folk", "--out", "other.safetensors"]) == 2
    assert "expected a style of windows" in capsys.readouterr().err
