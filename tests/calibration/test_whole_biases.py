"""Biases that are whole numbers of steps, and quantized operands of sums."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

import workbench as wb
from tests.raises import raises
from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Codes
from workbench.graph.summed_outputs import summed_outputs
from workbench.runtime.batch import Batch
from workbench.runtime.integer_layers import centered_codes
from workbench.zoo.to_module import artifact_to_module


class Residual(nn.Module):
    """Sums of a convolution with its input, of two convolutions, and of a rectified one."""

    def __init__(self):
        super().__init__()
        self.stem, self.alone = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.left, self.right = nn.Conv2d(16, 16, 1), nn.Conv2d(16, 16, 1)
        self.fc = nn.Linear(16, 3)

    def forward(self, images):
        inputs = functional.max_pool2d(torch.relu(self.stem(images)), 2)
        values = torch.relu(self.alone(inputs)) * 2
        values = inputs + self.left(values)
        values += self.right(torch.relu(values))
        return self.fc(torch.relu(values).mean((2, 3)) + 1)


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(200, 1, 8, 8, generator=generator)
    labels = (images.mean((1, 2, 3)) * 20).clamp(-1, 1).round().long() + 1
    parts = {"train": slice(0, 100), "validation": slice(100, 150), "test": slice(150, None)}
    torch.manual_seed(0)
    data = {name: (images[part], labels[part]) for name, part in parts.items()}
    return wb.from_module(Residual().eval(), **data, name="residual-sums")


def test_operands_of_sums_are_found(model):
    inputs = Batch.of(model.task.inputs(model.task.split("train").examples[:2]))
    found = summed_outputs(model, model.weights(), inputs)
    assert found == {"stem": True, "left": False, "right": False}


def test_operands_of_sums_are_rounded(model):
    recipe = wb.Recipe(wb.Quantize(8), wb.Activations(8, sums="quantized", biases="int32"))
    file = wb.compress(model, recipe)
    outputs = dict(file.spec.outputs)
    assert outputs.keys() == {"stem", "left", "right"}
    assert outputs["stem"].zero_point == 0  # what is negative becomes zero anyhow
    assert set(file.spec.biases) == {"stem", "alone", "left", "right", "fc"}
    module, seen = artifact_to_module(file, model), {}
    for path in outputs:
        layer = module.get_submodule(path)
        layer.register_forward_hook(lambda _layer, _in, out, path=path: seen.update({path: out}))
    with torch.no_grad():
        module(model.task.inputs(model.task.split("test").examples))
    for path, qparams in outputs.items():
        again = centered_codes(seen[path].clone(), qparams) * qparams.scale
        assert torch.equal(again, seen[path])


def test_symmetric_inputs_have_the_middle_code_as_zero():
    recipe = wb.Recipe(wb.Quantize(8), wb.Activations(6, scheme="symmetric"))
    file = wb.compress(wb.model("vowels/cnn"), recipe)
    assert {qparams.zero_point for _path, qparams in file.spec.inputs} == {32}
    plain = wb.compress(wb.model("vowels/cnn"), wb.Recipe(wb.Quantize(8), wb.Activations(6)))
    assert {qparams.zero_point for _path, qparams in plain.spec.inputs} != {32}


def test_rows_of_zeros_have_a_fine_step():
    recipe = wb.Recipe(wb.Prune(0.99), wb.Quantize(8), wb.Activations(8, biases="int32"))
    file = Artifact.from_bytes(wb.compress(wb.model("vowels/cnn"), recipe).to_bytes())
    for path in file.spec.biases:
        coded = file.tensors[f"{path}.weight"]
        assert isinstance(coded, Codes)
        rows = coded.nonzero.reshape(coded.rows, -1).any(axis=1)
        if rows.any() and not rows.all():
            assert coded.scale[~rows].max() <= coded.scale[rows].min()


def test_biases_without_row_scales_keep_their_values(model):
    quantize = wb.Quantize(8, granularity="tensor")
    by_group = wb.Quantize(8, granularity="group", group_size=8)
    for weights, rounded in ((quantize, True), (by_group, False)):
        file = wb.compress(model, wb.Recipe(weights, wb.Activations(8, biases="int32")))
        assert ("fc" in file.spec.biases) == rounded


def test_a_file_that_rounds_biases_without_row_scales_is_refused(model):
    from workbench.artifact import container

    by_group = wb.Quantize(8, granularity="group", group_size=8)
    file = wb.compress(model, wb.Recipe(by_group, wb.Activations(8)))
    header, data = container.unpack(file.to_bytes())
    header = {key: value for key, value in header.items() if key != "sha256"}
    header["spec"].append(["round_biases", 1, ["fc"]])
    other = Artifact.from_bytes(container.pack(header, bytes(data))[0])
    with raises("artifact.no_row_scales"):
        other.operands()
