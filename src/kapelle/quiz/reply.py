"""What comes back from a page: read with care, since it was outside, and judged here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .pairs import SIDES, QuizError
from .results import EXPERIENCES, SKIP, Answered, Results, Sitting

FORMAT = "kapelle quiz answers"
VERSION = 1
MAX_BYTES = 1_000_000
LONGEST_NAME = 80


@dataclass(frozen=True)
class Reply:
    """The answers of one listener to one page.

    Attributes:
        sitting: its id and quiz, the listener's name and experience.
        answers: each of a pair.
    """

    sitting: Sitting
    answers: tuple[Answered, ...]


def read_reply(data: bytes) -> Reply:
    """The answers in the bytes of a file that a page wrote.

    Raises:
        QuizError: if it is another file, of a newer version, or damaged.
    """
    if len(data) > MAX_BYTES:
        raise QuizError("expected a file of answers that a quiz page has saved, got a far larger one")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise QuizError("expected a file of answers that a quiz page has saved, got no JSON") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise QuizError("expected a file of answers that a quiz page has saved, got other JSON")
    version = values.get("version")
    if version != VERSION:
        raise QuizError(f"expected answers of version {VERSION}, got {str(version)[:20]}; update Kapelle")
    try:
        return _reply(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise QuizError(f"the answers are damaged ({str(error)[:80]}); save them from the page again") from None


def _reply(values: dict[str, Any]) -> Reply:
    quiz, own, listener, experience = (values[name] for name in ("quiz", "sitting", "listener", "experience"))
    for name in (quiz, own):
        if not re.fullmatch(r"[0-9a-f]{16,32}", name):
            raise ValueError("an id is none")
    listener = _name(listener)
    if experience not in ("", *EXPERIENCES):
        raise ValueError("an experience that cannot be chosen")
    answers = tuple(map(_answer, values["answers"]))
    if not answers:
        raise ValueError("no answer")
    if len({answer.number for answer in answers}) < len(answers):
        raise ValueError("two answers about one pair")
    return Reply(Sitting(own, quiz, listener, experience), answers)


def _name(listener: str) -> str:
    if len(listener) > LONGEST_NAME or not all(character.isprintable() for character in listener):
        raise ValueError("a name that is too long, or more than one line")
    return listener.strip()


def _answer(values: dict[str, Any]) -> Answered:
    pair, heard, choice = values["pair"], frozenset(values["heard"]), values["choice"]
    if type(pair) is not int or pair < 1:
        raise ValueError("a pair without a number")
    if not heard <= set(SIDES) or choice not in (*SIDES, SKIP):
        raise ValueError("an answer that cannot be given")
    if choice != SKIP and len(heard) < len(SIDES):
        raise ValueError("an answer before both clips were heard")
    return Answered(pair - 1, heard, choice)


def take_in(results: Results, reply: Reply, fingerprint: str) -> int:
    """Keep the answers of a page and say how many there were, skipped pairs among them.

    Args:
        fingerprint: of the style that they must be about.

    Raises:
        QuizError: if they are of another quiz, or were taken in before; nothing is changed then.
    """
    quiz = results.quiz(reply.sitting.quiz)
    if quiz is None or not quiz.on_page:
        raise QuizError("these answers are of another quiz: none of the pages made here, in this folder of --data")
    if quiz.fingerprint != fingerprint:
        raise QuizError(f"these answers are of another quiz: of the style {quiz.style!r} as it was when it was made")
    if not {answer.number for answer in reply.answers} <= set(results.pairs(quiz.id)):
        raise QuizError("the answers are damaged (a pair that the quiz has not); save them from the page again")
    results.begin(reply.sitting, reply.answers)
    return len(reply.answers)
