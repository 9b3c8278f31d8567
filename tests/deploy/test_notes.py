"""What packages and refusals say is true for their file."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.deploy.confirm import Reference

pytest.importorskip("onnxruntime")


class WithUnused(nn.Module):
    """A layer whose outputs nothing uses."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(32, 4), nn.Linear(32, 32)

    def forward(self, values):
        self.unused(values)
        return self.used(values)


@pytest.fixture(scope="module")
def unused():
    """Return the file of a network with a layer that is left out."""
    values, labels = torch.randn(90, 32), torch.randint(0, 4, (90,))
    parts = {"train": slice(0, 30), "validation": slice(30, 60), "test": slice(60, None)}
    data = {name: (values[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(WithUnused().eval(), **data, name="with-unused")
    return wb.compress(model, wb.Recipe(wb.Quantize(8), wb.Activations(8)))


@pytest.mark.slow
def test_no_note_names_a_layer_that_is_left_out(unused):
    package = wb.export(unused)
    assert len(unused.spec.inputs) == 2
    assert package.manifest["layers"] == {"quantized": 2, "exported": 1}
    assert not any("unused" in note for note in package.manifest["notes"])


@pytest.mark.slow
def test_only_a_file_with_activations_is_refused_with_advice_on_them(unused, package, monkeypatch):
    monkeypatch.setattr(Reference, "check", lambda *_arguments: None)  # it reads the graph
    for refused, advice in ((wb.export(unused), True), (package, False)):
        with raises("deploy.runtime_refused") as caught:
            wb.confirm(replace(refused, content=refused.content[:-20]))
        assert ("activations" in str(caught.value)) == advice
