"""Two files are compared tensor by tensor, whatever their kinds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import workbench as wb
from tests.raises import raises
from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming.compare import compare_files
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress

RECIPE = Recipe(Prune(0.3), Quantize(4, granularity="group"))


@pytest.fixture
def files(tmp_path, tensors):
    big, small, again = (tmp_path / f"{name}.safetensors" for name in ("big", "small", "again"))
    save_file(tensors, big)
    artifact = compress_file(big, RECIPE, small)
    decompress(small, again)
    return big, small, again, artifact


def test_the_figures_are_those_of_numpy(files) -> None:
    big, small, again, artifact = files
    old, new = (
        {name: tensor.double().numpy() for name, tensor in load_file(path).items()}
        for path in (big, again)
    )
    changes = compare_files(big, small)
    layers = {"embed.weight", "layer.10.weight", "layer.2.weight", "double.weight"}
    assert changes.errors.keys() == layers
    assert set(changes.unchanged) == old.keys() - layers
    for name, error in changes.errors.items():
        difference = np.abs(new[name] - old[name])
        rms = np.sqrt((difference**2).sum() / (old[name] ** 2).sum())
        assert np.isclose(error.rms, rms, rtol=1e-5)
        assert np.isclose(error.largest, difference.max() / np.abs(old[name]).max(), rtol=1e-5)
        assert error.changed == (difference > 0).sum()
    assert changes.worst()[0] == max(layers, key=lambda name: changes.errors[name].rms)
    assert compare_files(big, again) == changes
    for name, error in artifact.changes.errors.items():
        assert np.isclose(error.rms, changes.errors[name].rms, rtol=1e-5)
        assert error.changed == changes.errors[name].changed
    assert artifact.changes.errors.keys() == layers


def test_equal_files(files, tmp_path) -> None:
    big, small, again, _ = files
    assert compare_files(small, again).equal
    assert compare_files(big, big).equal
    assert "equal" in str(compare_files(big, big))


def test_shards_and_one_file_are_equal(files, tmp_path, tensors, shards) -> None:
    (tmp_path / "folder").mkdir()
    shards(tmp_path / "folder", tensors, 3)
    assert compare_files(files[0], tmp_path / "folder").equal


def test_other_tensors_shapes_and_dtypes(tmp_path) -> None:
    first = {
        "same": torch.ones(4),
        "dtype": torch.tensor([1.0, 2.0]),
        "shape": torch.ones(2, 3),
        "old": torch.ones(1),
        "wide": torch.tensor([2**60]),
        "small": torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn),
    }
    second = {
        "same": torch.ones(4),
        "dtype": torch.tensor([1.0, 2.5], dtype=torch.bfloat16),
        "shape": torch.ones(3, 2),
        "new": torch.ones(1),
        "wide": torch.tensor([2**60 + 1]),
        "small": torch.tensor([1.0, 4.0]).to(torch.float8_e4m3fn),
    }
    save_file(first, tmp_path / "a")
    save_file(second, tmp_path / "b")
    changes = wb.compare_files(tmp_path / "a", tmp_path / "b")
    assert changes.as_dict() | {"worst": [], "tensors": {}, "rms": 0} == {
        "equal": False,
        "changed": 2,
        "unchanged": 1,
        "rms": 0,
        "worst": [],
        "tensors": {},
        "only_before": ["old"],
        "only_after": ["new"],
        "other_shape": ["shape"],
        "other_dtype": {"dtype": "F32 → BF16"},
        "other_bytes": ["wide"],
    }
    assert changes.errors["dtype"].max_relative == 0.25
    assert changes.errors["small"].max_error == 2.0
    assert changes.worst(1) == ("small",)


def test_cancel_and_missing_files(files, tmp_path) -> None:
    token = wb.CancelToken()
    token.cancel()
    with raises("cancelled"):
        compare_files(files[0], files[1], cancel=token)
    with raises("file.missing", "none"):
        compare_files(files[0], tmp_path / "none")


def test_the_console_prints_the_same(files, capsys) -> None:
    import json

    from workbench.cli import main

    big, small, *_ = files
    assert main(["compare", str(big), str(small), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    changes = compare_files(big, small)
    assert printed == {"before": str(big), "after": str(small), **changes.as_dict()}
    assert main(["compare", str(big), str(small)]) == 0
    assert str(changes) in capsys.readouterr().out
