"""Quizzes and what was answered, in one SQLite file, answer by answer."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files.database import Database
from .pairs import SIDES, Pair, QuizError

MIGRATIONS = (
    """
    CREATE TABLE quizzes (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        style TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        seed INTEGER NOT NULL,
        kinds TEXT NOT NULL,
        listener TEXT NOT NULL,
        on_page INTEGER NOT NULL
    );
    CREATE TABLE pairs (
        quiz TEXT NOT NULL REFERENCES quizzes,
        number INTEGER NOT NULL,
        kind TEXT NOT NULL,
        seed INTEGER NOT NULL,
        piece TEXT NOT NULL,
        real TEXT NOT NULL CHECK (real IN ('a', 'b')),
        digest TEXT NOT NULL,
        PRIMARY KEY (quiz, number)
    );
    CREATE TABLE sittings (
        id TEXT PRIMARY KEY,
        quiz TEXT NOT NULL REFERENCES quizzes,
        begun REAL NOT NULL,
        listener TEXT NOT NULL,
        experience TEXT NOT NULL
    );
    CREATE TABLE answers (
        sitting TEXT NOT NULL REFERENCES sittings,
        number INTEGER NOT NULL,
        heard_a INTEGER NOT NULL DEFAULT 0,
        heard_b INTEGER NOT NULL DEFAULT 0,
        choice TEXT CHECK (choice IS NULL OR choice = 'skip' OR (choice IN ('a', 'b') AND heard_a AND heard_b)),
        answered REAL,
        PRIMARY KEY (sitting, number)
    );
    CREATE TRIGGER the_first_answer_counts BEFORE UPDATE OF choice ON answers WHEN OLD.choice IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'the first answer counts'); END;
    """,
)
"""Each brings a file of the version before to the next; a file says in `user_version` how many it has seen."""

EXPERIENCES = {
    "novice": "I like music, and have learnt little about it",
    "intermediate": "I play or sing, or have had lessons for some years",
    "advanced": "I have studied music, or read and play this kind of it often",
    "expert": "Music is my profession, or I write harmony of this kind myself",
}
"""How listeners rate themselves; "" is kept for one who does not say."""

SKIP = "skip"


@dataclass(frozen=True)
class Quiz:
    """One listening test.

    Attributes:
        id: sixteen hexadecimal digits.
        style: name of the style.
        fingerprint: of the style.
        seed: of the first pair and of the order of the kinds.
        kinds: of its pairs, in order; so many pairs it has.
        listener: for whom it was made; "" for anybody.
        on_page: whether it was given away as a page.
    """

    id: str
    style: str
    fingerprint: str
    seed: int
    kinds: tuple[str, ...]
    listener: str = ""
    on_page: bool = False


@dataclass(frozen=True)
class Asked:
    """A pair as it was asked about: how to make it again, and which clip is real."""

    number: int
    kind: str
    seed: int
    piece: str
    real: str
    digest: str


@dataclass(frozen=True)
class Sitting:
    """One listener's going through a quiz."""

    id: str
    quiz: str
    listener: str
    experience: str


@dataclass(frozen=True)
class Answered:
    """An answer or the state of one.

    Attributes:
        number: of the pair, from 0.
        heard: sides that were played.
        choice: "a", "b" or "skip"; "" if there is none yet.
    """

    number: int
    heard: frozenset[str] = frozenset()
    choice: str = ""


@dataclass(frozen=True)
class Judged:
    """An answer and whether it is right, as it is analysed.

    Attributes:
        right: whether the real clip was found; None if the pair was skipped.
    """

    sitting: str
    number: int
    kind: str
    experience: str
    right: bool | None


