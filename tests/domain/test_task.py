"""The vendored data match the task definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.raises import raises
from workbench import zoo
from workbench.domain import Task
from workbench.domain.task import PackagedSplit, digest_of
from workbench.zoo.fashion.rebuild import SPLITS

FASHION = zoo.task("fashion")
SIZES = {"train": 20_000, "validation": 5_000, "test": 10_000}


@pytest.mark.parametrize("name", SIZES)
def test_split_has_its_size_types_and_digest(name: str) -> None:
    split = FASHION.split(name)
    assert (split.name, len(split)) == (name, SIZES[name])
    assert split.examples.shape == (SIZES[name], 28, 28)
    assert split.examples.dtype == split.labels.dtype == np.uint8
    assert digest_of(split.examples, split.labels) == split.digest


@pytest.mark.parametrize("name", SIZES)
def test_classes_are_balanced(name: str) -> None:
    counts = np.bincount(FASHION.split(name).labels, minlength=len(FASHION.classes))
    assert len(counts) == len(FASHION.classes) == 10
    share = SIZES[name] / 10
    assert np.all(np.abs(counts - share) < 0.1 * share)
    assert name != "test" or set(counts) == {1_000}


def test_train_and_validation_are_disjoint_ranges_of_one_file() -> None:
    train, validation, test = SPLITS["train"], SPLITS["validation"], SPLITS["test"]
    assert train[:2] == validation[:2] != test[:2]
    assert train[3] <= validation[2]


def test_split_is_cached_and_read_only() -> None:
    split = FASHION.split("validation")
    assert FASHION.split("validation") is split
    with pytest.raises(ValueError, match="read-only"):
        split.examples[0, 0, 0] = 1


def test_inputs_are_pixels_divided_by_255() -> None:
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    inputs = FASHION.inputs(images)
    assert inputs.shape == (2, 1, 28, 28)
    assert inputs.dtype == torch.float32
    expected = images.astype(np.float32) / np.float32(255)
    assert np.array_equal(inputs[:, 0].numpy(), expected)


def test_unknown_split_lists_the_choices() -> None:
    with raises("name.unknown", "'tset'", "train, validation, test"):
        FASHION.split("tset")


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04"])
def test_missing_or_damaged_file_raises(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "validation.npz"
    if content is not None:
        path.write_bytes(content)
    task = Task("t", "T", (), "", "", (PackagedSplit("validation", path, "0"),))
    with raises("data.damaged", "validation.npz"):
        task.split("validation")


def test_wrong_digest_raises(tmp_path: Path) -> None:
    path = tmp_path / "validation.npz"
    np.savez(path, images=np.zeros((1, 28, 28), np.uint8), labels=np.zeros(1, np.uint8))
    task = Task("t", "T", (), "", "", (PackagedSplit("validation", path, "0"),))
    with raises("data.damaged"):
        task.split("validation")
