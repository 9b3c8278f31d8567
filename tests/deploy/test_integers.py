"""Codes in ONNX graphs: products of integers, and weights that stay small."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.deploy.test_sabotage import changed
from tests.raises import raises
from workbench.deploy.host import Host
from workbench.deploy.sessions import processor

onnx = pytest.importorskip("onnx")
numpy_helper = pytest.importorskip("onnx.numpy_helper")
pytest.importorskip("onnxruntime")

INTEGERS = wb.Activations(8, biases="int32", sums="quantized")
RECIPE = wb.Recipe(wb.Quantize(8), INTEGERS, wb.Adjust("fold"))


class Residual(nn.Module):
    """Convolutions with batch norm, a residual sum and a layer that is called twice."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32)
        self.conv, self.wide = nn.Conv2d(32, 32, 3, padding=1), nn.Linear(32, 32)
        self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(32, 4)

    def forward(self, images):
        inputs = self.pool(torch.relu(self.norm(self.stem(images))))
        sums = torch.relu(self.conv(inputs) + inputs)
        values = self.wide(self.wide(sums.mean((2, 3))))
        return self.fc(nn.functional.gelu(values))


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(300, 1, 8, 8, generator=generator)
    labels = torch.randint(0, 4, (300,), generator=generator)
    parts = {"train": slice(0, 100), "validation": slice(100, 200), "test": slice(200, None)}
    torch.manual_seed(0)
    data = {name: (images[part], labels[part]) for name, part in parts.items()}
    return wb.from_module(Residual().eval(), **data, name="integer-residual")


@pytest.fixture(scope="module")
def integers(model):
    return wb.compress(model, RECIPE)


@pytest.fixture(scope="module")
def quantized(integers):
    return wb.export(integers)


def operators(package):
    return Counter(node.op_type for node in onnx.load_from_string(package.content).graph.node)


@pytest.mark.slow
def test_layers_multiply_the_codes_of_the_file(runtime, integers):
    package = wb.export(integers, runtime)
    result = wb.confirm(package)
    assert result.confirmed
    assert result.score.value == result.reference.value
    if runtime != "openvino" or processor.sums_bytes_exactly():  # it adds two products in 16 bits
        assert result.equal >= 0.98 * result.predictions
    assert package.manifest["layers"]["quantized"] == len(integers.spec.inputs) == 4
    if runtime != "torch":
        assert result.facts["integer_products"] == 5  # one layer is called twice
        assert package.manifest["layers"]["exported"] == 4
        assert not package.manifest["notes"]
        inexact = replace(result, facts={**result.facts, "exact_sums": False})
        assert "16 bits" in inexact.integers
        onnx.checker.check_model(onnx.load_from_string(package.content), full_check=True)


@pytest.mark.slow
def test_outputs_equal_integer_arithmetic_in_numpy(quantized, integers, model):
    """Compute the linear layers with int64 in NumPy from the graph's own constants."""
    graph = onnx.load_from_string(quantized.content).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    inputs, values = dict(integers.spec.inputs), np.linspace(-2, 2, 64, dtype=np.float32)
    qparams = inputs["fc"]
    codes = np.rint(values.reshape(2, 32) / np.float32(qparams.scale)) + qparams.zero_point
    sums = (codes.clip(0, 255).astype(np.int64) - qparams.zero_point) @ (
        constants["fc.weight.q"].astype(np.int64).T
    )
    steps = constants["fc.weight.s"].astype(float) * qparams.scale
    expected = (sums + constants["fc.bias.q"]) * steps
    layer = wb.to_module(integers).get_submodule("fc").double()
    with torch.no_grad():
        outputs = layer(torch.from_numpy(values.reshape(2, 32)).double()).numpy()
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    assert constants["fc.weight.q"].dtype == np.int8
    assert constants["fc.bias.q"].dtype == np.int32


@pytest.mark.slow
def test_weights_of_four_bits_by_group_are_multiplied_as_they_are(model):
    small = wb.compress(model, wb.Recipe(wb.Quantize(4, granularity="group", group_size=16)))
    exact = wb.export(small)
    rounded = wb.export(small, wb.Target("onnxruntime", "int8_inputs"))
    assert operators(exact)["MatMulNBits"] == operators(rounded)["MatMulNBits"] == 3
    results = [wb.confirm(exact), wb.confirm(rounded)]
    assert results[0].confirmed
    assert results[0].largest_difference < 1e-5 < results[1].largest_difference
    assert "8 bits" in rounded.manifest["notes"][-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"bits": 3, "scheme": "affine"},
        {"bits": 4, "scheme": "affine", "granularity": "group", "group_size": 16},
    ],
    ids=str,
)
@pytest.mark.parametrize("target", ["onnxruntime", "openvino"])
def test_codes_stay_small_and_decode_to_the_same_values(settings, target, model):
    pytest.importorskip(target)
    artifact = wb.compress(model, wb.Recipe(wb.Quantize(**settings)))
    package = wb.export(artifact, target)
    result = wb.confirm(package)
    assert result.confirmed
    assert result.largest_difference < 1e-5
    assert len(package) < 0.4 * len(wb.compress(model, wb.Recipe()))


