"""Styles of several manners: how they are learnt, told and mixed."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import tiny
from kapelle.cli.main import main
from kapelle.codecs.frames.codec import MANNER
from kapelle.corpora import Corpus, Piece
from kapelle.errors import CorpusError, WishError
from kapelle.files import save
from kapelle.music import Score, transpose
from kapelle.networks import Columns, mixed, network
from kapelle.styles import Style, save_style
from kapelle.styles.lesson import Lesson, Settings

SMALL = {"hidden_dim": 24, "inner_dim": 16, "key_dim": 8, "attention_dim": 8, "num_heads": 2}


def corpus(folders: tuple[str, ...] = ("high", "low")) -> Corpus:
    """Tunes that lie two octaves apart, as the folder says; the same tune in two keys would count once."""

    def make(seed: int, folder: str) -> Score:
        return transpose(tiny.tune(100 + seed, 4), -24) if folder == "low" else tiny.tune(seed, 4)

    pieces = [
        Piece(make(seed, folder), f"{folder} {seed}", f"{folder}/{seed}.mid" if folder else f"{seed}.mid")
        for seed in range(5)
        for folder in folders
    ]
    return Corpus.of("tiny", pieces)


@pytest.fixture(scope="module")
def style() -> Style:
    """Of two manners, which are as far apart as many hours would bring them."""
    pytest.importorskip("torch")
    learnt = tiny.learn(corpus(), "two", "chords", epochs=1, minutes=None, mixable=True, **SMALL)
    columns = learnt.network.config.columns
    first = columns.offsets[columns.names.index("manner")]
    embedding = np.array(learnt.weights["embed.weight"])
    embedding[first : first + 2] *= 40
    return replace(learnt, weights={**learnt.weights, "embed.weight": embedding})


def test_a_mixture_is_the_weighted_sum_of_what_the_words_stood_for() -> None:
    columns = Columns.of([("when", 3, True), ("manner", 4, True), ("pitch 60", 2, False)])
    weights = {"embed.weight": np.arange(14, dtype=np.float16).reshape(7, 2), "other": np.ones(3)}
    rows = mixed(weights, columns, "manner", [2, 0, 0, 6])["embed.weight"]
    assert np.array_equal(rows[3:], np.tile([10.5, 11.5], (4, 1)))
    assert np.array_equal(rows[:3], weights["embed.weight"][:3])
    assert rows.dtype == np.float16
    assert weights["embed.weight"][4, 0] == 8


@pytest.mark.parametrize("kind", ["chords", "biaxial", "deepj", "stepwise"])
def test_a_word_that_is_mixed_alone_is_that_word(kind: str) -> None:
    torch = pytest.importorskip("torch")
    columns = Columns.of([("when", 3, True), ("manner", 4, True), ("kind", 3, False), ("pitch 60", 2, False)])
    net = network(kind, columns)
    module = net.module().eval()
    weights = {name: weight.numpy() for name, weight in module.state_dict().items()}
    steps = torch.tensor([[[0, 2, 1, 1], [1, 2, 0, 1], [2, 2, 2, 0]]])
    with torch.no_grad():
        told = module(steps)[0]
        alone = {
            name: torch.from_numpy(weight) for name, weight in mixed(weights, columns, "manner", [0, 0, 1, 0]).items()
        }
        module.load_state_dict(alone)
        steps[:, :, 1] = 0
        assert torch.allclose(module(steps)[0], told, atol=1e-6)


def test_each_folder_is_a_manner_of_which_its_pieces_are() -> None:
    music = corpus()
    lesson = Lesson.of(music, Settings("two", "chords", mixable=True))
    assert lesson.codec.manners == ("high", "low")
    for piece, steps in zip(lesson.parts.train, lesson.train, strict=True):
        assert set(steps[:, MANNER]) == {("high", "low").index(piece.source.split("/")[0])}


def test_a_mixture_is_heard_and_only_its_proportions_count(style: Style) -> None:
    mixtures = {"high": 1.0}, {"low": 1.0}, {"high": 1.0, "low": 3.0}, {"high": 2.0, "low": 6.0}
    high, low, both, same = ([style.compose(bars=2, seed=seed, mix=mix) for seed in range(3)] for mix in mixtures)
    assert both == same
    assert high != low
    assert both not in (high, low)


def test_without_a_mixture_chance_takes_a_manner(style: Style) -> None:
    alone = [[style.compose(bars=2, mix={manner: 1}, seed=seed) for manner in style.manners] for seed in range(4)]
    drawn = [style.compose(bars=2, seed=seed) for seed in range(4)]
    assert all(piece in pair for piece, pair in zip(drawn, alone, strict=True))
    assert {pair.index(piece) for piece, pair in zip(drawn, alone, strict=True)} == {0, 1}


def test_what_goes_on_is_mixed_as_wished(style: Style) -> None:
    beginning = tiny.tune(3, 2)
    high, low, both = (
        [style.continue_(beginning, 2, seed=seed, mix=mix) for seed in range(3)]
        for mix in ({"high": 1}, {"low": 1}, {"high": 1, "low": 1})
    )
    assert high != low
    assert both not in (high, low)


def test_music_without_an_end_stays_in_one_manner(style: Style) -> None:
    drawn = set()
    for seed in range(4):
        # What is drawn once comes before the seeds of the parts.
        rng = np.random.default_rng(seed)
        manner = str(rng.choice(style.manners))
        drawn.add(manner)
        before = None
        for part in islice(style.radio(bars=2, seed=seed), 3):
            before = style.play_on(before, 2, seed=int(rng.integers(2**32)), mix={manner: 1.0})
            assert part == before
    assert drawn == {"high", "low"}


def test_what_cannot_be_mixed_is_refused(style: Style) -> None:
    with pytest.raises(WishError, match="high, low"):
        style.compose(bars=2, mix={"middle": 1})
    for shares in ({"high": -1.0, "low": 2.0}, {"high": 0.0}, {"low": float("nan")}, {"low": float("inf")}, {}):
        with pytest.raises(WishError, match="shares from 0"):
            style.compose(bars=2, mix=shares)
    with pytest.raises(WishError, match="leave mix out"):
        tiny.style(epochs=1).compose(bars=2, mix={"high": 1})


def test_a_folder_that_does_not_tell_manners_apart_is_refused() -> None:
    for folders in (("one",), ("one", ""), ("",)):
        with pytest.raises(CorpusError, match="a folder for each manner"):
            tiny.learn(corpus(folders), "two", "chords", epochs=1, mixable=True)
    with pytest.raises(CorpusError, match="chords or biaxial"):
        tiny.learn(corpus(), "two", "stepwise", epochs=1, mixable=True)


def test_the_command_mixes_and_lists_what_can_be_mixed(
    style: Style, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.safetensors"
    save_style(style, path)
    asked = ["compose", str(path), "--bars", "2", "--seed", "1", "--out", str(tmp_path)]
    assert main([*asked, "--mix", "high:0.7, low:0.3"]) == 0
    assert main(["styles", str(path)]) == 0
    assert "mixes" in (told := capsys.readouterr().out)
    assert "high, low" in told
    tiny_tune = tmp_path / "riff.mid"
    save(tiny.tune(3, 2), tiny_tune)
    assert main(["continue", str(tiny_tune), "--style", str(path), "--mix", "low", "--out", str(tmp_path)]) == 0
    radio = ["radio", str(path), "--mix", "low", "--minutes", "0.1", "--seed", "1", "--out", str(tmp_path / "set.mid")]
    assert main(radio) == 0
    capsys.readouterr()
    for wrong in ("high:much", "high;low", "middle:1"):
        assert main([*asked, "--force", "--mix", wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
