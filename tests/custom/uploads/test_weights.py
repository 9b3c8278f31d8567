"""Uploaded weights: of a built-in network, a compressed file, or refused."""

from __future__ import annotations

import json
import re
import struct

import pytest
import torch
from safetensors.torch import save

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.custom.uploads import weights as uploads
from workbench.errors import Cancelled

NAME = "fashion/lenet-300-100"


def weights():
    return {name: tensor.clone() for name, tensor in wb.model(NAME).weights().items()}


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"fc1.weight": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


BROKEN = {
    "nothing": b"",
    "short": b"\x08\0\0",
    "a vast header": struct.pack("<Q", 2**63) + b"{}",
    "a header longer than the file": struct.pack("<Q", 100) + b"{}",
    "no JSON": safetensors(b"\xff\xfe{"),
    "no object": safetensors(b"[1, 2]"),
    "deeply nested": safetensors(b"[" * 100_000),
    "too little data": safetensors(entry(), b"\0" * 4),
    "too much data": safetensors(entry(), b"\0" * 12),
    "offsets backwards": safetensors(entry(offsets=(8, 0)), b"\0" * 8),
    "offsets outside": safetensors(entry(offsets=(0, 2**40)), b"\0" * 8),
    "negative offsets": safetensors(entry(offsets=(-8, 0)), b"\0" * 8),
    "a shape that does not fit": safetensors(entry(shape=(3,)), b"\0" * 8),
    "a shape that overflows": safetensors(entry(shape=(2**62, 2**62)), b"\0" * 8),
    "a negative shape": safetensors(entry(shape=(-2,)), b"\0" * 8),
    "an unknown dtype": safetensors(entry(dtype="F33"), b"\0" * 8),
    "pickle": b"\x80\x04cos\nsystem\n(S'exit 1'\ntR.",
    "a zip, as torch.save writes": b"PK\x03\x04" + b"\0" * 60,
}


@pytest.mark.parametrize("name", BROKEN)
def test_invalid_files_are_refused(name):
    with raises("upload.not_safetensors") as caught:
        uploads.read(BROKEN[name])
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


def without(name):
    return {key: tensor for key, tensor in weights().items() if key != name}


MISFITS = {
    "nothing": (dict, "upload.no_tensors"),
    "one missing": (
        lambda: without("fc2.bias"),
        "upload.unknown_weights",
        NAME,
        "“fc2.bias” is missing",
    ),
    "one more": (
        lambda: weights() | {"fc9.bias": torch.zeros(3)},
        "upload.unknown_weights",
        "no “fc9.bias”",
    ),
    "another shape": (
        lambda: weights() | {"fc1.weight": torch.zeros(300, 785)},
        "upload.unknown_weights",
        NAME,
        "“fc1.weight” is 300 × 785",
        "300 × 784",
    ),
    "NaN": (
        lambda: weights() | {"fc1.bias": torch.full((300,), torch.nan)},
        "upload.not_finite",
        "“fc1.bias”",
    ),
    "too large for float32": (
        lambda: weights() | {"fc1.bias": torch.full((300,), 1e300, dtype=torch.float64)},
        "upload.not_finite",
    ),
    "integers": (
        lambda: weights() | {"fc1.bias": torch.zeros(300, dtype=torch.int64)},
        "upload.dtype",
        "“fc1.bias”",
    ),
    "an unknown name": (lambda: {"a\nb" * 200: torch.zeros(2)}, "upload.unknown_weights"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_weights_that_fit_no_model_are_refused(name):
    make, code, *facts = MISFITS[name]
    with raises(code, *facts) as caught:
        uploads.match_builtin(uploads.read(save(make())))
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


def test_the_size_is_limited(monkeypatch):
    monkeypatch.setattr(uploads, "WEIGHTS_BYTES", 1000)
    with raises("upload.too_large"):
        uploads.read(save(weights()))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_weights_that_fit_become_a_model_of_the_same_task(dtype):
    scaled = {name: (tensor * 0.9).to(dtype) for name, tensor in weights().items()}
    base, tensors = uploads.match_builtin(uploads.read(save(scaled)))
    assert base.name == NAME
    fractions = []
    model = uploads.model_with_weights(
        "mine", base, tensors, CancelToken(on_progress=fractions.append)
    )
    assert fractions[-1] == 1
    assert model.task is base.task
    assert model.layers == base.layers
    assert all(torch.equal(model.weights()[name], scaled[name].float()) for name in scaled)
    report = wb.measure(model, wb.Recipe(), timed=False)
    assert report.value == model.metric_value("validation")
    assert "custom/mine" in wb.models("fashion")


@pytest.mark.slow
def test_the_same_weights_have_the_same_metrics_and_can_be_compressed_and_trained():
    base, tensors = uploads.match_builtin(weights())
    model = uploads.model_with_weights("same", base, tensors)
    for split in ("validation", "test"):
        assert model.metric_value(split) == base.metric_value(split)
    assert model.original_bytes == base.original_bytes
    recipe = wb.Recipe(structure=wb.Structure(0.3), quantize=wb.Quantize(4))
    report, expected = (wb.measure(m, recipe, timed=False) for m in (model, base))
    assert report.value == expected.value
    trained = wb.train(model, wb.Recipe(wb.Prune(0.9)), steps=2)
    assert trained.model == "custom/same"
    assert wb.evaluate(trained).model == "custom/same"


def test_cancelled_measuring_registers_no_model():
    with pytest.raises(Cancelled):
        uploads.model_with_weights(
            "gone", *uploads.match_builtin(weights()), cancel=CancelToken(lambda: True)
        )
    assert "custom/gone" not in wb.models()


def test_compressed_files_are_recognized():
    artifact = wb.compress(wb.model(NAME), wb.Recipe(quantize=wb.Quantize(4)))
    data = artifact.to_bytes()
    assert uploads.is_workbench_file(data)
    assert not uploads.is_workbench_file(save(weights()))
    assert uploads.open_artifact(data).recipe == artifact.recipe
    with raises("artifact.wrong_size"):
        uploads.open_artifact(data[:-5])
