"""Predictions in a runtime against those of the file."""

from __future__ import annotations

import random

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from tests.recipes import random_recipe
from workbench.deploy.confirm import Reference
from workbench.deploy.export import Exporter
from workbench.deploy.host import Host
from workbench.errors import RecipeError

WEIGHTS_ONLY = {"torch": 3}
"""Random recipes by runtime: fewer where a process takes long to start."""
MOST = 6


@pytest.mark.slow
@pytest.mark.parametrize("split", ["validation", "test"])
def test_every_prediction_is_that_of_the_file(exported, artifact, split):
    agreement = wb.confirm(exported, split)
    report = wb.measure(wb.model("vowels/cnn"), artifact.recipe, split=split)
    assert agreement.confirmed
    assert not len(agreement.borderline)
    assert agreement.predictions == len(wb.model("vowels/cnn").task.split(split))
    assert agreement.score.value == agreement.reference.value == report.value
    assert agreement.largest_difference <= 1e-4
    assert "are those of the file" in agreement.summary


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/mlp-32", "vowels/gru", "reviews/bag"])
def test_other_kinds_of_networks(name):
    pytest.importorskip("onnxruntime")
    agreement = wb.confirm(wb.export(wb.compress(wb.model(name), wb.Recipe())))
    assert agreement.confirmed
    assert agreement.largest_difference <= 1e-4


@pytest.fixture(scope="module")
def random_files():
    """Exporters of random files without quantized inputs, and the accuracy of each file."""
    model, generator = wb.model("vowels/cnn"), random.Random(7)
    files: list[tuple[Exporter, float]] = []
    while len(files) < MOST:
        recipe = random_recipe(generator, model.weights()).untrained
        if recipe.activations is not None:
            continue
        try:
            artifact = wb.compress(model, recipe)
        except RecipeError:
            continue
        files.append((Exporter(artifact), wb.measure(model, artifact.recipe).value))
    return files


@pytest.mark.slow
def test_random_recipes_without_quantized_inputs(runtime, random_files):
    with Host(runtime) as host:
        for exporter, accuracy in random_files[: WEIGHTS_ONLY.get(runtime, MOST)]:
            package = exporter.export(runtime)  # runtimes of one kind of file share it
            agreement = Reference(exporter.artifact, "validation").confirm(package, host)
            assert agreement.confirmed, exporter.artifact.recipe
            assert agreement.score.value == accuracy


@pytest.mark.slow
def test_numbers_are_compared_by_value(runtime, regression):
    agreement = wb.confirm(wb.export(wb.compress(regression, wb.Recipe(wb.Prune(0.5))), runtime))
    assert agreement.confirmed
    expected = wb.measure(regression, wb.Recipe(wb.Prune(0.5))).value
    assert agreement.score.value == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_a_package_from_a_disk_needs_its_file(package, artifact, tmp_path):
    path = package.save(tmp_path / "a.onnx")
    with raises("deploy.no_artifact"):
        wb.confirm(path)
    other = wb.compress(wb.model("vowels/cnn"), wb.Recipe())
    with raises("deploy.other_artifact"):
        wb.confirm(path, artifact=other)
    agreement = wb.confirm(path, artifact=artifact.save(tmp_path / "a.safetensors"))
    assert agreement.confirmed
    assert np.isfinite(agreement.largest_difference)
