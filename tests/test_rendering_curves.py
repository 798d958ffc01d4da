"""The pictures of a training: laws of axes, panels, pens, frames and characters."""

from __future__ import annotations

import io
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from kapelle.rendering import CurvePoint, Limits, draw_curves, join_gif, limits_of, sparkline, terminal_curves
from kapelle.rendering.axis import Axis, stretches
from kapelle.rendering.curves import HEIGHT, LEFT, PANELS, RIGHT, WIDTH, duration, lay_out_curves
from kapelle.rendering.page import text_width
from kapelle.rendering.terminal import BLOCKS, PLAIN_BLOCKS

NAN = float("nan")
anything = st.floats() | st.floats(-10, 10) | st.sampled_from([NAN, math.inf, -math.inf, 0.0, 1.5])
points = st.builds(CurvePoint, *[anything] * 8)
runs = st.lists(points, max_size=30)
steps = st.floats(1e-6, 1e6)


def run(count, epochs=None, **changes):
    """A run that learns well, its last epoch `epochs`; changes are functions of the share of the run, 0..1."""
    kinds = {
        "train": lambda t: 1 + 3 * math.exp(-9 * t),
        "valid": lambda t: 1.3 + 2.7 * math.exp(-9 * t),
        "train_accuracy": lambda t: 0.7 - 0.5 * math.exp(-9 * t),
        "valid_accuracy": lambda t: 0.6 - 0.5 * math.exp(-9 * t),
        "rate": lambda t: 1e-3 * (1 - t),
        "gradient": lambda t: 1 + math.sin(40 * t) / 3,
    } | changes
    shares = [(i + 1) / count for i in range(count)]
    epochs = epochs or count
    return [CurvePoint(epochs * t, 60 * t, **{name: f(t) for name, f in kinds.items()}) for t in shares]


def panel_of(y):
    return next((name for name, (top, height) in PANELS.items() if top <= y <= top + height), None)


def lines_in(sheet, place):
    return [stroke for stroke in sheet.strokes if panel_of(stroke.points[0][1]) == place]


@given(runs, st.none() | anything, st.none() | st.floats(0, 1))
@example([], None, None)
@example([CurvePoint(*[1e308] * 8), CurvePoint(*[-1e308] * 8)], 1e308, 1.0)
@example([CurvePoint(1, 1, *[5e-324] * 6)], 1.0, 0.0)
@example([CurvePoint(1e15, 1, *[1e15] * 6), CurvePoint(1e15 + 1, 1, *[1e15 + 1] * 6)], None, None)
def test_every_value_is_drawn_inside_its_panel(rows, chosen, baseline):
    sheet = lay_out_curves(rows, "Any", chosen, baseline)
    places = [place for stroke in sheet.strokes for place in stroke.points]
    places += [(dot.x, dot.y) for dot in sheet.dots]
    places += [place for shape in sheet.shapes if shape.opacity < 1 for place in shape.points]
    for x, y in places:
        assert LEFT <= x <= RIGHT
        assert panel_of(y)


@given(runs, st.none() | anything, st.none() | st.floats(0, 1), st.text(), st.text())
@example(run(3), 1e15, None, "W" * 200, "W" * 200)
@example(run(4, train=lambda t: 1e12 / 3 if t == 0.5 else 123.4 + t / 1e3, valid=lambda t: 123.4), None, None, "", "")
@example([CurvePoint(1e15, 1e15, *[-1e15] * 6), CurvePoint(1e15, 1, *[-1.000002e15] * 6)], None, None, "", "")
def test_nothing_is_written_outside_the_picture(rows, chosen, baseline, title, note):
    for text in lay_out_curves(rows, title, chosen, baseline, note).texts:
        length = text_width(text.text, text.size)
        left = text.x - {"start": 0, "middle": length / 2, "end": length}[text.anchor]
        assert left >= 0
        assert left + length <= WIDTH
        assert text.size <= text.y <= HEIGHT


@settings(max_examples=15)
@given(runs)
def test_equal_points_give_equal_bytes(rows):
    assert draw_curves(rows, "Twice", 2.0, 0.2) == draw_curves(list(rows), "Twice", 2.0, 0.2)


