"""An invalid or incomplete file raises one clear error, and leaves no files behind."""

from __future__ import annotations

import errno
import json
import os
import struct
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save, save_file

import workbench as wb
from tests.raises import raises
from workbench.artifact.artifact import Artifact
from workbench.compression.encode import encode_tensors
from workbench.errors import ArtifactError
from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming import decompress as expanding
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress

RECIPE = Recipe(quantize=Quantize(4))
TWO = {"a": torch.ones(4, 4), "b": torch.ones(2, 2)}


def with_header(header, data: bytes = bytes(80)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(first, last, shape=(4, 4), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


GOOD = {"a": entry(0, 64), "b": entry(64, 80, (2, 2))}
INVALID = {
    "empty": (b"", "header_cut_short"),
    "three bytes": (b"abc", "header_cut_short"),
    "a header too long": (struct.pack("<Q", 2**62), "header_cut_short"),
    "not JSON": (with_header(b"{nonsense"), "header_not_an_object"),
    "a list": (with_header([]), "header_not_an_object"),
    "deep": (with_header(b"[" * 100_000), "header_not_an_object"),
    "entry of another kind": (with_header({"a": 5}), "invalid_entry", "'a'"),
    "no shape": (with_header({"a": {"dtype": "F32", "data_offsets": [0, 80]}}), "invalid_entry"),
    "negative": (with_header({"a": entry(0, 64, (-4, -4))}), "invalid_entry"),
    "Boolean size": (with_header({"a": entry(0, 4, (True,))}), "invalid_entry"),
    "backwards": (with_header({"a": entry(64, 0)}), "shape_mismatch"),
    "shape of other size": (
        with_header(GOOD | {"b": entry(64, 80, (3, 3))}),
        "shape_mismatch",
    ),
    "overlap": (
        with_header(GOOD | {"b": entry(60, 76, (2, 2))}),
        "overlap_or_gap",
        "'a' and 'b'",
    ),
    "gap": (with_header(GOOD | {"b": entry(68, 84, (2, 2))}), "overlap_or_gap"),
    "gap at the start": (with_header({"a": entry(16, 80)}), "cut_short"),
    "out of range": (with_header({"a": entry(0, 2**40, (2**38,))}), "cut_short"),
    "cut by one": (with_header(GOOD, bytes(79)), "cut_short"),
    "longer by one": (with_header(GOOD, bytes(81)), "trailing_bytes", "1 bytes"),
    "8-bit floats that end early": (
        with_header({"a": entry(80, 0, (80,), "F8_E4M3")}),
        "shape_mismatch",
    ),
    "metadata that are no texts": (
        with_header({"__metadata__": {"a": 1}, "a": entry(0, 80, (80,), "U8")}),
        "invalid_metadata",
    ),
    "Boolean values of 2": (
        with_header({"a": entry(0, 4, (4,), "BOOL")}, b"\0\1\2\0"),
        "invalid_boolean",
    ),
}


@pytest.mark.parametrize("fault", INVALID)
def test_invalid_files(tmp_path, fault) -> None:
    content, code, *facts = INVALID[fault]
    path = tmp_path / "big.safetensors"
    path.write_bytes(content)
    with raises(f"file.{code}", *facts):
        compress_file(path, RECIPE, tmp_path / "small")
    assert not (tmp_path / "small").exists()


def _missing(folder, index):
    (folder / "model-00002-of-00002.safetensors").unlink()


def _elsewhere(folder, index):
    content = json.loads(index.read_text())
    content["weight_map"]["b"] = content["weight_map"]["a"]
    index.write_text(json.dumps(content))


def _unnamed(folder, index):
    content = json.loads(index.read_text())
    del content["weight_map"]["b"]
    content["weight_map"]["c"] = "model-00002-of-00002.safetensors"
    index.write_text(json.dumps(content))


def _outside(folder, index):
    index.write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))


def _no_map(folder, index):
    index.write_text("[]")


INCONSISTENT = [
    (_missing, "missing_shard", "model-00002"),
    (_elsewhere, "tensor_not_in_shard", "'b' in model-00001"),
    (_unnamed, "tensor_not_in_shard", "'c' in model-00002"),
    (_outside, "invalid_index", "weight_map"),
    (_no_map, "invalid_index", "weight_map"),
]


@pytest.mark.parametrize(("change", "code", "fact"), INCONSISTENT)
def test_inconsistent_shards(tmp_path, shards, change, code, fact) -> None:
    index = shards(tmp_path, TWO, 2)
    change(tmp_path, index)
    with raises(f"file.{code}", fact):
        compress_file(index, RECIPE, tmp_path / "small")


