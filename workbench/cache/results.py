"""What has been measured before: a bounded store on disk, shared by every process of a person.

Values are JSON under keys made of content digests, so an entry can be missing but never wrong.
A store that cannot be used (a broken file, a file system without locks) is rebuilt or done
without; `note` says so.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

from workbench.cache.files import cache_folder
from workbench.i18n import _

LARGEST = 64 * 2**20
"""Bytes of values kept on disk; the least recently written go first."""
IN_MEMORY = 20_000
ROOM = 16 * 2**20
"""Bytes of values kept in memory, counted as they are written to disk."""
FILE = "results.sqlite3"
_COLUMNS = ("key", "value", "size", "written")
_TABLE = """
CREATE TABLE IF NOT EXISTS results
(key TEXT PRIMARY KEY, value TEXT NOT NULL, size INTEGER NOT NULL, written REAL NOT NULL)
"""
_FORGET = """
DELETE FROM results WHERE key IN
(SELECT key FROM results ORDER BY written LIMIT 1 + (SELECT COUNT(*) FROM results) / 4)
"""


class ResultCache:
    """Results by key, in memory and, given a folder, on disk.

    Safe with many threads and processes at once. Nothing here raises for a failing disk:
    the store goes on in memory and `note` holds a sentence about it.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = LARGEST) -> None:
        self.note: str | None = None
        self._memory: OrderedDict[str, Any] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._taken = 0
        self._lock = threading.Lock()
        self._largest = max_bytes
        self._path: Path | None = None
        self._disk: sqlite3.Connection | None = None
        if folder is not None:
            self._open(folder)

    def get(self, key: str) -> Any | None:
        """Return the value under `key`, or None."""
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
            row = self._try("SELECT value FROM results WHERE key = ?", key)
            if not row:
                return None
            try:
                value = json.loads(row[0][0])
            except (ValueError, TypeError):
                self._try("DELETE FROM results WHERE key = ?", key)
                return None
            self._remember(key, value, len(row[0][0]))
            return value

    def put(self, key: str, value: Any) -> None:
        """Keep a JSON-able `value` under `key`."""
        with self._lock:
            text = json.dumps(value, separators=(",", ":"))
            self._remember(key, value, len(text))
            insert = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)"
            self._try(insert, key, text, len(text) + len(key), time.time())
            self._shrink()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._disk is not None:
                self._disk.close()
                self._disk = None

    def _remember(self, key: str, value: Any, size: int) -> None:
        self._taken += size - self._sizes.get(key, 0)
        self._memory[key], self._sizes[key] = value, size
        while self._memory and (len(self._memory) > IN_MEMORY or self._taken > ROOM):
            oldest, _value = self._memory.popitem(last=False)
            self._taken -= self._sizes.pop(oldest)

    def _open(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = folder / FILE
            self._connect()
        except (OSError, sqlite3.OperationalError) as error:
            self._give_up(error)
        except sqlite3.DatabaseError:
            self._rebuild()

    def _connect(self) -> None:
        assert self._path is not None
        disk = sqlite3.connect(
            self._path, timeout=1.0, isolation_level=None, check_same_thread=False
        )
        try:
            disk.execute("PRAGMA journal_mode = WAL")
            disk.execute("PRAGMA synchronous = NORMAL")
            disk.execute(_TABLE)
            found = tuple(row[1] for row in disk.execute("PRAGMA table_info(results)"))
            if found != _COLUMNS:
                raise sqlite3.DatabaseError(f"the table has the columns {found}")
            disk.execute("SELECT * FROM results LIMIT 1").fetchall()
        except sqlite3.Error:
            disk.close()
            raise
        self._disk = disk

    def _rebuild(self) -> None:
        assert self._path is not None
        try:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._connect()
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._disk = None
        sentence = _("Results are kept in memory only, since the store cannot be used: {error}.")
        self.note = sentence.format(error=str(error).rstrip("."))

    def _try(self, statement: str, *values: Any) -> list[Any]:
        if self._disk is None:
            return []
        try:
            return self._disk.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):  # a busy moment is not a broken store
                self._disk.close()
                self._give_up(error)
        except sqlite3.DatabaseError:
            self._disk.close()
            self._rebuild()
        return []

    def _shrink(self) -> None:
        rows = self._try("SELECT COALESCE(SUM(size), 0) FROM results")
        if rows and rows[0][0] > self._largest:
            self._try(_FORGET)


@cache
def default_result_cache() -> ResultCache:
    """Return the person's own store.

    `WORKBENCH_STORE` names another folder, or is empty for none.
    """
    return ResultCache(cache_folder())
