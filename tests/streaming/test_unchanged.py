"""What no recipe changes survives: metadata, and tensors of dtypes that nothing computes with."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.artifact import reader
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress

RECIPE = Recipe(Prune(0.5), Quantize(4, granularity="group"))
METADATA = {"trigger": "x", "license": "mit", "ss_tag_frequency": '{"a": 3}', "name": "模型"}


def header_of(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length])


def round_trip(big):
    small, again = big.with_name("small"), big.with_name("again.safetensors")
    artifact = compress_file(big, RECIPE, small)
    assert artifact.size == small.stat().st_size
    assert OnDiskArtifact.open(small).ledger.as_dict() == artifact.ledger.as_dict()
    decompress(small, again)
    return again


def test_metadata_are_written_back(tmp_path):
    big = tmp_path / "big.safetensors"
    save_file({"w": torch.randn(8, 8)}, big, metadata=METADATA)
    assert header_of(round_trip(big))["__metadata__"] == {"format": "pt", **METADATA}
    assert OnDiskArtifact.open(tmp_path / "small").metadata == METADATA


def test_a_file_without_metadata_has_the_same_bytes_as_in_memory(tmp_path):
    tensors = {"w": torch.randn(8, 8)}
    plain, marked = tmp_path / "m.safetensors", tmp_path / "b" / "m.safetensors"
    marked.parent.mkdir()
    save_file(tensors, plain)
    save_file(tensors, marked, metadata={"format": "pt"})
    for path in (plain, marked):
        compress_file(path, RECIPE, path.with_name("small"))
    assert (tmp_path / "small").read_bytes() == (tmp_path / "b" / "small").read_bytes()


def test_metadata_of_shards(tmp_path, shards):
    index = shards(tmp_path, {f"w{n}": torch.randn(8, 8) for n in range(4)}, 2)
    for path in tmp_path.glob("*.safetensors"):
        save_file(load_file(path), path, metadata={"shard": path.stem, "license": "mit"})
    compress_file(index, RECIPE, tmp_path / "small")
    metadata = OnDiskArtifact.open(tmp_path / "small").metadata
    assert metadata == {"license": "mit", "shard": "model-00001-of-00002"}


def write_raw(path, tensors):
    """Write (dtype name, shape, bytes) by name as safetensors, without the library."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [
        ("F8_E4M3", [64, 48], 64 * 48),
        ("F8_E5M2", [3], 3),
        ("F8_E8M0", [16, 2], 32),
        ("F4", [64, 48], 64 * 24),
        ("F6_E2M3", [4, 4], 12),
        ("C64", [5, 2], 80),
        ("SOME_LATER_TYPE", [7], 21),
        ("F8_E4M3", [0, 4], 0),
    ],
)
def test_tensors_of_other_dtypes_stay_byte_for_byte(tmp_path, dtype, shape, size):
    content = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8).tobytes()
    weights = np.random.default_rng(1).standard_normal((32, 64), dtype=np.float32)
    big = tmp_path / "big.safetensors"
    write_raw(big, {"w": ("F32", [32, 64], weights.tobytes()), "other": (dtype, shape, content)})
    again = round_trip(big)
    entry = header_of(again)["other"]
    first, last = entry.pop("data_offsets")
    assert entry == {"dtype": dtype, "shape": shape}
    stored = again.read_bytes()
    start = 8 + struct.unpack("<Q", stored[:8])[0]
    assert stored[start + first : start + last] == content
    tensors, header = reader.read((tmp_path / "small").read_bytes())
    assert tensors["other"].tobytes() == content
    assert header["tensors"]["other"]["raw"] == [dtype, shape]


def test_pytorch_reads_8_bit_floats_again(tmp_path):
    weight = torch.randn(16, 16).to(torch.float8_e4m3fn)
    save_file({"w": weight, "scale": torch.ones(())}, tmp_path / "big.safetensors")
    again = load_file(round_trip(tmp_path / "big.safetensors"))
    assert again["w"].dtype == torch.float8_e4m3fn
    assert torch.equal(again["w"].view(torch.uint8), weight.view(torch.uint8))