@settings(max_examples=15)
@given(runs, st.text(), st.text())
def test_both_forms_can_be_read_and_have_the_size(rows, title, note):
    picture = draw_curves(rows, title, note=note)
    with Image.open(io.BytesIO(picture.png)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (WIDTH, HEIGHT))
    root = ElementTree.fromstring(picture.svg)
    assert (root.get("width"), root.get("height")) == (str(WIDTH), str(HEIGHT))


@given(st.lists(st.floats(0.5, 3), min_size=2, max_size=40))
def test_a_curve_goes_through_every_value_and_a_greater_one_stands_higher(values):
    across, up = Axis(0, len(values) - 1, 0, 700), Axis(0, 4, 200, 0)
    (piece,) = stretches(across, up, np.arange(len(values), dtype=float), np.array(values))
    assert len(piece) == len(values)
    np.testing.assert_allclose(piece[:, 1], 200 - 50 * np.array(values), atol=0.051)
    np.testing.assert_array_equal(piece[:, 0], across.place(np.arange(len(values))))


@given(st.lists(st.floats(0, 4) | st.sampled_from([NAN, math.inf, -math.inf]), min_size=1, max_size=60))
def test_each_gap_lifts_the_pen(values):
    across, up = Axis(0, 100, 0, 700), Axis(0, 4, 200, 0)
    pieces = stretches(across, up, np.arange(len(values), dtype=float), np.array(values))
    finite = "".join("x" if math.isfinite(value) else " " for value in values)
    assert [len(piece) for piece in pieces] == [len(word) for word in finite.split()]


def test_a_step_back_to_an_earlier_epoch_lifts_the_pen():
    rows = run(6) + run(6)[3:]
    assert [len(line.points) for line in lines_in(lay_out_curves(rows, ""), "rate")] == [6, 3]


def test_a_single_point_is_a_dot_on_each_line():
    sheet = lay_out_curves(run(1), "One")
    assert not sheet.strokes
    assert [panel_of(dot.y) for dot in sheet.dots] == ["loss", "loss", "accuracy", "accuracy", "rate", "gradient"]


def test_twenty_thousand_points_become_a_mean_and_a_band_that_holds_them_all():
    rng = np.random.default_rng(1)
    noise = iter(rng.normal(0, 0.1, 20_000))
    rows = run(20_000, 12, train=lambda t: 2 - t + next(noise))
    sheet = lay_out_curves(rows, "Long")
    line = lines_in(sheet, "loss")[0]
    assert len(line.points) <= RIGHT - LEFT + 1
    (band,) = (shape for shape in sheet.shapes if panel_of(shape.points[0][1]) == "loss")
    count = len(line.points)
    upper, lower = np.array(band.points[:count]), np.array(band.points[count:][::-1])
    top, height = PANELS["loss"]
    low, high = limits_of(rows).loss
    across = Axis(*limits_of(rows).epoch, LEFT, RIGHT)
    columns = np.floor(across.place(np.array([row.epoch for row in rows])))
    y = top + height - (np.array([row.train for row in rows]) - low) / (high - low) * height
    index = np.searchsorted(np.floor(upper[:, 0]), columns)
    assert (y >= upper[index, 1] - 0.06).all()
    assert (y <= lower[index, 1] + 0.06).all()
    means = np.bincount(index, y) / np.bincount(index)
    np.testing.assert_allclose([y for _, y in line.points], means, atol=0.11)
    assert len(draw_curves(rows, "Long").svg) < 200_000


@pytest.mark.parametrize("count", [2, 5, 120, 500])
def test_the_axes_hold_a_run_without_much_waste(count):
    rows = run(count)
    limits = limits_of(rows, 0.22)
    loss = [value for row in rows for value in (row.train, row.valid)]
    assert limits.loss[0] <= min(loss) < max(loss) <= limits.loss[1]
    assert max(loss) - min(loss) > 0.85 * (limits.loss[1] - limits.loss[0])
    assert limits.accuracy[0] <= 0.22 <= limits.accuracy[1]
    assert limits.epoch[1] == count


