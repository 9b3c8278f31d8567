"""A damaged or foreign file raises one clear error and never loads wrong weights."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings, strategies as st
from safetensors.torch import save

from tests.raises import raises
from workbench.artifact import container
from workbench.artifact.artifact import Artifact, load
from workbench.compression.encode import encode_tensors
from workbench.errors import ArtifactError
from workbench.recipe import Quantize, Recipe


@pytest.fixture(scope="module")
def blob() -> bytes:
    """A minimal file with quantized and uncompressed tensors."""
    weights = {"w": torch.tensor([[0.5, -1.0, 0.25], [0.0, 2.0, 1.0]]), "b": torch.ones(2)}
    recipe = Recipe(quantize=Quantize(4))
    return Artifact.of("tiny", recipe, encode_tensors(weights, recipe)).to_bytes()


def test_truncated_anywhere(blob) -> None:
    for length in range(len(blob)):
        with pytest.raises(ArtifactError):
            Artifact.from_bytes(blob[:length])


def test_any_byte_changed(blob) -> None:
    for at in range(len(blob)):
        for change in (0x01, 0x80, 0xFF):
            damaged = bytearray(blob)
            damaged[at] ^= change
            with pytest.raises(ArtifactError):
                Artifact.from_bytes(bytes(damaged))


@pytest.mark.parametrize("missing", [1, 8])
def test_an_outer_header_that_is_longer_than_the_file(blob, missing) -> None:
    length = (len(blob) - 8 + missing).to_bytes(8, "little")
    with raises("artifact.invalid_start"):
        Artifact.from_bytes(length + blob[8:])


@settings(deadline=None)
@given(st.data())
def test_bytes_added_removed_or_replaced(small, data) -> None:
    blob = small.to_bytes()
    start = data.draw(st.integers(0, len(blob)))
    end = data.draw(st.integers(start, min(len(blob), start + 40)))
    other = data.draw(st.binary(max_size=40))
    damaged = blob[:start] + other + blob[end:]
    if damaged != blob:
        with pytest.raises(ArtifactError):
            Artifact.from_bytes(damaged)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes(noise) -> None:
    with pytest.raises(ArtifactError):
        Artifact.from_bytes(noise)


def outer(header: bytes, rest: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + rest


def described(first: object, last: object, text: str = "workbench/2") -> bytes:
    return json.dumps(
        {
            "__metadata__": {"format": text},
            "header": {"dtype": "U8", "shape": [first], "data_offsets": [0, first]},
            "data": {"dtype": "U8", "shape": [0], "data_offsets": [first, last]},
        },
        separators=(",", ":"),
    ).encode()


FOREIGN = {
    "empty": (b"", "empty"),
    "short": (b"abc", "too_short"),
    "text": (b"A quiet note about the weather.\n" * 20, "invalid_start"),
    "zeros": (bytes(500), "not_json"),
    "huge header": (b"\xff" * 8 + bytes(100), "invalid_start"),
    "other safetensors": (save({"w": torch.ones(3)}), "unknown_format"),
    "other format": (save({"w": torch.ones(3)}, metadata={"format": "pt"}), "unknown_format"),
    "later version": (outer(described(2, 2, "workbench/3"), b"{}"), "unknown_format"),
    "list outside": (outer(b"[1, 2]"), "header_not_an_object"),
    "not UTF-8": (outer(b'{"\xff": 1}'), "not_json"),
    "deep outside": (outer(b"[" * 100_000 + b"]" * 100_000), "not_json"),
    "metadata of another kind": (outer(b'{"__metadata__": []}'), "unknown_format"),
    "only metadata": (
        outer(b'{"__metadata__":{"format":"workbench/2"}}'),
        "outer_header_damaged",
    ),
    "float sizes": (outer(described(2.0, 2.0), b"{}"), "outer_header_damaged"),
    "Boolean sizes": (outer(described(True, True), b"{"), "outer_header_damaged"),
    "text sizes": (outer(described("2", "2"), b"{}"), "outer_header_damaged"),
    "negative sizes": (outer(described(-2, 2), b"{}"), "outer_header_damaged"),
    "infinite sizes": (outer(described(1e999, 1e999), b"{}"), "wrong_size"),
    "sizes of many digits": (outer(b'{"a":' + b"9" * 5000 + b"}"), "not_json"),
    "surplus": (outer(described(2, 2), b"{}{}"), "wrong_size"),
    "spaces": (outer(described(2, 2) + b"  ", b"{}"), "outer_header_damaged"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign(name, tmp_path) -> None:
    content, reason = FOREIGN[name]
    (tmp_path / "file").write_bytes(content)
    facts = ["workbench/2"] if reason == "unknown_format" else []
    with raises(f"artifact.{reason}", *facts):
        load(tmp_path / "file")


INSIDE = {
    "not JSON": b"{",
    "a list": b"[]",
    "no digest": b"{}",
    "wrong digest": b'{"sha256":"00"}',
    "digest of another kind": b'{"sha256":[]}',
    "spaces": b'{ "sha256":""}',
    "unpaired surrogate": b'{"sha256":"\\ud800"}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep in an object": b'{"recipe":' + b'{"a":' * 900 + b"1" + b"}" * 901,
    "key twice": b'{"sha256":"","sha256":""}',
    "UTF-16": '{"sha256":""}'.encode("utf-16"),
}


@pytest.mark.parametrize("name", INSIDE)
def test_a_header_without_its_digest(name) -> None:
    header = INSIDE[name]
    with pytest.raises(ArtifactError):
        Artifact.from_bytes(container._outer_header(len(header), 0) + header)


def test_an_overlong_header_is_not_parsed() -> None:
    header = b'{"a":"' + b"a" * container.MAX_HEADER_BYTES + b'"}'
    with raises("artifact.outer_header_damaged"):
        Artifact.from_bytes(container._outer_header(len(header), 0) + header)
