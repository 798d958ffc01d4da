"""Runs the worker: a job goes out as JSON, an answer or one clear line comes back."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import FileError, MissingExtra

MEMORY_BYTES = 4 * 2**30
SECONDS = 300
"""Of the processor, and by the clock; a hundred pages took a tenth of it."""

_WORKER = Path(__file__).with_name("worker.py")


def engraved(musicxml: bytes, layouts: list[dict[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """The pages of some MusicXML as verovio draws them, and its timemap.

    Args:
        musicxml: as Kapelle writes it.
        layouts: options of verovio; the second and further ones are tried where the first leaves a last line or
            page nearly empty.

    Raises:
        FileError: if verovio cannot engrave it within the bounds of time and memory.
        MissingExtra: if verovio is not installed.
    """
    answer = _run("verovio", {"musicxml": musicxml.decode(), "layouts": layouts})
    return answer["pages"], answer["timemap"]


def typeset(
    pages: list[str], size: tuple[int, int], title: str, form: str, *, ppi: int = 150, stacked: bool = False
) -> list[bytes]:
    """Pages of SVG as the bytes of one PDF, of one PNG a page, or of one PNG with all of them below one another.

    Args:
        size: of a page, in millimetres.
        form: "pdf" or "png".

    Raises:
        FileError: if typst cannot typeset them within the bounds of time and memory.
        MissingExtra: if typst is not installed.
    """
    width, height = size
    job = {"pages": pages, "width": width, "height": height, "title": title}
    answer = _run("typst", {**job, "format": form, "ppi": ppi, "stacked": stacked})
    return [base64.b64decode(data) for data in answer["files"]]


def _run(library: str, job: dict[str, Any]) -> dict[str, Any]:
    if find_spec(library) is None:
        raise MissingExtra("sheet music", "sheet")
    job = {**job, "memory_bytes": MEMORY_BYTES, "seconds": SECONDS}
    # -P: the worker's folder is no place to import from.
    command = [sys.executable, "-P", str(_WORKER)]
    try:
        done = subprocess.run(
            command, input=json.dumps(job).encode(), capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise FileError(f"{library} did not finish the sheet music in {SECONDS} seconds; engrave fewer bars") from None
    if done.returncode:
        raise FileError(f"{library} cannot make this sheet music ({_end(done)}); engrave fewer bars or tracks")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" in answer:
        raise FileError(f"{answer['error']}; engrave fewer bars or tracks")
    return answer


def _end(done: subprocess.CompletedProcess[bytes]) -> str:
    """How the worker ended, in a few words."""
    if done.returncode < 0:
        return f"it was ended by signal {-done.returncode}"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return " ".join(lines[-1].split())[:120] if lines else f"it ended with code {done.returncode}"
