"""Saving is atomic; loading reports what is wrong with a path."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.raises import raises
from workbench.artifact.artifact import load

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and devices are POSIX")


def test_save_and_load(small, tmp_path) -> None:
    path = small.save(tmp_path / "small.safetensors")
    assert path.read_bytes() == small.to_bytes()
    assert path.stat().st_size == len(small)
    assert load(path).digest == small.digest
    assert load(str(path)).digest == small.digest


@pytest.mark.slow
def test_a_fresh_process_reads_the_same_weights(small, tmp_path) -> None:
    path = small.save(tmp_path / "small.safetensors")
    script = (
        "import sys, hashlib; from workbench.artifact.artifact import load; "
        "print(hashlib.sha256(b''.join(w.numpy().tobytes()"
        " for w in load(sys.argv[1]).weights().values())).hexdigest())"
    )
    root = Path(__file__).parents[2]
    process = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    content = b"".join(w.numpy().tobytes() for w in small.weights().values())
    assert process.stdout.strip() == hashlib.sha256(content).hexdigest()


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
def test_a_new_file_has_the_default_mode(small, tmp_path) -> None:
    (tmp_path / "default").touch()
    mode = small.save(tmp_path / "saved").stat().st_mode
    assert mode == (tmp_path / "default").stat().st_mode


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("missing/file", "file.cannot_write"),
        ("notes.txt/file", "file.cannot_write"),
        ("folder", "file.is_a_folder"),
    ],
)
def test_an_impossible_target_is_rejected(small, tmp_path, place, code) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "folder").mkdir()
    with raises(code, place):
        small.save(tmp_path / place)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["folder", "notes.txt"]


@POSIX
def test_a_device_is_not_replaced_by_a_file(small, tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with raises("file.not_a_regular_file", pipe):
        small.save(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_failed_write_leaves_only_the_old_file(small, tmp_path, monkeypatch, step) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    place = {"write": (os, "fdopen"), "replace": (Path, "replace")}[step]
    monkeypatch.setattr(*place, fail)
    with raises("file.cannot_write", "No space left on device"):
        small.save(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_paths_that_hold_no_file(tmp_path) -> None:
    with raises("file.missing", tmp_path / "missing", "check the path"):
        load(tmp_path / "missing")
    with raises("file.is_a_folder", tmp_path):
        load(tmp_path)


@POSIX
def test_a_device_is_not_read() -> None:
    with raises("file.not_a_regular_file"):
        load("/dev/zero")


def test_a_file_far_larger_than_its_limit_is_not_read(tmp_path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as stream:
        stream.truncate(2**40)  # a hole: takes no space
    with raises("artifact.decoded_too_large"):
        load(path)
