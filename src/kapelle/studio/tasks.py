"""What workers do: each task takes plain values, gives plain values, and tells on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..music import Score
from ..styles import Style
from . import scores

Tell = Callable[[str], None]

SAMPLE_BARS, SAMPLE_SEED = 8, 1
RECORDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")


def warm(tell: Tell, paths: list[str]) -> None:
    """Load what the first piece would wait for: libraries, and these styles."""
    for path in paths:
        _style(path)


def compose(tell: Tell, path: str, wishes: dict[str, Any]) -> dict[str, Any]:
    """A new piece of the style in the file `path`."""
    return _made(_style(path).compose(tell=tell, **wishes))


def go_on(tell: Tell, path: str, beginning: dict[str, Any], title: str, wishes: dict[str, Any]) -> dict[str, Any]:
    """A piece with new bars after it."""
    score = _style(path).continue_(scores.from_values(beginning), tell=tell, **wishes)
    return _made(score.replace(title=title))


def read(tell: Tell, name: str, suffix: str, data: bytes) -> dict[str, Any]:
    """The music in a stranger's file, of which only the bytes and the suffix count."""
    if suffix in RECORDINGS:
        tell("listening to the recording")
        from ..listening import music_of, read_recording

        score = music_of(read_recording(data), title=name).score
    else:
        from ..files import format_of

        score = format_of(f"music{suffix}").decode(data)
    if not score.num_notes:
        raise FileError("expected music with notes, got a file without any")
    return _made(score if score.title.strip() else score.replace(title=name))


def check(tell: Tell, values: Any) -> dict[str, Any]:
    """A score that was edited on the page, if it is one."""
    return _made(scores.from_values(values))


def render(tell: Tell, values: dict[str, Any], suffix: str) -> bytes:
    """A take as the bytes of a file."""
    from ..files import format_of
    from ..rendering import SUFFIXES
    from ..rendering import render as draw

    score = scores.from_values(values)
    return draw(score, suffix) if suffix in SUFFIXES else format_of(f"music{suffix}").encode(score)


def sheet(tell: Tell, values: dict[str, Any]) -> bytes:
    """A take as sheet music, and when each note in it sounds, in quarters; as JSON."""
    from ..rendering.sheet import timemap

    pages, moments = timemap(scores.from_values(values))
    return json.dumps({"pages": pages, "moments": [_moment(moment) for moment in moments]}).encode()


def sample(tell: Tell, path: str) -> bytes:
    """How a style sounds: a short piece that is the same every time, as a sound file."""
    from ..rendering.audio import to_audio

    return to_audio(_style(path).compose(bars=SAMPLE_BARS, seed=SAMPLE_SEED), ".wav")


def _moment(moment: dict[str, Any]) -> dict[str, Any]:
    return {"quarter": moment["qstamp"], "on": moment.get("on", []), "off": moment.get("off", [])}


def _made(score: Score) -> dict[str, Any]:
    return {"title": score.title, "score": scores.to_values(score), "summary": scores.summary(score)}


def _style(path: str) -> Style:
    # A style that was trained anew has the same path: its time tells them apart.
    return _opened(path, Path(path).stat().st_mtime_ns)


@lru_cache(4)
def _opened(path: str, changed: int) -> Style:
    from ..styles import open_style

    return open_style(path)


TASKS: dict[str, Callable[..., Any]] = {
    task.__name__: task for task in (warm, compose, go_on, read, check, render, sheet, sample)
}
