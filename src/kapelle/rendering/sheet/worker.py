"""The process that verovio and typst run in. It is started by `engraver` and knows nothing of Kapelle.

It reads one job as JSON from stdin and writes one answer as JSON to stdout. Both libraries are compiled code, and
verovio was seen to end its whole process on some input, so they get one of their own, with bounds on memory and
processor time where the system knows such bounds.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sys
from typing import Any

_FULL_ENOUGH = 0.4
"""A last line that holds less than this share of the bars of the others is avoided if another layout can."""

_MOST_PAGES_TO_TRY = 12

_SIDES = ("pageWidth", "pageHeight")

_LOWEST = 0.88
"""Where the last staff of a page may begin, as a share of its height."""


def main() -> None:
    """Read the job, do it, answer."""
    job = json.loads(sys.stdin.buffer.read())
    _bound(job["memory_bytes"], job["seconds"])
    answer = _engraved(job) if "musicxml" in job else _typeset(job)
    sys.stdout.buffer.write(json.dumps(answer).encode())


def _bound(memory_bytes: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:
        return
    bounds = (("AS", memory_bytes, memory_bytes), ("CPU", seconds, seconds + 5), ("CORE", 0, 0))
    for name, soft, hard in bounds:
        # A system may know a bound and not let it be set.
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (soft, hard))


def _engraved(job: dict[str, Any]) -> dict[str, Any]:
    """Pages of SVG, and the times of the notes on them."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    first, *others = job["layouts"]
    toolkit.setOptions(first)
    if not toolkit.loadData(job["musicxml"]):
        return {"error": "the engraver does not understand the notation"}
    pages = _pages(toolkit)
    needed = max(map(_height_needed, pages))
    if needed > 1:
        _lay_out(toolkit, {**first, **{name: round(first[name] * needed) for name in _SIDES}})
        pages = _pages(toolkit)
    for layout in others:
        if needed > 1 or len(pages) > _MOST_PAGES_TO_TRY or not _ends_badly(pages):
            break
        _lay_out(toolkit, layout)
        tried = _pages(toolkit)
        if len(tried) <= len(pages) and not _ends_badly(tried):
            pages = tried
    return {"pages": pages, "timemap": toolkit.renderToTimemap({"includeMeasures": True})}


def _lay_out(toolkit: Any, layout: dict[str, Any]) -> None:
    toolkit.setOptions(layout)
    toolkit.redoLayout()


def _height_needed(page: str) -> float:
    """The lowest staff line of a page as a share of where it may be at most."""
    view = re.search(r'class="definition-scale"[^>]*viewBox="0 0 \d+ (\d+)"', page)
    lines = re.findall(r'class="staff"[^>]*>\s*<path d="M-?\d+ (\d+)', page)
    if view is None or not lines:
        return 1.0
    return max(map(int, lines)) / (_LOWEST * int(view[1]))


def _pages(toolkit: Any) -> list[str]:
    return [toolkit.renderToSVG(number) for number in range(1, toolkit.getPageCount() + 1)]


def _ends_badly(pages: list[str]) -> bool:
    """Whether the last line holds hardly anything, or the last page holds one line of many."""
    lines = [
        [len(re.findall('class="measure"', line)) for line in re.split('class="system"', page)[1:]] for page in pages
    ]
    bars = [count for page in lines for count in page]
    if len(bars) < 2:
        return False
    before = bars[:-1]
    return bars[-1] < _FULL_ENOUGH * sum(before) / len(before) or (
        len(lines) > 1 and len(lines[-1]) == 1 < len(lines[0])
    )


def _typeset(job: dict[str, Any]) -> dict[str, Any]:
    """Pages of SVG as one PDF, or as PNGs."""
    import typst

    compiled: Any = typst.compile

    files = {f"{number}.svg": page.encode() for number, page in enumerate(job["pages"])}
    images = [f'#image("{name}", width: {job["width"]}mm, height: {job["height"]}mm)' for name in files]
    height = f"{job['height']}mm" if job["format"] == "pdf" or not job["stacked"] else "auto"
    page = f"#set page(width: {job['width']}mm, height: {height}, margin: 0mm)\n"
    head = "#set document(title: sys.inputs.title)\n#set par(spacing: 0mm, leading: 0mm)\n#set block(spacing: 0mm)\n"
    body = ("\n" if height == "auto" else "#pagebreak()\n").join(f"{image}\n" for image in images)
    made = compiled(
        {"main.typ": (head + page + body).encode(), **files},
        format=job["format"],
        ppi=job["ppi"],
        sys_inputs={"title": job["title"]},
    )
    made = made if isinstance(made, list) else [made]
    return {"files": [base64.b64encode(data).decode() for data in made]}


if __name__ == "__main__":
    main()
