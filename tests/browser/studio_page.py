"""What tests do on the studio's page again and again."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from studio_process import wait

from kapelle.music import clip
from kapelle.studio.scores import from_values

PLAYING = "document.getElementById('play').getAttribute('aria-label') === 'Pause'"
TAKES = "document.querySelectorAll('#takes .open-take').length"
NO_JOBS = "document.body.dataset.jobs === '0'"


def compose(page: Any, style: str = "folk", bars: int = 4) -> None:
    """Press Compose and wait for the piece, which then sounds again and again, however slow the machine is."""
    page.evaluate("window.kapelle.player.looping = true")
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
