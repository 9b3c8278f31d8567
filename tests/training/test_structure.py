"""Networks of another width and depth: trained from scratch, written, and judged like any other."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.errors import RecipeError
from workbench.evaluation.measure import evaluate
from workbench.recipe import Prune, Quantize, Recipe, Structure, Train

SMALL = {"steps": 2, "start": "scratch", "threads": 1}


@pytest.mark.parametrize("name", wb.models("fashion"))
@pytest.mark.parametrize(("width", "left_out"), [(0.5, 0), (1.0, 1), (0.25, 1)])
def test_a_smaller_network_is_a_file_like_any_other(name, width, left_out):
    model = wb.model(name)
    recipe = Recipe(quantize=Quantize(8), train=Train(**SMALL, width=width, left_out=left_out))
    report = wb.measure(model, recipe, timed=False)
    artifact = Artifact.from_bytes(wb.compress(model, recipe).to_bytes())
    again = evaluate(artifact, timed=False)
    assert (artifact.spec.width, artifact.spec.left_out) == (width, left_out)
    assert (again.accuracy, again.size) == (report.accuracy, report.size)
    assert len(artifact) == report.bytes < model.original_bytes
    # leaving out a hidden layer makes the one behind it wider: fewer products, not always weights
    assert report.macs < model.card["macs"]
    assert "no-faster" not in {reason.kind for reason in report.size.reasons}


def test_half_the_width_is_a_quarter_of_the_weights_between():
    model = wb.model("fashion/lenet5")
    artifact = wb.compress(model, Recipe(train=Train(**SMALL, width=0.5)))
    shapes = {name: tuple(coded.shape) for name, coded in artifact.tensors.items()}
    assert shapes["conv2.weight"] == (25, 10, 5, 5)
    assert shapes["fc1.weight"] == (250, 400)
    assert shapes["fc2.weight"] == (10, 250)  # the classes stay


def test_it_can_be_pruned_and_narrowed_further():
    recipe = Recipe(
        structure=Structure(0.5), prune=Prune(0.5), train=Train(**SMALL, width=0.5, teacher="self")
    )
    model = wb.model("fashion/resnet")
    artifact = wb.compress(model, recipe)
    assert artifact.tensors["stem.weight"].shape == (8, 1, 5, 5)
    assert evaluate(artifact, timed=False).sparsity_achieved == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", wb.models("fashion"))
def test_channels_of_a_network_without_some_layers_are_counted(name):
    recipe = Recipe(structure=Structure(0.5), train=Train(**SMALL, left_out=1))
    model = wb.model(name)
    report = wb.measure(model, recipe, timed=False)
    artifact = wb.compress(model, recipe)
    whole = sum(tensor.numel() for tensor in model.weights().values() if tensor.ndim > 1)
    left = sum(tensor.numel() for tensor in artifact.weights().values() if tensor.ndim > 1)
    assert report.structure["weights_removed"] == pytest.approx(1 - left / whole)
    assert 0 <= report.structure["channels_removed"] <= 0.6
    assert evaluate(artifact, timed=False).size == report.size


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ({"train": {"width": 0.5}}, "train from scratch to change them"),
        ({"train": {"left_out": 1}}, "train from scratch to change them"),
        ({"train": {**SMALL, "left_out": 2}}, "can leave out 1 of its layers or blocks, not 2"),
        (
            {
                "prune": {"sparsity": 0.5, "layers": {"fc1.weight": 0.5}},
                "train": {**SMALL, "left_out": 1},
            },
            "names 'fc1.weight', which this model does not have",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence_before_anything_is_trained(recipe, sentence):
    steps = []
    with pytest.raises(RecipeError, match=sentence):
        wb.compress(wb.model("fashion/lenet5"), wb.Recipe.from_json(recipe), on_step=steps.append)
    assert not steps