class Results:
    """The file of results; any thread may ask.

    Args:
        path: of the file, which is made if there is none; an old one is brought up to date.

    Raises:
        QuizError: if it is no such file, of a newer version, or cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        tables = "quizzes", "pairs", "sittings", "answers"
        self._db = Database(path, MIGRATIONS, tables, "results", QuizError)

    def close(self) -> None:
        """Nothing can be asked after this."""
        self._db.close()

    # -- quizzes ----------------------------------------------------------------------------------

    def add_quiz(self, quiz: Quiz, pairs: Sequence[Pair] = ()) -> None:
        """Keep a new quiz, and the pairs of it that there are already."""
        with self._db.writing() as db:
            row = (quiz.id, time.time(), quiz.style, quiz.fingerprint, quiz.seed, json.dumps(quiz.kinds))
            db.execute("INSERT INTO quizzes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, quiz.listener, quiz.on_page))
            for number, pair in enumerate(pairs):
                _insert_pair(db, quiz.id, number, pair)

    def quiz(self, quiz: str) -> Quiz | None:
        """The quiz of that id, if there is one."""
        columns = "id, style, fingerprint, seed, kinds, listener, on_page"
        for row in self._db.rows(f"SELECT {columns} FROM quizzes WHERE id = ?", quiz):
            own, style, fingerprint, seed, kinds, listener, on_page = row
            listed = tuple(json.loads(kinds))
            return Quiz(str(own), str(style), str(fingerprint), int(seed), listed, str(listener), bool(on_page))
        return None

    def add_pair(self, quiz: str, number: int, pair: Pair) -> None:
        """Keep what is about to be asked."""
        with self._db.writing() as db:
            _insert_pair(db, quiz, number, pair)

    def pairs(self, quiz: str) -> dict[int, Asked]:
        """What was asked in a quiz, by number."""
        columns = "number, kind, seed, piece, real, digest"
        rows = self._db.rows(f"SELECT {columns} FROM pairs WHERE quiz = ? ORDER BY number", quiz)
        return {asked.number: asked for asked in (Asked(*row) for row in rows)}

    def shown(self, listener: str) -> set[str]:
        """The digests of all pairs that a listener has been shown, or that wait on a page made for them."""
        query = """SELECT digest FROM pairs JOIN quizzes ON quizzes.id = pairs.quiz WHERE quizzes.listener = ?1
            UNION SELECT digest FROM pairs JOIN sittings ON sittings.quiz = pairs.quiz WHERE sittings.listener = ?1"""
        return {digest for (digest,) in self._db.rows(query, listener)}

    # -- sittings ---------------------------------------------------------------------------------

    def begin(self, sitting: Sitting, answers: Sequence[Answered] = ()) -> None:
        """Keep that a listener begins, or all that one brings back at once.

        Raises:
            QuizError: if this sitting is there already, or this listener by name has sat this quiz.
        """
        again = self._db.rows("SELECT 1 FROM sittings WHERE id = ?", sitting.id)
        named = "SELECT 1 FROM sittings WHERE quiz = ? AND listener = ? AND listener != ''"
        if again or self._db.rows(named, sitting.quiz, sitting.listener):
            who = f" of {sitting.listener!r}" if sitting.listener and not again else ""
            raise QuizError(f"these answers{who} were taken in before; nothing was changed, since the first ones count")
        with self._db.writing() as db:
            row = (sitting.id, sitting.quiz, time.time(), sitting.listener, sitting.experience)
            db.execute("INSERT INTO sittings VALUES (?, ?, ?, ?, ?)", row)
            for answer in answers:
                heard = [side in answer.heard for side in SIDES]
                values = (sitting.id, answer.number, *heard, answer.choice, time.time())
                db.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", values)

    def unfinished(self, listener: str, fingerprint: str) -> Sitting | None:
        """The last sitting of a listener, on no page, in which pairs are left."""
        query = """SELECT sittings.id, quiz, sittings.listener, experience, kinds,
            (SELECT COUNT(*) FROM answers WHERE sitting = sittings.id AND choice IS NOT NULL)
            FROM sittings JOIN quizzes ON quizzes.id = quiz
            WHERE sittings.listener = ? AND fingerprint = ? AND NOT on_page ORDER BY begun DESC LIMIT 1"""
        for *row, kinds, done in self._db.rows(query, listener, fingerprint):
            if int(done) < len(json.loads(kinds)):
                return Sitting(*row)
        return None

    def experience(self, listener: str) -> str:
        """What a listener who gave a name said of their experience the last time; "" if nothing."""
        query = "SELECT experience FROM sittings WHERE listener = ? AND listener != '' ORDER BY begun DESC LIMIT 1"
        return str(next(iter(self._db.rows(query, listener)), ("",))[0])

    def state(self, sitting: str) -> dict[int, Answered]:
        """What was heard and answered in a sitting, by number."""
        rows = self._db.rows("SELECT number, heard_a, heard_b, choice FROM answers WHERE sitting = ?", sitting)
        state = {}
        for number, heard_a, heard_b, choice in rows:
            heard = frozenset(side for side, was in zip(SIDES, (heard_a, heard_b), strict=True) if was)
            state[int(number)] = Answered(int(number), heard, str(choice or ""))
        return state

    def hear(self, sitting: str, number: int, side: str) -> None:
        """Keep that a clip was played."""
        column = {"a": "heard_a", "b": "heard_b"}[side]
        with self._db.writing() as db:
            db.execute("INSERT OR IGNORE INTO answers (sitting, number) VALUES (?, ?)", (sitting, number))
            db.execute(f"UPDATE answers SET {column} = 1 WHERE sitting = ? AND number = ?", (sitting, number))

    def answer(self, sitting: str, number: int, choice: str) -> None:
        """Keep an answer, "a", "b" or "skip".

        Raises:
            QuizError: if there is one already, or a clip has not been heard.
        """
        with self._db.writing() as db:
            was = self.state(sitting).get(number, Answered(number))
            if was.choice:
                raise QuizError(f"pair {number + 1} has been answered, and the first answer counts")
            if choice != SKIP and len(was.heard) < len(SIDES):
                raise QuizError("hear both clips first: only then an answer counts")
            db.execute("INSERT OR IGNORE INTO answers (sitting, number) VALUES (?, ?)", (sitting, number))
            place = "WHERE sitting = ? AND number = ?"
            db.execute(f"UPDATE answers SET choice = ?, answered = ? {place}", (choice, time.time(), sitting, number))

    # -- all of them ------------------------------------------------------------------------------

    def judged(self, fingerprint: str) -> list[Judged]:
        """Every answer about a style, skipped pairs among them."""
        query = """SELECT sitting, answers.number, kind, experience, choice, real FROM answers
            JOIN sittings ON sittings.id = sitting JOIN quizzes ON quizzes.id = sittings.quiz
            LEFT JOIN pairs ON pairs.quiz = sittings.quiz AND pairs.number = answers.number
            WHERE fingerprint = ? AND choice IS NOT NULL ORDER BY begun, sitting, answers.number"""
        judged = []
        for sitting, number, kind, experience, choice, real in self._db.rows(query, fingerprint):
            if real is None:
                raise QuizError(f"{self._db.path}: is damaged: an answer belongs to no pair; move it away")
            right = None if choice == SKIP else choice == real
            judged.append(Judged(str(sitting), int(number), str(kind), str(experience), right))
        return judged

    def others(self, style: str, fingerprint: str) -> int:
        """How many answers there are about another style of the same name."""
        query = """SELECT COUNT(*) FROM answers JOIN sittings ON sittings.id = sitting
            JOIN quizzes ON quizzes.id = quiz WHERE style = ? AND fingerprint != ? AND choice IS NOT NULL"""
        return int(self._db.rows(query, style, fingerprint)[0][0])


def _insert_pair(db: sqlite3.Connection, quiz: str, number: int, pair: Pair) -> None:
    row = (quiz, number, pair.kind, pair.seed, pair.piece, pair.real, pair.digest)
    db.execute("INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?)", row)
