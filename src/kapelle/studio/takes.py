"""Takes: every piece that was made, brought in or edited, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import KapelleError

MIGRATIONS = (
    """
    CREATE TABLE takes (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        title TEXT NOT NULL,
        origin TEXT NOT NULL,
        style TEXT NOT NULL,
        parent TEXT NOT NULL,
        wishes TEXT NOT NULL,
        summary TEXT NOT NULL,
        score TEXT NOT NULL,
        starred INTEGER NOT NULL DEFAULT 0,
        hidden INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX takes_by_time ON takes (created);
    """,
)
"""Each brings a file of the version before to the next; a file says in `user_version` how many it has seen."""

CHANGEABLE = ("title", "starred", "hidden")


class TakesError(KapelleError):
    """A file of takes that cannot be opened, read or written."""


class NoSuchTake(KapelleError):
    """A take that is not there."""


@dataclass(frozen=True)
class Take:
    """One piece.

    Attributes:
        id: sixteen hexadecimal digits.
        title: as shown.
        origin: "composed", "continued", "changed", "harmonised", "varied", "imported", "edited", "radio" or "band".
        style: name of the style that composed it; "" if none did.
        parent: id of the take that it comes from; "" if it comes from none.
        wishes: what was asked for, the seed among it.
        summary: see `kapelle.studio.scores.summary`.
        score: as values, see `kapelle.studio.scores.to_values`; empty in lists.
        starred: whether it was marked as good.
        hidden: whether it was thrown away; it can be taken back.
        created: seconds since 1970.
    """

    id: str
    title: str
    origin: str
    style: str = ""
    parent: str = ""
    wishes: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    score: dict[str, Any] = field(default_factory=dict)
    starred: bool = False
    hidden: bool = False
    created: float = 0.0


class Takes:
    """The file of takes; any thread may ask."""

    def __init__(self, path: Path) -> None:
        """Open the file, make it if there is none, and bring an old one up to date.

        Raises:
            TakesError: if it is no such file, of a newer version, or cannot be opened or written.
        """
        self._lock = threading.Lock()
        self._path = path
        with self._told("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        try:
            with self._told("opened"):
                self._db.row_factory = sqlite3.Row
                self._migrate()
                self._db.execute("PRAGMA journal_mode = WAL")
        except TakesError:
            self._db.close()
            raise

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise TakesError(
                f"{self._path}: expected takes of version {len(MIGRATIONS)} or older, got version {version}; "
                "update Kapelle, or choose another folder with --data"
            )
        for number in range(version, len(MIGRATIONS)):
            # executescript commits what is open, so that the transaction has to be inside.
            self._db.executescript(f"BEGIN;{MIGRATIONS[number]};PRAGMA user_version = {number + 1};COMMIT;")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """What goes wrong on the disk becomes one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise TakesError(f"{self._path}: cannot be {what}: {error}; make room, or see who else uses it") from None
        except OSError as error:
            raise TakesError(f"{self._path}: cannot be {what}: {(error.strerror or str(error)).lower()}") from None

    def add(self, take: Take) -> Take:
        """Keep a new take; it comes back with the time.

        Raises:
            TakesError: if the disk refuses; what was kept before stays.
        """
        created = time.time()
        row = (
            take.id,
            created,
            take.title,
            take.origin,
            take.style,
            take.parent,
            *(json.dumps(each, separators=(",", ":")) for each in (take.wishes, take.summary, take.score)),
            take.starred,
            take.hidden,
        )
        names = "id, created, title, origin, style, parent, wishes, summary, score, starred, hidden"
        with self._lock, self._told("written"):
            self._db.execute(f"INSERT INTO takes ({names}) VALUES ({', '.join('?' * len(row))})", row)
        return Take(**{**vars(take), "created": created})

    def get(self, take: str) -> Take:
        """A take, its score with it.

        Raises:
            NoSuchTake: if there is none of that id.
        """
        with self._lock, self._told("read"):
            row = self._db.execute("SELECT * FROM takes WHERE id = ?", (take,)).fetchone()
        if row is None:
            raise NoSuchTake(f"there is no take {take[:40]!r}")
        return _take(row)

    def list(self, most: int = 1000) -> list[Take]:
        """The takes that are not thrown away, the newest first, without their scores."""
        columns = "id, created, title, origin, style, parent, wishes, summary, starred, hidden"
        with self._lock, self._told("read"):
            rows = self._db.execute(
                f"SELECT {columns} FROM takes WHERE NOT hidden ORDER BY created DESC LIMIT ?", (most,)
            ).fetchall()
        return [_take(row) for row in rows]

    def change(self, take: str, **changes: Any) -> Take:
        """Another title, a star, thrown away or taken back.

        Raises:
            NoSuchTake: if there is none of that id.
            TakesError: if the disk refuses.
        """
        names = [name for name in CHANGEABLE if name in changes]
        with self._lock, self._told("written"):
            for name in names:
                self._db.execute(f"UPDATE takes SET {name} = ? WHERE id = ?", (changes[name], take))
        return self.get(take)

    def close(self) -> None:
        """Nothing can be asked after this."""
        with self._lock:
            self._db.close()


def _take(row: sqlite3.Row) -> Take:
    values = dict(row)
    for name in ("wishes", "summary", "score"):
        values[name] = json.loads(values.get(name) or "{}")
    for name in ("starred", "hidden"):
        values[name] = bool(values[name])
    return Take(**values)
