"""How long windows wait until something comes: as learnt at a temperature of 1, its median at 0."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kapelle.codecs.bars import BarsCodec, Vocabulary
from kapelle.networks import Columns
from kapelle.sampling import Taste, tell


class Even:
    """A player that strikes with one chance in every step, whatever was before."""

    alone = False

    def __init__(self, codec: BarsCodec, chance: float) -> None:
        self.config = SimpleNamespace(columns=Columns.of(codec.layout))
        self.chance = chance

    def begin(self, points: np.ndarray, given: np.ndarray, blind: bool) -> None:
        self.rows = len(points)

    def logits(self, column: int) -> np.ndarray:
        # Sounding or silent, it goes on with the rest of the chance; of the pitches the middle one is likeliest.
        size = self.config.columns.sizes[column]
        if size == 2:
            return np.log(np.tile([1 - self.chance, self.chance], (self.rows, 1)))
        weights = np.full(size, 1e-9)
        weights[[size // 2, size // 2 + 1]] = 0.6 * self.chance, 0.4 * self.chance
        weights[:2] = 1 - self.chance
        return np.log(np.tile(weights, (self.rows, 1)))

    def put(self, column: int, words: np.ndarray) -> None:
        pass


def waits(chance: float, temperature: float, kind: str = "bass", rows: int = 1, **more: bool) -> np.ndarray:
    """The step of the first stroke of each row's first column; the length of a window where none comes."""
    codec = BarsCodec(Vocabulary(kind, bars=3))
    rng = np.random.default_rng(0)
    steps = tell(Even(codec, chance), codec, np.zeros((rows, 1)), "4/4", Taste(temperature), rng, **more)
    struck = steps[:, :, 3] >= codec.vocabulary.fields[0].strikes
    return np.where(struck.any(1), struck.argmax(1), steps.shape[1])


@pytest.mark.parametrize("kind", ["bass", "drums"])
@settings(max_examples=20)
@given(chance=st.floats(0.02, 0.99))
def test_at_temperature_nothing_a_part_comes_in_when_half_of_all_would_have(kind: str, chance: float) -> None:
    (wait,) = waits(chance, 0, kind)
    still = (1 - chance) ** np.arange(50)
    assert still[wait + 1] <= 0.5 + 1e-6
    assert still[wait] >= 0.5 - 1e-6


@pytest.mark.parametrize("kind", ["bass", "drums"])
def test_at_temperature_one_a_part_comes_in_as_often_as_was_learnt(kind: str) -> None:
    for chance in (0.1, 0.6):
        found = waits(chance, 1, kind, rows=900)
        for step in (0, 1, 3):
            assert np.mean(found > step) == pytest.approx((1 - chance) ** (step + 1), abs=0.05)


@settings(max_examples=20)
@given(temperature=st.floats(0, 1), chance=st.floats(0.05, 0.5))
def test_between_them_the_longest_and_the_shortest_waits_are_left_out(temperature: float, chance: float) -> None:
    found = waits(chance, temperature, rows=40)
    still, low = (1 - chance) ** np.arange(50), 0.5 - temperature / 2
    assert (still[found] >= low - 1e-6).all()
    assert (still[np.minimum(found + 1, 48)] <= 1 - low + 1e-6).all()


def test_what_comes_is_cooled_as_ever() -> None:
    codec = BarsCodec(Vocabulary("bass", bars=3))
    told = {
        temperature: tell(
            Even(codec, 0.3), codec, np.zeros((9, 1)), "4/4", Taste(temperature), np.random.default_rng(0)
        )[:, :, 3]
        for temperature in (0.0, 1.0)
    }
    assert len(np.unique(told[0.0][told[0.0] > 1])) == 1
    assert len(np.unique(told[1.0][told[1.0] > 1])) == 2


@settings(max_examples=20)
@given(temperature=st.floats(0, 2), kind=st.sampled_from(["bass", "drums"]))
def test_windows_that_share_their_chance_differ_by_their_points_alone(temperature: float, kind: str) -> None:
    found = waits(0.2, temperature, kind, rows=6, alike=True)
    assert len(np.unique(found)) == 1