def test_folders(tmp_path) -> None:
    with raises("file.empty_folder", tmp_path):
        compress_file(tmp_path, RECIPE, tmp_path / "small")
    for name in ("one", "two"):
        save_file(TWO, tmp_path / f"{name}.safetensors")
    with raises("file.ambiguous_folder", tmp_path):
        compress_file(tmp_path, RECIPE, tmp_path / "small")
    with raises("file.missing", "none"):
        compress_file(tmp_path / "none.safetensors", RECIPE, tmp_path / "small")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("recipe", [RECIPE, Recipe(Prune(0.5)), Recipe()], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_non_finite_numbers(tmp_path, value, recipe, dtype) -> None:
    wrong = torch.ones(40, 40, dtype=dtype)
    wrong[7, 3] = value
    save_file({"fine": torch.ones(3, 3), "wrong": wrong}, tmp_path / "big.safetensors")
    with raises("model.not_finite", "wrong"):
        compress_file(tmp_path / "big.safetensors", recipe, tmp_path / "small")


def test_a_missing_layer(tmp_path) -> None:
    save_file(TWO, tmp_path / "big.safetensors")
    with raises("recipe.unknown_layer", "'c'"):
        compress_file(tmp_path / "big.safetensors", Recipe(Prune(exclude=["c"])), tmp_path / "o")


def test_the_output_is_not_the_input(tmp_path, shards) -> None:
    big = tmp_path / "big.safetensors"
    save_file(TWO, big)
    before = big.read_bytes()
    (tmp_path / "same").symlink_to(big)
    for same in (big, tmp_path / "same", tmp_path / ".." / tmp_path.name / "big.safetensors"):
        with raises("file.output_is_input"):
            compress_file(big, RECIPE, same)
    index = shards(tmp_path, TWO, 2)
    for output in (index, tmp_path / "model-00001-of-00002.safetensors"):
        with raises("file.output_is_input"):
            compress_file(index, RECIPE, output)
    small = tmp_path / "small.safetensors"
    compress_file(big, RECIPE, small)
    with raises("file.output_is_input", small):
        decompress(small, small)
    assert big.read_bytes() == before


def test_outputs_that_cannot_be_written(tmp_path) -> None:
    big, small = tmp_path / "big.safetensors", tmp_path / "small.safetensors"
    save_file(TWO, big)
    compress_file(big, RECIPE, small)
    for output, code in (
        (tmp_path, "is_a_folder"),
        (tmp_path / "none" / "out", "cannot_write"),
        (big / "out", "cannot_write"),
    ):
        with raises(f"file.{code}", output):
            compress_file(big, RECIPE, output)
        with raises(f"file.{code}", output):
            decompress(small, output)
    assert {path.name for path in tmp_path.iterdir()} == {big.name, small.name}


def test_a_full_disk(tmp_path, monkeypatch) -> None:
    big, small = tmp_path / "big.safetensors", tmp_path / "small.safetensors"
    save_file(TWO, big)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("workbench.streaming.resume.container.write", full)
        with raises("file.cannot_write", "No space left on device"):
            compress_file(big, RECIPE, small)
    assert not small.exists()
    compress_file(big, RECIPE, small)
    with monkeypatch.context() as patched:
        patched.setattr(expanding, "_bytes", full)
        with raises("file.cannot_write", "No space left on device"):
            decompress(small, tmp_path / "again")
        patched.setattr(expanding.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        with raises("file.no_space"):
            decompress(small, tmp_path / "again")
    assert {path.name for path in tmp_path.iterdir()} == {big.name, small.name}


def test_more_tensors_than_a_header_can_list(tmp_path, monkeypatch) -> None:
    save_file(TWO, tmp_path / "big.safetensors")
    monkeypatch.setattr("workbench.artifact.container.MAX_HEADER_BYTES", 200)
    with raises("artifact.too_many_tensors"):
        compress_file(tmp_path / "big.safetensors", RECIPE, tmp_path / "small")
    assert {path.name for path in tmp_path.iterdir()} == {"big.safetensors"}


def test_long_names_are_refused_before_the_first_tensor(tmp_path, monkeypatch) -> None:
    save_file({f"{n}" * 150: torch.ones(4, 4) for n in range(5)}, tmp_path / "big.safetensors")
    monkeypatch.setattr("workbench.artifact.container.MAX_HEADER_BYTES", 600)
    monkeypatch.delattr("workbench.streaming.compress.encode_tensor")  # nothing is encoded
    with raises("artifact.too_many_tensors"):
        compress_file(tmp_path / "big.safetensors", RECIPE, tmp_path / "small")


def test_few_bytes_that_claim_terabytes(tmp_path) -> None:
    zeros = Artifact.of(
        "file:w", Recipe(), encode_tensors({"w": torch.zeros(8, 8)}, Recipe())
    ).to_bytes()
    text = zeros[zeros.index(b'{"model"') :]
    for shape, refused in ((b"[8,8]", False), (b"[9999999,9999999]", True)):
        path = _with_digest(tmp_path, text.replace(b"[8,8]", shape))
        if refused:
            with raises("artifact.decoded_too_large"):
                decompress(path, tmp_path / "again")
        else:
            decompress(path, tmp_path / "again")
            (tmp_path / "again").unlink()
    assert not (tmp_path / "again").exists()


def _with_digest(folder, text):
    from workbench.artifact import container

    header = json.loads(text)
    path = folder / "claims.safetensors"
    path.write_bytes(container.pack({k: v for k, v in header.items() if k != "sha256"}, b"")[0])
    return path


def test_damaged_files_are_not_decompressed(tmp_path) -> None:
    save_file(TWO, tmp_path / "big.safetensors")
    small = tmp_path / "small.safetensors"
    compress_file(tmp_path / "big.safetensors", RECIPE, small)
    valid = small.read_bytes()
    for content in (b"", valid[:-1], valid + b"\0", valid[:-1] + b"\xff", save(TWO)):
        small.write_bytes(content)
        with pytest.raises(ArtifactError):
            decompress(small, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    with raises("file.missing", "none"):
        decompress(tmp_path / "none", tmp_path / "again")


@pytest.mark.parametrize("use", [wb.evaluate, wb.to_module])
def test_an_artifact_of_a_tensor_file_has_no_module(use, tmp_path):
    save_file(TWO, tmp_path / "two.safetensors")
    compress_file(tmp_path / "two.safetensors", RECIPE, tmp_path / "small.safetensors")
    with raises("model.tensors_only", "'two'"):
        use(wb.load(tmp_path / "small.safetensors"))
