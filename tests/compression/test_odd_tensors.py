"""Unusual tensors of real networks are stored, or refused with a reason before a file is made."""

from __future__ import annotations

import pytest
import torch

from tests.raises import raises
from workbench.artifact.artifact import Artifact
from workbench.compression.encode import encode_tensors
from workbench.recipe import Prune, Quantize, Recipe, Share

HALF = Prune(0.5, scope="uniform")
RECIPES = (
    Recipe(HALF, Quantize(4)),
    Recipe(HALF),
    Recipe(quantize=Quantize(4, scheme="affine", granularity="group", group_size=8)),
    Recipe(HALF, share=Share(clusters=4)),
)
LOWEST = torch.finfo(torch.float32).min
MASKS = {
    "causal": torch.full((6, 6), -torch.inf).triu(1),
    "lowest": torch.full((6, 6), LOWEST).triu(1),
}
FINE = MASKS | {
    "scalar": torch.tensor(3.5),
    "steps": torch.tensor(7),
    "flags": torch.ones(5, 7).triu().bool(),
    "places": torch.arange(35).view(5, 7),
    "none": torch.zeros(0, 5),
    "transposed": torch.arange(48.0).view(8, 6).t(),
    "sliced": torch.arange(48.0).view(8, 6)[::2, ::3],
    "expanded": torch.arange(6.0).expand(8, 6),
    "expanded vector": torch.tensor(1.0).expand(8),
    "channels last": torch.ones(4, 5, 3, 3).to(memory_format=torch.channels_last),
    "padded": torch.nn.functional.pad(torch.ones(9, 6), (0, 0, 1, 0)),
    "double": torch.arange(12.0, dtype=torch.float64).view(3, 4),
    "half": torch.arange(12).view(3, 4).half(),
    'a "name"\\ of\n\x00 ü 🙂/..': torch.ones(3, 4),
    "": torch.ones(3, 4),
    "__metadata__": torch.ones(3, 4),
}


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_file_contains_the_coded_tensors(recipe):
    coded = encode_tensors(FINE, recipe)
    read = Artifact.from_bytes(Artifact.of("any", recipe, coded).to_bytes()).weights()
    assert list(read) == list(FINE)
    for name, tensor in FINE.items():
        assert read[name].shape == tensor.shape
        assert torch.equal(read[name], coded[name].tensor()), name


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("name", [*MASKS, "flags", "places"])
def test_masks_and_tables_do_not_change(recipe, name):
    assert torch.equal(encode_tensors(FINE, recipe)[name].tensor(), FINE[name])


@pytest.mark.parametrize(
    ("name", "tensor", "code", "fact"),
    [
        ("w", torch.zeros(2, 2, dtype=torch.complex64), "model.unsupported_dtype", "complex64"),
        ("w", torch.zeros(2, 2).to(torch.float8_e4m3fn), "model.unsupported_dtype", "float8"),
        ("w", torch.zeros(2).to(torch.float8_e4m3fn), "model.unsupported_dtype", "float8"),
        ("w", torch.zeros(2, 2).to_sparse(), "model.unsupported_dtype", "sparse"),
        ("w", torch.zeros(2, 2, device="meta"), "model.not_on_cpu", "meta"),
        ("w", torch.zeros([1] * 17), "model.too_many_axes", "17 axes"),
        ("\ud800", torch.zeros(2, 2), "model.invalid_tensor_name", "ud800"),
        ("w", torch.tensor([[torch.inf, 1.0]]), "model.not_finite", "w"),
        ("w", torch.tensor([[torch.nan, 0.0]]), "model.not_finite", "w"),
    ],
)
def test_unsupported_tensors_are_refused(name, tensor, code, fact):
    with raises(code, fact):
        encode_tensors({name: tensor}, Recipe(HALF, Quantize(4)))


@pytest.mark.parametrize("parts", [{"share": Share()}, {"quantize": Quantize(4)}])
def test_values_beyond_float32_are_refused(parts):
    with raises("recipe.weight_too_large", "w holds"):
        encode_tensors({"w": torch.full((4, 5), 1e300, dtype=torch.float64)}, Recipe(**parts))
