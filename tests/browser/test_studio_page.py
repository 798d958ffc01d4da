"""What a user does on the page, in a real browser."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from studio_process import Server, wait

import kapelle
from kapelle.files import format_of
from kapelle.music import Notes, Score, Track, clip
from kapelle.studio.scores import from_values

PLAYING = "document.getElementById('play').getAttribute('aria-label') === 'Pause'"
TAKES = "document.querySelectorAll('#takes .open-take').length"
NO_JOBS = "document.body.dataset.jobs === '0'"


def compose(page: Any, style: str = "folk", bars: int = 4) -> None:
    """Press Compose and wait for the piece."""
    before = page.evaluate("localStorage['kapelle-open']")
    page.check(f"input[value={style}]", force=True)
    page.locator("input[name=bars]").fill(str(bars))
    page.click("#compose-button")
    wait(page, f"(localStorage['kapelle-open'] ?? null) !== {json.dumps(before)} && {NO_JOBS} && {PLAYING}")


def open_take(page: Any) -> dict[str, Any]:
    """The take that is open, as the server keeps it."""
    # A take is in the list a moment before the page opens it.
    wait(page, "(localStorage['kapelle-open'] ?? 'null') !== 'null'")
    return dict(page.evaluate("fetch('/api/takes/' + JSON.parse(localStorage['kapelle-open'])).then(a => a.json())"))


def notes(page: Any) -> Counter[tuple[int, ...]]:
    return Counter(tuple(note) for track in open_take(page)["score"]["tracks"] for note in track["notes"])


def test_one_click_gives_music_that_is_seen_and_heard(page: Any) -> None:
    compose(page)
    assert wait(page, "document.getElementById('level').value > 0.02 && document.getElementById('level').value")
    inked = """(() => { const c = document.getElementById('roll-canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, seen = new Set();
        for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
        return seen.size; })()"""
    assert page.evaluate(inked) > 10
    assert open_take(page)["summary"]["bars"] == 4


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
    page.locator("#roll-canvas").click(position={"x": 300, "y": 40})
    told = page.text_content("#note-told")
    assert total() == first + 1
    page.keyboard.press("Escape")
    page.click("#tool-select")
    box = page.locator("#roll-canvas").bounding_box()
    page.mouse.move(box["x"] + 298, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 298, box["y"] + 100, steps=5)
    page.mouse.up()
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


def bars_pulled(page: Any, first: int, last: int) -> None:
    """Choose bars on the ruler with the pointer; they must be to be seen."""
    box = page.locator("#roll-canvas").bounding_box()
    left, right = (
        page.evaluate(
            """([bar, share]) => { const roll = window.kapelle.roll, [left, right] = roll.spanOf(bar, bar);
            return left + share * (right - left); }""",
            [bar, share],
        )
        for bar, share in ((first, 0.3), (last, 0.7))
    )
    page.mouse.move(box["x"] + left, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + right, box["y"] + 10, steps=5)
    page.mouse.up()


def parts(page: Any, start: int, stop: int) -> list[Any]:
    """What each track of the open take plays between two ticks."""
    score = from_values(open_take(page)["score"])
    return [track.notes for track in clip(score, start, stop).tracks]


def regenerate(page: Any) -> None:
    """Press Regenerate and wait for what comes of it."""
    before = page.evaluate("localStorage['kapelle-open']")
    page.click("#regenerate")
    wait(page, f"{NO_JOBS} && localStorage['kapelle-open'] !== '{before}'")


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
    wait(page, "!document.getElementById('train-found').hidden", 300)
    assert page.locator("#curves polyline").count() >= 1
    page.locator("#train-samples button").first.click()
    wait(page, "window.kapelle.player.level() > 0.01")
    page.click("#train-compose")
    wait(page, "document.querySelector('input[value=tunes]')?.checked")
    page.locator("input[name=bars]").fill("2")
    page.click("#compose-button")
    wait(page, "document.getElementById('title').value.startsWith('tunes') && document.body.dataset.jobs === '0'")


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


def test_what_is_played_goes_out_of_a_midi_port(page: Any) -> None:
    page.evaluate("""() => { window.sent = [];
        const port = { id: 'p', name: 'A synth', send: (data) => window.sent.push([...data]) };
        const access = new EventTarget(); access.outputs = new Map([['p', port]]);
        navigator.requestMIDIAccess = async () => access; }""")
    compose(page, bars=2)
    page.select_option("#midi-out", "ask")
    wait(page, "document.querySelectorAll('#midi-out option').length === 2")
    page.select_option("#midi-out", "p")
    page.click("#rewind")
    wait(page, "window.sent.some((data) => data[0] === 0x90)")
    page.select_option("#midi-out", "")


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
    page.wait_for_selector(".toast.bad")
    assert "MIDI" in page.text_content(".toast.bad")


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
    assert "started anew" in page.text_content("#toasts")
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
