"""The file cache on disk: least recently used first, shared by processes, never an error."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from workbench.cache.files import NEW_PREFIX, FileCache

MANY = """
import sys
from pathlib import Path
from workbench.cache.files import FileCache

cache, who = FileCache(Path(sys.argv[1]), max_bytes=20_000), int(sys.argv[2])
for n in range(60):
    cache.put(f"{who} {n}", bytes([who]) * 1000)
    for other in range(4):
        content = FileCache(Path(sys.argv[1])).get(f"{other} {n}")
        assert content in (None, bytes([other]) * 1000), content
"""


def contents(folder):
    return list((folder / "trained").iterdir())


def put_with_age(cache, folder, key, seconds):
    before = set(contents(folder)) if (folder / "trained").exists() else set()
    cache.put(key, key.encode() * 500)
    (path,) = set(contents(folder)) - before
    used = time.time() - seconds
    os.utime(path, (used, used))


def test_the_least_recently_used_files_are_removed_first(tmp_path):
    cache = FileCache(tmp_path, max_bytes=1600)
    for key, age in [("a", 300), ("b", 200), ("c", 100)]:
        put_with_age(cache, tmp_path, key, age)
    assert cache.get("a") == b"a" * 500  # from memory, which marks the file as used too
    cache.put("d", b"d" * 500)
    fresh = FileCache(tmp_path)
    assert [key for key in "abcd" if fresh.get(key) is not None] == ["a", "c", "d"]


def test_a_file_that_another_process_is_writing_stays(tmp_path):
    cache = FileCache(tmp_path, max_bytes=1000)
    cache.put("a", b"a" * 500)
    writing, abandoned = (tmp_path / "trained" / f"{NEW_PREFIX}{n}" for n in range(2))
    for path, age in [(writing, 60), (abandoned, 7200)]:
        path.write_bytes(b"x" * 400)
        os.utime(path, (time.time() - age,) * 2)
    cache.put("b", b"b" * 500)
    assert writing.exists()
    assert not abandoned.exists()


def test_many_processes_at_once(tmp_path):
    commands = [[sys.executable, "-c", MANY, str(tmp_path), str(who)] for who in range(4)]
    processes = [subprocess.Popen(c, stderr=subprocess.PIPE, text=True) for c in commands]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    files = contents(tmp_path)
    assert sum(path.stat().st_size for path in files) <= 20_000
    assert not [path for path in files if path.name.startswith(NEW_PREFIX)]


def test_without_a_folder_files_stay_in_memory():
    cache = FileCache(None)
    cache.put("a", b"a")
    assert cache.get("a") == b"a"
    assert cache.get("b") is None
