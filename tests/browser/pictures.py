"""Pictures of the studio's page at both widths, light and dark, and its figures.

    python tests/browser/pictures.py FOLDER --browser /usr/bin/chromium

The figures are by the clock: a busy machine spoils them. The least of several is told beside the median.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from studio_process import Server, wait

SHOWN = "!document.getElementById('piece').hidden && document.body.dataset.jobs === '0'"
SOUNDS = "document.getElementById('level').value > 0.01"
FRAMES = """new Promise((done) => { const roll = document.getElementById('roll'), times = [];
  const step = (now) => { times.push(now); roll.scrollLeft += 25;
    times.length < 120 ? requestAnimationFrame(step) : done(times.slice(1).map((time, at) => time - times[at])); };
  requestAnimationFrame(step); })"""
LOOKS = (("desk", 1280, 800, "light"), ("dark", 1280, 800, "dark"), ("phone", 390, 844, "light"))


def ten_thousand_notes() -> bytes:
    """A MIDI file with them."""
    from kapelle.files import format_of
    from kapelle.music import Notes, Score, Track

    rows = ((12 * at, 10, 40 + (at * 7 + part * 5) % 48, 40 + at % 80) for part in (0,) for at in range(10_000))
    return format_of("a.mid").encode(Score(24, (Track(Notes.of(rows)),)))


def compose(page: Any) -> tuple[float, float]:
    """Seconds from the press to the music that is seen, and to its sound."""
    before = page.evaluate("document.querySelectorAll('#takes .open-take').length")
    start = time.perf_counter()
    page.click("#compose-button")
    wait(page, f"{SHOWN} && document.querySelectorAll('#takes .open-take').length > {before}")
    seen = time.perf_counter() - start
    wait(page, SOUNDS)
    return seen, time.perf_counter() - start


def picture(page: Any, folder: Path, look: str) -> None:
    """Every view of the page."""
    page.screenshot(path=folder / f"{look}-empty.png")
    compose(page)
    time.sleep(1.5)
    page.screenshot(path=folder / f"{look}-roll.png")
    page.click("#play")
    page.focus("#roll")
    for key in ("ArrowRight", "ArrowRight", "Alt+ArrowUp"):
        page.keyboard.press(key)
    page.screenshot(path=folder / f"{look}-edited.png", full_page=True)
    page.click("#revert")
    if page.is_visible("#tab-sheet"):
        page.click("#tab-sheet")
        page.wait_for_selector("#sheet-view svg", timeout=60_000)
        page.screenshot(path=folder / f"{look}-sheet.png")
        page.click("#tab-roll")


def main() -> None:
    """Take the pictures and tell the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    figures: dict[str, Any] = {}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        browser = playwright.chromium.launch(
            executable_path=arguments.browser, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        start = time.perf_counter()
        server = Server(Path(home))
        try:
            for look, width, height, scheme in LOOKS:
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                weight: list[int] = []
                page.on(
                    "requestfinished", lambda request, weight=weight: weight.append(request.sizes()["responseBodySize"])
                )
                page.goto(server.url)
                page.wait_for_selector("body[data-ready]")
                figures.setdefault("start to usable page, s", round(time.perf_counter() - start, 2))
                picture(page, arguments.folder, look)
                figures.setdefault("page weight with sounds, MB", round(sum(weight) / 1e6, 2))
                if look == "desk":
                    seen, heard = zip(*(compose(page) for _ in range(7)), strict=True)
                    for name, times in (("Compose to seen", seen), ("Compose to sound", heard)):
                        figures[f"{name}, s"] = [round(min(times), 2), round(statistics.median(times), 2)]
                    page.click("#play")
                    file = {"name": "many.mid", "mimeType": "audio/midi", "buffer": ten_thousand_notes()}
                    page.set_input_files("#import-file", file)
                    wait(page, "document.getElementById('title').value === 'many'")
                    frames = page.evaluate(FRAMES)
                    figures["roll of 10,000 notes, ms a frame"] = round(statistics.median(frames), 1)
                context.close()
        finally:
            server.stop()
            browser.close()
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
