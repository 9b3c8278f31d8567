"""The description of data and network travels: model, file, reload; and it is counted."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.artifact import container
from workbench.artifact.artifact import Artifact
from workbench.custom.origin import Origin
from workbench.custom.pictures.preprocessing import PicturePreprocessing
from workbench.custom.prediction.file_model import file_model
from workbench.custom.uploads import small_models
from workbench.custom.uploads.splits import UploadedData, split_rows
from workbench.zoo import registry
from workbench.zoo.model_of_file import model_of_file

DATA = {"columns": [{"name": "größe", "mean": 0.1, "categories": ["=1+1", "b"]}]}
PICTURES = PicturePreprocessing(28, color=False, background=(0, 0, 0)).as_dict()


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setattr(small_models, "STEPS", {"custom": 30, "image": 8})


def uploaded(*, name="a.csv", seed=0, **choices):
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(90, 4)).astype(np.float32)
    labels = (inputs[:, 0] > 0).astype(np.int64)
    parts = {n: (inputs[r], labels[r]) for n, r in split_rows(labels).items()}
    origin = Origin.of(name, inputs.tobytes(), choices)
    return UploadedData(parts, ("no", "yes"), "custom", origin=origin, preprocessing=DATA)


def pictures():
    labels = np.arange(60) % 3
    pixels = np.random.default_rng(0).integers(0, 80, (60, 28, 28), np.uint8)
    parts = {n: (pixels[r], labels[r]) for n, r in split_rows(labels).items()}
    origin = Origin.of("a.zip", pixels.tobytes(), {})
    return UploadedData(parts, tuple("abc"), "image", origin=origin, preprocessing=PICTURES)


RECIPES = [
    wb.Recipe(),
    wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(bits=4)),
    wb.Recipe(structure=wb.Structure(removed=0.5), activations=wb.Activations(bits=8)),
    wb.Recipe(train=wb.Train(steps=2), quantize=wb.Quantize(bits=4)),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_the_shown_size_is_the_length_of_the_file_with_its_description(recipe, tmp_path):
    model = small_models.train_small_model("mine", uploaded())
    assert model.preprocessing["data"] == DATA
    artifact = wb.compress(model, recipe)
    path = artifact.save(tmp_path / "mine.safetensors")
    loaded = wb.load(path)
    assert loaded.preprocessing == artifact.preprocessing == model.preprocessing
    assert path.stat().st_size == len(artifact) == artifact.ledger.total
    assert artifact.ledger.preprocessing > len(json.dumps(DATA, separators=(",", ":")))
    report = wb.measure(model, recipe, timed=False)
    assert (report.bytes, report.size.ledger) == (len(artifact), artifact.ledger)
    assert wb.evaluate(path, timed=False).value == report.value


@pytest.mark.slow
@pytest.mark.parametrize("make", [uploaded, pictures])
def test_the_network_is_built_from_the_file_alone(make, tmp_path):
    model = small_models.train_small_model("mine", make())
    inputs = model.task.inputs(model.task.split("test").examples)
    for number, recipe in enumerate(RECIPES):
        artifact = wb.compress(model, recipe)
        expected = wb.to_module(artifact, model.architecture.module)(inputs)
        path = artifact.save(tmp_path / f"{number}.safetensors")
        assert torch.equal(wb.to_module(path)(inputs), expected)


@pytest.mark.slow
def test_a_file_model_needs_no_registered_model(tmp_path, monkeypatch):
    path = wb.compress(small_models.train_small_model("mine", pictures()), RECIPES[1]).save(
        tmp_path / "mine.safetensors"
    )
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    model = file_model(wb.load(path))
    assert (model.name, model.task.classes, model.card["macs"]) == (
        "custom/mine",
        tuple("abc"),
        28**2 * 9 * 16 + 14**2 * 9 * 16 * 32 + 7**2 * 9 * 32 * 64 + 576 * 3,
    )
    assert wb.to_module(path)(torch.zeros(2, 1, 28, 28)).shape == (2, 3)
    with raises("artifact.data_missing", "a.zip"):
        wb.evaluate(path)


def changed(artifact, **changes):
    """Return a file whose description was changed."""
    header, data = container.unpack(artifact.to_bytes())
    header["preprocessing"] |= changes
    return Artifact.from_bytes(container.pack(header, data)[0])


@pytest.mark.slow
def test_a_description_that_does_not_fit_the_tensors_is_refused():
    table = wb.compress(small_models.train_small_model("mine", uploaded()), wb.Recipe())
    images = wb.compress(small_models.train_small_model("mine", pictures()), wb.Recipe())
    wide = [["linear", 2**20, 2**20, 1], ["relu"]]
    for artifact, code in [
        (changed(table, network=[["linear", 4, 2, 1]]), "artifact.tensor_mismatch"),
        (changed(table, network=wide), "artifact.tensor_mismatch"),
        (changed(table, network=[["relu"]]), "artifact.invalid_preprocessing"),
        (changed(table, network=[["linear", True, 2, 1]]), "artifact.invalid_preprocessing"),
        (changed(table, classes=["a", "b", "c"]), "artifact.tensor_mismatch"),
        (changed(images, data=PICTURES | {"color": True}), "artifact.invalid_network"),
        (changed(images, data={"size": 28}), "artifact.invalid_preprocessing"),
        (changed(images, data=PICTURES | {"size": 10**6}), "artifact.invalid_preprocessing"),
        (changed(images, data=PICTURES | {"size": -1}), "artifact.invalid_preprocessing"),
    ]:
        with raises(code):
            file_model(artifact)
    with raises("artifact.no_preprocessing", "fashion/lenet5"):
        file_model(wb.compress(wb.model("fashion/lenet5"), wb.Recipe()))


@pytest.mark.slow
def test_a_file_is_recognized_by_what_it_was_made_from():
    model = small_models.train_small_model("wine", uploaded(name="wine.csv"))
    artifact = Artifact.from_bytes(wb.compress(model, wb.Recipe()).to_bytes())
    digest = model.digest
    assert model_of_file(artifact) is model
    for data in (uploaded(name="wine.csv", seed=1), uploaded(name="wine.csv", target="b")):
        other = small_models.train_small_model("wine", data)
        assert other.digest != digest
        with raises("artifact.other_data", "wine.csv", "custom/wine"):
            model_of_file(artifact)
        with raises("artifact.other_data"):
            wb.compare(other, artifact)
    plain = small_models.train_small_model(
        "wine", UploadedData(uploaded().parts, ("no", "yes"), "custom")
    )
    with raises("artifact.other_data"):
        model_of_file(artifact)
    again = small_models.train_small_model("wine-2", uploaded(name="wine.csv"))
    assert model_of_file(artifact).name == "custom/wine-2"
    assert wb.evaluate(artifact, timed=False).value == again.metric_value("validation")
    assert len(wb.compare(again, artifact)) == len(again.task.split("validation"))
    with raises("artifact.other_data", "custom/wine"):
        model_of_file(changed_name(wb.compress(plain, wb.Recipe()), "custom/wine-2"))


def test_a_file_of_another_version_is_not_measured_on_other_inputs():
    model = small_models.train_small_model("wine", uploaded(name="wine.csv"))
    artifact = wb.compress(model, wb.Recipe())
    column = DATA["columns"][0]
    rounded = {"columns": [column | {"mean": column["mean"] * (1 + 1e-15)}]}
    assert model_of_file(changed(artifact, data=rounded)) is model
    for data in ({"columns": [column | {"mean": 0.2}]}, {"columns": []}, {**DATA, "more": 1}):
        with raises("artifact.other_version", "wine.csv"):
            wb.evaluate(changed(artifact, data=data))
        with raises("artifact.other_data"):
            wb.compare(model, changed(artifact, data=data))


def changed_name(artifact, name):
    """Return a file with another model name."""
    header, data = container.unpack(artifact.to_bytes())
    return Artifact.from_bytes(container.pack(header | {"model": name}, data)[0])


def test_the_sentence_says_what_to_upload(monkeypatch):
    artifact = wb.compress(
        small_models.train_small_model("wine", uploaded(name="wine-red.csv")), wb.Recipe()
    )
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    with raises("artifact.data_missing") as caught:
        model_of_file(artifact)
    assert str(caught.value) == (
        "This was made from wine-red.csv: upload that table first, then this file."
    )
