"""Training, the quiz and the radio, in a real browser."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

from studio_page import TAKES, compose
from studio_process import Server, wait

import kapelle


def test_a_style_is_learnt_from_a_folder_and_composes(page: Any, tmp_path: Path) -> None:
    folder = tmp_path / "tunes"
    folder.mkdir()
    for seed in range(6):
        kapelle.save(kapelle.load_style("folk").compose(bars=8, seed=seed), folder / f"tune {seed}.mid")
    (folder / "broken.mid").write_bytes(b"no music")
    (folder / "cover.jpg").write_bytes(b"")
    page.click("#views a[data-view=train]")
    page.wait_for_selector("#train-h")
    page.set_input_files("#folder-input", str(folder))
    wait(
        page,
        "document.querySelectorAll('#music-files li').length === 8"
        " && !document.getElementById('train-button').disabled",
    )
    assert page.text_content("#music-sum").startswith("6 pieces")
    assert [line.split("/")[-1].split("no ")[0] for line in page.locator("#music-files .left b").all_inner_texts()] == [
        "broken.mid",
        "cover.jpg",
    ]
    page.evaluate(
        "(() => { const { minutes } = document.getElementById('train-form').elements;"
        "minutes.min = minutes.step = 0.05; minutes.value = 0.1; })()"
    )
    page.click("#train-button")
    wait(page, "!document.getElementById('train-stop').hidden")
    wait(page, "!document.getElementById('train-found').hidden", 600)
    assert page.locator("#curves polyline").count() >= 1
    # It goes on from there for as long as one likes.
    page.evaluate("document.getElementById('train-minutes').options[0].value = '0.05'")
    page.select_option("#train-minutes", "0.05")
    page.click("#train-on")
    wait(page, "!document.getElementById('train-stop').hidden")
    wait(page, "!document.getElementById('train-more').hidden")
    page.locator("#train-samples button").first.click()
    wait(page, "window.kapelle.player.level() > 0.01")
    page.click("#train-compose")
    wait(page, "document.querySelector('input[value=tunes]')?.checked")
    page.locator("input[name=bars]").fill("2")
    page.click("#compose-button")
    wait(page, "document.getElementById('title').value.startsWith('tunes') && document.body.dataset.jobs === '0'")


def test_a_view_takes_files_as_soon_as_it_is_shown_however_slowly_the_page_came(page: Any, server: Server) -> None:
    other = page.context.new_page()
    other.route("**/page/train.js", lambda route: (time.sleep(1), route.continue_()))
    other.goto(f"{server.url}#train")
    other.wait_for_selector("body[data-ready]")
    names = [f"{number}.mid" for number in range(12)]
    for some in (names[:6], names[6:]):
        files = [{"name": name, "mimeType": "audio/midi", "buffer": b"no music"} for name in some]
        other.set_input_files("#files-input", files)
    # Another view and back: what is still to be sent is sent.
    other.click("#views a[data-view=radio]")
    other.click("#views a[data-view=train]")
    wait(
        other, "document.querySelectorAll('#music-files li').length === 12 && document.getElementById('reading').hidden"
    )
    told = [name.split("/")[-1] for name in other.locator("#music-files b").all_inner_texts()]
    assert sorted(told) == sorted(names)
    other.close()


def test_a_pair_is_heard_and_answered_and_the_result_has_an_interval(page: Any, server: Server) -> None:
    # A style that was learnt here, so that its pieces are at hand.
    home = server.home / "data" / "trainings" / ("0" * 16)
    (home / "music").mkdir(parents=True)
    folk = kapelle.load_style("folk")
    for seed in range(4):
        kapelle.save(folk.compose(bars=16, seed=seed, tempo=90), home / "music" / f"{seed}.mid")
    lesson = {
        "id": home.name,
        "created": 0,
        "state": "done",
        "asked": {"name": "asked", "title": "Asked"},
        "found": {"a": 1},
    }
    (home / "training.json").write_text(json.dumps(lesson))
    styles = server.home / "kapelle" / "styles"
    styles.mkdir(parents=True, exist_ok=True)
    kapelle.save_style(dataclasses.replace(folk, name="asked"), styles / "asked.safetensors")
    server.stop()
    server.start()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.evaluate("""() => { const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () { this.playbackRate = 16; return play.call(this); }; }""")
    page.click("#views a[data-view=quiz]")
    wait(page, "document.getElementById('quiz-style').options.length")
    page.select_option("#quiz-style", "asked")
    wait(page, "!document.getElementById('quiz-form').hidden && document.getElementById('quiz-wait').hidden")
    page.evaluate("document.getElementById('quiz-pairs').options[0].textContent = '1'")
    page.select_option("#quiz-pairs", "1")
    page.click("#quiz-form .primary")
    wait(page, "!document.getElementById('quiz-ask').hidden")
    assert page.is_disabled(".clip[data-side=a] .pick")
    for side in "ab":
        page.click(f".clip[data-side={side}] .play")
        wait(page, f"document.querySelector('.clip[data-side={side}] .state').textContent === 'Heard'")
    page.keyboard.press("b")
    wait(page, "!document.getElementById('quiz-end').hidden")
    assert " of 1 pair." in page.text_content("#quiz-sum")
    assert "%" in page.text_content("#quiz-means")
    assert page.locator("#quiz-rows tr").count() >= 1


def test_the_radio_goes_on_is_skipped_and_keeps_what_was_heard(page: Any) -> None:
    page.click("#views a[data-view=radio]")
    page.check("#radio-styles input[value=folk]", force=True)
    page.click("#radio-play")
    wait(page, "window.kapelle.player.level() > 0.01")
    first = page.evaluate("window.kapelle.player.events.length")
    # The bars that come next are there long before those that play are over.
    wait(page, f"window.kapelle.player.events.length > {first} && !document.getElementById('radio-like').disabled")
    before = page.evaluate(TAKES)
    page.click("#radio-like")
    page.click("#radio-keep")
    wait(page, f"{TAKES} === {before + 2}")
    page.click("#radio-skip")
    wait(page, "document.getElementById('radio-now').textContent.startsWith('Something')")
    wait(
        page, "window.kapelle.player.playing && window.kapelle.player.now() < 3 && window.kapelle.player.level() > 0.01"
    )
    # Another view, and it is silent; the take that is open plays as before.
    page.click("#views a[data-view=compose]")
    assert not page.evaluate("window.kapelle.player.playing")
    compose(page, bars=2)
    assert wait(page, "document.getElementById('level').value > 0.01")
