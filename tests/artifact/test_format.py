"""docs/format.md suffices to read every file: an independent reader decodes it bit for bit."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from safetensors import safe_open

from tests.recipes import random_recipe
from workbench import zoo
from workbench.artifact.artifact import Artifact
from workbench.compression.axes import Axes
from workbench.compression.codecs import huffman
from workbench.compression.encode import encode_tensors
from workbench.compression.roles import Roles, compressible
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Recipe
from workbench.zoo.registry import architecture

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
BUFFER = Roles((), frozenset({"w"}))
RECIPES, LARGE_RECIPES = 40, 8  # for each model below and above 100,000 weights
LARGE = 100_000


def weights_of(name: str) -> dict[str, torch.Tensor]:
    """Return heavy-tailed weights of the model's shapes, like trained ones."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(tensor.shape, generator=generator) ** 3 / 10
        if tensor.is_floating_point()
        else tensor
        for name, tensor in architecture(name).build().state_dict().items()
    }


def flattened(entries):
    """Yield the entries, with factors in place of a factorized tensor."""
    for entry in entries:
        yield from entry.get("factors", [entry])


def features(header) -> set[str]:
    """Return the features of the format that a file uses."""
    used = set()
    for entry in flattened(header["tensors"].values()):
        used |= set(entry) & {"bitmap", "blocks", "affine", "group", "huffman", "shared"}
        uncompressed = not entry.keys() & {"bits", "shared"}
        used.add(entry.get("dtype", "f32") if uncompressed else f"{entry.get('bits', 'no')} bits")
        if "gaps" in entry:
            used.add("packed gaps" if len(entry["gaps"]) == 3 else "Huffman gaps")
        if "runs" in entry:
            used.add("packed runs" if len(entry["runs"]) == 2 else "Huffman runs")
        if "group" in entry and np.prod(entry["shape"]) // entry["rows"] % entry["group"]:
            used.add("short last run")
    return used


ALL = {"bitmap", "affine", "group", "short last run", "huffman", "packed gaps", "Huffman gaps"}
ALL |= {"blocks", "packed runs", "Huffman runs", "shared", "no bits"}
ALL |= {"f32", "bf16", "fp16", "i64"} | {f"{bits} bits" for bits in range(2, 9)}


def assert_equal(got: np.ndarray, want: torch.Tensor) -> None:
    assert got.shape == tuple(want.shape)
    assert got.dtype == want.numpy().dtype
    assert got.tobytes() == want.contiguous().numpy().tobytes()


def test_the_reader_is_short_and_imports_only_numpy_and_json(reader) -> None:
    source = Path(reader.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 220
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        if isinstance(node, ast.Name):
            assert node.id not in {"__import__", "exec", "eval", "compile"}
    assert imported <= {"itertools", "json", "numpy"}
    assert "math" in sys.stdlib_module_names


@pytest.mark.slow
def test_the_reader_decodes_random_recipes_bit_for_bit(reader) -> None:
    seen = Counter()
    for name in zoo.models("fashion"):
        rng = Random(name)
        weights = weights_of(name)
        names = compressible(weights)
        stats = CalibrationStats({layer: weights[layer].abs().sqrt() for layer in names})
        size = sum(weight.numel() for weight in weights.values())
        for _ in range(LARGE_RECIPES if size > LARGE else RECIPES):
            recipe = random_recipe(rng, names)
            artifact = Artifact.of(name, recipe, encode_tensors(weights, recipe, stats))
            decoded, header = reader.read(artifact.to_bytes())
            loaded = Artifact.from_bytes(artifact.to_bytes()).weights()
            expected = artifact.weights()
            assert list(decoded) == list(loaded) == list(expected) == list(weights)
            for layer, values in decoded.items():
                assert_equal(values, expected[layer])
                assert_equal(values, loaded[layer])
            assert header["recipe"] == recipe.as_dict()
            seen.update(features(header))
    assert set(seen) == ALL


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0), (1, 1), (3, 683), (1, 1025)])
@pytest.mark.parametrize("fill", [0.0, 0.7])
def test_the_reader_decodes_edge_shapes(reader, shape, fill) -> None:
    weights = {"w": torch.full(shape, fill)}
    rng = Random(0)
    stats = CalibrationStats({"w": torch.ones(shape)})
    for _ in range(20):
        recipe = random_recipe(rng, compressible(weights))
        artifact = Artifact.of("edge", recipe, encode_tensors(weights, recipe, stats))
        decoded, _ = reader.read(artifact.to_bytes())
        assert_equal(decoded["w"], artifact.weights()["w"])


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((7, 9), Axes((1,), (0,))),
        ((4, 6, 3), Axes((1,), (0,), 2)),
        ((3, 3, 5, 2), Axes((2, 3), ())),
        ((4, 2, 5), Axes((2,), (0, 1))),
        ((4, 2, 5), Axes((1, 0), (2,))),
        ((2, 6, 1, 3), Axes((0,), (3, 1), 3)),
        ((3, 4), Axes((), ())),
        ((0, 3), Axes((1,), (0,))),
    ],
)
def test_the_reader_decodes_permuted_tensors(reader, shape, axes) -> None:
    weights = {"w": torch.randn(shape, generator=torch.Generator().manual_seed(0))}
    stats = CalibrationStats({"w": torch.ones(shape)})
    roles = Roles(("w",), axes={"w": axes})
    rng = Random(0)
    for _ in range(20):
        recipe = random_recipe(rng, ("w",))
        artifact = Artifact.of(
            "permuted", recipe, encode_tensors(weights, recipe, stats, roles=roles)
        )
        decoded, _ = reader.read(artifact.to_bytes())
        expected = artifact.weights()["w"]
        assert expected.shape == shape
        assert expected.is_contiguous()
        assert_equal(decoded["w"], expected)
        assert_equal(Artifact.from_bytes(artifact.to_bytes()).weights()["w"].numpy(), expected)
        assert artifact.ledger.total == len(artifact)


