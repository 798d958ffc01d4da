"""Composing, hearing, keeping and taking away, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from studio_page import NO_JOBS, TAKES, compose, open_take
from studio_process import Server, wait

import kapelle
from kapelle.files import format_of
from kapelle.music import Notes, Score, Track


def test_one_click_gives_music_that_is_seen_and_heard(page: Any) -> None:
    compose(page)
    assert wait(page, "document.getElementById('level').value > 0.02 && document.getElementById('level').value")
    inked = """(() => { const c = document.getElementById('roll-canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, seen = new Set();
        for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
        return seen.size; })()"""
    assert page.evaluate(inked) > 10
    assert open_take(page)["summary"]["bars"] == 4


def test_composers_are_mixed_with_sliders_and_the_mixture_is_there_after_a_reload(page: Any) -> None:
    page.check("input[value=composers]", force=True)
    for name in ("Bach", "Chopin"):
        page.click(f"#manners button:text-is('{name}')")
    page.locator("#shares input").nth(1).fill("2.5")
    compose(page, "composers", bars=2)
    assert open_take(page)["wishes"]["mix"] == {"bach": 0.8, "chopin": 0.2}
    page.reload()
    page.wait_for_selector("body[data-ready]")
    wait(page, "document.getElementById('mix-out').value === 'Bach 80 %, Chopin 20 %'")
    page.check("input[value=folk]", force=True)
    assert page.is_hidden("#mix")


def test_sheet_music_marks_what_sounds(page: Any) -> None:
    compose(page, "chorale")
    page.click("#tab-sheet")
    page.wait_for_selector("#sheet-view svg")
    page.click("#rewind")
    assert wait(page, "document.querySelectorAll('#sheet-view .sounding').length") <= 4


@pytest.mark.parametrize("suffix", ["mid", "musicxml", "pdf", "wav", "mp3", "png", "stems.zip"])
def test_each_format_is_taken_away_and_opens(page: Any, suffix: str, tmp_path: Path) -> None:
    if not page.evaluate("document.getElementById('piece').hidden === false"):
        compose(page, bars=2)
    with page.expect_download() as coming:
        page.click(f"a[data-suffix='{suffix}']")
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    if suffix in ("mid", "musicxml"):
        assert kapelle.load(file).num_notes == open_take(page)["summary"]["notes"]
    elif suffix in ("wav", "mp3"):
        from kapelle.listening import read_recording

        recording = read_recording(file.read_bytes())
        assert abs(recording.samples).max() > 0.3
        assert recording.seconds >= open_take(page)["summary"]["seconds"] - 0.1
    else:
        assert file.read_bytes().startswith({"pdf": b"%PDF", "png": b"\x89PNG", "stems.zip": b"PK"}[suffix])


def test_a_reload_in_the_middle_of_a_job_loses_nothing(page: Any) -> None:
    before = page.evaluate(TAKES)
    page.check("input[value=piano]", force=True)
    page.locator("input[name=bars]").fill("32")
    page.click("#compose-button")
    wait(page, "document.body.dataset.jobs === '1'")
    page.reload()
    wait(page, f"{TAKES} === {before + 1} && {NO_JOBS}")
    wait(page, "!document.getElementById('piece').hidden")
    assert open_take(page)["summary"]["bars"] == 32


def test_two_tabs_show_the_same_takes(page: Any, server: Server) -> None:
    other = page.context.new_page()
    other.goto(server.url)
    other.wait_for_selector("body[data-ready]")
    before = other.evaluate(TAKES)
    compose(page)
    wait(other, f"{TAKES} === {before + 1}")
    page.click("#star")
    wait(other, "document.querySelector('#takes .star').getAttribute('aria-pressed') === 'true'")
    other.close()


def test_a_cancelled_job_is_gone_at_once(page: Any) -> None:
    before = page.evaluate(TAKES)
    page.check("input[value=piano]", force=True)
    # So long that it cannot be done before it is cancelled.
    page.evaluate("document.querySelector('input[name=bars]').max = 256")
    page.locator("input[name=bars]").fill("256")
    page.click("#compose-button")
    page.click("#jobs button")
    wait(page, NO_JOBS)
    assert page.evaluate(TAKES) == before


def test_bars_are_seen_while_a_long_piece_is_composed(page: Any) -> None:
    page.check("input[value=piano]", force=True)
    page.locator("input[name=bars]").fill("64")
    page.evaluate("""() => { window.seen = []; const facts = document.getElementById('facts');
        new MutationObserver(() => window.seen.push(facts.textContent)).observe(facts, { childList: true }); }""")
    before = page.evaluate(TAKES)
    page.click("#compose-button")
    # It sounds while the rest of it is still being composed, and goes on when it is whole.
    wait(page, "window.kapelle.player.level() > 0.01")
    assert page.evaluate("document.body.dataset.jobs") == "1"
    wait(page, f"{TAKES} > {before} && {NO_JOBS}")
    assert page.evaluate("window.kapelle.player.playing && window.kapelle.player.now() > 0")
    assert open_take(page)["summary"]["bars"] == 64
    grown = [int(line.split()[1]) for line in page.evaluate("window.seen") if line.startswith("composing: ")]
    assert grown
    assert grown[0] < 64


def test_a_link_opens_its_take_and_a_project_opens_again(page: Any, server: Server, tmp_path: Path) -> None:
    compose(page, bars=2)
    first = open_take(page)
    with page.expect_download() as coming:
        page.click("a[data-suffix=kapelle]")
    project = tmp_path / coming.value.suggested_filename
    coming.value.save_as(project)
    compose(page, bars=2)
    other = page.context.new_page()
    other.goto(f"{server.url}#take={first['id']}")
    other.wait_for_selector("body[data-ready]")
    assert open_take(other)["id"] == first["id"]
    other.close()
    before = page.evaluate(TAKES)
    page.set_input_files("#import-file", str(project))
    wait(page, f"{NO_JOBS} && {TAKES} > {before} && document.getElementById('title').value === '{first['title']}'")
    assert open_take(page)["score"] == first["score"]


def test_a_file_is_brought_in_and_gone_on_with(page: Any) -> None:
    scale = Score(24, (Track(Notes.of((24 * at, 24, 62 + step, 80) for at, step in enumerate((0, 2, 4, 5))), 40),))
    payload = {"name": "Scale.mid", "mimeType": "audio/midi", "buffer": format_of("a.mid").encode(scale)}
    page.set_input_files("#import-file", payload)
    wait(page, "document.getElementById('title').value === 'Scale'")
    page.check("input[value=folk]", force=True)
    page.select_option("#continue-bars", "4")
    page.click("#continue")
    wait(page, "document.getElementById('facts').textContent.startsWith('5 bars')")
    assert page.input_value("#title") == "Scale, continued"
    assert open_take(page)["summary"]["bars"] == 5


def test_a_file_that_is_no_music_is_told(page: Any) -> None:
    page.set_input_files("#import-file", {"name": "no.mid", "mimeType": "audio/midi", "buffer": b"no music"})
    assert "MIDI" in wait(page, "window.told[0]")


DROP = """([selector, many]) => {
    const dropped = new DataTransfer();
    for (let at = 0; at < many; at++) dropped.items.add(new File(["no"], `${at}.mid`));
    document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true }));
}"""


def test_more_files_than_are_taken_at_once_are_told_and_that_stays_to_be_read(page: Any) -> None:
    page.evaluate(DROP, ["body", 10_000])
    assert "the other 9,950 files were left out" in wait(page, "window.told[0]")
    wait(page, f"window.told.length === 51 && {NO_JOBS}")
    assert "9,950" in page.text_content("#toasts")
    page.click("#views a[data-view=band]")
    page.wait_for_selector(".pad .told:not(:empty)", state="attached")
    page.evaluate(DROP, [".pad", 6])
    wait(page, "window.told.some((line) => line.includes('4 corners; the other 2 files were left out'))")


def test_a_training_takes_as_many_files_as_the_studio_learns_from(page: Any, server: Server) -> None:
    other = page.context.new_page()

    def few(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "most_files": 3})

    other.route("**/api/session", few)
    other.goto(f"{server.url}#train")
    other.wait_for_selector("body[data-ready]")
    other.evaluate(DROP, ["body", 5])
    assert "3 files at most" in wait(other, "window.told[0]")
    wait(other, "document.querySelectorAll('#music-files li').length === 5")
    wait(other, "document.getElementById('reading').hidden")
    assert other.inner_text("#music-files").count("too many files") == 2
    other.close()


def test_a_server_that_was_killed_is_told_and_what_was_saved_is_there(page: Any, server: Server) -> None:
    compose(page)
    before = page.evaluate(TAKES)
    page.check("input[value=piano]", force=True)
    page.locator("input[name=bars]").fill("64")
    page.click("#compose-button")
    page.wait_for_selector("#jobs li")
    server.stop(hard=True)
    page.wait_for_selector("#offline:not([hidden])")
    server.start()
    wait(page, "document.getElementById('offline').hidden")
    wait(page, f"{NO_JOBS} && {TAKES} === {before}")
    assert "started anew" in "".join(page.evaluate("window.told"))
    compose(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    compose(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_server_that_is_stopped_ends_tidily(browser: Any, tmp_path: Path) -> None:
    server = Server(tmp_path)
    page = browser.new_page()
    page.goto(server.url)
    page.wait_for_selector("body[data-ready]")
    assert server.stop() == 0
    page.close()
