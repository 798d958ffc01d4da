"""Music without an end: each part goes on from the last, nothing grows, and Ctrl-C keeps what there is."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

import tiny
from kapelle import load, load_style, save_style
from kapelle.cli.main import main
from kapelle.cli.playing import perform
from kapelle.errors import WishError
from kapelle.music import Key, Meter, Notes, Score, TempoMap, Track, concatenate
from kapelle.styles import Style, learn

pytest.importorskip("torch")
SIZES = {"encoder_dims": [24], "decoder_dims": [24], "conductor_dims": [16]}
SMALL = {**SIZES, "latent_dim": 8, "embed_dim": 12, "plan_dim": 12}


@pytest.fixture(scope="module")
def melody() -> Style:
    return learn(tiny.corpus(), "air", "musicvae", epochs=2, window={"kind": "melody", "bars": 2}, **SMALL)


@pytest.fixture(scope="module")
def tune() -> Style:
    return learn(tiny.corpus(), "tune", epochs=1, **tiny.SMALL)


def first(style: Style, count: int, **wishes: Any) -> list[Score]:
    return list(itertools.islice(style.radio(**wishes), count))


@pytest.mark.parametrize("name", ["melody", "tune"])
def test_a_seed_gives_the_same_music_in_parts_of_so_many_bars_at_one_tempo(
    name: str, request: pytest.FixtureRequest
) -> None:
    style = request.getfixturevalue(name)
    parts = first(style, 3, bars=4, seed=3, tempo=90)
    assert parts == first(style, 3, bars=4, seed=3, tempo=90)
    assert parts[0] != parts[1] != parts[2]
    assert {len(part.bars()) - 1 for part in parts} <= {3, 4, 5}
    beats = {round(part.tempos.mean(part.end) / part.meters[0].beat_quarters) for part in parts}
    assert beats == {90}


def test_each_part_of_windows_is_near_the_one_before() -> None:
    melody = load_style("melody")
    parts = first(melody, 12, bars=2, seed=1)
    points = [melody.player.encode(melody.codec.encode(part)[None])[0][0] for part in parts]
    steps = [float(((a - b) ** 2).sum()) for a, b in itertools.pairwise(points)]
    jumps = [float(((a - b) ** 2).sum()) for a, b in itertools.combinations(points[::4], 2)]
    assert sum(steps) / len(steps) < sum(jumps) / len(jumps)


def test_wishes_hold_in_every_part(melody: Style) -> None:
    for part in first(melody, 6, bars=2, seed=2, key="D major"):
        assert {pitch % 12 for pitch in part.tracks[0].notes.pitch.tolist()} <= {2, 4, 6, 7, 9, 11, 1}
    with pytest.raises(WishError):
        next(melody.radio(polyphony=2))


def test_scores_one_after_the_other_say_a_metre_a_key_and_a_tempo_once() -> None:
    notes = Notes.of([(0, 24, 60, 80), (48, 24, 62, 80)])
    one = Score(24, (Track(notes, 5, name="A"),), TempoMap.constant(90), (Meter(0, 3, 4),), (Key(0, 2),))
    two = Score(48, (Track(notes, 5, name="A"), Track(notes, is_drum=True)), TempoMap.constant(90), (Meter(0, 3, 4),))
    whole = concatenate([one, two, one.replace(tempos=TempoMap.constant(60))])
    assert [track.notes.onset.tolist() for track in whole.tracks] == [[0, 96, 144, 192, 288, 384], [144, 192]]
    assert (len(whole.meters), len(whole.keys), whole.tempos.quarters_per_minute.tolist()) == (1, 1, [90.0, 60.0])
    with pytest.raises(ValueError, match="without a score"):
        concatenate([])


# -- the command ----------------------------------------------------------------------------------


@pytest.fixture
def desk(melody: Style, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    save_style(melody, tmp_path / "air.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_so_many_minutes_become_one_file(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["radio", "air.safetensors", "--minutes", "0.5", "--tempo", "100", "--seed", "1", "--out", "set.mid"]
    assert main(words) == 0
    assert 25 < load(desk / "set.mid").seconds < 45
    assert "100 beats a minute" in capsys.readouterr().out
    assert main(words) == 2
    assert "set.mid: exists already" in capsys.readouterr().err


def test_stopping_it_writes_what_there_is(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = Style.radio

    def stopped(self: Style, *arguments: Any, **wishes: Any) -> Any:
        yield from itertools.islice(endless(self, *arguments, **wishes), 3)
        raise KeyboardInterrupt

    monkeypatch.setattr(Style, "radio", stopped)
    assert main(["radio", "air.safetensors", "--bars", "2", "--seed", "1", "--out", "set.mid"]) == 0
    assert len(load(desk / "set.mid").bars()) - 1 in (5, 6)
    assert "set.mid, stopped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--minutes", "0"], "expected --minutes above 0, up to a day"),
        (["--minutes", "nan"], "expected"),
        (["--bars", "65"], "expected"),
        (["--out", "a.mid", "--port", "x"], "it is written or played"),
        (["--out", "a.xyz", "--minutes", "0.1"], "xyz"),
        (["--tempo", "5000", "--out", "a.mid", "--minutes", "0.1"], "expected"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    desk: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["radio", "air.safetensors", *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line
    assert [path.name for path in desk.iterdir()] == ["air.safetensors"]


def test_parts_are_performed_from_when_they_are_due() -> None:
    sent: list[tuple[float, int]] = []
    clock = [10.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    perform([(0.0, [1]), (1.0, [2])], lambda message: sent.append((clock[0], message[0])), lambda: clock[0], sleep, 12)
    assert [message for _, message in sent[:2]] == [1, 2]
    assert abs(sent[0][0] - 12) < 0.01
    assert abs(sent[1][0] - 13) < 0.01
