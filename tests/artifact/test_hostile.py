"""A malicious file with a valid digest is rejected before it takes memory."""

from __future__ import annotations

import json
import tracemalloc
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tests.artifact.entries import (
    CODES,
    CODES_DATA,
    DAMAGED_PREPROCESSING,
    ENTRIES,
    GOOD,
    HEADERS,
    PREPROCESSING,
    SCALE,
    file,
)
from workbench.artifact import container
from workbench.artifact.artifact import Artifact
from workbench.errors import ArtifactError

MEMORY = 2**26
CODES_OF = {
    "recipe": ("unknown_recipe",),
    "spec": ("no_module_spec", "unknown_rewrite"),
    "model": ("no_model_or_recipe",),
    "tensors": ("invalid_entry",),
}


def refused(blob: bytes, *codes: str, fact: str = "", max_bytes: int = 2**24) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError) as caught:
            Artifact.from_bytes(blob, max_bytes=max_bytes)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert caught.value.code.removeprefix("artifact.") in codes
    assert fact in str(caught.value)


@pytest.mark.parametrize("name", GOOD)
def test_valid_entries(name, reader) -> None:
    blob = file(*GOOD[name])
    weight = Artifact.from_bytes(blob).weights()["w"]
    np.testing.assert_array_equal(weight, reader.read(blob)[0]["w"])


@pytest.mark.parametrize("name", ENTRIES)
def test_invalid_entries(name) -> None:
    refused(file(*ENTRIES[name]), "invalid_entry", "damaged_stream", "wrong_stream_lengths")


@pytest.mark.parametrize("name", HEADERS)
def test_invalid_headers(name) -> None:
    changes, code = HEADERS[name]
    refused(file(CODES, CODES_DATA, **changes), code)


def with_preprocessing(content, **changes) -> bytes:
    """Return a file with the key `preprocessing` in its place."""
    header = {"model": "m", "recipe": {}, "spec": [], "preprocessing": content}
    return container.pack({**header, "tensors": {"w": CODES}, **changes}, CODES_DATA)[0]


def test_preprocessing_is_read_and_counted() -> None:
    artifact = Artifact.from_bytes(blob := with_preprocessing(PREPROCESSING))
    assert artifact.preprocessing == PREPROCESSING
    plain = Artifact.from_bytes(file(CODES, CODES_DATA))
    assert artifact.ledger.preprocessing > len(json.dumps(PREPROCESSING, separators=(",", ":")))
    assert artifact.ledger.total == len(blob)
    grown = artifact.ledger.container - plain.ledger.container
    assert grown == len(blob) - len(plain) - artifact.ledger.preprocessing
    assert 0 <= grown <= 16  # the numbers and the padding of the outer header
    assert plain.preprocessing is None
    assert plain.ledger.preprocessing == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGED_PREPROCESSING)
def test_damaged_preprocessing_is_refused(name) -> None:
    refused(
        with_preprocessing(DAMAGED_PREPROCESSING[name]),
        "unknown_preprocessing",
        "invalid_preprocessing",
        "preprocessing_too_large",
    )


def test_preprocessing_in_another_place_is_refused() -> None:
    header = {"model": "m", "recipe": {}, "preprocessing": PREPROCESSING, "spec": []}
    blob, _ = container.pack(header | {"tensors": {"w": CODES}}, CODES_DATA)
    refused(blob, "unknown_header_keys")


@pytest.mark.parametrize(
    "entry",
    [
        {"shape": [2**40]},
        {"shape": [2**20, 2**20], "dtype": "u8"},
        {"shape": [2**40], "bits": 2, "rows": 1},
        {"shape": [2**40], "gaps": [0, 0, 2]},
        {"shape": [2**40], "bits": 2, "rows": 1, "gaps": [0, 0, 2]},
        {"shape": [2**40], "bits": 2, "rows": 1, "huffman": 100},
        {"shape": [2**40], "bitmap": 0},
        {
            "shape": [2**20, 2**20],
            "factors": [{"shape": [2**20, 1], "gaps": [0, 0, 2]}, {"shape": [1, 2**20]}],
        },
        {"shape": [2**40], "shared": [1, 1, 1], "gaps": [0, 0, 2]},
        {"shape": [2**20, 2**20], "blocks": [0, 64]},
        {"shape": [2**20, 2**20], "bits": 2, "rows": 1, "runs": [64, 1]},
    ],
)
@pytest.mark.parametrize("max_bytes", [2**10, 4 * 2**30])
def test_excessive_sizes_are_rejected_before_decoding(entry, max_bytes) -> None:
    refused(file(entry, SCALE), "decoded_too_large", max_bytes=max_bytes)


