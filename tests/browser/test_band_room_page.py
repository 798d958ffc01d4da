"""The band room in a real browser: heard at once, switched at the bar's end, kept as a take."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pictures import BAND
from studio_page import TAKES, compose, open_take
from studio_process import wait

import kapelle
from kapelle.files import format_of

BEAT = ".pad:first-child"
ROOM = "window.kapelle.views.opened.band"
TOLD = f"document.querySelector('{BEAT} .told').textContent"
SOUNDING = "window.kapelle.player.level() > 0.01"


@pytest.fixture
def room(page: Any) -> Any:
    """The page with the band room open, and its squares drawn."""
    page.click("#views a[data-view=band]")
    wait(page, BAND)
    return page


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a share of the beat's square lies on the screen."""
    box = page.locator(f"{BEAT} .square").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_what_is_touched_is_heard_and_kept_as_a_take(room: Any) -> None:
    before = room.evaluate(TAKES)
    room.mouse.click(*place(room, 0.05, 0.05))
    assert room.evaluate(TOLD).startswith("column 1, row 1:")
    wait(room, SOUNDING)
    room.click("#band-keep")
    wait(room, f"{TAKES} === {before + 1}")
    corner = room.evaluate(f"{ROOM}.pads[0].corners[0].score.tracks[0].notes")
    room.get_by_role("button", name="Open").click()
    wait(room, "!document.getElementById('view-compose').hidden && !document.getElementById('piece').hidden")
    # Another view, and the room is silent.
    assert not room.evaluate(f"{ROOM}.looper.on")
    kept = open_take(room)
    assert (kept["origin"], kept["summary"]["bars"]) == ("band", 2)
    assert [track["is_drum"] for track in kept["score"]["tracks"]] == [True, False]
    assert sorted(kept["score"]["tracks"][0]["notes"]) == sorted(corner)


def test_the_puck_is_heard_from_the_next_bar_on_and_no_bar_is_cut(room: Any) -> None:
    room.evaluate(
        f"(() => {{ const {{ player }} = {ROOM}.looper, extend = player.extend.bind(player); window.played = [];"
        "player.extend = (score, at) => { window.played.push([at, score.seconds]); extend(score, at); }; })()"
    )
    room.click("#band-play")
    wait(room, SOUNDING)
    room.focus(f"{BEAT} .square")
    wait(room, f"{ROOM}.looper.now && {ROOM}.looper.now.share < 0.3")
    old = room.evaluate(
        f"(() => {{ const {{ looper }} = {ROOM}; window.bar = looper.now.start; return looper.now; }})()"
    )
    for _ in range(3):
        room.keyboard.press("ArrowRight")
    room.keyboard.press("ArrowUp")
    assert room.evaluate(TOLD).startswith("column 9, row 5:")
    bars = wait(
        room,
        f"(() => {{ const {{ bars }} = {ROOM}.looper, at = bars.findIndex((bar) => bar.start === window.bar);"
        "const told = bars.slice(at).map(({ start, seconds, sounding }) => ({ start, seconds, sounding }));"
        "return told.some((bar) => bar.sounding[0].place[0] === 8) && told; })()",
    )
    assert bars[0]["sounding"][0]["place"] == old["sounding"][0]["place"] == [5, 5]
    assert bars[-1]["sounding"][0]["place"] == [8, 4]
    for one, other in pairwise(bars):
        assert other["start"] == pytest.approx(one["start"] + one["seconds"])
        assert other["sounding"][0]["bar"] == 1 - one["sounding"][0]["bar"]
    played = wait(room, "window.played.length > 2 && window.played")
    for (start, seconds), (following, _) in pairwise(played):
        assert following == pytest.approx(start + seconds)


