"""Tensors that are stored twice in a checkpoint, such as tied ones, are stored once in its file."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.artifact import reader
from tests.raises import raises
from workbench.artifact import container
from workbench.artifact.artifact import Artifact, load
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.artifact.repeated import MIN_BYTES
from workbench.compression.encode import encode_tensors
from workbench.recipe import Factorize, Prune, Quantize, Recipe, Share
from workbench.streaming.compare import compare_files
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress

RECIPES = {
    "nothing": Recipe(),
    "groups": Recipe(quantize=Quantize(4, granularity="group")),
    "sparse": Recipe(Prune(0.5, scope="uniform"), Quantize(8)),
    "shared": Recipe(share=Share(clusters=8)),
    "factors": Recipe(factorize=Factorize(0.3), quantize=Quantize(8)),
}


@pytest.fixture
def tied(tmp_path):
    embed = torch.randn(80, 64).bfloat16()
    tensors = {
        "embed.weight": embed,
        "head.weight": embed.clone(),
        "other.weight": torch.randn(80, 64).bfloat16(),
        "a.bias": torch.ones(8),
        "b.bias": torch.ones(8),
        "fp8.a": torch.ones(64, 64).to(torch.float8_e4m3fn),
        "fp8.b": torch.ones(64, 64).to(torch.float8_e4m3fn),
    }
    path = tmp_path / "big.safetensors"
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("name", RECIPES)
def test_repeated_tensors_take_no_bytes_and_come_back(tied, tmp_path, name) -> None:
    small, again = tmp_path / "small", tmp_path / "again"
    file = compress_file(tied, RECIPES[name], small)
    rows = {row.name: row for row in file.ledger.rows}
    assert (rows["head.weight"].total, rows["head.weight"].codec) == (0, "same as embed.weight")
    assert rows["fp8.b"].total == 0
    assert all(rows[key].total for key in ("embed.weight", "other.weight", "a.bias", "b.bias"))
    assert file.ledger.total == small.stat().st_size
    decompress(small, again)
    before, after = load_file(tied), load_file(again)
    assert torch.equal(after["head.weight"], after["embed.weight"])
    assert not torch.equal(after["other.weight"], after["embed.weight"])
    assert torch.equal(after["fp8.b"].float(), before["fp8.b"].float())
    assert compare_files(again, small).equal
    weights, _ = reader.read(small.read_bytes())
    for key, tensor in load(small).weights().items():
        assert weights[key].tobytes() == tensor.numpy().tobytes()


@pytest.mark.parametrize("size", [MIN_BYTES - 4, MIN_BYTES])
def test_short_tensors_are_stored_again(tmp_path, size) -> None:
    tensors = {"a": torch.ones(size // 4), "b": torch.ones(size // 4)}
    save_file(tensors, tmp_path / "big.safetensors")
    file = compress_file(tmp_path / "big.safetensors", Recipe(), tmp_path / "small")
    artifact = Artifact.of("m", Recipe(), encode_tensors(tensors, Recipe()))
    for ledger in (file.ledger, artifact.ledger):
        assert [row.total for row in ledger.rows] == [size, 0 if size == MIN_BYTES else size]


def test_different_treatment_needs_two_streams(tied, tmp_path) -> None:
    recipe = Recipe(quantize=Quantize(4, exclude=["head.*"]))
    file = compress_file(tied, recipe, tmp_path / "small")
    assert file.ledger["head.weight"].total > file.ledger["embed.weight"].total > 0


def test_the_bytes_are_those_in_memory(tied, tmp_path) -> None:
    tensors = {k: t for k, t in load_file(tied).items() if not k.startswith("fp8")}
    save_file(tensors, tmp_path / "m.safetensors")
    recipe = RECIPES["groups"]
    compress_file(tmp_path / "m.safetensors", recipe, tmp_path / "small")
    order = sorted(tensors, key=lambda key: (-tensors[key].itemsize, key))
    coded = encode_tensors({key: tensors[key] for key in order}, recipe)
    dtypes = {key: tensors[key].dtype for key in order}
    artifact = Artifact.of("file:m", recipe, coded, dtypes=dtypes)
    assert artifact.to_bytes() == (tmp_path / "small").read_bytes()
    assert len(artifact) == (tmp_path / "small").stat().st_size


def later(header):
    header["tensors"]["embed.weight"]["same"] = "head.weight"
    del header["tensors"]["head.weight"]["same"]


CHANGES = {
    "itself": lambda h: h["tensors"]["head.weight"].update(same="head.weight"),
    "a missing tensor": lambda h: h["tensors"]["head.weight"].update(same="none"),
    "a number": lambda h: h["tensors"]["head.weight"].update(same=5),
    "a list": lambda h: h["tensors"]["head.weight"].update(same=["embed.weight"]),
    "another kind": lambda h: h["tensors"]["head.weight"].update(same="a.bias"),
    "another shape": lambda h: h["tensors"]["head.weight"].update(shape=[64, 80]),
    "a later tensor": later,
}


@pytest.mark.parametrize("change", CHANGES)
def test_invalid_names_are_refused(tied, tmp_path, change) -> None:
    small = tmp_path / "small"
    compress_file(tied, Recipe(), small)
    header, data = container.unpack(small.read_bytes())
    header = json.loads(json.dumps(header))
    CHANGES[change](header)
    del header["sha256"]
    small.write_bytes(container.pack(header, data)[0])
    for use in (load, OnDiskArtifact.open):
        with raises("artifact.invalid_entry"):
            use(small)
