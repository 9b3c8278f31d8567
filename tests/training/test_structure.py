"""Networks of another width and depth: trained from scratch, saved and evaluated."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.errors import RecipeError
from workbench.evaluation.measure import evaluate
from workbench.recipe import Prune, Quantize, Recipe, Structure, Train

SMALL = {"steps": 2, "start": "scratch", "threads": 1}


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models("fashion"))
@pytest.mark.parametrize(("width", "left_out"), [(0.5, 0), (1.0, 1), (0.25, 1)])
def test_a_smaller_network_is_saved_and_reloaded(name, width, left_out):
    model = wb.model(name)
    recipe = Recipe(quantize=Quantize(8), train=Train(**SMALL, width=width, left_out=left_out))
    report = wb.measure(model, recipe, timed=False)
    artifact = Artifact.from_bytes(wb.compress(model, recipe).to_bytes())
    again = evaluate(artifact, timed=False)
    assert (artifact.spec.width, artifact.spec.left_out) == (width, left_out)
    assert (again.accuracy, again.size) == (report.accuracy, report.size)
    assert len(artifact) == report.bytes < model.original_bytes
    # Leaving out a hidden layer widens the next one: fewer MACs, but not always fewer weights.
    assert report.macs < model.card["macs"]
    assert "no_faster" not in {reason.kind for reason in report.size.reasons}


def test_half_the_width_is_a_quarter_of_the_hidden_weights():
    model = wb.model("fashion/lenet5")
    artifact = wb.compress(model, Recipe(train=Train(**SMALL, width=0.5)))
    shapes = {name: tuple(coded.shape) for name, coded in artifact.tensors.items()}
    assert shapes["conv2.weight"] == (25, 10, 5, 5)
    assert shapes["fc1.weight"] == (250, 400)
    assert shapes["fc2.weight"] == (10, 250)  # the number of classes is fixed


@pytest.mark.slow
def test_a_narrow_network_can_be_pruned():
    recipe = Recipe(
        structure=Structure(0.5), prune=Prune(0.5), train=Train(**SMALL, width=0.5, teacher="self")
    )
    model = wb.model("fashion/resnet")
    artifact = wb.compress(model, recipe)
    assert artifact.tensors["stem.weight"].shape == (8, 1, 5, 5)
    assert evaluate(artifact, timed=False).sparsity_achieved == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_channels_are_counted_without_left_out_layers(name):
    recipe = Recipe(structure=Structure(0.5), train=Train(**SMALL, left_out=1))
    model = wb.model(name)
    report = wb.measure(model, recipe, timed=False)
    artifact = wb.compress(model, recipe)
    total = sum(tensor.numel() for tensor in model.weights().values() if tensor.ndim > 1)
    remaining = sum(tensor.numel() for tensor in artifact.weights().values() if tensor.ndim > 1)
    assert report.structure["weights_removed"] == pytest.approx(1 - remaining / total)
    assert 0 <= report.structure["channels_removed"] <= 0.6
    assert evaluate(artifact, timed=False).size == report.size


@pytest.mark.parametrize(
    ("recipe", "fact"),
    [
        ({"train": {"width": 0.5}}, "from scratch"),
        ({"train": {"left_out": 1}}, "from scratch"),
        ({"train": {**SMALL, "left_out": 2}}, "at most 1 of its layers or blocks"),
        (
            {
                "prune": {"sparsity": 0.5, "layers": {"fc1.weight": 0.5}},
                "train": {**SMALL, "left_out": 1},
            },
            "fc1.weight",
        ),
    ],
)
def test_an_invalid_structure_is_rejected_before_training(recipe, fact):
    steps = []
    with pytest.raises(RecipeError, match=fact):
        wb.compress(wb.model("fashion/lenet5"), wb.Recipe.from_json(recipe), on_step=steps.append)
    assert not steps
