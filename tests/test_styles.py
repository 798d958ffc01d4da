"""Styles: learnt, saved, opened, and composing what is wished."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kapelle.codecs import Codec
from kapelle.errors import StyleError, WishError
from kapelle.evaluation import Memory, facts, looped_bars
from kapelle.music import Key, Score, slice_bars, transpose
from kapelle.styles import Habits, Style, open_style, save_style
from kapelle.styles.card import closes_on, lineup_of

pytest.importorskip("torch")
import tiny


@pytest.fixture(scope="module")
def folk() -> Style:
    return tiny.style()


@pytest.fixture(scope="module")
def band() -> Style:
    return tiny.style("band", tiny.band, epochs=8)


def full_bars(score: Score) -> int:
    return len(score.bars()) - 1 - (score.pickup > 0)


@pytest.mark.parametrize("bars", [1, 5, 16])
def test_a_piece_has_the_bars_that_were_wished(folk: Style, bars: int) -> None:
    assert full_bars(folk.compose(bars=bars, seed=1)) == bars


@pytest.mark.parametrize("notes", [1, 37, 200])
def test_a_piece_has_the_notes_that_were_wished(folk: Style, notes: int) -> None:
    score = folk.compose(notes=notes, seed=1)
    assert score.num_notes == notes


def test_a_piece_lasts_as_long_as_was_wished(folk: Style) -> None:
    score = folk.compose(seconds=20, seed=1)
    assert score.tempos.seconds(int(score.bars()[-1]), score.ticks_per_quarter) == pytest.approx(20, abs=0.01)


def test_seconds_at_a_tempo_are_kept_to_the_nearest_bar(folk: Style) -> None:
    score = folk.compose(seconds=20, tempo=100, meter="3/4", seed=1)
    assert score.tempos.mean(1) == pytest.approx(100)
    assert abs(float(score.tempos.seconds(int(score.bars()[-1]), 24)) - 20) <= 0.5 * 3 * 0.6 + 1e-6


@pytest.mark.parametrize("key", ["D minor", "F# major", "Eb minor"])
def test_every_note_is_of_the_wished_key(folk: Style, key: str) -> None:
    score = folk.compose(key=key, bars=6, seed=2)
    assert set((score.tracks[0].notes.pitch % 12).tolist()) <= Key.parse(key).pitch_classes
    assert score.keys[0] == Key.parse(key)


def test_metre_tempo_range_polyphony_instrument_and_title_are_as_wished(band: Style) -> None:
    score = band.compose(
        bars=6, meter="6/8", tempo=80, range=("C3", "C6"), polyphony=2, instruments=["flute", 42], title="Night", seed=3
    )
    assert [meter.name for meter in score.meters] == ["6/8"]
    assert score.tempos.mean(1) == pytest.approx(120)
    pitched = [track for track in score.tracks if not track.is_drum]
    assert {track.program for track in pitched} <= {73, 42}
    assert all(track.notes.pitch.min() >= 48 and track.notes.pitch.max() <= 84 for track in pitched)
    onset = np.concatenate([track.notes.onset for track in pitched])
    end = np.concatenate([track.notes.end for track in pitched])
    assert max(((onset <= at) & (end > at)).sum() for at in onset) <= 2
    assert score.title == "Night"


def test_the_same_seed_gives_the_same_piece_and_another_one_another(folk: Style) -> None:
    assert folk.compose(bars=8, seed=5) == folk.compose(bars=8, seed=5)
    assert folk.compose(bars=8, seed=5) != folk.compose(bars=8, seed=6)


def test_a_style_that_is_saved_composes_the_same_when_opened(folk: Style, tmp_path: Path) -> None:
    save_style(folk, tmp_path / "folk.safetensors")
    again = open_style(tmp_path / "folk.safetensors")
    assert again.card == folk.card
    assert again.habits == folk.habits
    assert again.compose(bars=8, seed=5) == folk.compose(bars=8, seed=5)


def test_a_style_never_replaces_a_file_unasked(folk: Style, tmp_path: Path) -> None:
    path = save_style(folk, tmp_path / "folk.safetensors")
    before = path.read_bytes()
    with pytest.raises(Exception, match="exists"):
        save_style(folk, path)
    assert path.read_bytes() == before


def test_a_style_file_holds_no_state_of_the_optimiser_and_half_precision(folk: Style, tmp_path: Path) -> None:
    path = save_style(folk, tmp_path / "folk.safetensors")
    weights = sum(weight.size for weight in folk.weights.values())
    header = len(json.dumps(folk.codec.to_json())) + 20_000
    assert path.stat().st_size < 2 * weights + header


def test_continuing_keeps_the_beginning_to_the_tick(band: Style) -> None:
    beginning = tiny.band(99, bars=3)
    for given in (beginning, transpose(beginning, 2)):
        score = band.continue_(given, bars=4, seed=1)
        end = int(given.bars()[-1]) * (score.ticks_per_quarter // given.ticks_per_quarter)
        assert full_bars(score) == 7
        for before, after in zip(given.tracks, score.tracks, strict=False):
            kept = after.notes.where(after.notes.onset < end)
            assert kept == before.notes
            assert (before.program, before.is_drum) == (after.program, after.is_drum)


def test_continuing_keeps_a_beginning_in_any_unit_of_time_and_any_instrument(folk: Style) -> None:
    from kapelle.music import resample

    given = resample(tiny.tune(50, bars=2, program=71), 1000)
    score = folk.continue_(given, bars=2, seed=1)
    unit = score.ticks_per_quarter // 1000
    kept = score.tracks[0].notes.where(score.tracks[0].notes.onset < int(given.bars()[-1]) * unit)
    assert kept == given.tracks[0].notes.replace(
        onset=given.tracks[0].notes.onset * unit, duration=given.tracks[0].notes.duration * unit
    )
    assert score.tracks[0].program == 71
    assert full_bars(score) == 4


def test_pieces_end_on_the_tonic_where_the_pieces_of_the_style_do(folk: Style) -> None:
    def share(style: Style) -> float:
        pieces = [style.compose(bars=2, key="G major", seed=seed) for seed in range(12)]
        return sum(closes_on(piece, 7) for piece in pieces) / len(pieces)

    closing, open_ = (replace(folk, habits=replace(folk.habits, ends_on_tonic=ends)) for ends in (True, False))
    # A style that has learnt next to nothing hits the tonic by chance; its last bars are tried sixteen times.
    assert share(closing) > share(open_) + 0.3


def test_a_band_is_one_that_the_pieces_have_and_no_fuller_than_they_are(band: Style) -> None:
    assert band.habits.lineups
    for seed in range(6):
        score = band.compose(bars=4, seed=seed)
        assert any(Counter(lineup_of(score)) <= Counter(map(int, known.split())) for known in band.habits.lineups)
        assert facts(score).max_polyphony <= band.habits.polyphony
        pitches = np.concatenate([track.notes.pitch for track in score.tracks if not track.is_drum])
        assert pitches.min() >= band.habits.low == 36
        assert pitches.max() <= band.habits.high == 72


def test_bands_are_drawn_as_often_as_pieces_have_them_and_by_the_number_of_instruments_wished() -> None:
    habits = Habits(lineups={"0": 3, "30 33 128": 1, "25 25 30 33 128": 1})
    rng = np.random.default_rng(0)
    drawn = Counter(habits.draw_lineup(rng) for _ in range(500))
    assert drawn.keys() == {(0,), (30, 33, 128), (25, 25, 30, 33, 128)}
    assert 250 < drawn[(0,)] < 350
    assert {habits.draw_lineup(rng, pitched=2) for _ in range(20)} == {(30, 33, 128)}
    assert {habits.draw_lineup(rng, pitched=9) for _ in range(20)} == {(25, 25, 30, 33, 128)}
    assert Habits().draw_lineup(rng) is None


def test_a_wished_key_is_reached_from_the_nearest_that_the_style_knows_well() -> None:
    habits = Habits(keys={"G major": 50, "D major": 50, "E minor": 5, "C# major": 1})
    assert habits.shift_to(None) == 0
    assert habits.shift_to(Key.parse("G major")) == 0
    assert habits.shift_to(Key.parse("Ab major")) == 1
    assert habits.shift_to(Key.parse("Eb minor")) == -1


def test_a_piece_that_repeats_itself_more_than_was_wished_is_drawn_again_and_that_is_told(folk: Style) -> None:
    # Always taking the most likely is how a network gets stuck on one note, and there is no second take to draw.
    told: list[str] = []
    stuck = folk.compose(bars=16, temperature=0, repetition=0, tell=told.append)
    assert looped_bars(stuck) > 4
    assert "the best of 1 takes repeats itself" in told[-1]
    told.clear()
    folk.compose(bars=16, temperature=0, repetition=1, tell=told.append)
    assert told == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"bars": 0},
        {"bars": 4, "notes": 5},
        {"tempo": 5},
        {"key": "H major"},
        {"meter": "5/7"},
        {"range": ("C4", "C3")},
        {"range": ("C#4", "C#4"), "key": "C major"},
        {"temperature": -1},
        {"instruments": ["kazooo"]},
        {"seconds": 0},
        {"repetition": 2},
    ],
)
def test_an_impossible_wish_is_one_clear_line(folk: Style, wrong: dict[str, object]) -> None:
    with pytest.raises(WishError) as error:
        folk.compose(**wrong)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_damaged_style_never_raises_anything_but_its_own_error(folk: Style, tmp_path: Path) -> None:
    data = save_style(folk, tmp_path / "folk.safetensors").read_bytes()
    rng = np.random.default_rng(0)
    header = int.from_bytes(data[:8], "little")
    for trial in range(60):
        broken = bytearray(data)
        if trial % 3 == 0:
            broken = broken[: int(rng.integers(0, len(data)))]
        else:
            for _ in range(4):
                broken[int(rng.integers(0, header + 8))] = int(rng.integers(0, 256))
        path = tmp_path / "broken.safetensors"
        path.write_bytes(bytes(broken))
        with contextlib.suppress(StyleError):
            open_style(path).compose(bars=1, seed=0)


def test_a_style_from_a_newer_version_says_update(folk: Style, tmp_path: Path) -> None:
    from safetensors.numpy import save

    path = tmp_path / "new.safetensors"
    path.write_bytes(save({"a": np.zeros(1)}, {"kapelle": json.dumps({"format": 99})}))
    with pytest.raises(StyleError, match="update Kapelle"):
        open_style(path)


# -- originality ----------------------------------------------------------------------------------


class Parrot:
    """Plays the network that has memorised one piece and knows nothing else."""

    def __init__(self, codec: Codec, score: Score) -> None:
        self.layout, self.steps = codec.layout, codec.encode(score)
        self.place = 0

    def player(self, weights: object) -> Parrot:
        return self

    def reset(self) -> None:
        self.place = 0

    def logits(self, column: int) -> NDArray[np.float64]:
        step = self.steps[min(self.place // len(self.layout), len(self.steps) - 1)]
        # The nearest words are the next best.
        return -20.0 * np.abs(np.arange(self.layout[column][1]) - step[column])

    def put(self, column: int, word: int) -> None:
        self.place += 1

    def state(self) -> int:
        return self.place

    def restore(self, state: int) -> None:
        self.place = state


@pytest.fixture(scope="module")
def parrot(band: Style) -> Style:
    """A style that was trained on a single file, and can do nothing but play it."""
    piece = band.codec.canonical(tiny.band(0, bars=16))
    network: Any = Parrot(band.codec, piece)
    return replace(band, name="parrot", network=network, memory=Memory.of([piece]))


def longest(style: Style, score: Score, start: int = 0) -> int:
    assert style.memory is not None
    found = style.memory.longest(score, start)
    return 0 if found is None else found.notes


def test_a_style_of_a_single_file_copies_and_says_so_but_composes_originally_if_that_is_wished(parrot: Style) -> None:
    assert parrot.memory is not None
    for seed in range(4):
        told: list[str] = []
        copied = parrot.compose(bars=16, seed=seed, repetition=1, tell=told.append)
        assert longest(parrot, copied) > 3 * parrot.memory.limit
        assert any(
            f"copies {longest(parrot, copied)} notes in bars 1 to 16 from what it learnt; up to 16" in line
            for line in told
        )
        told.clear()
        score = parrot.compose(bars=16, seed=seed, repetition=1, original=True, tell=told.append)
        assert 0 < longest(parrot, score) <= parrot.memory.limit
        assert full_bars(score) == 16
        assert score.num_notes > copied.num_notes / 2
        assert told == []


def test_an_original_piece_keeps_every_wish(parrot: Style) -> None:
    score = parrot.compose(bars=12, key="F major", range=("C2", "C6"), polyphony=2, seed=1, repetition=1, original=True)
    assert longest(parrot, score) <= 16
    for track in score.tracks:
        if not track.is_drum:
            assert set((track.notes.pitch % 12).tolist()) <= Key.parse("F major").pitch_classes
            assert track.notes.pitch.min() >= 36
            assert track.notes.pitch.max() <= 84


def test_where_a_wish_leaves_nothing_but_copies_a_piece_is_composed_and_that_is_told(parrot: Style) -> None:
    drone = tiny.tune(0, bars=16)
    notes = drone.tracks[0].notes
    drone = drone.replace(tracks=(drone.tracks[0].replace(notes=notes.replace(pitch=np.full(len(notes), 60))),))
    stubborn = replace(parrot, network=Parrot(parrot.codec, drone), memory=Memory.of([drone]))  # type: ignore[arg-type]
    told: list[str] = []
    score = stubborn.compose(bars=16, range=("C4", "C4"), seed=0, repetition=1, original=True, tell=told.append)
    assert score.num_notes
    assert "copies" in told[-1]


def test_going_on_from_a_piece_that_was_learnt_from_is_original_in_what_is_new(parrot: Style) -> None:
    beginning = slice_bars(parrot.codec.canonical(tiny.band(0, bars=16)), 0, 6)
    border = int(beginning.bars()[-1])
    told: list[str] = []
    copied = parrot.continue_(beginning, bars=10, seed=1, repetition=1, tell=told.append)
    assert longest(parrot, copied, border) > 16
    assert any("copies" in line for line in told)
    told.clear()
    score = parrot.continue_(beginning, bars=10, seed=1, repetition=1, original=True, tell=told.append)
    # What was given is a copy already, and goes no further.
    assert longest(parrot, score) == longest(parrot, beginning)
    assert longest(parrot, score, border) <= 16
    assert told == []


def test_a_style_without_a_memory_cannot_be_asked_for_originality_and_tells_nothing(folk: Style) -> None:
    forgetful = replace(folk, memory=None)
    for ask in (lambda: forgetful.compose(original=True), lambda: forgetful.continue_(tiny.tune(0), original=True)):
        with pytest.raises(WishError, match="train it again"):
            ask()


def test_a_memory_is_kept_in_the_style_s_file(folk: Style, tmp_path: Path) -> None:
    memory = Memory.of([tiny.tune(seed) for seed in range(5)])
    again = open_style(save_style(replace(folk, memory=memory), tmp_path / "one.safetensors"))
    assert again.memory is not None
    assert again.memory.to_json() == memory.to_json()
    assert np.array_equal(again.memory.bits, memory.bits)
    assert again.weights.keys() == folk.weights.keys()
    assert open_style(save_style(replace(folk, memory=None), tmp_path / "old.safetensors")).memory is None


@pytest.mark.parametrize(
    "damage",
    [
        {"limit": 1},
        {"gram": "twelve"},
        {"probes": -1},
        {"probes": None},
        None,
        [],
        {"bits": np.zeros(4, np.float16)},
        {"bits": None},
    ],
)
def test_a_style_with_a_damaged_memory_is_one_clear_line(folk: Style, tmp_path: Path, damage: Any) -> None:
    from safetensors.numpy import load, save

    memory = Memory.of([tiny.tune(0)])
    path = save_style(replace(folk, memory=memory), tmp_path / "broken.safetensors")
    data = path.read_bytes()
    about = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["kapelle"])
    tensors = load(data)
    if isinstance(damage, dict) and "bits" in damage:
        tensors = {name: value for name, value in tensors.items() if name != "kapelle.memory"}
        tensors |= {} if damage["bits"] is None else {"kapelle.memory": damage["bits"]}
    else:
        about["memory"] = memory.to_json() | damage if isinstance(damage, dict) else damage
    path.write_bytes(save(tensors, {"kapelle": json.dumps(about)}))
    with pytest.raises(StyleError, match="damaged") as error:
        open_style(path)
    assert "\n" not in str(error.value)
