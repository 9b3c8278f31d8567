"""A file that lies, or is not whole, is one clear sentence, and nothing is left behind."""

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
from workbench.artifact.artifact import Artifact
from workbench.compression.encode import encode_tensors
from workbench.errors import ArtifactError, RecipeError, WorkbenchError
from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming import decompress as expanding
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress

RECIPE = Recipe(quantize=Quantize(4))
TWO = {"a": torch.ones(4, 4), "b": torch.ones(2, 2)}


def headed(header, data: bytes = bytes(80)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(first, last, shape=(4, 4), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


GOOD = {"a": entry(0, 64), "b": entry(64, 80, (2, 2))}
LIES = {
    "empty": (b"", "ends before its header"),
    "three bytes": (b"abc", "ends before its header"),
    "a header without end": (struct.pack("<Q", 2**62), "ends before its header"),
    "no JSON": (headed(b"{nonsense"), "not a JSON object"),
    "a list": (headed([]), "not a JSON object"),
    "deep": (headed(b"[" * 100_000), "not a JSON object"),
    "entry of another kind": (headed({"a": 5}), "'a' does not make sense"),
    "no shape": (headed({"a": {"dtype": "F32", "data_offsets": [0, 80]}}), "does not make sense"),
    "negative": (headed({"a": entry(0, 64, (-4, -4))}), "does not make sense"),
    "truth value": (headed({"a": entry(0, 4, (True,))}), "does not make sense"),
    "backwards": (headed({"a": entry(64, 0)}), "which its shape does not"),
    "shape of other size": (headed(GOOD | {"b": entry(64, 80, (3, 3))}), "its shape does not"),
    "overlap": (headed(GOOD | {"b": entry(60, 76, (2, 2))}), "'a' and 'b' overlap"),
    "hole": (headed(GOOD | {"b": entry(68, 84, (2, 2))}), "leave a hole"),
    "hole before": (headed({"a": entry(16, 80)}), "cut short|leave a hole"),
    "out of range": (headed({"a": entry(0, 2**40, (2**38,))}), "is cut short"),
    "cut by one": (headed(GOOD, bytes(79)), "is cut short: .* where"),
    "longer by one": (headed(GOOD, bytes(81)), "1 bytes belong to no tensor"),
    "8-bit floats": (headed({"a": entry(0, 80, (80,), "F8_E4M3")}), "F8_E4M3, which cannot"),
    "truth values of 2": (headed({"a": entry(0, 4, (4,), "BOOL")}, b"\0\1\2\0"), "neither 0 nor 1"),
}


@pytest.mark.parametrize("fault", LIES)
def test_files_that_lie(tmp_path, fault) -> None:
    content, words = LIES[fault]
    path = tmp_path / "big.safetensors"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=words):
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


SPOILED = {
    "names the shard model-00002": _missing,
    "looks for 'b' in model-00001": _elsewhere,
    "looks for 'c' in model-00002": _unnamed,
    "its weight_map does not make sense": _outside,
    "is no index of shards": _no_map,
}


@pytest.mark.parametrize("words", SPOILED)
def test_shards_that_do_not_fit_together(tmp_path, shards, words) -> None:
    index = shards(tmp_path, TWO, 2)
    SPOILED[words](tmp_path, index)
    with pytest.raises(ArtifactError, match=words):
        compress_file(index, RECIPE, tmp_path / "small")


def test_folders(tmp_path) -> None:
    with pytest.raises(ArtifactError, match="holds no"):
        compress_file(tmp_path, RECIPE, tmp_path / "small")
    for name in ("one", "two"):
        save_file(TWO, tmp_path / f"{name}.safetensors")
    with pytest.raises(ArtifactError, match="name one of them"):
        compress_file(tmp_path, RECIPE, tmp_path / "small")
    with pytest.raises(ArtifactError, match="No such file"):
        compress_file(tmp_path / "none.safetensors", RECIPE, tmp_path / "small")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("recipe", [RECIPE, Recipe(Prune(0.5)), Recipe()], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_numbers_that_are_none(tmp_path, value, recipe, dtype) -> None:
    wrong = torch.ones(40, 40, dtype=dtype)
    wrong[7, 3] = value
    save_file({"fine": torch.ones(3, 3), "wrong": wrong}, tmp_path / "big.safetensors")
    with pytest.raises(RecipeError, match="wrong holds NaN or infinity"):
        compress_file(tmp_path / "big.safetensors", recipe, tmp_path / "small")


def test_a_name_that_is_not_there(tmp_path) -> None:
    save_file(TWO, tmp_path / "big.safetensors")
    with pytest.raises(RecipeError, match="'c'"):
        compress_file(tmp_path / "big.safetensors", Recipe(Prune(exclude=["c"])), tmp_path / "o")


def test_the_output_is_not_the_input(tmp_path, shards) -> None:
    big = tmp_path / "big.safetensors"
    save_file(TWO, big)
    before = big.read_bytes()
    (tmp_path / "same").symlink_to(big)
    for same in (big, tmp_path / "same", tmp_path / ".." / tmp_path.name / "big.safetensors"):
        with pytest.raises(ArtifactError, match="is the file to be compressed"):
            compress_file(big, RECIPE, same)
    index = shards(tmp_path, TWO, 2)
    for one in (index, tmp_path / "model-00001-of-00002.safetensors"):
        with pytest.raises(ArtifactError, match="is the file to be compressed"):
            compress_file(index, RECIPE, one)
    small = tmp_path / "small.safetensors"
    compress_file(big, RECIPE, small)
    with pytest.raises(ArtifactError, match="is the file to be expanded"):
        decompress(small, small)
    assert big.read_bytes() == before


def test_places_that_cannot_be_written(tmp_path) -> None:
    big, small = tmp_path / "big.safetensors", tmp_path / "small.safetensors"
    save_file(TWO, big)
    compress_file(big, RECIPE, small)
    for output in (tmp_path, tmp_path / "none" / "out", big / "out"):
        with pytest.raises(ArtifactError, match=r"is a folder|Cannot write"):
            compress_file(big, RECIPE, output)
        with pytest.raises(ArtifactError, match=r"is a folder|Cannot write"):
            decompress(small, output)
    assert {path.name for path in tmp_path.iterdir()} == {big.name, small.name}


def test_no_room(tmp_path, monkeypatch) -> None:
    big, small = tmp_path / "big.safetensors", tmp_path / "small.safetensors"
    save_file(TWO, big)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("workbench.streaming.resume.write", full)
        with pytest.raises(ArtifactError, match="No space left on device"):
            compress_file(big, RECIPE, small)
    assert not small.exists()
    compress_file(big, RECIPE, small)
    with monkeypatch.context() as patched:
        patched.setattr(expanding, "_bytes", full)
        with pytest.raises(ArtifactError, match="No space left on device"):
            decompress(small, tmp_path / "again")
        patched.setattr(expanding.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        with pytest.raises(ArtifactError, match="there is no room"):
            decompress(small, tmp_path / "again")
    assert {path.name for path in tmp_path.iterdir()} == {big.name, small.name}


def test_more_tensors_than_a_header_lists(tmp_path, monkeypatch) -> None:
    save_file(TWO, tmp_path / "big.safetensors")
    monkeypatch.setattr("workbench.artifact.container.MAX_HEADER_BYTES", 200)
    with pytest.raises(ArtifactError, match="cannot list so many tensors"):
        compress_file(tmp_path / "big.safetensors", RECIPE, tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_a_few_bytes_that_claim_terabytes(tmp_path) -> None:
    zeros = Artifact.of(
        "file:w", Recipe(), encode_tensors({"w": torch.zeros(8, 8)}, Recipe())
    ).to_bytes()
    text = zeros[zeros.index(b'{"model"') :]
    for shape, refused in ((b"[8,8]", False), (b"[9999999,9999999]", True)):
        path = _sealed_again(tmp_path, text.replace(b"[8,8]", shape))
        if refused:
            with pytest.raises(ArtifactError, match="pass a larger limit"):
                decompress(path, tmp_path / "again")
        else:
            decompress(path, tmp_path / "again")
            (tmp_path / "again").unlink()
    assert not (tmp_path / "again").exists()


def _sealed_again(folder, text):
    from workbench.artifact import container

    header = json.loads(text)
    path = folder / "claims.safetensors"
    path.write_bytes(container.pack({k: v for k, v in header.items() if k != "sha256"}, b"")[0])
    return path


def test_damaged_files_are_not_expanded(tmp_path) -> None:
    save_file(TWO, tmp_path / "big.safetensors")
    small = tmp_path / "small.safetensors"
    compress_file(tmp_path / "big.safetensors", RECIPE, small)
    whole = small.read_bytes()
    for content in (b"", whole[:-1], whole + b"\0", whole[:-1] + b"\xff", save(TWO)):
        small.write_bytes(content)
        with pytest.raises(ArtifactError):
            decompress(small, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    with pytest.raises(ArtifactError, match="No such file"):
        decompress(tmp_path / "none", tmp_path / "again")


@pytest.mark.parametrize("use", [wb.evaluate, wb.to_module])
def test_a_file_of_tensors_has_no_module(use, tmp_path):
    save_file(TWO, tmp_path / "two.safetensors")
    compress_file(tmp_path / "two.safetensors", RECIPE, tmp_path / "small.safetensors")
    with pytest.raises(WorkbenchError, match=r"without a model, .* workbench expand FILE gives"):
        use(wb.load(tmp_path / "small.safetensors"))