@pytest.mark.parametrize(
    "dtype",
    [
        *(torch.float64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8),
        torch.bool,
    ],
)
def test_the_reader_decodes_other_dtypes(reader, dtype) -> None:
    weights = {"w": (torch.arange(-50, 50).view(10, 10) // 7).to(dtype)}
    artifact = Artifact.of("types", Recipe(), encode_tensors(weights, Recipe()))
    decoded, _ = reader.read(artifact.to_bytes())
    assert_equal(decoded["w"], weights["w"])


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_the_reader_decodes_complex_buffers(reader, dtype) -> None:
    weights = {"w": torch.polar(torch.ones(3, 4), torch.arange(12.0).view(3, 4)).to(dtype)}
    artifact = Artifact.of("types", Recipe(), encode_tensors(weights, Recipe(), roles=BUFFER))
    decoded, _ = reader.read(artifact.to_bytes())
    assert_equal(decoded["w"], weights["w"])


def test_the_reader_returns_the_bits_of_eight_bit_floats(reader) -> None:
    for dtype in (torch.float8_e4m3fn, torch.float8_e5m2):
        weights = {"w": torch.arange(256, dtype=torch.uint8).view(dtype)}
        artifact = Artifact.of("types", Recipe(), encode_tensors(weights, Recipe(), roles=BUFFER))
        decoded, _ = reader.read(artifact.to_bytes())
        assert decoded["w"].tolist() == list(range(256))


def page_hex(pattern: str) -> bytes:
    return bytes.fromhex("".join(re.findall(pattern, PAGE, re.MULTILINE)))


def test_the_example_in_the_page(reader) -> None:
    blob = page_hex(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+)")
    assert f"{len(blob)} bytes" in PAGE
    weight = np.zeros((2, 12), np.float32)
    weight[0, 2], weight[0, 11], weight[1, 9] = 0.75, -0.21428572, -1.75
    decoded, header = reader.read(blob)
    np.testing.assert_array_equal(decoded["fc.weight"], weight)
    np.testing.assert_array_equal(decoded["fc.bias"], [1, -0.5])
    artifact = Artifact.from_bytes(blob)
    assert artifact.model == header["model"] == "example"
    for name, tensor in artifact.weights().items():
        assert_equal(decoded[name], tensor)


def test_the_huffman_example_in_the_page(reader) -> None:
    symbols, part = re.search(
        r"8 symbols ((?:\d ){8})of an\s+alphabet of 4 are\s+`([^`]+)`", PAGE
    ).groups()
    values = np.array(symbols.split(), np.uint8)
    assert huffman.encode(values, huffman.plan(values, 4)).hex(" ") == part
    stream = reader.Stream(bytes.fromhex(part))
    assert stream.huffman(8, 4, 6).tolist() == values.tolist()


def test_the_header_is_compact_utf8_and_the_digest_is_as_the_page_says() -> None:
    weights = {"größe.weight": torch.ones(2, 2), 'odd "name"\n': torch.zeros(1)}
    artifact = Artifact.of("modèle", Recipe(), encode_tensors(weights, Recipe()))
    blob = artifact.to_bytes()
    start = 8 + int.from_bytes(blob[:8], "little")
    assert start % 8 == 0
    size = json.loads(blob[8:start])["header"]["shape"][0]
    header, data = blob[start : start + size], blob[start + size :]
    assert "größe.weight".encode() in header
    assert b'"modE8le"'.replace(b"E8", "è".encode()) in header
    assert header == json.dumps(
        json.loads(header), separators=(",", ":"), ensure_ascii=False
    ).encode("utf-8")
    assert list(json.loads(header)) == ["model", "recipe", "spec", "tensors", "sha256"]
    digest = hashlib.sha256(header[:-66] + header[-2:] + data).hexdigest()
    assert digest == json.loads(header)["sha256"] == artifact.digest
    assert list(Artifact.from_bytes(blob).weights()) == list(weights)


def test_the_official_safetensors_opens_a_file(small, tmp_path) -> None:
    path = small.save(tmp_path / "small.safetensors")
    with safe_open(path, "numpy") as opened:
        assert opened.metadata() == {"format": "workbench/2"}
        assert sorted(opened.keys()) == ["data", "header"]
        header = opened.get_tensor("header").tobytes()
        data = opened.get_tensor("data").tobytes()
    assert small.to_bytes().endswith(header + data)
    assert json.loads(header)["model"] == "small"
