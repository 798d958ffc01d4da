"""The space of windows: ways between points, what is drawn, and how a measure is raised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny
from kapelle.music import chain, clip, resample, slice_bars
from kapelle.sampling import Taste, distribution, draw_rows
from kapelle.styles.space import Space, between

pytest.importorskip("torch")


points = st.lists(st.floats(-5, 5), min_size=3, max_size=3).map(np.array)


@given(start=points, end=points, share=st.floats(0, 1))
def test_an_arc_has_its_ends_and_is_never_far_from_them(start: np.ndarray, end: np.ndarray, share: float) -> None:
    np.testing.assert_allclose(between(start, end, 0), start, atol=1e-6)
    np.testing.assert_allclose(between(start, end, 1), end, atol=1e-6)
    np.testing.assert_allclose(between(start, end, share), between(end, start, 1 - share), atol=1e-6)
    longest = max(np.linalg.norm(start), np.linalg.norm(end))
    assert np.isfinite(between(start, end, share)).all()
    assert np.linalg.norm(between(start, end, share)) <= 1.5 * longest + 1e-6 or share in (0, 1)


def test_an_arc_between_points_of_one_length_keeps_it_and_opposite_points_are_joined() -> None:
    start, end = np.array([3.0, 0, 0]), np.array([0, 3.0, 0])
    for share in (0.2, 0.5, 0.9):
        assert np.linalg.norm(between(start, end, share)) == pytest.approx(3)
    np.testing.assert_allclose(between(start, -start, 0.5), 0, atol=1e-6)
    np.testing.assert_allclose(between(start, start, 0.4), start)
    np.testing.assert_allclose(between(start, start + 1e-9, 0.4), start, atol=1e-6)
    np.testing.assert_allclose(between(np.zeros(3), start, 0.5), start / 2)


def made_space(rng: np.random.Generator) -> tuple[Space, np.ndarray, np.ndarray]:
    meters = rng.integers(0, 2, 3000)
    points = rng.standard_normal((3000, 4)) * [1, 2, 0.5, 1] + 6 * meters[:, None]
    measures = {"first": points[:, 0] - 6 * meters, "sum": points[:, 1] + points[:, 0], "still": np.ones(3000)}
    return Space.of(points, meters, measures), points, meters


def test_what_is_drawn_lies_where_the_music_of_its_metre_lies() -> None:
    rng = np.random.default_rng(0)
    space, points, meters = made_space(rng)
    for meter in (0, 1):
        drawn, own = space.draw(meter, 4000, rng), points[meters == meter]
        np.testing.assert_allclose(drawn.mean(0), own.mean(0), atol=0.25)
        assert (np.abs(drawn.mean(0) - points[meters != meter].mean(0)) > 4).all()
    assert len(space.anchors) == 1500


def test_drawing_keeps_the_scatter_of_the_music_and_gives_new_points() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((1000, 3)) * [1, 2, 0.5]
    space = Space.of(points, np.zeros(1000, int), {})
    drawn = space.draw(0, 5000, rng)
    np.testing.assert_allclose(drawn.std(0), points.std(0), rtol=0.06)
    assert not np.isclose(drawn[:, None], points[None, :200]).all(-1).any()


def test_a_way_raises_its_measure_and_leaves_the_others() -> None:
    points = np.random.default_rng(0).standard_normal((2000, 4))
    measures = {"first": points[:, 0], "sum": points[:, 1] + points[:, 0]}
    space = Space.of(points, np.zeros(2000, int), measures)
    assert space.names == ("first", "sum")
    first, both = space.ways
    assert first[0] == pytest.approx(measures["first"].std(), rel=0.02)
    assert first[0] + first[1] == pytest.approx(0, abs=0.02)
    assert both[0] == pytest.approx(0, abs=0.02)
    assert both[1] == pytest.approx(measures["sum"].std(), rel=0.02)


def test_a_space_survives_its_file_and_says_what_cannot_be_measured() -> None:
    space, _, _ = made_space(np.random.default_rng(0))
    assert space.names == ("first", "sum")
    again = Space.from_tensors(space.to_tensors(), space.names)
    np.testing.assert_allclose(again.anchors, space.anchors, atol=5e-3)
    np.testing.assert_allclose(again.factor, space.factor, atol=5e-3)
    np.testing.assert_array_equal(again.meters, space.meters)
    with pytest.raises(ValueError, match="fit together"):
        Space.from_tensors(space.to_tensors(), ["first"])


def test_two_windows_are_enough_for_a_space() -> None:
    rng = np.random.default_rng(0)
    space = Space.of(rng.standard_normal((2, 4)), np.zeros(2, int), {"density": np.array([1.0, 2.0])})
    assert np.isfinite(space.draw(0, 3, rng)).all()


@given(seed=st.integers(0, 99), temperature=st.sampled_from([0.0, 0.5, 1.0]), top_p=st.sampled_from([0.5, 0.9, 1.0]))
def test_rows_are_drawn_as_each_would_be_alone(seed: int, temperature: float, top_p: float) -> None:
    rng = np.random.default_rng(seed)
    logits, allowed = rng.standard_normal((3, 5)) * 2, np.array([True, True, False, True, True])
    taste = Taste(temperature, top_p=top_p)
    drawn = draw_rows(np.repeat(logits, 400, 0), allowed, taste, rng).reshape(3, 400)
    for row, words in zip(logits, drawn, strict=True):
        chances = distribution(row, allowed, taste)
        assert (np.bincount(words, minlength=5)[chances == 0] == 0).all()
        np.testing.assert_allclose(np.bincount(words, minlength=5) / 400, chances, atol=0.13)


@given(bars=st.integers(1, 3), count=st.integers(1, 4))
def test_a_chain_lays_scores_one_after_the_other(bars: int, count: int) -> None:
    scores = [resample(slice_bars(tiny.band(seed), 0, bars), 24 * (seed + 1)) for seed in range(count)]
    chained = chain(scores, bars)
    assert len(chained.tracks) == 3
    unit = chained.ticks_per_quarter
    for number, score in enumerate(scores):
        part = clip(chained, number * bars * 4 * unit, (number + 1) * bars * 4 * unit)
        assert [track.notes for track in part.tracks] == [track.notes for track in resample(score, unit).tracks]
