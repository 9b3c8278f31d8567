"""A name that is no layer: the error is true, and suggests the layer that is meant."""

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.recipe import (
    PARTS,
    Activations,
    Factorize,
    Prune,
    Quantize,
    Recipe,
    Share,
    Structure,
)
from workbench.recipe.schema import specs
from workbench.study import hold_size

LAYERS = (
    *("block.conv.weight", "block.conv.inner.weight", "block.norm.scale"),
    *("block.gru.weight_hh", "block.gru.weight_ih"),
)
OTHERS = ("block.conv.bias", "block.norm.bias")
CODE = "recipe.unknown_layer"


def parts(name):
    """Return every part of a recipe that can name a layer, with a name in it."""
    return [
        Prune(0.5, exclude=[name]),
        Prune(0.5, layers={name: 0.3}),
        Quantize(4, exclude=[name]),
        Quantize(4, layers={name: 8}),
        Share(16, exclude=[name]),
        Share(16, layers={name: 8}),
        Structure(0.5, exclude=[name]),
        Structure(0.5, layers={name: 0.3}),
        Factorize(0.5, exclude=[name]),
        Factorize(0.5, layers={name: 0.3}),
        Activations(8, exclude=[name]),
    ]


class Nested(nn.Module):
    """A network whose layers are inside other modules."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.body(x))


@pytest.fixture(scope="module")
def nested():
    data = torch.rand(12, 4), torch.arange(12) % 3
    return wb.from_module(Nested(), train=data, validation=data, test=data, name="unknown-layer")


def test_every_part_with_names_is_tested():
    named = {
        (key, field) for part in parts("x") for key, field, _name in Recipe(part)._layer_names()
    }
    fields = {
        (key, spec.name)
        for key, kind in PARTS.items()
        for spec in specs(kind)
        if spec.kind in ("layers", "names")
    }
    assert named == fields


@pytest.mark.parametrize("part", parts("fc2"), ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("model", ["fashion/lenet5", "fashion/lenet-300-100"])
def test_a_module_means_its_weight(model, part):
    with raises(CODE, "'fc2'", "try fc2.weight.") as caught:
        wb.compress(wb.model(model), Recipe(part))
    assert "does not have" not in str(caught.value)


@pytest.mark.parametrize(("name", "meant"), [("body.0", "body.0.weight"), ("head", "head.weight")])
@pytest.mark.parametrize("index", range(len(parts("x"))))
def test_a_module_inside_another_means_its_weight(nested, name, meant, index):
    with raises(CODE, repr(name), f"try {meant}."):
        wb.compress(nested, Recipe(parts(name)[index]))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("block.conv", "try block.conv.weight."),
        ("conv", "try block.conv.weight."),
        ("conv.weight", "try block.conv.weight."),
        ("block.norm", "try block.norm.scale."),
        ("block.gru", "try block.gru.*."),
        ("block.conv.bias", "try block.conv.weight."),
        ("block.cnov.weight", "try block.conv.weight."),
        ("*cnov.weight", "block.conv.weight"),
    ],
)
def test_what_is_suggested(name, advice):
    with raises(CODE, repr(name), advice):
        Recipe(Quantize(4, layers={name: 8})).check_names(LAYERS, OTHERS)


@pytest.mark.parametrize("name", ["block.scale", "block.embeddings.scale"])
def test_a_module_without_layers_is_known(name):
    recipe = Recipe(Quantize(4, layers={name: 8}))
    with raises(CODE, repr(name), "a module whose tensors are not compressed anyway"):
        recipe.check_names(LAYERS, (*OTHERS, f"{name}.weight", f"{name}.bias"))


def test_a_suggested_pattern_is_accepted():
    Recipe(Prune(0.5, exclude=["block.gru.*"])).check_names(LAYERS, OTHERS)


def test_a_model_without_layers_has_none_to_suggest():
    with raises(CODE, "remove"):
        Recipe(Prune(0.5, exclude=["fc"])).check_names((), OTHERS)


@pytest.mark.parametrize("name", ["conv1.bias", "*.bias"])
@pytest.mark.parametrize("part", [Prune, Quantize, Share])
def test_a_bias_may_be_excluded_and_changes_nothing(part, name):
    model = wb.model("fashion/lenet5")
    value = {Prune: 0.5, Quantize: 4, Share: 16}[part]
    excluded, plain = (
        wb.compress(model, Recipe(part(value, exclude=names))) for names in ([name], [])
    )
    assert excluded.ledger.rows == plain.ledger.rows


def test_a_bias_has_no_settings():
    recipe = Recipe(Quantize(4, layers={"conv1.bias": 8}))
    with raises(CODE, "'conv1.bias'", "not compressed", "try conv1.weight."):
        wb.compress(wb.model("fashion/lenet5"), recipe)


def test_a_folded_norm_may_be_excluded():
    model = wb.model("fashion/resnet")
    name = next(name for name in model.card["tensors"] if name.endswith("running_mean"))
    recipe = Recipe(Quantize(4, exclude=[name]), adjust=wb.Adjust(batch_norm="fold"))
    assert wb.compress(model, recipe).recipe == recipe


def test_a_trained_recipe_may_exclude_a_bias():
    model = wb.model("fashion/mlp-32")
    name = next(iter(model.other_tensors))
    artifact = wb.train(model, Recipe(Prune(0.5, exclude=[name])), steps=1)
    assert artifact.recipe.prune.exclude == (name,)


def test_the_link_and_the_session_accept_a_bias():
    recipe = Recipe(Quantize(4, exclude=["conv1.bias"]))
    session = wb.Session("fashion/lenet5", recipe)
    session.close()


def test_holding_the_size_of_a_module():
    with raises(CODE, "'fc2'", "try fc2.weight."):
        hold_size(wb.model("fashion/lenet5"), Recipe(Prune(0.5)), "fc2", 1000)
