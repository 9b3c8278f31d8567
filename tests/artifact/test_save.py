"""Saving is whole or not at all; loading says in a sentence what is wrong with a path."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.artifact.artifact import load
from workbench.errors import ArtifactError

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and devices are POSIX")


def test_save_and_load(small, tmp_path) -> None:
    path = small.save(tmp_path / "small.safetensors")
    assert path.read_bytes() == small.to_bytes()
    assert path.stat().st_size == len(small)
    assert load(path).digest == small.digest
    assert load(str(path)).digest == small.digest


def test_a_fresh_process_reads_the_same_weights(small, tmp_path) -> None:
    path = small.save(tmp_path / "small.safetensors")
    script = (
        "import sys, hashlib; from workbench.artifact.artifact import load; "
        "print(hashlib.sha256(b''.join(w.numpy().tobytes()"
        " for w in load(sys.argv[1]).weights().values())).hexdigest())"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    whole = b"".join(w.numpy().tobytes() for w in small.weights().values())
    assert done.stdout.strip() == hashlib.sha256(whole).hexdigest()


def test_overwriting_replaces_the_content(small, tmp_path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    small.save(target)
    assert target.read_bytes() == small.to_bytes()
    assert list(tmp_path.iterdir()) == [target]


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_overwriting_keeps_the_mode(small, tmp_path, mode) -> None:
    target = tmp_path / "file"
    target.touch()
    target.chmod(mode)
    small.save(target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


@POSIX
def test_a_new_file_gets_the_mode_that_open_would_give(small, tmp_path) -> None:
    (tmp_path / "usual").touch()
    mode = small.save(tmp_path / "saved").stat().st_mode
    assert mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing/file", "Cannot write .*file"),
        ("notes.txt/file", "Cannot write .*file"),
        ("folder", "is a folder: name a file in it"),
    ],
)
def test_a_target_that_cannot_be_is_refused(small, tmp_path, place, message) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArtifactError, match=message):
        small.save(tmp_path / place)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["folder", "notes.txt"]


@POSIX
def test_a_device_is_not_replaced_by_a_file(small, tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ArtifactError, match="not an ordinary file"):
        small.save(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(
    small, tmp_path, monkeypatch, step
) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    place = {"write": (os, "fdopen"), "replace": (Path, "replace")}[step]
    monkeypatch.setattr(*place, fail)
    with pytest.raises(ArtifactError, match="No space left on device"):
        small.save(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_paths_that_hold_no_file(tmp_path) -> None:
    with pytest.raises(ArtifactError, match=r"Cannot read .*No such file"):
        load(tmp_path / "missing")
    with pytest.raises(ArtifactError, match="is not a file"):
        load(tmp_path)


@POSIX
def test_a_device_is_not_read() -> None:
    with pytest.raises(ArtifactError, match="is not a file"):
        load("/dev/zero")


def test_a_file_far_larger_than_its_limit_is_not_read(tmp_path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as stream:
        stream.truncate(2**40)  # a hole: takes no space
    with pytest.raises(ArtifactError, match="too large"):
        load(path)