@pytest.mark.slow
def test_embeddings_stay_codes():
    artifact = wb.compress(wb.model("reviews/bag"), wb.Recipe(wb.Quantize(8)))
    package = wb.export(artifact)
    assert len(package) < 1.15 * len(artifact)
    assert wb.confirm(package).confirmed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantize", "exported"),
    [
        (wb.Quantize(8, scheme="affine"), 0),
        (wb.Quantize(4, granularity="group", group_size=16), 1),  # a row of the stem is one group
    ],
    ids=["affine", "groups"],
)
def test_weights_without_an_integer_kernel_are_decoded_and_named(quantize, exported, model):
    recipe = wb.Recipe(quantize, wb.Activations(8), wb.Adjust("fold"))
    package = wb.export(wb.compress(model, recipe))
    assert package.manifest["layers"] == {"quantized": 4, "exported": exported}
    assert any("conv" in note and "integer kernel" in note for note in package.manifest["notes"])
    result = wb.confirm(package)
    assert result.confirmed
    assert result.equal == result.predictions
    # ONNX Runtime would round the decoded weights by itself
    assert result.facts["integer_products"] == exported


@pytest.mark.slow
def test_inputs_of_few_bits_and_symmetric_inputs(model):
    for activations in (
        wb.Activations(5, biases="int32", sums="quantized"),
        wb.Activations(8, biases="int32", scheme="symmetric"),
    ):
        file = wb.compress(model, wb.Recipe(wb.Quantize(8), activations, wb.Adjust("fold")))
        package = wb.export(file)
        result = wb.confirm(package)
        assert result.confirmed
        assert result.equal >= 0.98 * result.predictions
    graph = onnx.load_from_string(package.content).graph
    zeros = {t.name: numpy_helper.to_array(t) for t in graph.initializer if t.name.endswith(".z")}
    unsigned = {"wide.weight.z", *(name for name in zeros if ".weight" not in name)}
    assert len(unsigned) > 4  # ONNX Runtime makes weights unsigned for one use only
    for name, zero in zeros.items():
        middle, kind = (128, np.uint8) if name in unsigned else (0, np.int8)
        assert (zero.dtype, {*zero.flat}) == (kind, {middle})


class Pooled(nn.Module):
    """A convolution, a group norm and pooling around a residual sum."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 16, 3, padding=1), nn.GroupNorm(4, 16)
        self.conv, self.fc = nn.Conv2d(16, 16, 3, padding=1), nn.Linear(16, 4)

    def forward(self, images):
        values = self.stem(images)
        normed = self.norm(values)
        values = values + nn.functional.avg_pool2d(normed, 3, 1, 1) - normed
        return self.fc(torch.relu(self.conv(values)).mean((2, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("exact", ["0", "1"])
def test_symmetric_outputs_may_be_reshaped_before_a_norm(exact, model):
    import onnxruntime

    torch.manual_seed(0)
    data = {name: (split.examples, split.labels) for name, split in splits(model)}
    pooled = wb.from_module(Pooled().eval(), **data, name="pooled")
    activations = replace(INTEGERS, scheme="symmetric")
    file = wb.compress(pooled, wb.Recipe(wb.Quantize(7), activations))  # no sum is cut off
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", exact)
    network = onnxruntime.InferenceSession(wb.export(file).content, options)
    inputs = pooled.task.inputs(pooled.task.split("test").examples)
    with torch.no_grad():
        expected = wb.to_module(file)(inputs).numpy()
    differences = np.abs(network.run(None, {"input": inputs.numpy()})[0] - expected).max(1)
    assert np.mean(differences < 1e-4) >= 0.95


class Bounded(nn.Module):
    """Padding and a bounded activation between convolutions, and a bias of zeros."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 32, 3, groups=32)
        self.norm, self.fc = nn.BatchNorm2d(32), nn.Linear(32, 4)
        nn.init.zeros_(self.fc.bias)

    def forward(self, images):
        values = nn.functional.pad(nn.functional.relu6(self.first(images)), (1, 1, 1, 1))
        return self.fc(self.norm(self.second(values)).mean((2, 3)))


@pytest.mark.slow
def test_rounding_moves_up_through_padding_and_bounds(model):
    torch.manual_seed(0)
    data = {name: (split.examples, split.labels) for name, split in splits(model)}
    bounded = wb.from_module(Bounded().eval(), **data, name="bounded")
    quantized = wb.compress(bounded, wb.Recipe(wb.Quantize(8), INTEGERS))
    package = wb.export(quantized)
    result = wb.confirm(package)
    assert result.confirmed
    assert "Clip" not in operators(package)
    assert result.facts["operators"]["QLinearConv"] == 1  # the other is read by batch norm
    small = wb.export(wb.compress(bounded, wb.Recipe(wb.Quantize(4, granularity="group"))))
    assert not small.manifest["notes"]  # weights are not merged with batch norm
    assert wb.confirm(small).confirmed


