"""Layers that the exporter writes as several nodes, or as no node that a runtime has."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import workbench as wb
from workbench.deploy import export
from workbench.deploy.source import is_parametrized, with_values
from workbench.errors import InputError

onnx = pytest.importorskip("onnx")
helper = onnx.helper

INTEGERS = wb.Activations(8, biases="int32")


def model_of(module, name, *shape):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, *shape, generator=generator)
    data = {part: (inputs, torch.arange(60) % 3) for part in ("train", "validation", "test")}
    return wb.from_module(module.eval(), **data, name=name)


def written(artifact, nodes, shape, **constants):
    """Return a graph as the exporter writes it, with the codes of a file."""
    from workbench.deploy.integers.marks import DOMAIN
    from workbench.deploy.integers.rewrite import with_codes

    values = [
        helper.make_tensor_value_info(n, 1, d)
        for n, d in (("input", ["n", *shape]), ("output", None))
    ]
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    proto = helper.make_model(
        helper.make_graph(nodes, "g", values[:1], values[1:], stored),
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)],
        ir_version=10,
    )
    return with_codes(proto.SerializeToString(), artifact, wb.Target())


def marked(source, output, path):
    from workbench.deploy.integers.marks import DOMAIN, OPERATOR

    return helper.make_node(OPERATOR, [source], [output], domain=DOMAIN, path=path, leaving=0)


def run(content, inputs):
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    return runtime.InferenceSession(content, options).run(None, {"input": inputs.numpy()})[0]


@pytest.mark.parametrize(("mode", "name"), [("reflect", "reflect"), ("replicate", "edge")])
def test_a_convolution_that_pads_with_its_inputs_multiplies_codes(mode, name):
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 3, 3, padding=1, padding_mode=mode)
    model = model_of(nn.Sequential(layer, nn.Flatten(), nn.Linear(48, 3)), mode, 3, 4, 4)
    artifact = wb.compress(model, wb.Recipe(wb.Quantize(8), INTEGERS))
    nodes = [
        marked("input", "marked", "0"),
        helper.make_node("Pad", ["marked", "pads"], ["padded"], mode=name),
        helper.make_node("Conv", ["padded", "weight", "bias"], ["output"]),
    ]
    module = wb.to_module(artifact)
    weight, bias = (tensor.detach().numpy() for tensor in module[0].parameters())
    pads = np.array([0, 0, 1, 1] * 2)
    result = written(artifact, nodes, (3, 4, 4), weight=weight, bias=bias, pads=pads)
    assert [*result.layers.integers] == ["0"]
    operators = [node.op_type for node in onnx.load_from_string(result.content).graph.node]
    assert operators.index("Pad") < operators.index("QuantizeLinear")
    inputs = model.task.inputs(model.task.split("test").examples)
    with torch.no_grad():
        expected = module[0](inputs).numpy()
    np.testing.assert_allclose(run(result.content, inputs), expected, atol=1e-6)


class Positions(nn.Module):
    """A layer that is called on a table of positions too, as relative attention does."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(32, 32), nn.Linear(32, 3)
        self.table = nn.Parameter(torch.randn(1, 32))

    def forward(self, inputs):
        return self.head(self.layer(inputs) + self.layer(self.table))


