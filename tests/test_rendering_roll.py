"""The piano-roll picture: laws of the layout, and that both back ends draw it."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kapelle.music import Meter, Notes, Score, Track, transpose
from kapelle.rendering.grid import MARGIN, MAX_SYSTEMS, make_grid
from kapelle.rendering.layout import lay_out
from kapelle.rendering.page import fit, text_width
from kapelle.rendering.palette import DRUM_NAMES, drum_name
from kapelle.rendering.roll import to_png, to_svg
from strategies import scores

SVG = "{http://www.w3.org/2000/svg}"
widths = st.sampled_from([400, 801, 1600, 3000])


def line(count, *, is_drum=False, step=12, **changes):
    """Notes going up and down, 24 ticks a quarter."""
    rows = [(step * i, step, 60 + abs(i % 24 - 12), 64 + i % 60) for i in range(count)]
    return Score(24, (Track(Notes.of(rows), is_drum=is_drum),)).replace(**changes)


@given(scores(), widths)
@example(Score(24, tuple(Track(line(3).tracks[0].notes, program) for program in range(128))), 400)
def test_nothing_is_drawn_outside_the_picture(score, width):
    layout = lay_out(score, width)
    assert layout.width == width
    for x, y, w, h, _, opacity in (*layout.paper, *layout.tails, *layout.notes):
        assert 0 <= x < x + w <= layout.width
        assert 0 <= y < y + h <= layout.height
        assert 0 < opacity <= 1
    for text in layout.texts:
        length = text_width(text.text, text.size)
        left = text.x - {"start": 0, "middle": length / 2, "end": length}[text.anchor]
        assert left >= 0
        assert left + length <= layout.width
        assert text.size <= text.y <= layout.height


@given(scores(), widths)
def test_every_note_has_exactly_one_rectangle_at_its_time_and_in_its_row(score, width):
    layout = lay_out(score, width)
    assert len(layout.notes) == score.num_notes
    grid = make_grid(score, width, 0)
    offset = layout.height - MARGIN - grid.bottom
    rects = iter(layout.notes)
    for track in score.tracks:
        for onset, pitch in zip(track.notes.onset.tolist(), track.notes.pitch.tolist(), strict=True):
            rect = next(rects)
            system = int(grid.system_of(np.array([onset]))[0])
            assert grid.starts[system] <= onset < grid.starts[system + 1]
            assert abs(rect.x - 1 - grid.left - (onset - grid.starts[system]) * grid.scale) <= 0.5
            assert rect.width <= max(track.notes.duration.max() * grid.scale + 0.5, 2)
            lane = grid.lanes(system)[-1 if track.is_drum else 0]
            assert lane[0] + offset <= rect.y < rect.y + rect.height <= sum(lane) + offset
            if not track.is_drum:
                assert sum(lane) + offset - rect.y == (pitch - grid.low + 1) * grid.row


@given(scores(drums=False), st.integers(1, 27))
def test_a_transposed_score_has_its_rectangles_at_the_same_places(score, semitones):
    low = score.replace(tracks=tuple(t.replace(notes=t.notes.replace(pitch=t.notes.pitch % 100)) for t in score.tracks))
    assert lay_out(transpose(low, semitones)).notes == lay_out(low).notes


@settings(max_examples=15, deadline=None)
@given(scores())
def test_the_same_score_gives_the_same_bytes(score):
    assert to_png(score, 500) == to_png(score, 500)
    assert to_svg(score, 500) == to_svg(score, 500)


@given(scores())
def test_a_louder_note_is_never_fainter(score):
    velocity = np.concatenate([[], *(track.notes.velocity for track in score.tracks)])
    opacity = np.array([rect.opacity for rect in lay_out(score).notes])
    order = np.argsort(velocity, kind="stable")
    assert (np.diff(opacity[order]) >= 0).all()


@given(scores())
def test_systems_hold_whole_bars_and_all_of_them(score):
    grid = make_grid(score, 1600, 0)
    assert grid.first_bar[0] == 0
    assert grid.first_bar[-1] == len(grid.bars) - 1
    assert (np.diff(grid.first_bar) >= 1).all()
    assert max(grid.width(system) for system in range(grid.systems)) <= 1600 - grid.left - MARGIN


@pytest.mark.parametrize("bars", [16, 60, 200, 5000])
def test_a_piece_of_any_length_stays_readable_and_of_bounded_height(bars):
    layout = lay_out(line(bars * 8))
    grid = make_grid(line(bars * 8), 1600, 0)
    assert grid.systems <= MAX_SYSTEMS
    assert layout.height < 16_000
    if bars <= 200:
        # An eighth stays wide enough to be seen apart.
        assert min(rect.width for rect in layout.notes) >= 9


def test_a_note_held_over_the_end_of_a_system_goes_on_in_the_next():
    held = Score(24, (Track(Notes.of([(0, 24 * 4 * 17, 60, 80), (24 * 4 * 16, 24, 62, 80)])),))
    layout = lay_out(held)
    assert len(layout.notes) == 2
    assert len(layout.tails) == 2
    assert {tail.x for tail in layout.tails} == {layout.notes[0].x}


def test_bars_are_numbered_from_the_first_whole_one():
    numbers = [text for text in lay_out(line(64, pickup=24)).texts if text.text.isdigit()]
    plain = [text for text in lay_out(line(64)).texts if text.text.isdigit()]
    assert [text.text for text in numbers] == [str(n) for n in range(1, 9)]
    assert [text.text for text in plain] == [str(n) for n in range(1, 9)]
    assert numbers[0].x > plain[0].x


def test_a_new_metre_is_written_above_its_bar():
    layout = lay_out(line(40, meters=(Meter(), Meter(96, 3, 4))))
    number = next(text for text in layout.texts if text.text == "2")
    sign = next(text for text in layout.texts if text.text == "3/4")
    assert sign.y == number.y
    assert number.x < sign.x < number.x + 40


def test_drums_have_a_lane_of_their_own_below_with_their_names():
    tune, beat = line(16), line(16, is_drum=True)
    layout = lay_out(tune.replace(tracks=(*tune.tracks, *beat.tracks)))
    assert max(rect.y for rect in layout.notes[:16]) < min(rect.y for rect in layout.notes[16:])
    written = {text.text for text in layout.texts}
    assert {drum_name(pitch) for pitch in beat.tracks[0].notes.pitch.tolist()} <= written
    assert len(set(DRUM_NAMES.values())) == len(DRUM_NAMES)


def test_the_legend_names_tracks_and_instruments():
    tune = line(8, title="Air")
    named = Track(tune.tracks[0].notes, name="Second violin")
    written = {text.text for text in lay_out(tune.replace(tracks=(*tune.tracks, named))).texts}
    assert {"Air", "Acoustic Grand Piano", "Second violin"} <= written


def test_an_empty_score_gives_an_empty_roll_that_says_so():
    layout = lay_out(Score(24))
    assert not layout.notes
    assert {"Untitled", "no notes", "C4", "1"} <= {text.text for text in layout.texts}


@given(scores())
@example(line(4, step=2000, title="<b> & 'co'"))
def test_the_svg_is_well_formed_and_holds_every_rectangle_and_text(score):
    layout = lay_out(score)
    root = ElementTree.fromstring(to_svg(score))
    assert (root.get("width"), root.get("height")) == (str(layout.width), str(layout.height))
    assert len(root.findall(f".//{SVG}rect")) == 1 + len(layout.paper) + len(layout.tails) + len(layout.notes)
    assert [text.text or "" for text in root.findall(f"{SVG}text")] == [text.text for text in layout.texts]


def test_the_png_shows_each_note_in_the_colour_of_its_track():
    from PIL import Image

    score = line(16)
    loud = score.tracks[0].notes.replace(velocity=np.full(16, 127))
    score = score.replace(tracks=(Track(loud),))
    layout = lay_out(score, 900)
    image = Image.open(io.BytesIO(to_png(score, 900)))
    assert image.size == (layout.width, layout.height)
    for rect in layout.notes:
        middle = (rect.x + rect.width // 2, rect.y + rect.height // 2)
        assert "#{:02x}{:02x}{:02x}".format(*image.getpixel(middle)) == rect.colour


@given(st.text(max_size=60), st.integers(20, 300))
def test_a_fitted_text_fits_and_can_be_printed(text, room):
    fitted = fit(text, 13, room)
    assert fitted.isprintable()
    assert text_width(fitted, 13) <= room


@pytest.mark.parametrize("width", [0, 399, 8193])
def test_a_width_out_of_range_is_refused(width):
    with pytest.raises(ValueError, match=r"400\.\.8192"):
        lay_out(Score(24), width)


def test_ten_thousand_notes_are_drawn_within_seconds():
    score = line(10_000)
    to_png(line(8))
    start = time.perf_counter()
    to_png(score)
    # 0.6 s on a laptop core; the margin is for a busy machine.
    assert time.perf_counter() - start < 4


def test_laying_out_and_svg_need_no_image_library():
    code = "import sys, kapelle.rendering.roll as roll; from kapelle.music import Score; roll.to_svg(Score(24)); "
    code += "assert 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
