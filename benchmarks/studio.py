"""The studio's figures: how soon its page is there, how soon music is seen and heard, and what it bears.

    python benchmarks/studio.py page [--browser /usr/bin/chromium] [--runs 7]
    python benchmarks/studio.py load [--seconds 300] [--clients 20] [--reads 500]

`page` needs Playwright and a Chromium, and a machine with nothing else to do: all its figures are by the clock. Of
several runs the least and the median are told. `load` lets clients compose piece after piece, cancel one in ten, and
others read so many times a second in all; both share the processors with the server that they measure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from studio_process import Server, wait

from kapelle.files import format_of
from kapelle.music import Notes, Score, Track

TAKES = "document.querySelectorAll('#takes .open-take').length"
SOUNDS = "document.getElementById('level').value > 0.01"
FRAMES = """new Promise((done) => { const roll = document.getElementById('roll'), times = [];
  const step = (now) => { times.push(now); roll.scrollLeft += 25;
    times.length < 180 ? requestAnimationFrame(step) : done(times.slice(1).map((time, at) => time - times[at])); };
  requestAnimationFrame(step); })"""
WATCH = """(() => { window.pressed = performance.now(); window.first = window.heard = undefined;
  const { roll, player } = window.kapelle; const before = roll.score;
  const look = () => { const now = performance.now() - window.pressed;
    if (window.first === undefined && roll.score !== before && roll.notes.length) window.first = now;
    if (window.first !== undefined && player.playing && player.level() > 0.01) window.heard = now;
    if (window.heard === undefined) requestAnimationFrame(look); };
  requestAnimationFrame(look); document.getElementById('%s').click(); })()"""


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["page", "load"])
    parser.add_argument("--browser", default="/usr/bin/chromium")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--reads", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        print("| what | measured |\n|---|---|")
        if asked.what == "page":
            rows = page_figures(Path(home), asked.browser, asked.runs)
        else:
            rows = load_figures(Path(home), asked.seconds, asked.clients, asked.reads)
        for name, told in rows:
            print(f"| {name} | {told} |", flush=True)


# -- the page -------------------------------------------------------------------------------------


def page_figures(home: Path, program: str, runs: int) -> list[tuple[str, str]]:
    """Of the page in a browser."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        starts = [start_to_usable(browser, home / str(run)) for run in range(runs)]
        rows.append(("start of the command to a page one can use", both(starts)))
        server = Server(home / "page")
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            sizes: list[int] = []

            def weigh(request: Any) -> None:
                sizes.append(request.sizes()["responseBodySize"])

            page.on("requestfinished", weigh)
            page.goto(server.url)
            page.wait_for_selector("body[data-ready]")
            press(page, "compose-button")
            page.remove_listener("requestfinished", weigh)
            rows.append(("page weight with synthesiser and sounds", f"{sum(sizes) / 1e6:.2f} MB"))
            for style, bars in (("folk", 16), ("chorale", 16), ("piano", 16), ("piano", 64)):
                page.check(f"input[value={style}]", force=True)
                page.locator("input[name=bars]").fill(str(bars))
                seen, heard = zip(*(press(page, "compose-button") for _ in range(runs)), strict=True)
                rows.append((f"Compose, {bars} bars of {style}: first bars seen", both(seen)))
                rows.append((f"Compose, {bars} bars of {style}: sound", both(heard)))
            rows.append(("regenerate 4 bars of the tenor, till it is seen and heard", both(regenerated(page, runs))))
            rows.append(("roll with 10,000 notes while scrolling", frames(page)))
        finally:
            server.stop()
            browser.close()
    return rows


def both(seconds: Any) -> str:
    """The least and the median."""
    return f"{min(seconds):.2f} s at best, median {statistics.median(seconds):.2f} s"


def start_to_usable(browser: Any, home: Path) -> float:
    """Seconds from starting the command to a page in which Compose can be pressed; the browser is there already."""
    home.mkdir()
    begun = time.perf_counter()
    server = Server(home)
    page = browser.new_page()
    page.goto(server.url)
    page.wait_for_selector("body[data-ready]")
    seconds = time.perf_counter() - begun
    page.close()
    server.stop()
    return seconds


def press(page: Any, button: str) -> tuple[float, float]:
    """Seconds from a press to the first bars in the roll, and to sound."""
    before = page.evaluate(TAKES)
    page.evaluate(WATCH % button)
    wait(page, f"window.heard !== undefined && {TAKES} > {before} && document.body.dataset.jobs === '0'")
    seen, heard = page.evaluate("[window.first / 1000, window.heard / 1000]")
    page.evaluate("window.kapelle.player.pause()")
    return seen, heard


def regenerated(page: Any, runs: int) -> list[float]:
    """Seconds from the press to the new bars being seen and heard."""
    page.check("input[value=chorale]", force=True)
    page.locator("input[name=bars]").fill("16")
    press(page, "compose-button")
    for name, bar in (("from-bar", "5"), ("to-bar", "8")):
        page.fill(f"#{name}", bar)
        page.locator(f"#{name}").blur()
    page.get_by_role("button", name="Tenor", exact=True).click()
    return [press(page, "regenerate")[1] for _ in range(runs)]


