"""A quiz as one HTML page: sounds inside, no other file, no net, and no word of which clip is which."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from ..reply import FORMAT, LONGEST_NAME, VERSION
from ..results import EXPERIENCES


def quiz_page(quiz: str, whom: str, listener: str, clips: Sequence[tuple[bytes, bytes]]) -> str:
    """The page of a quiz. It cannot tell which clip is real, since nobody tells it.

    Args:
        quiz: its id.
        whom: the real clips are by, "Bach" or "a composer".
        listener: for whom it is; "" lets them say a name, or none.
        clips: of each pair the sounds of a and b, MP3.
    """
    sounds = [[f"data:audio/mpeg;base64,{base64.b64encode(sound).decode()}" for sound in pair] for pair in clips]
    known = {
        "format": FORMAT,
        "version": VERSION,
        "quiz": quiz,
        "whom": whom,
        "listener": listener,
        "sounds": sounds,
    }
    script = _asset("quiz.js")
    return _asset("quiz.html").format(
        whom=escape(whom),
        style=_asset("quiz.css"),
        script=script,
        guard=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        pairs=len(clips),
        longest=LONGEST_NAME,
        listener=escape(listener, quote=True),
        named=" hidden" if listener else "",
        experiences="\n".join(_choice(name, line) for name, line in EXPERIENCES.items()),
        known=_inert(json.dumps(known, ensure_ascii=True)),
    )


def _choice(name: str, line: str) -> str:
    return (
        f'<label class="choice"><input type="radio" name="experience" value="{name}" required>'
        f"<span><b>{name.capitalize()}</b><small>{escape(line)}</small></span></label>"
    )


def _inert(text: str) -> str:
    """JSON that cannot end the element it stands in."""
    return text.replace("<", "\\u003c")


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
