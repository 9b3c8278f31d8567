"""The inputs of an ONNX file have the names of the network's code, whatever else has them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from workbench.deploy.entry import input_names
from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.deploy.onnx_names import rename
from workbench.runtime.batch import Batch

onnx = pytest.importorskip("onnx")


class Sum(nn.Module):
    """Adds a product of each of its named inputs."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3) * 2)
        self.val_0 = nn.Parameter(torch.ones(3))
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])

    def forward(self, **tensors):
        first, second = tensors.values()
        first, second = self.layers[0](first @ self.weight), self.layers[1](second * self.val_0)
        return torch.relu(first.mean(1, keepdim=True) + second)


class Only(nn.Module):
    """Takes one input, and has parameters of the names that a file's input and output have."""

    def __init__(self):
        super().__init__()
        self.input = nn.Parameter(torch.randn(4, 3))
        self.output = nn.Parameter(torch.randn(4))

    def forward(self, values):
        return nn.functional.linear(values, self.input, self.output)


class Linear(nn.Module):
    """Takes arguments that are named like its parameters, one of which is named like a product."""

    def __init__(self):
        super().__init__()
        self.weight, self.linear = nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.randn(4))
        self.tensors_0 = nn.Parameter(torch.randn(4))

    def forward(self, weight, linear):
        product = nn.functional.linear(weight, self.weight, self.linear)
        return product + linear * self.tensors_0


class Rest(nn.Module):
    """Takes a first input, which is named like one of the others, and any number of others."""

    def forward(self, input_1, *others):
        return torch.cat([input_1, *others], 1).cumsum(1)


NAMES = [
    ("output", "input"),
    ("weight", "layers.0.weight"),
    ("linear", "mean"),
    ("relu", "add"),
    ("val_7", "node_x_5"),
    ("0", "1"),
    ("class", 'a "b"\\\n'),
    ("größe", "x.1/y"),
    ("", "input_2"),
]


def run(module, batch):
    onnxruntime = pytest.importorskip("onnxruntime")
    names = input_names(module, batch)
    session = onnxruntime.InferenceSession(onnx_bytes(module, batch))
    assert tuple(entry.name for entry in session.get_inputs()) == names
    (outputs,) = session.run(None, dict(zip(names, batch.arrays(), strict=True)))
    return names, outputs


@pytest.mark.slow
@pytest.mark.parametrize("names", NAMES)
def test_inputs_keep_the_names_of_the_code(names):
    torch.manual_seed(0)
    module, generator = Sum().eval(), torch.Generator().manual_seed(1)
    tensors = {name: torch.randn(TRACED, 3, generator=generator) for name in names}
    with torch.no_grad():
        expected = module(**tensors).numpy()
    written, outputs = run(module, Batch.of(tensors))
    assert written == tuple(name or "input_3" for name in names)
    assert np.abs(outputs - expected).max() < 1e-5


@pytest.mark.slow
def test_parameters_may_be_named_like_the_input_and_the_output():
    module, inputs = Only().eval(), torch.randn(TRACED, 3)
    expected = module(inputs).detach().numpy()
    names, outputs = run(module, Batch.of(inputs))
    assert names == ("input",)
    assert np.abs(outputs - expected).max() < 1e-5


@pytest.mark.slow
def test_arguments_may_be_named_like_parameters():
    module, tensors = Linear().eval(), (torch.randn(TRACED, 3), torch.randn(TRACED, 4))
    expected = module(*tensors).detach().numpy()
    names, outputs = run(module, Batch.of(tensors))
    assert names == ("weight", "linear")
    assert np.abs(outputs - expected).max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("others", [1, 2])
def test_a_first_input_and_any_number_of_others(others):
    tensors = tuple(torch.randn(TRACED, 2) for _number in range(others + 1))
    expected = Rest()(*tensors).numpy()
    names, outputs = run(Rest(), Batch.of(tensors))
    assert names == ("input_1", "input_2", "input_3")[: others + 1]
    assert np.abs(outputs - expected).max() < 1e-5


def test_generated_names_do_not_depend_on_earlier_exports():
    value = onnx.helper.make_tensor_value_info
    entry, result = (value(name, onnx.TensorProto.FLOAT, ["n"]) for name in ("x", "abs"))

    def graph(first):
        a, b = f"val_{first}", f"val_{first + 1}"
        nodes = [
            onnx.helper.make_node("Neg", ["x"], [a], name=f"node_Neg_{first}"),
            onnx.helper.make_node("Add", [a, "bias_2"], [b], name="node_Add_7"),
            onnx.helper.make_node("Abs", [b], ["abs"], name="node_abs"),
        ]
        return onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [entry], [result]))

    early, late = graph(0), graph(16)
    for proto in (early, late):
        rename(proto, ["val_0"], "output")
    assert early == late
    first, second, last = early.graph.node
    assert [*first.input, *second.input] == ["val_0", "val_0_", "bias_2"]
    assert [first.name, second.name, last.name] == ["node_Neg_0", "node_Add_0", "node_abs"]
    assert [*last.output] == [early.graph.output[0].name] == ["output"]