def test_a_path_is_drawn_with_the_pointer_and_with_the_keyboard(room: Any) -> None:
    room.click(f"{BEAT} [data-tool=path]")
    room.mouse.move(*place(room, 0.05, 0.5))
    room.mouse.down()
    room.mouse.move(*place(room, 0.95, 0.5), steps=5)
    room.mouse.up()
    assert room.evaluate(f"{ROOM}.pads[0].path") == [[column, 5] for column in range(11)]
    assert room.inner_text(f"{BEAT} .way") == "11 clips, 22 bars"
    room.click(f"{BEAT} .clear")
    wait(room, SOUNDING)
    room.click("#band-play")
    room.focus(f"{BEAT} .square")
    for key in ("Enter", "ArrowLeft", "Enter", "ArrowDown", "Enter", "Backspace"):
        room.keyboard.press(key)
    path = room.evaluate(f"{ROOM}.pads[0].path")
    assert len(path) == 2
    room.keyboard.press("Space")
    wait(room, f"{ROOM}.looper.on && {ROOM}.looper.count > 2")
    assert room.evaluate(f"{ROOM}.looper.bars.slice(0, 3).map((bar) => bar.sounding[0].place)") == [
        path[0],
        path[0],
        path[1],
    ]


def test_a_corner_is_a_take_or_what_is_dropped_on_it(room: Any) -> None:
    room.click("#views a[data-view=compose]")
    compose(room, "drums", 4)
    take = open_take(room)
    room.click("#views a[data-view=band]")
    meter = take["summary"]["meter"]
    if meter != "4/4":
        room.select_option("#band-meter", meter)
        wait(room, f"{ROOM}.pads.every((pad) => pad.corners[0]?.score.meters[0].slice(1).join('/') === '{meter}')")
    room.select_option(f"{BEAT} .corner:first-child .from", take["id"])
    wait(room, f"{ROOM}.pads[0].corners[0].from === '{take['id']}'")
    beat = kapelle.load_style("drums").compose(meter=meter, seed=7)
    data = list(format_of("a.mid").encode(beat))
    room.evaluate(
        """([data, corner]) => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([new Uint8Array(data)], "Beat.mid"));
            const event = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true });
            document.querySelector(corner).dispatchEvent(event);
        }""",
        [data, f"{BEAT} .corner:nth-of-type(2)"],
    )
    wait(room, f"document.querySelectorAll('{BEAT} .corner .from')[1].selectedOptions[0].textContent === 'Beat'")
    # A take that is no beat is no corner, and says why.
    room.select_option(f"{BEAT} .corner:nth-of-type(2) .from", take["id"])
    wait(room, f"{ROOM}.pads[0].corners[1].from === '{take['id']}'")
    room.select_option(".pad:last-child .corner:first-child .from", take["id"])
    assert "melody" in wait(room, "window.told.at(-1)")


def test_it_morphs_is_shaped_and_is_as_it_was_after_a_reload(room: Any) -> None:
    room.click(f"{BEAT} [data-mode=two]")
    wait(room, f"{ROOM}.pads[0].cells?.length === 1")
    room.focus(f"{BEAT} .morph")
    room.keyboard.press("Home")
    assert room.get_attribute(f"{BEAT} .morph", "aria-valuetext") == "0 % of the way from A to B"
    room.keyboard.press("End")
    assert room.evaluate(f"{ROOM}.pads[0].cell.tracks") == room.evaluate(f"{ROOM}.pads[0].corners[1].score.tracks")
    notes = f"{ROOM}.pads[0].shown.tracks[0].notes.length"
    before = room.evaluate(notes)
    room.click(f"{BEAT} .shape summary")
    room.locator(f"{BEAT} [data-measure=density]").fill("-2")
    wait(room, f"{notes} < {before}")
    assert room.evaluate(TOLD).endswith(", shaped")
    room.get_by_role("button", name="Make it corner A").first.click()
    wait(room, f"{ROOM}.pads[0].corners[0].from === 'pad' && !{ROOM}.pads[0].shaped")
    wait(room, "JSON.parse(localStorage['kapelle-band']).pads[0].corners[0].from === 'pad'")
    corners = room.evaluate(f"{ROOM}.pads[0].corners.map((corner) => corner.score.tracks)")
    room.reload()
    wait(room, BAND)
    assert room.evaluate(f"{ROOM}.pads[0].mode") == "two"
    assert room.evaluate(f"{ROOM}.pads[0].corners.map((corner) => corner.score.tracks)") == corners
