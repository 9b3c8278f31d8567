"""Modules that change their inputs, squeeze a batch of one or return no rows run as their file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.deploy.confirm import Reference
from workbench.deploy.host import Host

COUNT = 51
"""Validation examples, so that a last batch has one example."""


class Network(nn.Module):
    """Two layers."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 12)

    def forward(self, values):
        return self.second(torch.relu(self.first(values)))


class Writes(Network):
    """Changes the tensor that it is given, differently each time."""

    def forward(self, values):
        return super().forward(values.mul_(2).clamp_(-1, 1))


class Squeezes(Network):
    """Removes all axes of length 1, and with a batch of one that of the batch."""

    def forward(self, values):
        return super().forward(values)[:, None].squeeze().unsqueeze(-1).squeeze(-1)


class Numbers(Network):
    """Predicts one number for each example, without an axis for it."""

    def forward(self, values):
        return super().forward(values)[:, 0]


class Pictures(Network):
    """Predicts a picture for each example."""

    def forward(self, values):
        return super().forward(values).reshape(-1, 1, 3, 4)


NETWORKS = (Writes, Squeezes, Numbers, Pictures)
RECIPES = {
    "codes": wb.Recipe(wb.Quantize(8)),
    "integers": wb.Recipe(wb.Quantize(8), wb.Activations(7)),
}


def registered(kind):
    torch.manual_seed(0)
    module, inputs = kind().eval(), torch.randn(3 * COUNT, 4)
    with torch.no_grad():
        outputs = module(inputs.clone())
    labels = outputs + 0.1 if kind in (Numbers, Pictures) else outputs.argmax(1)
    splits = zip(
        ("train", "validation", "test"), inputs.split(COUNT), labels.split(COUNT), strict=True
    )
    data = {name: (given, wanted) for name, given, wanted in splits}
    return wb.from_module(module, **data, name=f"forward-{kind.__name__}"), inputs


@pytest.fixture(params=["onnxruntime", "openvino", "torch"])
def runtime(request):
    """Each of the runtimes that take any network."""
    pytest.importorskip(request.param)
    return request.param


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_the_file_predicts_in_the_runtime_as_shown(runtime, kind, recipe):
    model, inputs = registered(kind)
    before = inputs.clone()
    artifact = wb.compress(model, RECIPES[recipe])
    package = wb.export(artifact, wb.Target(runtime, batch=COUNT - 1))
    agreement = wb.confirm(package)
    assert agreement.confirmed, agreement.summary
    assert agreement.predictions == COUNT
    assert torch.equal(inputs, before)
    if agreement.equal == COUNT:
        expected = wb.evaluate(artifact, timed=False).value
        assert agreement.score.value == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_a_batch_of_one_has_the_outputs_of_a_row(runtime):
    model, inputs = registered(Squeezes)
    package = wb.export(wb.compress(model, RECIPES["codes"]), runtime)
    with Host(runtime) as host:
        host.load(package)
        alone, together = (host.run([inputs[:5].numpy()], size) for size in (1, 5))
    assert alone.shape == together.shape == (5, 12)
    assert np.abs(alone - together).max() < 1e-5


@pytest.mark.slow
def test_numbers_count_by_example():
    model, _inputs = registered(Pictures)
    package = wb.export(wb.compress(model, RECIPES["codes"]), "torch")
    reference = Reference(package.artifact, "validation")
    outputs = reference._outputs.exact.clone()
    outputs[[3, 7]] += 1
    agreement = reference.compare(package, outputs, {"provider": "CPU", "version": "1"})
    assert agreement.different.tolist() == [3, 7]
    assert agreement.equal == COUNT - 2
    assert f"2 of {COUNT}" in agreement.summary
