"""The functions shared by the scripts that rebuild data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.raises import raises
from workbench.domain.task import digest_of
from workbench.errors import WorkbenchError
from workbench.zoo.rebuilding import read_original, run_command, shuffled, write_npz


def test_original_is_read_and_other_files_raise(tmp_path: Path) -> None:
    path = tmp_path / "data.ts"
    with raises("data.source_missing", "data.ts"):
        read_original(path, "0")
    path.write_bytes(b"something")
    with raises("data.source_changed", "data.ts"):
        read_original(path, "0")
    assert read_original(path, hashlib.sha256(b"something").hexdigest()) == b"something"


def test_shuffling_depends_only_on_texts_and_seed() -> None:
    texts = [f"text {number}" for number in range(100)]
    order = shuffled(texts, 0)
    assert sorted(order) == list(range(100)) != order
    assert shuffled(texts, 0) == order != shuffled(texts, 1)
    assert [texts[::-1][index] for index in shuffled(texts[::-1], 0)] == [texts[p] for p in order]


def test_npz_has_the_arrays_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    arrays = {"examples": np.arange(6, dtype=np.uint16).reshape(2, 3), "labels": np.zeros(2)}
    for name in ("one", "two"):
        write_npz(tmp_path / "new" / f"{name}.npz", arrays)
    first, second = (tmp_path / "new" / f"{name}.npz" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    with np.load(first) as loaded:
        assert {name: loaded[name].tolist() for name in loaded} == {
            name: array.tolist() for name, array in arrays.items()
        }


def test_digest_is_of_examples_then_labels() -> None:
    examples, labels = np.array([1, 2], np.uint8), np.array([3], np.uint8)
    assert digest_of(examples, labels) == hashlib.sha256(b"\1\2\3").hexdigest()


def test_command_prints_digests_or_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rebuild(source: Path, output: Path) -> dict[str, str]:
        if source == output:
            raise WorkbenchError("No.")
        return {"train": "abc"}

    run_command(rebuild, tmp_path, ["--source", "elsewhere"])
    assert capsys.readouterr().out == "abc  train\n"
    with pytest.raises(SystemExit, match="2"):
        run_command(rebuild, tmp_path, ["--source", str(tmp_path)])
    assert capsys.readouterr().err == "No.\n"
