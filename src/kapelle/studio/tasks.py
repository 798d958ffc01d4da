"""What workers do: each task takes plain values, gives plain values, and tells on the way."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

from ..errors import FileError
from ..music import Score, concatenate
from . import bands, quizzing, scores
from .learning import inspect, train
from .opened import style_at

Tell = Callable[[Any], None]

SAMPLE_BARS, SAMPLE_SEED = 8, 1
RECORDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
PROJECT = ".kapelle"
"""Ending of a take as a project file: JSON with all that the studio knows of it."""

GLIMPSE_SECONDS = 0.08
"""A piece that grows is told of no more often."""


def warm(tell: Tell, paths: list[str]) -> None:
    """Load what the first piece would wait for: libraries, and these styles."""
    for path in paths:
        style_at(path)


def compose(tell: Tell, path: str, wishes: dict[str, Any]) -> dict[str, Any]:
    """A new piece of the style in the file `path`."""
    return scores.made(style_at(path).compose(tell=tell, seen=_glimpses(tell), **wishes))


def go_on(tell: Tell, path: str, beginning: dict[str, Any], wishes: dict[str, Any]) -> dict[str, Any]:
    """A piece with new bars after it."""
    return scores.made(
        style_at(path).continue_(scores.from_values(beginning), tell=tell, seen=_glimpses(tell), **wishes)
    )


def regenerate(tell: Tell, path: str, before: dict[str, Any], wishes: dict[str, Any]) -> dict[str, Any]:
    """A piece of which some is written anew."""
    return scores.made(style_at(path).rewrite(scores.from_values(before), tell=tell, **wishes))


def harmonize(tell: Tell, path: str, melody: dict[str, Any], wishes: dict[str, Any]) -> dict[str, Any]:
    """A piece with the voices that it lacked."""
    return scores.made(style_at(path).harmonize(scores.from_values(melody), tell=tell, **wishes).score)


def radio(tell: Tell, path: str, before: dict[str, Any] | None, wishes: dict[str, Any]) -> dict[str, Any]:
    """What a radio plays next: some bars after the last ones that were played, if there are any."""
    return scores.to_values(style_at(path).play_on(None if before is None else scores.from_values(before), **wishes))


def join(tell: Tell, parts: list[dict[str, Any]], title: str) -> dict[str, Any]:
    """Pieces that were played one after the other, as one."""
    return scores.made(concatenate([scores.from_values(part) for part in parts]).replace(title=title))


def read(tell: Tell, name: str, suffix: str, data: bytes) -> dict[str, Any]:
    """The music in a stranger's file, of which only the bytes and the suffix count."""
    if suffix == PROJECT:
        return _unpacked(data)
    if suffix in RECORDINGS:
        tell("listening to the recording")
        from ..listening import music_of, read_recording

        score = music_of(read_recording(data), title=name).score
    else:
        from ..files import format_of

        score = format_of(f"music{suffix}").decode(data)
    if not score.num_notes:
        raise FileError("expected music with notes, got a file without any")
    return scores.made(score if score.title.strip() else score.replace(title=name))


def check(tell: Tell, values: Any) -> dict[str, Any]:
    """A score that was edited on the page, if it is one."""
    return scores.made(scores.from_values(values))


def render(tell: Tell, values: dict[str, Any], suffix: str) -> bytes:
    """A take as the bytes of a file."""
    from ..files import format_of
    from ..rendering import SUFFIXES
    from ..rendering import render as draw

    score = scores.from_values(values)
    if suffix == ".stems.zip":
        return _stems(score)
    return draw(score, suffix) if suffix in SUFFIXES else format_of(f"music{suffix}").encode(score)


def _stems(score: Score) -> bytes:
    """Each track as sound and as MIDI, in a ZIP file."""
    from ..files import format_of
    from ..rendering.audio import stem_names, stems_to_audio

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in stems_to_audio(score, ".wav"):
            archive.writestr(f"{name}.wav", data)
        for place, name in stem_names(score).items():
            alone = score.replace(tracks=(score.tracks[place],))
            archive.writestr(f"{name}.mid", format_of("music.mid").encode(alone))
    return file.getvalue()


def pack(tell: Tell, values: dict[str, Any], about: dict[str, Any]) -> bytes:
    """A take as a project file: its score, its style and what was asked for."""
    scores.from_values(values)
    return json.dumps({"kapelle": "project", "version": 1, "score": values, **about}, ensure_ascii=False).encode()


def _unpacked(data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data)
        if values["kapelle"] != "project" or values["version"] != 1:
            raise FileError("expected a project of version 1, got another one; update Kapelle")
        style, wishes = str(values.get("style", ""))[:200], dict(values.get("wishes", {}))
        score = values["score"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise FileError("expected a project that the studio has saved, got another or a damaged file") from None
    plain = {name: value for name, value in wishes.items() if isinstance(value, (str, int, float, bool, type(None)))}
    if len(json.dumps(plain)) > 10_000:
        raise FileError("expected the wishes of a take, got more than anybody types; save the project again")
    return scores.made(scores.from_values(score)) | {"about": {"style": style, "wishes": plain}}


def sheet(tell: Tell, values: dict[str, Any]) -> bytes:
    """A take as sheet music, and when each note in it sounds, in quarters; as JSON."""
    from ..rendering.sheet import timemap

    pages, moments = timemap(scores.from_values(values))
    return json.dumps({"pages": pages, "moments": [_moment(moment) for moment in moments]}).encode()


def sample(tell: Tell, path: str) -> bytes:
    """How a style sounds: a short piece that is the same every time, as a sound file."""
    from ..rendering.audio import to_audio

    return to_audio(style_at(path).compose(bars=SAMPLE_BARS, seed=SAMPLE_SEED), ".wav")


def _moment(moment: dict[str, Any]) -> dict[str, Any]:
    return {"quarter": moment["qstamp"], "on": moment.get("on", []), "off": moment.get("off", [])}


def _glimpses(tell: Tell) -> Callable[[Score], None]:
    """Tells of a piece as it grows, as often as anybody can see."""
    last = 0.0

    def seen(score: Score) -> None:
        nonlocal last
        if time.monotonic() - last >= GLIMPSE_SECONDS:
            tell({"score": scores.to_values(score)})
            last = time.monotonic()

    return seen


TASKS: dict[str, Callable[..., Any]] = {
    **bands.TASKS,
    "quiz": quizzing.quiz,
    "clip": quizzing.clip,
    "inspect": inspect,
    "train": train,
    "warm": warm,
    "compose": compose,
    "continue": go_on,
    "regenerate": regenerate,
    "harmonize": harmonize,
    "radio": radio,
    "join": join,
    "read": read,
    "check": check,
    "render": render,
    "pack": pack,
    "sheet": sheet,
    "sample": sample,
}
