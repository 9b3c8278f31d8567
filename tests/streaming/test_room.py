"""Too little disk space is noticed before the first tensor."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from safetensors.torch import save_file

from tests.raises import raises
from tests.streaming.test_same_bytes import RECIPES
from workbench.recipe import Recipe
from workbench.streaming import room
from workbench.streaming.compress import compress_file
from workbench.streaming.source import Source


@pytest.mark.parametrize("name", RECIPES)
def test_no_file_is_larger_than_the_bound(tmp_path, tensors, name) -> None:
    save_file(tensors, tmp_path / "big.safetensors")
    recipe = Recipe.from_json(RECIPES[name])
    bound = room.largest_size(Source.open(tmp_path / "big.safetensors"), recipe)
    file = compress_file(tmp_path / "big.safetensors", recipe, tmp_path / "small")
    assert file.size - file.ledger.container < bound < 4 * file.size


def test_a_full_disk_stops_before_the_first_tensor(tmp_path, tensors, monkeypatch) -> None:
    big, small = tmp_path / "big.safetensors", tmp_path / "small"
    save_file(tensors, big)
    needed = 2 * room.largest_size(Source.open(big), Recipe())
    with monkeypatch.context() as patched:
        patched.delattr("workbench.streaming.compress.encode_tensor")  # nothing is encoded
        patched.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed - 1))
        with raises("file.no_space", f"{needed:,}", f"{needed - 1:,}", small):
            compress_file(big, Recipe(), small)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed))
    compress_file(big, Recipe(), small)
    assert {path.name for path in tmp_path.iterdir()} == {"big.safetensors", "small"}
