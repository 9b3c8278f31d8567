"""A file of weights is one of a built-in network's, one of ours, or refused with a sentence."""

from __future__ import annotations

import json
import re
import struct

import pytest
import torch
from safetensors.torch import save

import workbench as wb
from workbench.custom.uploads import weights as fitting_file
from workbench.errors import Cancelled, WorkbenchError

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
    "deep": safetensors(b"[" * 100_000),
    "too little data": safetensors(entry(), b"\0" * 4),
    "too much data": safetensors(entry(), b"\0" * 12),
    "offsets backwards": safetensors(entry(offsets=(8, 0)), b"\0" * 8),
    "offsets outside": safetensors(entry(offsets=(0, 2**40)), b"\0" * 8),
    "negative offsets": safetensors(entry(offsets=(-8, 0)), b"\0" * 8),
    "a shape that does not fit": safetensors(entry(shape=(3,)), b"\0" * 8),
    "a shape beyond numbers": safetensors(entry(shape=(2**62, 2**62)), b"\0" * 8),
    "a negative shape": safetensors(entry(shape=(-2,)), b"\0" * 8),
    "an unknown dtype": safetensors(entry(dtype="F33"), b"\0" * 8),
    "pickle": b"\x80\x04cos\nsystem\n(S'exit 1'\ntR.",
    "a zip, as torch.save writes": b"PK\x03\x04" + b"\0" * 60,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_lying_file_is_one_sentence(name):
    with pytest.raises(WorkbenchError, match="no whole safetensors file") as told:
        fitting_file.read(BROKEN[name])
    assert re.fullmatch(r"[^\n]+\.", str(told.value))


def without(name):
    return {key: tensor for key, tensor in weights().items() if key != name}


MISFITS = {
    "nothing": (dict, "holds no tensors"),
    "one missing": (lambda: without("fc2.bias"), f"closest is {NAME}, but “fc2.bias” is missing"),
    "one more": (lambda: weights() | {"fc9.bias": torch.zeros(3)}, "but it has no “fc9.bias”"),
    "another shape": (
        lambda: weights() | {"fc1.weight": torch.zeros(300, 785)},
        f"closest is {NAME}, but “fc1.weight” is 300 × 785 and not 300 × 784",
    ),
    "not a number": (
        lambda: weights() | {"fc1.bias": torch.full((300,), torch.nan)},
        "“fc1.bias” holds values that are no numbers",
    ),
    "too large for float32": (
        lambda: weights() | {"fc1.bias": torch.full((300,), 1e300, dtype=torch.float64)},
        "no numbers",
    ),
    "whole numbers": (
        lambda: weights() | {"fc1.bias": torch.zeros(300, dtype=torch.int64)},
        "another kind of numbers",
    ),
    "of nobody": (lambda: {"a\nb" * 200: torch.zeros(2)}, "fit no built-in model"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_weights_that_fit_nothing_are_one_sentence(name):
    make, sentence = MISFITS[name]
    with pytest.raises(WorkbenchError, match=sentence) as told:
        fitting_file.match_builtin(fitting_file.read(save(make())))
    assert re.fullmatch(r"[^\n]+\.", str(told.value))


def test_a_file_may_not_be_larger_than_said(monkeypatch):
    monkeypatch.setattr(fitting_file, "WEIGHTS_BYTES", 1000)
    with pytest.raises(WorkbenchError, match="larger than"):
        fitting_file.read(save(weights()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_weights_that_fit_are_a_model_of_the_same_task(dtype):
    mine = {name: (tensor * 0.9).to(dtype) for name, tensor in weights().items()}
    base, tensors = fitting_file.match_builtin(fitting_file.read(save(mine)))
    assert base.name == NAME
    shares = []
    model = fitting_file.model_with_weights("mine", base, tensors, shares.append)
    assert shares[-1] == 1
    assert model.task is base.task
    assert model.layers == base.layers
    assert all(torch.equal(model.weights()[name], mine[name].float()) for name in mine)
    report = wb.measure(model, wb.Recipe(), timed=False)
    assert report.value == model.metric_value("validation")
    assert "custom/mine" in wb.models("fashion")


def test_the_same_weights_have_the_same_figures_and_everything_works():
    base, tensors = fitting_file.match_builtin(weights())
    model = fitting_file.model_with_weights("same", base, tensors)
    for split in ("validation", "test"):
        assert model.metric_value(split) == base.metric_value(split)
    assert model.original_bytes == base.original_bytes
    recipe = wb.Recipe(structure=wb.Structure(0.3), quantize=wb.Quantize(4))
    ours, theirs = (wb.measure(one, recipe, timed=False) for one in (model, base))
    assert ours.value == theirs.value
    won = wb.train(model, wb.Recipe(wb.Prune(0.9)), steps=2)
    assert won.model == "custom/same"
    assert wb.evaluate(won).model == "custom/same"


def test_measuring_given_up_leaves_nothing():
    with pytest.raises(Cancelled):
        fitting_file.model_with_weights(
            "gone", *fitting_file.match_builtin(weights()), cancelled=lambda: True
        )
    assert "custom/gone" not in wb.models()


def test_a_file_of_our_own_is_told_from_others():
    artifact = wb.compress(wb.model(NAME), wb.Recipe(quantize=wb.Quantize(4)))
    data = artifact.to_bytes()
    assert fitting_file.is_workbench_file(data)
    assert not fitting_file.is_workbench_file(save(weights()))
    assert fitting_file.open_artifact(data).recipe == artifact.recipe
    with pytest.raises(WorkbenchError, match="cut short"):
        fitting_file.open_artifact(data[:-5])
