"""Changing a piece by hand, and writing some of it anew, in a real browser."""

from __future__ import annotations

import json
from typing import Any

from studio_page import NO_JOBS, PLAYING, bars_pulled, compose, notes, open_take, parts, regenerate
from studio_process import wait

from kapelle.files import format_of
from kapelle.music import Notes, Score, Track


def test_what_is_edited_changes_only_that_and_can_be_taken_back(page: Any) -> None:
    compose(page)
    page.click("#play")
    before = notes(page)
    page.focus("#roll")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Control+z")
    page.click("#save")
    wait(page, "document.getElementById('save').hidden")
    after = notes(page)
    gone, come = list((before - after).elements()), list((after - before).elements())
    assert len(gone) == len(come) == 1
    assert come[0] == (gone[0][0], gone[0][1], gone[0][2] + 1, gone[0][3])


def pulled(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()


def test_a_note_is_drawn_moved_and_deleted_with_the_pointer(page: Any) -> None:
    compose(page)
    page.click("#play")
    count = "Number(document.getElementById('note-told').textContent.split(' ')[0])"

    def total() -> int:
        page.focus("#roll")
        page.keyboard.press("Control+a")
        return int(page.evaluate(count))

    first = total()
    page.keyboard.press("Escape")
    page.click("#tool-draw")
    box = page.locator("#roll-canvas").bounding_box()
    # Long enough to be taken hold of in its middle: at its end it is stretched.
    pulled(page, (box["x"] + 300, box["y"] + 40), (box["x"] + 400, box["y"] + 40))
    told = page.text_content("#note-told")
    assert total() == first + 1
    page.keyboard.press("Escape")
    page.click("#tool-select")
    pulled(page, (box["x"] + 340, box["y"] + 40), (box["x"] + 340, box["y"] + 100))
    moved = page.text_content("#note-told")
    assert "bar" in moved
    assert moved.split(",")[0] != told.split(",")[0]
    page.keyboard.press("Delete")
    assert total() == first
    page.click("#undo")
    assert total() == first + 1
    page.click("#revert")
    wait(page, "document.getElementById('save').hidden")


def test_an_edit_that_was_not_saved_is_there_after_a_reload(page: Any) -> None:
    compose(page)
    page.focus("#roll")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    page.reload()
    page.wait_for_selector("#save:not([hidden])")
    page.click("#revert")
    wait(page, "document.getElementById('save').hidden")


def test_two_bars_of_the_tenor_are_written_anew_and_all_else_stays_to_the_tick(page: Any) -> None:
    compose(page, "chorale", 8)
    page.click("#play")
    bars_pulled(page, 3, 4)
    page.get_by_role("button", name="Tenor", exact=True).click()
    assert page.text_content("#again-told") == "Tenor in bars 3–4; all else stays."
    take = open_take(page)["score"]
    start, stop = (take["bars"][bar - (not take["pickup"])] for bar in (3, 5))
    spans = ((0, start), (start, stop), (stop, take["bars"][-1]))
    before = [parts(page, *span) for span in spans]
    regenerate(page)
    after = [parts(page, *span) for span in spans]
    assert (before[0], before[2]) == (after[0], after[2])
    assert [one == two for one, two in zip(before[1], after[1], strict=True)] == [True, True, False, True]
    # It is heard from there on, and can be gone back from.
    assert wait(page, PLAYING)
    page.click("#undo")
    page.click("#save")
    wait(page, "document.getElementById('save').hidden")
    assert [parts(page, *span) for span in spans] == before


def test_what_is_locked_is_not_written_anew_nor_changed_by_hand(page: Any) -> None:
    compose(page, "chorale", 6)
    page.click("#play")
    bars_pulled(page, 2, 3)
    page.click("#lock-bars")
    page.get_by_role("button", name="Lock Alto").click()
    bars_pulled(page, 1, 4)
    assert page.text_content("#again-told") == "Soprano, Tenor, and Bass in bars 1, 4; all else stays."
    take = open_take(page)["score"]
    span = [take["bars"][bar - (not take["pickup"])] for bar in (2, 4)]
    before, whole = parts(page, *span), parts(page, 0, take["bars"][-1])
    regenerate(page)
    assert parts(page, *span) == before
    after = parts(page, 0, take["bars"][-1])
    assert after[1] == whole[1]
    assert after != whole
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.focus("#roll")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.click("#save")
    wait(page, "document.getElementById('save').hidden")
    assert parts(page, *span) == before
    assert parts(page, 0, take["bars"][-1])[1] == whole[1]


def test_a_style_that_can_only_go_on_says_so(page: Any) -> None:
    compose(page, "folk", 8)
    page.click("#play")
    assert page.is_disabled("#regenerate")
    page.fill("#from-bar", "5")
    page.locator("#from-bar").blur()
    assert page.text_content("#again-told").startswith("From bar 5 to the end")
    take = open_take(page)["score"]
    border = take["bars"][5 - (not take["pickup"])]
    before = parts(page, 0, border)
    regenerate(page)
    assert parts(page, 0, border) == before


def test_more_like_this_begins_alike_and_goes_on_otherwise(page: Any) -> None:
    compose(page, "folk", 8)
    take = open_take(page)["score"]
    border, end = take["bars"][3 - (not take["pickup"])], take["bars"][-1]
    before = parts(page, 0, border), parts(page, border, end)
    number = page.evaluate("localStorage['kapelle-open']")
    page.click("#more")
    wait(page, f"localStorage['kapelle-open'] !== {json.dumps(number)} && {PLAYING}")
    assert parts(page, 0, border) == before[0]
    assert parts(page, border, end) != before[1]


def test_a_melody_that_is_brought_in_gets_voices(page: Any) -> None:
    tune = Score(
        24, (Track(Notes.of((24 * at, 24, 67 + step, 80) for at, step in enumerate((0, 2, 4, 5, 7, 5, 4, 0))), 73),)
    )
    payload = {"name": "Tune.mid", "mimeType": "audio/midi", "buffer": format_of("a.mid").encode(tune)}
    page.set_input_files("#import-file", payload)
    wait(page, "document.getElementById('title').value === 'Tune'")
    page.click("#harmonise")
    wait(page, "document.getElementById('title').value === 'Tune in four voices'")
    assert [track["name"] for track in open_take(page)["score"]["tracks"]] == ["Soprano", "Alto", "Tenor", "Bass"]


def test_a_style_of_windows_varies_the_bars_that_are_chosen(page: Any) -> None:
    compose(page, "drums", 6)
    page.click("#play")
    bars_pulled(page, 3, 4)
    take = open_take(page)["score"]
    spans = ((0, take["bars"][2]), (take["bars"][2], take["bars"][4]), (take["bars"][4], take["bars"][6]))
    before = [parts(page, *span) for span in spans]
    number = page.evaluate("localStorage['kapelle-open']")
    page.click("#vary")
    wait(page, f"localStorage['kapelle-open'] !== {json.dumps(number)} && {NO_JOBS}")
    after = [parts(page, *span) for span in spans]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]
    assert open_take(page)["origin"] == "varied"
    compose(page, "folk", 4)
    assert page.is_hidden("#vary")