def test_a_blow_up_does_not_flatten_the_curve_but_is_marked_and_told():
    rows = run(100, train=lambda t: 1e9 if t == 0.8 else 1 + 3 * math.exp(-9 * t))
    sheet = lay_out_curves(rows, "Diverged")
    assert limits_of(rows).loss[1] < 5
    (mark,) = (shape for shape in sheet.shapes if shape.opacity == 1)
    assert abs(mark.points[1][0] - (LEFT + 0.8 * (RIGHT - LEFT))) < 8
    assert any(text.text.endswith("peak 1e9") for text in sheet.texts)


def test_an_over_training_that_doubles_the_loss_is_seen_to_its_end():
    rows = run(100, valid=lambda t: 1.3 + 1.5 * t)
    assert limits_of(rows).loss[1] > 2.8
    # The same from a base that knew the style well.
    assert limits_of(run(100, train=lambda t: 0.2, valid=lambda t: 0.3 + 1.5 * t)).loss[1] > 1.8


def test_the_chosen_epoch_is_named_and_ringed_only_while_it_is_on_the_axis():
    rows = run(100)
    with_choice, without = (lay_out_curves(rows, "Run", chosen) for chosen in (37.0, 137.0))
    assert any(text.text == "chosen: epoch 37" for text in with_choice.texts)
    assert len(with_choice.dots) == 2
    assert not any("chosen" in text.text for text in without.texts)
    assert not without.dots
    ring = with_choice.dots[0]
    assert (ring.x, ring.y) in lines_in(with_choice, "loss")[1].points


@given(st.lists(st.floats(1, 2), min_size=3, max_size=3))
@example([2.0, 2.0, 2.0])
def test_names_at_the_ends_of_lines_never_overlap(ends):
    rows = run(4, train_accuracy=lambda t: ends[0] / 2, valid_accuracy=lambda t: ends[1] / 2)
    sheet = lay_out_curves(rows, "Run", baseline_accuracy=ends[2] / 2)
    top, height = PANELS["accuracy"]
    names = sorted(text.y for text in sheet.texts if text.x > RIGHT and top - 8 < text.y < top + height + 8)
    assert len(names) == 3
    assert np.diff(names).min() >= 15
    assert top <= names[0] < names[-1] <= top + height


def test_fixed_limits_keep_grid_and_figures_in_place():
    rows = run(40)
    limits = limits_of(rows, 0.2)
    sheets = [lay_out_curves(rows[:count], "Run", None, 0.2, "", limits) for count in (1, 7, 40)]
    for sheet in sheets[1:]:
        assert sheet.paper == sheets[0].paper
    small = [{text for text in sheet.texts if text.size == 12} for sheet in sheets]
    assert small[0] == small[1] == small[2]
    first = [stroke.points[0] for stroke in sheets[1].strokes]
    assert first == [stroke.points[0] for stroke in sheets[2].strokes]


@pytest.mark.parametrize("bad", [(1.0, 1.0), (2.0, 1.0), (NAN, 1.0), (0.0, math.inf)])
def test_limits_that_span_nothing_are_refused(bad):
    with pytest.raises(ValueError, match="limits of loss"):
        Limits((0, 1), bad, (0, 1), (0, 1), (0, 1))


# -- frames ---------------------------------------------------------------------------------------


def test_a_gif_has_as_many_frames_as_pictures_the_last_stays_longest_and_forty_fit_in_a_megabyte():
    rng = np.random.default_rng(3)
    rows = run(400, gradient=lambda t: 1 + abs(rng.normal()), train=lambda t: 2 - t + 0.05 * rng.normal())
    limits = limits_of(rows)
    frames = [draw_curves(rows[: 10 * n], "Run", limits=limits).png for n in range(1, 41)]
    joined = join_gif(frames)
    assert joined == join_gif(frames)
    assert len(joined) < 1_000_000
    with Image.open(io.BytesIO(joined)) as image:
        assert (image.format, image.size, image.n_frames, image.info["loop"]) == ("GIF", (WIDTH, HEIGHT), 40, 0)
        times = []
        for index in range(40):
            image.seek(index)
            times.append(image.info["duration"])
        assert times[-1] > 5 * max(times[:-1])
        drawn, wanted = np.array(image.convert("RGB"), int), np.array(Image.open(io.BytesIO(frames[-1])), int)
    assert tuple(drawn[0, 0]) == (255, 255, 255)
    assert np.abs(drawn - wanted).mean() < 0.5