@pytest.mark.slow
def test_openvino_reads_the_affine_weights_of_grouped_convolutions(model):
    pytest.importorskip("openvino")
    data = {name: (split.examples, split.labels) for name, split in splits(model)}
    bounded = wb.from_module(Bounded().eval(), **data, name="grouped")
    recipe = wb.Recipe(wb.Quantize(8, scheme="affine"), wb.Activations(7))
    package = wb.export(wb.compress(bounded, recipe), "openvino")
    assert any("OpenVINO multiplies the weights of first" in n for n in package.manifest["notes"])
    result = wb.confirm(package)
    assert result.confirmed
    assert result.equal >= 0.98 * result.predictions


class Attention(nn.Module):
    """Two layers whose inputs are quantized, around two products whose weights alone are codes."""

    def __init__(self):
        super().__init__()
        self.first, self.fc = nn.Linear(8, 32), nn.Linear(32, 4)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, images):
        values = self.first(images.squeeze(1))
        mixed = self.attention(values, values, values, need_weights=False)[0]
        return self.fc(torch.relu(values + mixed).mean(1))


@pytest.mark.slow
@pytest.mark.parametrize("activations", [wb.Activations(7), None], ids=["quantized", "float"])
def test_products_of_decoded_weights_do_not_count_as_integers(activations, model):
    pytest.importorskip("openvino")
    torch.manual_seed(0)
    data = {name: (split.examples, split.labels) for name, split in splits(model)}
    attention = wb.from_module(Attention().eval(), **data, name="attention")
    recipe = wb.Recipe(*filter(None, (wb.Quantize(8), activations)))
    result = wb.confirm(wb.export(wb.compress(attention, recipe), "openvino"))
    assert result.confirmed
    assert result.facts["integer_products"] == result.facts["quantized_layers"]
    assert result.facts["quantized_layers"] == (2 if activations else 0)


def splits(model):
    return [(name, model.task.split(name)) for name in ("train", "validation", "test")]


def wrong_scale(graph):
    change(graph, ".input.s", lambda array: array * np.float32(1.01))


def wrong_zero_point(graph):
    change(graph, ".input.z", lambda array: array + array.dtype.type(1))


def wrong_row_scale(graph):
    change(graph, "weight.s", lambda array: array * np.float32(1.01))


def wrong_code(graph):
    change(graph, "weight.q", lambda array: np.roll(array, 1))


def wrong_bias(graph):
    change(graph, "bias.q", lambda array: array + np.int32(1))


def wrong_output_scale(graph):
    tensor = next(t for t in graph.initializer if ".output:" in t.name and t.name.endswith(".s"))
    array = numpy_helper.to_array(tensor) * np.float32(1.01)
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def change(graph, ending, function):
    tensor = next(t for t in graph.initializer if t.name.endswith(ending) and "conv" in t.name)
    array = np.asarray(function(numpy_helper.to_array(tensor)))
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sabotage", "part"),
    [
        (wrong_scale, "scale of the inputs of conv"),
        (wrong_zero_point, "zero point of the inputs of conv"),
        (wrong_row_scale, "scale of the weights of conv"),
        (wrong_code, "weights of conv"),
        (wrong_bias, "bias of conv"),
        (wrong_output_scale, "output"),
    ],
)
def test_a_wrong_number_of_a_layer_is_named(sabotage, part, quantized):
    with raises("deploy.other_numbers") as caught:
        wb.confirm(changed(quantized, sabotage))
    assert part in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("sabotage", [wrong_scale, wrong_code])
def test_a_wrong_number_shows_in_the_outputs_too(sabotage, quantized, monkeypatch):
    wrong = changed(quantized, sabotage)

    load = Host.load
    monkeypatch.setattr(Host, "load", lambda host, _package: load(host, wrong))
    result = wb.confirm(quantized)
    assert result.equal < 0.5 * result.predictions


@pytest.mark.slow
def test_a_processor_without_vnni_gets_the_exact_sums(monkeypatch, tmp_path):
    from workbench.deploy.sessions import onnxruntime as session

    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "CPUINFO", info)
    assert not processor.sums_bytes_exactly()
    info.write_text("flags : sse avx2 avx512_vnni")
    assert processor.sums_bytes_exactly()
    info.write_text("flags : sse avx2")
    assert not processor.sums_bytes_exactly()
    path = tmp_path / "model.onnx"
    file = wb.compress(wb.model("vowels/cnn"), RECIPE)
    path.write_bytes(wb.export(file).content)
    started = session.start(path, {"threads": 1})
    assert started.facts()["vnni"] is False
    graph = onnx.load(tmp_path / session.OPTIMIZED).graph
    weights = [t for t in graph.initializer if len(t.dims) > 1]
    assert not any(t.data_type == onnx.TensorProto.INT8 for t in weights)


def test_a_layer_that_is_missing_in_the_graph_is_named(quantized):
    def renamed(graph):
        for node in graph.node:
            node.name = "" if node.name == "conv" else node.name

    with raises("deploy.other_numbers") as caught:
        wb.confirm(changed(quantized, renamed))
    assert "conv" in str(caught.value)
