"""Clips without a style, and files of answers as a page writes them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import tiny
from kapelle.music import Score
from kapelle.quiz import KINDS, Clips, Listening, Results, begin


class Tunes:
    """Sources that cost nothing; every seed is another pair, unless there are few pieces.

    Args:
        fingerprint: of the style that there is not.
        pieces: how many pairs there are; None for any number.
    """

    def __init__(self, fingerprint: str = "f1", pieces: int | None = None) -> None:
        self.style, self.fingerprint, self._pieces = "tunes", fingerprint, pieces
        self.kinds = tuple(KINDS)

    def clips(self, kind: str, seed: int) -> Clips:
        number = seed if self._pieces is None else seed % self._pieces
        real, composed = _tune(2 * number), _tune(2 * number + 1)
        return Clips(real.replace(title="by hand"), composed.replace(title="by machine"), f"piece {number}")


@cache
def _tune(seed: int) -> Score:
    return tiny.tune(seed, 2)


def listening(kept: Path | Results, pairs: int = 3, listener: str = "", **more: Any) -> Listening:
    """A sitting that begins, in a file of results or in one of that path."""
    results = Results(kept) if isinstance(kept, Path) else kept
    number = len(results.shown(listener)) + 1000 * sum(map(ord, listener))
    sources = more.pop("sources", None) or Tunes()
    values = {"seed": 1, "experience": "novice", **more}
    return begin(results, sources, f"{number:016x}", f"{number:032x}", pairs, listener=listener, **values)


def reply(quiz: str, choices: str = "ab", /, sitting: str = "1" * 32, **changes: Any) -> dict[str, Any]:
    """What a page saves: a choice for each pair in turn, "s" for a skip."""
    answers = [
        {"pair": number, "heard": [] if choice == "s" else ["a", "b"], "choice": "skip" if choice == "s" else choice}
        for number, choice in enumerate(choices, 1)
    ]
    values = {"format": "kapelle quiz answers", "version": 1, "quiz": quiz, "sitting": sitting, "listener": ""}
    return {**values, "experience": "expert", "answers": answers, **changes}


def reply_file(path: Path, quiz: str, choices: str = "ab", /, **changes: Any) -> Path:
    path.write_text(json.dumps(reply(quiz, choices, **changes)))
    return path
