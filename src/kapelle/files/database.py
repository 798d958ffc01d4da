"""One SQLite file that grows with the program, and that any thread may ask."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import KapelleError


class Database:
    """A file of tables; what goes wrong on the disk becomes one line.

    Args:
        path: of the file, which is made if there is none; an old one is brought up to date.
        migrations: SQL; each brings a file of the version before to the next. A file says in `user_version` how many
            it has seen.
        tables: that there are then.
        holds: what is in it, in a word, for errors.
        error: what is raised.

    Raises:
        KapelleError: `error`, if it is no such file, of a newer version, or cannot be opened or written.
    """

    def __init__(
        self, path: Path, migrations: Sequence[str], tables: Sequence[str], holds: str, error: type[KapelleError]
    ) -> None:
        self._lock = threading.RLock()
        self.path, self._holds, self._error = path, holds, error
        with self._told("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        try:
            with self._told("opened"):
                self._db.row_factory = sqlite3.Row
                self._migrate(migrations)
                # A file of the right version may be another program's; asking finds it out before anything is made.
                for table in tables:
                    self._db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
                self._db.execute("PRAGMA journal_mode = WAL")
        except error:
            self._db.close()
            raise

    def _migrate(self, migrations: Sequence[str]) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(migrations):
            raise self._error(
                f"{self.path}: expected {self._holds} of version {len(migrations)} or older, got version {version}; "
                "update Kapelle, or choose another folder with --data"
            )
        for number in range(version, len(migrations)):
            # executescript commits what is open, so that the transaction has to be inside.
            self._db.executescript(f"BEGIN;{migrations[number]};PRAGMA user_version = {number + 1};COMMIT;")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
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

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """What a query finds."""
        with self._lock, self._told("read"):
            return self._db.execute(query, values).fetchall()

    def close(self) -> None:
        """Nothing can be asked after this."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            damaged = _is_damage(error)
            kind = f"is damaged, or no file of {self._holds}" if damaged else f"cannot be {what}"
            cure = "move it away, or choose another with --data" if damaged else "make room, or see who else uses it"
            raise self._error(f"{self.path}: {kind}: {error}; {cure}") from None
        except OSError as error:
            raise self._error(f"{self.path}: cannot be {what}: {(error.strerror or str(error)).lower()}") from None


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # Only errors of these classes and names mean that the bytes are not what they should be.
    return not isinstance(error, sqlite3.OperationalError) or "no such" in str(error) or "already exists" in str(error)
