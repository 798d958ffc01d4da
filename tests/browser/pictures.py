"""Pictures of every view of the studio's page at both widths, light and dark.

python tests/browser/pictures.py FOLDER --browser /usr/bin/chromium
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from studio_process import Server, wait

from kapelle.files import format_of

PLAYING = "document.getElementById('play').getAttribute('aria-label') === 'Pause'"
LOOKS = (
    ("desk", 1280, 800, "light"),
    ("desk-dark", 1280, 800, "dark"),
    ("phone", 390, 844, "light"),
    ("phone-dark", 390, 844, "dark"),
)


def compose(page: Any) -> None:
    """Press Compose, and wait until the piece is there and plays."""
    before = page.evaluate("localStorage['kapelle-open'] ?? ''")
    page.click("#compose-button")
    wait(page, f"(localStorage['kapelle-open'] ?? '') !== '{before}' && {PLAYING}")


def open_view(page: Any, name: str, ready: str) -> None:
    """A view, and what it shows when it is there."""
    page.click(f"#views a[data-view={name}]")
    wait(page, ready)


def empty(page: Any) -> None:
    """Nothing made yet, or the last piece."""
    page.click("#views a[data-view=compose]")


def roll(page: Any) -> None:
    """A piece in four voices, some bars of one chosen, some locked."""
    page.check("input[value=chorale]", force=True)
    compose(page)
    page.click("#play")
    for first, last in ((6, 7), (2, 4)):
        page.fill("#from-bar", str(first))
        page.locator("#from-bar").blur()
        page.fill("#to-bar", str(last))
        page.locator("#to-bar").blur()
        if first == 6:
            page.click("#lock-bars")
    page.get_by_role("button", name="Tenor", exact=True).click()


def edited(page: Any) -> None:
    """A change that is not saved."""
    page.focus("#roll")
    for key in ("ArrowRight", "ArrowRight", "Alt+ArrowUp"):
        page.keyboard.press(key)


def sheet(page: Any) -> None:
    """Sheet music."""
    if page.is_visible("#revert"):
        page.click("#revert")
        wait(page, "document.getElementById('save').hidden")
    if page.is_visible("#tab-sheet"):
        page.click("#tab-sheet")
        page.wait_for_selector("#sheet-view svg", timeout=60_000)
        page.wait_for_timeout(200)


TOLD = "[...document.querySelectorAll('.pad .told')]"
BAND = f"{TOLD}.length && {TOLD}.every((told) => told.textContent)"


def band(page: Any) -> None:
    """The band room: a path over the beats, a melody that is shaped, and both sound."""
    if page.is_visible("#tab-roll"):
        page.click("#tab-roll")
    open_view(page, "band", BAND)
    page.click(".pad:first-child [data-tool=path]")
    square = page.locator(".pad:first-child .square")
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    for at, (x, y) in enumerate(((0.15, 0.85), (0.3, 0.4), (0.6, 0.3), (0.85, 0.6))):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
        if not at:
            page.mouse.down()
    page.mouse.up()
    page.evaluate("document.querySelectorAll('.shape').forEach((shape) => { shape.open = true; })")
    page.locator("[data-measure=register]").fill("1.5")
    wait(page, "window.kapelle.player.level() > 0.01")
    page.wait_for_timeout(1200)


def morph(page: Any) -> None:
    """Between two clips."""
    page.click(".pad:first-child [data-mode=two]")
    wait(page, "!document.querySelector('.pad .morph').hidden")
    page.locator(".pad:first-child .morph").fill("4")
    wait(page, "document.querySelector('.pad .told').textContent.startsWith('step 5')")
    page.click("#band-play")


def radio(page: Any) -> None:
    """The radio, on air."""
    open_view(page, "radio", "document.querySelector('#radio-styles input')")
    page.click("#radio-play")
    wait(page, "!document.getElementById('radio-skip').disabled")
    page.wait_for_timeout(1500)


def train(page: Any) -> None:
    """What is seen before a training."""
    open_view(page, "train", "document.getElementById('train-h')")
    if page.is_visible("#train-new"):
        page.click("#train-new")


def music(page: Any) -> None:
    """What files give to learn from."""
    from kapelle.styles import load_style

    files = [
        {"name": f"tune {seed}.mid", "mimeType": "audio/midi", "buffer": format_of("a.mid").encode(score)}
        for seed, score in enumerate(load_style("folk").compose(bars=8, seed=seed) for seed in range(8))
    ]
    page.set_input_files("#files-input", [*files, {"name": "broken.mid", "mimeType": "", "buffer": b"no music"}])
    wait(page, "document.querySelectorAll('#music-files li').length === 9")
    wait(page, "document.getElementById('reading').hidden")


def quiz(page: Any) -> None:
    """The listening test, before it begins."""
    open_view(
        page, "quiz", "document.querySelector('#quiz-experience input') || !document.getElementById('quiz-none').hidden"
    )
    wait(page, "document.getElementById('quiz-wait').hidden")


VIEWS = {each.__name__: each for each in (empty, roll, edited, sheet, band, morph, radio, train, music, quiz)}
"""Every view: what is done on the page to see it. Each is come to from the one before."""


def picture(page: Any, folder: Path, look: str) -> None:
    """Every view of the page."""
    for name, show in VIEWS.items():
        show(page)
        page.wait_for_timeout(300)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=folder / f"{look}-{name}.png", full_page=True)
    page.click("#views a[data-view=compose]")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        browser = playwright.chromium.launch(
            executable_path=arguments.browser, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        server = Server(Path(home))
        try:
            for look, width, height, scheme in LOOKS:
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                page.goto(server.url)
                page.wait_for_selector("body[data-ready]")
                picture(page, arguments.folder, look)
                context.close()
        finally:
            server.stop()
            browser.close()


if __name__ == "__main__":
    main()