def frames(page: Any) -> str:
    """How long a frame takes in a roll that is scrolled."""
    file = {"name": "many.mid", "mimeType": "audio/midi", "buffer": ten_thousand_notes()}
    page.set_input_files("#import-file", file)
    wait(page, "document.getElementById('title').value === 'many'")
    times = page.evaluate(FRAMES)
    return f"{1000 / statistics.mean(times):.0f} frames a second, the slowest of 180 in {max(times):.0f} ms"


def ten_thousand_notes() -> bytes:
    """A MIDI file with them."""
    rows = ((12 * at, 10, 40 + at * 7 % 48, 40 + at % 80) for at in range(10_000))
    return format_of("a.mid").encode(Score(24, (Track(Notes.of(rows)),)))


# -- load -----------------------------------------------------------------------------------------


class Client:
    """A connection to the studio that is kept."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port, self._token = port, token

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A request: its status, and its JSON if it is some."""
        if not hasattr(self, "_reader"):
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\nx-kapelle-token: {self._token}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        self._writer.write(head.encode() + data)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        answer = await self._reader.readexactly(int(headers["content-length"]))
        is_json = headers.get("content-type", "").startswith("application/json")
        return int(lines[0].split()[1]), json.loads(answer) if is_json else answer


class Load:
    """What is asked of a server, and what comes of it."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server, self.end = server, time.monotonic() + seconds
        self.composed, self.reads, self.errors = 0, 0, Counter[str]()
        self.cancels: list[float] = []
        self.memory: list[tuple[float, float]] = []
        self.take = ""

    @property
    def goes_on(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self.end

    async def compose(self, client: Client, number: int) -> None:
        """Piece after piece; every tenth is cancelled."""
        asked = {"kind": "compose", "style": "folk", "bars": 8}
        while self.goes_on:
            number += 1
            long = number % 10 == 0
            status, job = await client.ask(
                "POST", "/api/jobs", asked | ({"style": "piano", "bars": 64} if long else {})
            )
            if status != 202:
                self.errors[f"{status} {job}"] += 1
                continue
            begun = 0.0
            if long:
                await asyncio.sleep(0.5)
                begun = time.monotonic()
                await client.ask("DELETE", f"/api/jobs/{job['id']}")
            while job["state"] in ("waiting", "running"):
                await asyncio.sleep(0.05)
                _, job = await client.ask("GET", f"/api/jobs/{job['id']}")
            if job["state"] == "failed":
                self.errors[job["error"]] += 1
            elif job["state"] == "cancelled":
                self.cancels.append(time.monotonic() - begun)
            else:
                self.composed, self.take = self.composed + 1, job["take"]

    async def read(self, client: Client, each: float) -> None:
        """Read at a pace."""
        due = time.monotonic()
        while self.goes_on:
            for path in (f"/api/takes/{self.take}" if self.take else "/api/jobs", "/api/session", "/page/main.js"):
                status, _ = await client.ask("GET", path)
                self.reads += 1
                if status != 200:
                    self.errors[f"{status} {path}"] += 1
                due += each
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def watch(self) -> None:
        """The server's memory, every few seconds."""
        begun = time.monotonic()
        while self.goes_on:
            status = Path(f"/proc/{self.server.process.pid}/status").read_text()
            kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            self.memory.append((time.monotonic() - begun, kilobytes / 1024))
            await asyncio.sleep(5)


def load_figures(home: Path, seconds: float, clients: int, reads: int) -> list[tuple[str, str]]:
    """Of a server that many ask at once."""
    server = Server(home)
    readers = 10

    async def run() -> Load:
        _, session = await Client(server.port).ask("GET", "/api/session")
        load = Load(server, seconds)
        work = [load.compose(Client(server.port, session["token"]), number) for number in range(clients)]
        work += [load.read(Client(server.port), readers / reads) for _ in range(readers)]
        await asyncio.gather(load.watch(), *work)
        return load

    try:
        load = asyncio.run(run())
    finally:
        server.stop()
    third = [value for at, value in load.memory if at > seconds / 3] or [0.0]
    first = load.memory[0][1]
    return [
        ("time", f"{seconds:.0f} s, {clients} clients composing"),
        ("pieces composed", f"{load.composed}, {load.composed / seconds:.1f} a second"),
        ("read", f"{load.reads / seconds:.0f} a second of {reads} asked"),
        ("errors", "; ".join(f"{what}: {times}" for what, times in load.errors.items()) or "none"),
        ("memory of the server", f"{first:.0f} MB, after a third {third[0]:.0f} MB, at the end {third[-1]:.0f} MB"),
        (
            "from cancelling to the end of a job",
            f"{statistics.median(load.cancels):.2f} s, at most {max(load.cancels):.2f} s of {len(load.cancels)}"
            if load.cancels
            else "none was cancelled",
        ),
    ]


if __name__ == "__main__":
    main()
