"""Quizzes and what was answered, in one SQLite file, answer by answer."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        self._lock = threading.RLock()
        self._path = path
        with self._told("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        try:
            with self._told("opened"):
                self._migrate()
        except QuizError:
            self._db.close()
            raise

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise QuizError(
                f"{self._path}: expected results of version {len(MIGRATIONS)} or older, got version {version}; "
                "update Kapelle, or choose another folder with --data"
            )
        for number in range(version, len(MIGRATIONS)):
            # executescript commits what is open, so that the transaction has to be inside.
            self._db.executescript(f"BEGIN;{MIGRATIONS[number]};PRAGMA user_version = {number + 1};COMMIT;")
        # A file of the right version may be another program's; asking finds it out before anything is composed.
        for table in ("quizzes", "pairs", "sittings", "answers"):
            self._db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """What goes wrong on the disk becomes one line."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            kind = "is damaged, or no file of results" if _is_damage(error) else f"cannot be {what}"
            raise QuizError(f"{self._path}: {kind}: {error}; move it away, or choose another with --data") from None
        except OSError as error:
            raise QuizError(f"{self._path}: cannot be {what}: {(error.strerror or str(error)).lower()}") from None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is kept, or nothing of it."""
        with self._lock, self._told("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._told("read"):
            return self._db.execute(query, values).fetchall()

    def close(self) -> None:
        """Nothing can be asked after this."""
        with self._lock:
            self._db.close()

    # -- quizzes ----------------------------------------------------------------------------------

    def add_quiz(self, quiz: Quiz, pairs: Sequence[Pair] = ()) -> None:
        """Keep a new quiz, and the pairs of it that there are already."""
        with self._writing() as db:
            row = (quiz.id, time.time(), quiz.style, quiz.fingerprint, quiz.seed, json.dumps(quiz.kinds))
            db.execute("INSERT INTO quizzes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, quiz.listener, quiz.on_page))
            for number, pair in enumerate(pairs):
                _insert_pair(db, quiz.id, number, pair)

    def quiz(self, quiz: str) -> Quiz | None:
        """The quiz of that id, if there is one."""
        columns = "id, style, fingerprint, seed, kinds, listener, on_page"
        for row in self._rows(f"SELECT {columns} FROM quizzes WHERE id = ?", quiz):
            own, style, fingerprint, seed, kinds, listener, on_page = row
            listed = tuple(json.loads(kinds))
            return Quiz(str(own), str(style), str(fingerprint), int(seed), listed, str(listener), bool(on_page))
        return None

    def add_pair(self, quiz: str, number: int, pair: Pair) -> None:
        """Keep what is about to be asked."""
        with self._writing() as db:
            _insert_pair(db, quiz, number, pair)

    def pairs(self, quiz: str) -> dict[int, Asked]:
        """What was asked in a quiz, by number."""
        columns = "number, kind, seed, piece, real, digest"
        rows = self._rows(f"SELECT {columns} FROM pairs WHERE quiz = ? ORDER BY number", quiz)
        return {asked.number: asked for asked in (Asked(*row) for row in rows)}

    def shown(self, listener: str) -> set[str]:
        """The digests of all pairs that a listener has been shown, or that wait on a page made for them."""
        query = """SELECT digest FROM pairs JOIN quizzes ON quizzes.id = pairs.quiz WHERE quizzes.listener = :who
            UNION SELECT digest FROM pairs JOIN sittings ON sittings.quiz = pairs.quiz WHERE sittings.listener = :who"""
        with self._lock, self._told("read"):
            return {digest for (digest,) in self._db.execute(query, {"who": listener})}

    # -- sittings ---------------------------------------------------------------------------------

    def begin(self, sitting: Sitting, answers: Sequence[Answered] = ()) -> None:
        """Keep that a listener begins, or all that one brings back at once.

        Raises:
            QuizError: if this sitting is there already, or this listener by name has sat this quiz.
        """
        again = self._rows("SELECT 1 FROM sittings WHERE id = ?", sitting.id)
        named = "SELECT 1 FROM sittings WHERE quiz = ? AND listener = ? AND listener != ''"
        if again or self._rows(named, sitting.quiz, sitting.listener):
            who = f" of {sitting.listener!r}" if sitting.listener and not again else ""
            raise QuizError(f"these answers{who} were taken in before; nothing was changed, since the first ones count")
        with self._writing() as db:
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
        for *row, kinds, done in self._rows(query, listener, fingerprint):
            if int(done) < len(json.loads(kinds)):
                return Sitting(*row)
        return None

    def experience(self, listener: str) -> str:
        """What a listener who gave a name said of their experience the last time; "" if nothing."""
        query = "SELECT experience FROM sittings WHERE listener = ? AND listener != '' ORDER BY begun DESC LIMIT 1"
        return str(next(iter(self._rows(query, listener)), ("",))[0])

    def state(self, sitting: str) -> dict[int, Answered]:
        """What was heard and answered in a sitting, by number."""
        rows = self._rows("SELECT number, heard_a, heard_b, choice FROM answers WHERE sitting = ?", sitting)
        state = {}
        for number, heard_a, heard_b, choice in rows:
            heard = frozenset(side for side, was in zip(SIDES, (heard_a, heard_b), strict=True) if was)
            state[int(number)] = Answered(int(number), heard, str(choice or ""))
        return state

    def hear(self, sitting: str, number: int, side: str) -> None:
        """Keep that a clip was played."""
        column = {"a": "heard_a", "b": "heard_b"}[side]
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO answers (sitting, number) VALUES (?, ?)", (sitting, number))
            db.execute(f"UPDATE answers SET {column} = 1 WHERE sitting = ? AND number = ?", (sitting, number))

    def answer(self, sitting: str, number: int, choice: str) -> None:
        """Keep an answer, "a", "b" or "skip".

        Raises:
            QuizError: if there is one already, or a clip has not been heard.
        """
        with self._writing() as db:
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
        for sitting, number, kind, experience, choice, real in self._rows(query, fingerprint):
            if real is None:
                raise QuizError(f"{self._path}: is damaged: an answer belongs to no pair; move it away")
            right = None if choice == SKIP else choice == real
            judged.append(Judged(str(sitting), int(number), str(kind), str(experience), right))
        return judged

    def others(self, style: str, fingerprint: str) -> int:
        """How many answers there are about another style of the same name."""
        query = """SELECT COUNT(*) FROM answers JOIN sittings ON sittings.id = sitting
            JOIN quizzes ON quizzes.id = quiz WHERE style = ? AND fingerprint != ? AND choice IS NOT NULL"""
        return int(self._rows(query, style, fingerprint)[0][0])


def _insert_pair(db: sqlite3.Connection, quiz: str, number: int, pair: Pair) -> None:
    row = (quiz, number, pair.kind, pair.seed, pair.piece, pair.real, pair.digest)
    db.execute("INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # Only errors of these classes and names mean that the bytes are not what they should be.
    return not isinstance(error, sqlite3.OperationalError) or "no such" in str(error) or "already exists" in str(error)