def test_a_product_that_does_not_depend_on_the_inputs_keeps_its_numbers():
    torch.manual_seed(0)
    model = model_of(Positions(), "positions", 32)
    artifact = wb.compress(model, wb.Recipe(wb.Quantize(8), INTEGERS))
    module = wb.to_module(artifact)
    weight, bias = (tensor.detach().numpy() for tensor in module.layer.parameters())
    nodes = [
        marked("input", "a", "layer"),
        marked("table", "b", "layer"),
        helper.make_node("Gemm", ["a", "weight", "bias"], ["c"], transB=1),
        helper.make_node("MatMul", ["b", "transposed"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["d"]),
        helper.make_node("Add", ["c", "d"], ["output"]),
    ]
    table = module.table.detach().numpy()
    constants = {"weight": weight, "transposed": weight.T.copy(), "bias": bias, "table": table}
    result = written(artifact, nodes, (32,), **constants)
    assert [*result.layers.integers] == [*result.layers.constant] == ["layer"]
    inputs = model.task.inputs(model.task.split("test").examples)
    with torch.no_grad():
        expected = (module.layer(inputs) + module.layer(module.table)).numpy()
    # ONNX Runtime would round the table's products by itself
    np.testing.assert_allclose(run(result.content, inputs), expected, atol=1e-6)


class Directions(nn.Module):
    """A recurrent layer with two directions, whose weights ONNX stacks with other gates first."""

    def __init__(self, cells):
        super().__init__()
        self.cells = cells(6, 8, bidirectional=True)
        self.head = nn.Linear(16, 3)

    def forward(self, inputs):
        return self.head(self.cells(inputs.transpose(0, 1))[0][-1])


@pytest.mark.parametrize(
    ("cells", "gates"), [(nn.GRU, "zrh"), (nn.LSTM, "iofc")], ids=["gru", "lstm"]
)
@pytest.mark.parametrize("bits", [4, 8])
def test_weights_of_both_directions_stay_codes(cells, gates, bits):
    torch.manual_seed(0)
    model = model_of(Directions(cells), f"directions-{gates}", 5, 6)
    artifact = wb.compress(model, wb.Recipe(wb.Quantize(bits)))
    layer = wb.to_module(artifact).cells
    places = ["rzh".index(g) if len(gates) == 3 else "ifco".index(g) for g in gates]

    def stacked(name):
        tensors = [getattr(layer, f"{name}_l0{ending}") for ending in ("", "_reverse")]
        parts = [torch.cat([t.chunk(len(gates))[place] for place in places]) for t in tensors]
        return torch.stack(parts)

    biases = torch.cat([stacked("bias_ih"), stacked("bias_hh")], 1)
    constants = {"w": stacked("weight_ih"), "r": stacked("weight_hh"), "b": biases}
    options = {"linear_before_reset": 1} if cells is nn.GRU else {}
    node = helper.make_node(
        cells.__name__,
        ["input", "w", "r", "b"],
        ["steps"],
        hidden_size=8,
        direction="bidirectional",
        **options,
    )
    output = helper.make_node("Identity", ["steps"], ["output"])
    arrays = {name: tensor.detach().numpy() for name, tensor in constants.items()}
    result = written(artifact, [node, output], (4, 6), **arrays)
    assert len(result.small) == 4
    stored = {t.name: t for t in onnx.load_from_string(result.content).graph.initializer}
    assert not {"w", "r"} & {*stored}
    inputs = torch.randn(5, 4, 6)
    with torch.no_grad():
        expected = layer(inputs)[0].unflatten(2, (2, 8)).transpose(1, 2).numpy()
    np.testing.assert_allclose(run(result.content, inputs), expected, atol=1e-6)


def test_weights_of_a_transposed_convolution_stay_codes():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.ConvTranspose2d(8, 6, 3), nn.Flatten(), nn.Linear(216, 3))
    model = model_of(layers, "transposed", 8, 4, 4)
    artifact = wb.compress(model, wb.Recipe(wb.Quantize(8)))
    layer = wb.to_module(artifact)[0]
    weight, bias = (tensor.detach().numpy() for tensor in layer.parameters())
    node = helper.make_node("ConvTranspose", ["input", "weight", "bias"], ["output"])
    result = written(artifact, [node], (8, 4, 4), weight=weight, bias=bias)
    assert result.small == ("0.weight",)
    inputs = model.task.inputs(model.task.split("test").examples)
    with torch.no_grad():
        expected = layer(inputs).numpy()
    np.testing.assert_allclose(run(result.content, inputs), expected, atol=1e-5)


class Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


class Parametrized(nn.Module):
    """A recurrent and a linear layer whose weights are computed."""

    def __init__(self):
        super().__init__()
        self.layer = parametrizations.orthogonal(nn.Linear(6, 6))
        nn.utils.parametrize.register_parametrization(self.layer, "weight", Doubled())
        self.cells = nn.GRU(6, 6, batch_first=True)
        nn.utils.parametrize.register_parametrization(self.cells, "weight_hh_l0", Doubled())
        self.head = nn.Linear(6, 3)

    def forward(self, inputs):
        return self.head(self.cells(torch.tanh(self.layer(inputs)))[0][:, -1])


def test_computed_weights_become_values_of_this_module_only():
    torch.manual_seed(0)
    module = Parametrized().eval()
    inputs = torch.randn(5, 4, 6)
    changed = deepcopy(module)
    expected = module(inputs)
    assert not is_parametrized(with_values(changed))
    assert type(changed.layer) is nn.Linear
    assert torch.equal(changed(inputs), expected)
    assert torch.equal(module(inputs), expected)
    assert is_parametrized(module)


def test_weights_are_exported_as_values_where_no_operator_computes_them(monkeypatch):
    pytest.importorskip("onnxruntime")
    exported = []

    def write(module, _inputs):
        exported.append(module)
        if is_parametrized(module):
            raise InputError("There is no matrix exponential.", code="deploy.export_failed")
        return b"network"

    monkeypatch.setitem(export.WRITERS, export.ONNX, write)
    torch.manual_seed(0)
    model = model_of(Parametrized(), "parametrized", 4, 6)
    artifact = wb.compress(model, wb.Recipe())
    assert wb.export(artifact).content == b"network"
    expected = wb.to_module(artifact)
    assert [is_parametrized(module) for module in exported] == [True, False]
    assert torch.equal(exported[1].layer.weight, expected.layer.weight)


class Unused(nn.Module):
    """A layer that is called, and whose outputs nothing uses."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(32, 3), nn.Linear(3, 32)

    def forward(self, inputs):
        values = self.used(inputs)
        self.unused(values)
        return values


@pytest.mark.slow
def test_a_layer_without_an_effect_is_left_out():
    pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    model = model_of(Unused(), "unused", 32)
    package = wb.export(wb.compress(model, wb.Recipe(wb.Quantize(8), INTEGERS)))
    assert package.manifest["layers"] == {"quantized": 2, "exported": 1}
    assert wb.confirm(package).confirmed
