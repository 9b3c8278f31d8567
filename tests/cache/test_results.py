"""The result cache on disk: shared by processes, bounded, and robust against broken files."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workbench.cache import files, results
from workbench.cache.results import FILE, ResultCache, default_result_cache

MANY = """
import sys
from pathlib import Path
from workbench.cache.results import ResultCache

folder, who = Path(sys.argv[1]), int(sys.argv[2])
store = ResultCache(folder)
assert store.note is None, store.note
for n in range(40):
    store.put(f"{who} {n}", [who, n])
    for other in range(6):
        value = store.get(f"{other} {n}")
        assert value in (None, [other, n]), value
assert store.note is None, store.note
"""


def rows(folder):
    disk = sqlite3.connect(folder / FILE)
    try:
        return disk.execute("SELECT key, value FROM results").fetchall()
    finally:
        disk.close()


def write(folder, statement, *values):
    disk = sqlite3.connect(folder / FILE)
    with disk:
        disk.execute(statement, values)
    disk.close()


@pytest.mark.parametrize("value", [1, 0.1, "é", None, [1, 2], {"a": [1.5, {"b": None}]}])
def test_a_value_can_be_read_again(tmp_path, value):
    ResultCache(tmp_path).put("key", value)
    assert ResultCache(tmp_path).get("key") == value
    assert ResultCache(tmp_path).get("other") is None


def test_in_memory_only():
    store = ResultCache()
    store.put("key", 1)
    assert store.get("key") == 1
    assert store.note is None


def test_the_latest_value_replaces_earlier_ones(tmp_path):
    store = ResultCache(tmp_path)
    store.put("key", 1)
    store.put("key", 2)
    assert store.get("key") == ResultCache(tmp_path).get("key") == 2


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_the_folder_is_private(tmp_path):
    ResultCache(tmp_path / "private").put("key", 1)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700


def test_many_processes_at_once(tmp_path):
    commands = [[sys.executable, "-c", MANY, str(tmp_path), str(who)] for who in range(6)]
    processes = [subprocess.Popen(c, stderr=subprocess.PIPE, text=True) for c in commands]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    stored = dict(rows(tmp_path))
    assert stored
    assert all(json.loads(value) == [int(n) for n in key.split()] for key, value in stored.items())


def test_many_threads_at_once(tmp_path):
    store = ResultCache(tmp_path)
    wrong = []

    def work(who):
        for n in range(50):
            store.put(f"{who} {n}", [who, n])
            other = store.get(f"{(who + 1) % 4} {n}")
            if other not in (None, [(who + 1) % 4, n]):
                wrong.append(other)

    workers = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
    assert len(rows(tmp_path)) == 200


@pytest.mark.parametrize(
    "content",
    [
        b"not a database, but longer than the hundred bytes of a header" * 10,
        b"SQLite format 3\0" + b"\xff" * 5000,
    ],
    ids=["foreign", "damaged"],
)
def test_a_broken_file_is_rebuilt(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    store = ResultCache(tmp_path)
    store.put("key", 1)
    assert store.note is None
    assert ResultCache(tmp_path).get("key") == 1


def test_an_empty_file_is_a_new_cache(tmp_path):
    (tmp_path / FILE).touch()
    ResultCache(tmp_path).put("key", 1)
    assert ResultCache(tmp_path).get("key") == 1


@pytest.mark.parametrize(
    "table",
    ["CREATE TABLE results (key TEXT PRIMARY KEY)", "CREATE TABLE results (a, b, c, d, e)"],
)
def test_a_file_with_another_table_is_rebuilt(tmp_path, table):
    write(tmp_path, table)
    store = ResultCache(tmp_path)
    store.put("key", 1)
    assert store.note is None
    assert ResultCache(tmp_path).get("key") == 1


def test_a_file_damaged_during_use_is_rebuilt(tmp_path):
    store = ResultCache(tmp_path)
    store.put("before", 1)
    store.close()
    content = (tmp_path / FILE).read_bytes()
    store = ResultCache(tmp_path)
    (tmp_path / FILE).write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    for n in range(3):
        store.put(f"after {n}", n)
    assert store.get("after 2") == 2
    assert ResultCache(tmp_path).get("after 2") == 2


@pytest.mark.parametrize("text", ["", "{", "\x00", "[1,"])
def test_a_broken_value_is_dropped(tmp_path, text):
    ResultCache(tmp_path).put("key", 1)
    write(tmp_path, "UPDATE results SET value = ?", text)
    store = ResultCache(tmp_path)
    assert store.get("key") is None
    assert rows(tmp_path) == []
    store.put("key", 2)
    assert ResultCache(tmp_path).get("key") == 2


def test_without_a_usable_folder_the_cache_is_in_memory(tmp_path):
    (tmp_path / "file").touch()
    store = ResultCache(tmp_path / "file" / "folder")
    assert "memory only" in store.note
    store.put("key", 1)
    assert store.get("key") == 1


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="the superuser can write anywhere"
)
def test_with_a_read_only_folder_the_cache_is_in_memory(tmp_path):
    tmp_path.chmod(0o500)
    try:
        store = ResultCache(tmp_path)
        store.put("key", 1)
    finally:
        tmp_path.chmod(0o700)
    assert "memory only" in store.note
    assert store.get("key") == 1


def test_with_a_read_only_database_the_cache_is_in_memory(tmp_path):
    store = ResultCache(tmp_path)
    store._disk.execute("PRAGMA query_only = 1")
    store.put("key", 1)
    assert "memory only" in store.note
    assert store.get("key") == 1


def test_without_file_locks_the_cache_is_in_memory(tmp_path, monkeypatch):
    def refuse(*arguments, **settings):
        raise sqlite3.OperationalError("locking protocol")

    monkeypatch.setattr(results.sqlite3, "connect", refuse)
    store = ResultCache(tmp_path)
    store.put("key", 1)
    assert "locking protocol" in store.note
    assert store.get("key") == 1


def test_a_locked_database_is_not_broken(tmp_path):
    store = ResultCache(tmp_path)
    store._disk.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.put("meanwhile", 1)
    other.execute("COMMIT")
    other.close()
    assert store.note is None
    assert store.get("meanwhile") == 1
    store.put("after", 2)
    assert ResultCache(tmp_path).get("after") == 2


def test_the_size_on_disk_is_bounded(tmp_path):
    store = ResultCache(tmp_path, max_bytes=10_000)
    for n in range(200):
        store.put(f"key {n}", "x" * 100)
        assert sum(len(key) + len(value) for key, value in rows(tmp_path)) <= 10_000
    keys = {key for key, _ in rows(tmp_path)}
    assert "key 199" in keys
    assert "key 0" not in keys


def test_the_least_recently_used_results_are_removed_first(tmp_path):
    first = ResultCache(tmp_path)
    for n in range(100):
        first.put(f"key {n:2}", "x" * 95)
    first.close()
    store = ResultCache(tmp_path, max_bytes=10_000)
    assert store.get("key  0") is not None
    store.put("new", "x" * 200)
    keys = {key for key, _ in rows(tmp_path)}
    assert {"new", "key  0", "key 99"} <= keys
    assert "key  1" not in keys


def test_the_number_in_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(results, "MAX_IN_MEMORY", 3)
    store = ResultCache()
    for n in range(5):
        store.put(str(n), n)
        store.get("0")
    assert [store.get(str(n)) for n in range(5)] == [0, None, None, 3, 4]


def test_the_default_folder(tmp_path, monkeypatch):
    default_result_cache.cache_clear()
    try:
        monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "shared"))
        default_result_cache().put("key", 1)
        assert (tmp_path / "shared" / FILE).exists()
        default_result_cache.cache_clear()
        monkeypatch.setenv("WORKBENCH_STORE", "")
        assert default_result_cache()._disk is None
        default_result_cache.cache_clear()
        monkeypatch.delenv("WORKBENCH_STORE")
        monkeypatch.setattr(files.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
        default_result_cache()
        assert Path(tmp_path / "workbench" / FILE).exists()
    finally:
        default_result_cache.cache_clear()