def test_the_limit_counts_all_tensors_and_their_width() -> None:
    def claim(**entry) -> bytes:
        return file(None, b"", tensors={str(k): entry for k in range(4)})

    empty = {"shape": [100], "gaps": [0, 0, 2]}
    assert Artifact.from_bytes(claim(**empty), max_bytes=1600)
    refused(claim(**empty), "decoded_too_large", fact="1,599", max_bytes=1599)
    refused(claim(**empty, dtype="f64"), "decoded_too_large", max_bytes=3199)


def test_few_bytes_cannot_claim_many_symbols() -> None:
    blocks = 10**5  # 200 kB that would become 100 MB
    part = b"\x11\x00" + bytes(2 * blocks)
    entry = {"shape": [1024 * blocks], "bits": 2, "rows": 1, "huffman": len(part)}
    refused(file(entry, SCALE + part), "damaged_stream", fact="symbols", max_bytes=2**32)


@pytest.mark.parametrize("depth", [100, 500, 700, 900, 950])
@pytest.mark.parametrize("place", ["recipe", "spec", "model", "tensors"])
def test_deep_nesting(depth, place) -> None:
    deep = {}
    for _ in range(depth):
        deep = {"prune": deep}
    try:
        blob = file(CODES, CODES_DATA, **{place: deep})
    except RecursionError:
        return  # the json module cannot write text that deep
    refused(blob, "digest_mismatch", "not_json", *CODES_OF[place])


def test_messages_stay_short() -> None:
    blob = file(CODES, CODES_DATA, recipe={"prune": {"sparsity": "x" * 10**6}})
    with pytest.raises(ArtifactError) as caught:
        Artifact.from_bytes(blob)
    assert len(str(caught.value)) < 300


WORDS = ["", "f32", "f64", "bf16", "i8"]
NUMBERS = [-1, 0, 1, 2, 3, 7, 8, 9, 255, 2**31, 2**47, 2**63, 10**30, 0.5, 1.0]
LISTS = [[], [1], [0, 0, 2], [3, 3, 3], [3, 3, 8, 90]]
JUNK = st.sampled_from([None, True, False, {}, *WORDS, *NUMBERS, *LISTS]).map(deepcopy)


def places(value, path=()):
    """Yield the path to every value inside plain data."""
    yield path
    keys = {dict: list, list: lambda items: range(len(items))}.get(type(value), lambda _: ())
    for key in keys(value):
        yield from places(value[key], (*path, key))


def change(draw, tensors) -> None:
    """Change, remove or add one value in the entries."""
    *path, last = draw(st.sampled_from([place for place in places(tensors) if len(place) > 1]))
    inside = tensors
    for key in path:
        inside = inside[key]
    action = draw(st.sampled_from(["replace", "nudge", "delete", "add"]))
    if action == "delete":
        del inside[last]
    elif action == "nudge" and isinstance(inside[last], int):
        inside[last] += draw(st.integers(-2, 2))
    elif action == "add" and isinstance(inside, dict):
        names = ["dtype", "bits", "rows", "group", "affine", "bitmap", "gaps", "huffman"]
        inside[draw(st.sampled_from(names))] = draw(JUNK)
    else:
        inside[last] = draw(JUNK)


@pytest.mark.slow
@settings(deadline=None, max_examples=600)
@given(st.data())
def test_changed_files_are_rejected_or_read_as_the_format_page_says(small, reader, data) -> None:
    header, content = container.unpack(small.to_bytes())
    header = deepcopy(header)
    for _ in range(data.draw(st.integers(0, 2))):
        change(data.draw, header["tensors"])
    content = bytearray(content)
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[at] = data.draw(st.integers(0, 255))
    blob, _ = container.pack(json.loads(json.dumps(header)), bytes(content))
    try:
        loaded = Artifact.from_bytes(blob, max_bytes=2**20)
    except ArtifactError:
        return
    decoded, _ = reader.read(blob)
    for name, tensor in loaded.weights().items():
        assert tensor.numpy().tobytes() == decoded[name].tobytes()
        assert tuple(tensor.shape) == decoded[name].shape
    assert loaded.ledger.total == len(blob)
