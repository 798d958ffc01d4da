"""A studio that runs, and a browser that opens it: `make test-browser`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from studio_process import PATIENCE, Server

BROWSER = os.environ.get("KAPELLE_BROWSER", "")
"""The program of a Chromium; without it none of these tests runs, since they take minutes."""


RECORDER = """window.told = []; new MutationObserver((changes) => changes.forEach((change) =>
    change.addedNodes.forEach((node) => node.classList?.contains('toast') && window.told.push(node.textContent))
)).observe(document, { childList: true, subtree: true });"""
"""Keeps in `told` what the page says for some seconds only."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not BROWSER:
        pytest.skip("needs a browser: KAPELLE_BROWSER=/usr/bin/chromium, as make test-browser sets it")
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which(BROWSER)
    assert program, f"there is no program {BROWSER}"
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("home"))
    yield running
    running.stop()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """The page, ready; it must have asked nobody else for anything, and found no fault in itself."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(1000 * PATIENCE)
    context.add_init_script(RECORDER)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda request: faults.append(request.url) if not _own(request.url, server.url) else None)
    opened.goto(server.url)
    opened.wait_for_selector("body[data-ready]")
    yield opened
    context.close()
    assert faults == []


def _own(url: str, home: str) -> bool:
    return url.startswith((home, "blob:", "data:"))