def test_a_gif_of_one_picture_and_of_equal_ones_can_be_read():
    frame = draw_curves(run(3), "Run").png
    for count in (1, 3):
        with Image.open(io.BytesIO(join_gif([frame] * count))) as image:
            assert image.n_frames == 1


def test_a_gif_of_nothing_or_of_two_sizes_is_refused():
    file = io.BytesIO()
    Image.new("RGB", (10, 10)).save(file, "PNG")
    for frames in ([], [draw_curves(run(3), "Run").png, file.getvalue()]):
        with pytest.raises(ValueError, match="pictures of one size"):
            join_gif(frames)


# -- figures --------------------------------------------------------------------------------------


@given(st.floats(-1e6, 1e6), steps, st.integers(2, 10))
def test_figures_of_an_axis_are_round_even_inside_and_say_what_they_stand_for(low, span, most):
    axis = Axis(low, low + span, 0, 100)
    ticks = axis.ticks(most)
    step = axis.step(most)
    assert str(f"{step:e}")[0] in "125"
    assert len(ticks) <= most + 1
    assert len({text for _, text in ticks}) == len(ticks)
    for value, text in ticks:
        assert low - 1e-5 * step <= value <= low + span + 1e-5 * step
        assert abs(float(text.replace(",", "")) - value) <= 1e-3 * step + 1e-9 * abs(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"), (3599, "59 min"), (3600, "1 h"), (90061, "25 h 1 min")],
)
def test_a_length_of_time_is_told_in_two_units(seconds, text):
    assert duration(seconds) == text


# -- characters -----------------------------------------------------------------------------------


@given(st.lists(anything, max_size=60), st.integers(1, 40), st.booleans())
def test_a_sparkline_fits_and_shows_least_greatest_and_gaps(values, width, plain):
    line = sparkline(values, width, plain)
    blocks = PLAIN_BLOCKS if plain else BLOCKS
    assert len(line) == min(width, len(values))
    assert set(line) <= {*blocks, " "}
    if len(values) <= width:
        assert [character == " " for character in line] == [not math.isfinite(value) for value in values]
        finite = [value for value in values if math.isfinite(value) and abs(value) <= 1e15]
        if finite and len(finite) == len(line) and max(finite) > min(finite):
            assert line[values.index(min(finite))] == blocks[0]
            assert line[values.index(max(finite))] == blocks[-1]


def test_a_sparkline_of_equal_numbers_stands_in_the_middle():
    assert sparkline([2, 2, 2], 9) == "▅▅▅"


@given(runs, st.integers(40, 120), st.integers(4, 30), st.booleans())
@example([CurvePoint(*[1e308] * 8), CurvePoint(*[-1e308] * 8)], 40, 4, False)
def test_curves_in_a_terminal_have_the_height_and_fit_the_width(rows, width, height, plain):
    lines = terminal_curves(rows, width, height, plain).split("\n")
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert lines == [line.rstrip() for line in lines]
    assert "".join(lines).isprintable()
    if plain:
        assert "".join(lines).isascii()


def test_curves_in_a_terminal_fall_from_the_upper_left_to_their_names():
    text = terminal_curves(run(100), 70, 10, plain=True)
    assert text.split("\n")[0].split("|")[1].startswith("*")
    ends = [line for line in text.split("\n") if "held out 1.30" in line or "training 1.00" in line]
    assert len(ends) == 2
    assert all(line[:54].rstrip().endswith(("*", ".")) for line in ends)
    both = terminal_curves(run(100, train=lambda t: 2 - t, valid=lambda t: 2 - t), 70, 10)
    assert "held out 1.00" in both
    assert "training 1.00" in both
    braille = terminal_curves(run(100), 70, 10)
    assert sum(0x2800 < ord(character) < 0x2900 for character in braille) > 50


def test_too_little_room_is_told():
    with pytest.raises(ValueError, match="width of 1"):
        sparkline([1], 0)
    for width, height in ((39, 10), (80, 3)):
        with pytest.raises(ValueError, match="at least 40 characters and 4 lines"):
            terminal_curves(run(3), width, height)
