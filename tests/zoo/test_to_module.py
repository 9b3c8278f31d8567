"""A file as an ordinary module: as small as it says, with the outputs of the judge's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.errors import ArtifactError, FileError
from workbench.runtime.shell import shell

RECIPES = [
    {"prune": {"sparsity": 0.5}, "quantize": {"bits": 4}},
    {"structure": {"removed": 0.4}},
    {"structure": {"removed": 0.4}, "adjust": {"batch_norm": "fold", "equalize": "pairs"}},
    {"quantize": {"bits": 8}, "activations": {"bits": 8}, "structure": {"removed": 0.2}},
    {"train": {"steps": 1, "start": "scratch", "width": 0.5, "left_out": 1, "threads": 1}},
]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("name", ["fashion/lenet5", "fashion/resnet"])
def test_outputs_are_the_judges_and_sizes_the_files(name, recipe):
    model = wb.model(name)
    made = wb.compress(model, wb.Recipe.from_json(recipe))
    artifact = Artifact.from_bytes(made.to_bytes())
    module = wb.to_module(artifact)
    inputs = model.task.inputs(model.task.split("validation").examples[:20])
    with torch.no_grad():
        outputs = module(inputs)
    assert torch.equal(outputs, shell(model.with_spec(artifact.spec))(artifact.operands(), inputs))
    assert not module.training
    for path, layer in module.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            shape = artifact.tensors[f"{path}.weight"].shape
            said = (
                (layer.out_features, layer.in_features)
                if isinstance(layer, nn.Linear)
                else (layer.out_channels, layer.in_channels)
            )
            assert said == shape[:2]
    stored = sum(p.numel() for p in module.parameters())
    assert stored == wb.measure(model, wb.Recipe.from_json(recipe), timed=False).parameters


def test_it_can_be_saved_and_traced_like_any_module(tmp_path):
    module = wb.to_module(
        wb.compress(wb.model("fashion/lenet5"), wb.Recipe(structure=wb.Structure(0.5)))
    )
    inputs = torch.rand(2, 1, 28, 28)
    traced = torch.jit.trace(module, inputs)
    assert torch.equal(traced(inputs), module(inputs))
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    again = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert again.keys() == module.state_dict().keys()


def test_what_is_no_file_is_refused():
    with pytest.raises(FileError, match=r"small\.safetensors"):
        wb.to_module("small.safetensors")
    with pytest.raises(ArtifactError, match="Give a file's path"):
        wb.to_module(3)
