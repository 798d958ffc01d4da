"""What a worker does of the listening test: pairs of clips are made here, and answers kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..corpora import Corpus, get, load_folder
from ..quiz import Listening, Results, StyleSources, Tally, analyse, begin, rewriter, style_fingerprint, to_small_mp3
from .opened import style_at

Tell = Callable[[Any], None]

OF_CORPUS = {"chorale": "Bach", "folk": "a fiddler of old"}
"""Styles that are compared with the corpus of their name, and by whom that is."""


def quiz(tell: Tell, kept: str, style: str, real: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Do what a listener asks for, and tell how it stands then.

    Args:
        kept: path of the file of answers.
        style: path of the style's file.
        real: name of a corpus, or the folder of the pieces that the style was learnt from.
        asked: "do" is "begin", "hear", "answer", "skip" or "look"; "listener", "" for nobody; and, for these,
            "pairs" and "experience", or "side". "sitting" is the one whose answers are told.

    Returns:
        "question": number, total, and the sides heard, or None; "sitting"; "results" of all answers and of this
        sitting.
    """
    results = Results(Path(kept))
    try:
        composer = style_at(style)
        fingerprint = style_fingerprint(composer)
        listening = None
        if asked["do"] == "begin":
            ids = secrets.token_hex(8), secrets.token_hex(16)
            seed, listener = secrets.randbelow(2**31), asked["listener"]
            sources = _sources(style, Path(style).stat().st_mtime_ns, real)
            listening = begin(results, sources, *ids, asked["pairs"], seed, listener, asked["experience"])
        # The real pieces are read only where something is to be asked: the first time that takes a while.
        elif (sitting := results.unfinished(asked["listener"], fingerprint)) is not None:
            sources = _sources(style, Path(style).stat().st_mtime_ns, real)
            listening = _answered(Listening(results, sources, sitting), asked)
        return _state(results, fingerprint, listening, asked)
    finally:
        results.close()


def clip(tell: Tell, kept: str, style: str, real: str, listener: str, side: str) -> bytes:
    """The sound of a side of the question that is asked now; MP3, with nothing in it that tells."""
    results = Results(Path(kept))
    try:
        sources = _sources(style, Path(style).stat().st_mtime_ns, real)
        sitting = results.unfinished(listener, sources.fingerprint)
        question = None if sitting is None else Listening(results, sources, sitting).question()
        return b"" if question is None else to_small_mp3(getattr(question.pair, side))
    finally:
        results.close()


def _answered(listening: Listening, asked: dict[str, Any]) -> Listening:
    if asked["do"] == "skip":
        listening.skip()
    elif asked["do"] in ("hear", "answer"):
        getattr(listening, asked["do"])(asked["side"])
    return listening


def _state(results: Results, fingerprint: str, listening: Listening | None, asked: dict[str, Any]) -> dict[str, Any]:
    sitting = asked["sitting"] if listening is None else listening.sitting.id
    question = None if listening is None else listening.question()
    told = None
    if question is not None and listening is not None:
        total = len(listening.quiz.kinds)
        told = {"number": question.number, "total": total, "heard": sorted(question.heard)}
    judged = results.judged(fingerprint)
    mine = [answer for answer in judged if answer.sitting == sitting]
    found = analyse(judged)
    rows = [
        ("all answers so far", found.everything),
        *((f"composed: {kind}", tally) for kind, tally in found.by_kind.items() if len(found.by_kind) > 1),
        *((f"listeners: {name}", tally) for name, tally in found.by_experience.items() if len(found.by_experience) > 1),
    ]
    return {
        "sitting": sitting,
        "question": told,
        "mine": _row("yours", analyse(mine).everything) if mine else None,
        "answers": [{"number": each.number, "kind": each.kind, "right": each.right} for each in mine],
        "rows": [_row(name, tally) for name, tally in rows if tally.answers],
    }


def _row(name: str, tally: Tally) -> dict[str, Any]:
    return {"name": name, **tally.to_json(), "verdict": tally.verdict}


@lru_cache(2)
def _sources(style: str, changed: int, real: str) -> StyleSources:
    composer = style_at(style)
    return StyleSources(composer, _corpus(real), rewriter(composer))


@lru_cache(2)
def _corpus(real: str) -> Corpus:
    return get(real).load(None) if real in OF_CORPUS else load_folder(real)
