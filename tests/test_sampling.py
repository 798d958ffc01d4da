"""The laws of drawing: nothing forbidden is ever drawn, and what is drawn follows the probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kapelle.sampling import Taste, distribution, draw

logits = arrays(np.float32, st.integers(1, 40), elements=st.floats(-30, 30, width=32))
tastes = st.builds(
    Taste,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 3.0]),
    top_k=st.integers(0, 5),
    top_p=st.sampled_from([0.1, 0.9, 1.0]),
    min_p=st.sampled_from([0.0, 0.2]),
)


@st.composite
def choices(data: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    values = data(logits)
    allowed = np.array(data(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    allowed[data(st.integers(0, len(values) - 1))] = True
    return values, allowed


@given(choices(), tastes)
def test_only_what_is_allowed_has_a_probability_and_they_sum_to_one(
    choice: tuple[np.ndarray, np.ndarray], taste: Taste
) -> None:
    values, allowed = choice
    weights = distribution(values, allowed, taste)
    assert not weights[~allowed].any()
    assert weights.sum() == pytest.approx(1)


@given(choices(), tastes, st.integers(0, 2**32 - 1))
def test_what_is_drawn_has_a_probability(choice: tuple[np.ndarray, np.ndarray], taste: Taste, seed: int) -> None:
    word = draw(*choice, taste, np.random.default_rng(seed))
    assert distribution(*choice, taste)[word] > 0


@given(choices(), tastes.filter(lambda taste: taste.temperature > 0))
def test_how_often_music_goes_on_as_before_does_not_depend_on_the_temperature(
    choice: tuple[np.ndarray, np.ndarray], taste: Taste
) -> None:
    values, allowed = choice
    weights = distribution(values, allowed, taste, onward=True)
    assert not weights[~allowed].any()
    assert weights.sum() == pytest.approx(1)
    assert weights[0] == pytest.approx(distribution(values, allowed, Taste())[0])
    livelier = distribution(values, allowed, replace(taste, motion=1.5), onward=True)
    assert livelier[0] <= weights[0] or weights[0] < 0.5
    assert livelier[0] >= weights[0] or weights[0] > 0.5
    others = allowed & (np.arange(len(values)) > 0)
    if weights[1:].any():
        assert weights[1:] / weights[1:].sum() == pytest.approx(distribution(values, others, taste)[1:])


@given(choices(), tastes)
def test_the_most_likely_allowed_word_always_stays(choice: tuple[np.ndarray, np.ndarray], taste: Taste) -> None:
    values, allowed = choice
    assert distribution(values, allowed, taste)[np.where(allowed, values, -np.inf).argmax()] > 0


@given(choices())
def test_temperature_zero_takes_the_most_likely(choice: tuple[np.ndarray, np.ndarray]) -> None:
    values, allowed = choice
    best = np.where(allowed, values, -np.inf).argmax()
    assert draw(values, allowed, Taste(temperature=0), np.random.default_rng(0)) == best


@given(choices(), st.integers(1, 5))
def test_top_k_leaves_at_most_k(choice: tuple[np.ndarray, np.ndarray], k: int) -> None:
    assert (distribution(*choice, Taste(top_k=k)) > 0).sum() <= k


def test_draws_follow_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    values = np.log([0.5, 0.3, 0.2])
    counts = np.bincount([draw(values, np.ones(3, bool), Taste(), rng) for _ in range(4000)], minlength=3) / 4000
    assert counts == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    values = np.log([0.5, 0.3, 0.2])
    assert (distribution(values, np.ones(3, bool), Taste(top_p=0.5)) > 0).tolist() == [True, False, False]
    assert (distribution(values, np.ones(3, bool), Taste(top_p=0.7)) > 0).tolist() == [True, True, False]


def test_nothing_allowed_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one allowed word"):
        distribution(np.zeros(3), np.zeros(3, bool), Taste())


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"top_p": 0}, {"top_k": -1}, {"min_p": 1}])
def test_a_taste_out_of_range_is_an_error_that_names_it(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Taste(**wrong)


@pytest.mark.parametrize("top_p", [0.9, 0.98])
def test_what_many_choices_make_up_together_is_left_as_it_was_learnt_but_for_its_tail(top_p: float) -> None:
    # A chord of 4 of 88 keys: each key is struck once in 22 frames, and the taste of one choice would never strike it.
    struck = np.log([1 - 4 / 88, 4 / 88])
    both = np.array([True, True])
    alone = Taste(0.9, top_p=top_p)
    assert distribution(struck, both, alone.shared(88)) == pytest.approx([1 - 4 / 88, 4 / 88])
    if top_p == 0.9:
        assert distribution(struck, both, alone)[1] == 0
    assert distribution(np.log([1 - 1e-4, 1e-4]), both, alone.shared(88))[1] == 0
    assert alone.shared(88).top_p == pytest.approx(1 - (1 - top_p) / 88)
    assert Taste(0.0).shared(88).temperature == 0
    assert Taste(3.0).shared(88).temperature == 3
