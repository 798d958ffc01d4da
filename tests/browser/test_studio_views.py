"""Every view, at both widths, in light and dark: nothing serious for who cannot see, nothing wider than the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pictures import VIEWS
from studio_process import PATIENCE, Server

LOOKS = ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"))


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def shown(request: pytest.FixtureRequest, browser: Any, server: Server) -> Iterator[Any]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector("body[data-ready]")
    yield page
    context.close()


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_page(shown: Any, view: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    VIEWS[view](shown)
    found = axe.run(shown).response["violations"]
    serious = [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= shown.viewport_size["width"]
