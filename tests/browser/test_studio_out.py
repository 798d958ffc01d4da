"""What leaves the page: files that are pulled out of it, and notes through a MIDI port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio_page import PLAYING, compose, open_take
from studio_process import wait

import kapelle


def test_a_file_that_is_pulled_out_of_the_page_is_the_take(page: Any, tmp_path: Path) -> None:
    """As far as a browser can be tested: what it tells the system of the file, and that this is the file."""
    compose(page, bars=2)
    page.evaluate("""() => addEventListener("dragstart", (event) => {
        const { dataTransfer: data } = event;
        window.pulled = Object.fromEntries(data.types.map((type) => [type, data.getData(type)]));
        window.pulled.effect = data.effectAllowed; })""")
    link = page.locator("a[data-suffix=mid]")
    link.scroll_into_view_if_needed()
    box = link.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60, steps=5)
    pulled = wait(page, "window.pulled")
    page.mouse.up()
    kind, name, url = pulled["downloadurl"].split(":", 2)
    assert (kind, pulled["effect"]) == ("audio/midi", "copy")
    assert name.endswith(".mid")
    assert "/" not in name
    assert url == pulled["text/uri-list"]
    answer = page.request.get(url)
    assert answer.headers["content-type"] == "audio/midi"
    (tmp_path / name).write_bytes(answer.body())
    assert kapelle.load(tmp_path / name).num_notes == open_take(page)["summary"]["notes"]


PORT = """() => { window.sent = [];
    const port = { id: "p", name: "A synth", send: (data, at) => window.sent.push({ data: [...data], at: at ?? 0 }),
        clear: () => window.sent.push({ data: "cleared", at: 0 }) };
    const access = new EventTarget(); access.outputs = new Map([["p", port]]);
    window.access = access;
    navigator.requestMIDIAccess = async (options) => { window.options = options ?? {}; return access; }; }"""


def test_what_is_played_goes_out_of_a_midi_port_and_no_note_hangs(page: Any) -> None:
    page.evaluate(PORT)
    compose(page, bars=2)
    page.select_option("#midi-out", "ask")
    wait(page, "document.querySelectorAll('#midi-out option').length === 2")
    assert not page.evaluate("window.options.sysex")
    page.select_option("#midi-out", "p")
    score = open_take(page)["score"]
    assert [0xC0, score["tracks"][0]["program"]] in page.evaluate("window.sent.map((message) => message.data)")
    silences = "window.sent.filter((message) => message.data === 'cleared').length"
    page.evaluate("window.sent.length = 0")
    page.click("#play")
    # A pause is a silence, and one more when what was sent ahead is over.
    wait(page, f"{silences} === 2")
    page.evaluate("window.kapelle.player.looping = false; window.sent.length = 0")
    page.click("#rewind")
    page.click("#play")
    wait(page, f"!({PLAYING}) && {silences} === 3")
    sent = page.evaluate("window.sent")
    first = next(at for at, message in enumerate(sent) if message["data"] == "cleared")
    played = [message for message in sent[first + 17 :] if message["data"] != "cleared"]
    ons = [message for message in played if message["data"][0] == 0x90]
    offs = [message for message in played if message["data"][0] == 0x80]
    assert [message["data"][1:] for message in ons] == [note[2:] for note in sorted(score["tracks"][0]["notes"])]
    assert sorted(message["data"][1] for message in offs) == sorted(message["data"][1] for message in ons)
    times = [message["at"] for message in ons]
    assert times == sorted(times)
    # Silence is asked for on every channel, and what was sent ahead is taken back.
    assert sent[-17]["data"] == "cleared"
    assert [message["data"] for message in sent[-16:]] == [[0xB0 | channel, 123, 0] for channel in range(16)]


def test_a_port_that_is_pulled_out_gives_the_sound_back_to_the_page(page: Any) -> None:
    page.evaluate(PORT)
    compose(page, bars=2)
    page.select_option("#midi-out", "ask")
    wait(page, "document.querySelectorAll('#midi-out option').length === 2")
    page.select_option("#midi-out", "p")
    page.evaluate("window.access.outputs.clear(); window.access.dispatchEvent(new Event('statechange'))")
    assert page.input_value("#midi-out") == ""
    wait(page, "window.kapelle.player.level() > 0.01")
