"""Networks that take several or named tensors, and return more than a tensor."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.deploy.deployment import deploy
from workbench.deploy.entry import check_one_input, input_names
from workbench.deploy.onnx_file import TRACED
from workbench.deploy.package import Package
from workbench.deploy.torch_file import program_bytes
from workbench.runtime.batch import Batch

COUNT, WORDS, LENGTH = 120, 30, 7
INTEGERS = wb.Recipe(wb.Quantize(8), wb.Activations(7))
"""Products of 7 bits fit into 16, so that OpenVINO adds them exactly without VNNI instructions."""


@dataclass
class Answer:
    """What models of some libraries return."""

    loss: torch.Tensor | None
    logits: torch.Tensor


class Masked(nn.Module):
    """Takes words and a mask by name; returns an object."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, 16)
        self.hidden, self.classes = nn.Linear(16, 16), nn.Linear(16, 3)

    def forward(self, *, input_ids=None, labels=None, attention_mask=None):
        weights = attention_mask[..., None].float()
        mean = (self.words(input_ids) * weights).sum(1) / weights.sum(1)
        return Answer(labels, self.classes(torch.relu(self.hidden(mean))))


class Pair(nn.Module):
    """Takes two pictures in order; returns a tuple."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 8))
        self.classes = nn.Linear(16, 3)

    def forward(self, first, second):
        both = torch.cat([self.tower(first), self.tower(second) - 1], 1)
        return self.classes(both), both


class Columns(nn.Module):
    """Takes any number of tensors; predicts a number for each row."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, *columns):
        return {"prediction": self.layers(torch.cat(columns, 1))}


def masked(generator):
    words = torch.randint(1, WORDS, (COUNT, LENGTH), generator=generator)
    lengths = torch.randint(2, LENGTH + 1, (COUNT, 1), generator=generator)
    return {"attention_mask": torch.arange(LENGTH) < lengths, "input_ids": words}


def pair(generator):
    return tuple(torch.randn(COUNT, 1, 8, 8, generator=generator) for _picture in range(2))


def columns(generator):
    return tuple(torch.randn(COUNT, width, generator=generator) for width in (2, 3))


NETWORKS = {"masked": (Masked, masked), "pair": (Pair, pair), "columns": (Columns, columns)}
NAMES = {
    "masked": ["attention_mask", "input_ids"],
    "pair": ["first", "second"],
    "columns": ["input_0", "input_1"],
}


def called(module, inputs):
    with torch.no_grad():
        outputs = module(**inputs) if isinstance(inputs, dict) else module(*inputs)
    if isinstance(outputs, tuple):
        return outputs[0]
    return outputs["prediction"] if isinstance(outputs, dict) else outputs.logits


def part(inputs, rows):
    if isinstance(inputs, dict):
        return {name: tensor[rows] for name, tensor in inputs.items()}
    return tuple(tensor[rows] for tensor in inputs)


@cache
def registered(name):
    """Return the inputs of a network and its registered model."""
    kind, make = NETWORKS[name]
    torch.manual_seed(0)
    module, inputs = kind().eval(), make(torch.Generator().manual_seed(1))
    outputs = called(module, inputs)
    targets = outputs + 0.1 if outputs.shape[1] == 1 else outputs.argmax(1)
    splits = {"train": slice(0, 40), "validation": slice(40, 80), "test": slice(80, COUNT)}
    data = {split: (part(inputs, rows), targets[rows]) for split, rows in splits.items()}
    return inputs, wb.from_module(module, **data, name=f"several-{name}")


@pytest.fixture(params=["onnxruntime", "openvino", "torch"])
def runtime(request):
    """Each installed runtime that takes several inputs."""
    pytest.importorskip(request.param)
    return request.param


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [wb.Recipe(wb.Prune(0.5), wb.Quantize(6)), INTEGERS])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_file_predicts_in_the_runtime_as_shown(runtime, name, recipe):
    _inputs, model = registered(name)
    artifact = wb.compress(model, recipe)
    package = wb.export(artifact, runtime)
    assert [entry["name"] for entry in package.manifest["inputs"]] == NAMES[name]
    agreement = wb.confirm(package, "test")
    assert agreement.confirmed, agreement.summary
    assert agreement.predictions == 40
    if agreement.equal == 40:
        expected = wb.evaluate(artifact, split="test", timed=False).value
        assert agreement.score.value == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_the_script_reads_the_arrays_by_name(runtime, tmp_path):
    inputs, model = registered("masked")
    artifact = wb.compress(model, wb.Recipe(wb.Quantize(6)))
    network = wb.export(artifact, runtime).save(tmp_path / "package")
    rows = part(inputs, slice(80, 89))
    np.savez(tmp_path / "inputs.npz", **{name: tensor.numpy() for name, tensor in rows.items()})
    command = [sys.executable, "-I", str(network.parent / "run.py")]
    files = [str(tmp_path / "inputs.npz"), str(tmp_path / "outputs.npy")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    expected = called(wb.to_module(artifact), rows).numpy()
    assert np.abs(np.load(files[1]) - expected).max() < 1e-5


@pytest.mark.slow
def test_inputs_in_another_order_are_noticed():
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    _inputs, model = registered("pair")
    package = wb.export(wb.compress(model, wb.Recipe()), "onnxruntime")
    graph = onnx.load_from_string(package.content)
    first, second = graph.graph.input
    first.name, second.name = second.name, first.name
    swapped = Package(graph.SerializeToString(), package.manifest, package.artifact)
    assert not wb.confirm(swapped).confirmed


@pytest.mark.slow
def test_all_of_the_page_runs():
    pytest.importorskip("onnxruntime")
    _inputs, model = registered("masked")
    artifact = wb.compress(model, wb.Recipe(wb.Quantize(8)))
    states = []
    deploy(
        artifact,
        [wb.Target("torch"), wb.Target("onnxruntime")],
        ResultCache(),
        states.append,
        cancel=CancelToken(),
    )
    last = states[-1]
    assert not last.error
    assert all(outcome.confirmed for outcome in last.outcomes), last.outcomes
    assert {timing.batch for timing in last.benchmark.timings} == {1, 64}
    assert last.roofline is not None


def test_a_module_is_unchanged_after_an_export():
    inputs, module = masked(torch.Generator().manual_seed(1)), Masked().eval()
    before = called(module, inputs)
    batch = Batch.of(part(inputs, slice(0, TRACED)))
    first, second = (program_bytes(module, batch) for _export in range(2))
    assert first == second
    assert torch.equal(called(module, inputs), before)


def test_names_are_those_of_the_code():
    two = Batch.of((torch.ones(3, 1), torch.ones(3, 2)))
    assert input_names(Pair(), two) == ("first", "second")
    assert input_names(Columns(), two) == ("input_0", "input_1")
    assert input_names(Columns(), two.with_tensors(two.tensors[:1])) == ("input",)
    assert input_names(Pair(), Batch.of({"b": torch.ones(1), "a": torch.ones(1)})) == ("b", "a")


def test_runtimes_of_one_input_refuse_with_the_number():
    check_one_input(Batch.of(torch.ones(3, 1)), "LiteRT")
    with raises("deploy.several_inputs", 2, "LiteRT"):
        check_one_input(Batch.of((torch.ones(3, 1), torch.ones(3, 2))), "LiteRT")
