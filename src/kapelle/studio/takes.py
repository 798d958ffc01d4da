"""Takes: every piece that was made, brought in or edited, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import KapelleError
from ..files.database import Database

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
"""See `Database`."""

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
        self._db = Database(path, MIGRATIONS, ("takes",), "takes", TakesError)

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
        with self._db.writing() as db:
            db.execute(f"INSERT INTO takes ({names}) VALUES ({', '.join('?' * len(row))})", row)
        return Take(**{**vars(take), "created": created})

    def get(self, take: str) -> Take:
        """A take, its score with it.

        Raises:
            NoSuchTake: if there is none of that id.
        """
        for row in self._db.rows("SELECT * FROM takes WHERE id = ?", take):
            return _take(row)
        raise NoSuchTake(f"there is no take {take[:40]!r}")

    def list(self, most: int = 1000) -> list[Take]:
        """The takes that are not thrown away, the newest first, without their scores."""
        columns = "id, created, title, origin, style, parent, wishes, summary, starred, hidden"
        query = f"SELECT {columns} FROM takes WHERE NOT hidden ORDER BY created DESC LIMIT ?"
        return [_take(row) for row in self._db.rows(query, most)]

    def change(self, take: str, **changes: Any) -> Take:
        """Another title, a star, thrown away or taken back.

        Raises:
            NoSuchTake: if there is none of that id.
            TakesError: if the disk refuses.
        """
        names = [name for name in CHANGEABLE if name in changes]
        with self._db.writing() as db:
            for name in names:
                db.execute(f"UPDATE takes SET {name} = ? WHERE id = ?", (changes[name], take))
        return self.get(take)

    def close(self) -> None:
        """Nothing can be asked after this."""
        self._db.close()


def _take(row: sqlite3.Row) -> Take:
    values = dict(row)
    for name in ("wishes", "summary", "score"):
        values[name] = json.loads(values.get(name) or "{}")
    for name in ("starred", "hidden"):
        values[name] = bool(values[name])
    return Take(**values)
