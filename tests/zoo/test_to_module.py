"""A file as an ordinary module: its sizes and outputs match the file."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.artifact.artifact import Artifact
from workbench.errors import FileError
from workbench.runtime.shell import shell

RECIPES = [
    {"prune": {"sparsity": 0.5}, "quantize": {"bits": 4}},
    {"structure": {"removed": 0.4}},
    {"structure": {"removed": 0.4}, "adjust": {"batch_norm": "fold", "equalize": "pairs"}},
    {"quantize": {"bits": 8}, "activations": {"bits": 8}, "structure": {"removed": 0.2}},
    {"train": {"steps": 1, "start": "scratch", "width": 0.5, "left_out": 1, "threads": 1}},
]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("name", ["fashion/lenet5", "fashion/resnet"])
def test_outputs_and_sizes_match_the_file(name, recipe):
    model = wb.model(name)
    compressed = wb.compress(model, wb.Recipe.from_json(recipe))
    artifact = Artifact.from_bytes(compressed.to_bytes())
    module = wb.to_module(artifact)
    inputs = model.task.inputs(model.task.split("validation").examples[:20])
    with torch.no_grad():
        outputs = module(inputs)
    assert torch.equal(outputs, shell(model.with_spec(artifact.spec))(artifact.operands(), inputs))
    assert not module.training
    for path, layer in module.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            shape = artifact.tensors[f"{path}.weight"].shape
            size = (
                (layer.out_features, layer.in_features)
                if isinstance(layer, nn.Linear)
                else (layer.out_channels, layer.in_channels)
            )
            assert size == shape[:2]
    parameters = sum(p.numel() for p in module.parameters())
    assert parameters == wb.measure(model, wb.Recipe.from_json(recipe), timed=False).parameters


def test_module_can_be_saved_and_traced(tmp_path):
    module = wb.to_module(
        wb.compress(wb.model("fashion/lenet5"), wb.Recipe(structure=wb.Structure(0.5)))
    )
    inputs = torch.rand(2, 1, 28, 28)
    traced = torch.jit.trace(module, inputs)
    assert torch.equal(traced(inputs), module(inputs))
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    loaded = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert loaded.keys() == module.state_dict().keys()


def test_invalid_files_raise():
    with pytest.raises(FileError, match=r"small\.safetensors"):
        wb.to_module("small.safetensors")
    with raises("artifact.invalid_type"):
        wb.to_module(3)
