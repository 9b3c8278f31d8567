"""Keras models: read from files of any backend, compressed, and written back."""

from __future__ import annotations

import importlib
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import workbench as wb
from tests.raises import raises

MODELS = ("attention", "branches", "nested", "without an input", "recurrent", "channels first")
"""The names of the models that `keras_models` makes."""
TENSORFLOW = Path(__file__).with_name("tensorflow.keras")
"""Trained and saved by Keras 3.15 with TensorFlow 2.21: a compiled classifier of 8 × 8 pictures."""
PREDICTED = [
    [2.8294969e-02, 3.6415634e-01, 4.2326632e-01, 1.8428233e-01],
    [1.4230453e-02, 1.4562183e-02, 9.6802115e-01, 3.1862850e-03],
    [1.2367205e-01, 2.0214140e-01, 5.9833026e-01, 7.5856239e-02],
    [8.7265503e-03, 1.5747081e-01, 7.8175747e-01, 5.2045118e-02],
    [2.0457846e-01, 2.5230047e-01, 4.9153861e-01, 5.1582385e-02],
    [9.8998839e-01, 8.0602998e-03, 3.4242048e-04, 1.6090111e-03],
]
"""What TensorFlow predicted for `pixels(6)`."""
SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module", autouse=True)
def models():
    """The module that makes models: loaded here, as not every worker needs Keras."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip(
        "keras", reason="Keras is not installed: pip install workbench[keras]"
    )
    if keras.backend.backend() != "torch":
        pytest.skip("Keras was loaded on another backend")
    module = importlib.import_module("tests.custom.loaders.keras_models")
    assert module.MODELS.keys() == {*MODELS}
    return module


def pixels(count):
    return torch.from_numpy(np.random.RandomState(0).rand(count, 8, 8, 2).astype("float32") * 255)


def compressed(path, inputs, recipe):
    module = wb.from_keras(path)
    rows = len(inputs[0]) if isinstance(inputs, tuple) else len(inputs)
    data = (inputs, torch.arange(rows) % 4)
    return wb.compress(wb.from_module(module, **dict.fromkeys(SPLITS, data), name="keras"), recipe)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_with_its_decoded_weights(tmp_path, models, name):
    from workbench.cli import main

    make, shape = models.MODELS[name]
    original = make()
    path = tmp_path / "m.keras"
    original.save(path)
    if shape is None:
        inputs = (torch.randn(24, 8), torch.randn(24, 8, 8, 1))
    else:
        inputs = torch.randn(24, *shape)
    given = list(inputs) if shape is None else inputs
    module = wb.from_keras(path)
    with torch.no_grad():
        outputs = module(*given) if shape is None else module(given)
        assert torch.allclose(outputs, original(given, training=False), atol=1e-6)
    artifact = compressed(path, inputs, wb.Recipe(wb.Prune(0.5), wb.Quantize(bits=4)))
    file = artifact.save(tmp_path / "small.safetensors")
    back = tmp_path / "back.keras"
    command = ["export", str(file), "--to", "keras", "--original", str(path)]
    assert main([*command, "--output", str(back)]) == 0
    again = models.keras.saving.load_model(back)
    with torch.no_grad():
        expected = (
            wb.to_module(artifact)(*given) if shape is None else wb.to_module(artifact)(given)
        )
        assert torch.equal(again(given, training=False), expected)
        assert not torch.allclose(expected, outputs)


def test_a_file_of_tensorflow_predicts_what_tensorflow_predicted():
    with torch.no_grad():
        outputs = wb.from_keras(TENSORFLOW)(pixels(6))
    assert np.abs(outputs.numpy() - PREDICTED).max() < 1e-6


@pytest.mark.slow
def test_the_exported_file_is_confirmed_and_always_the_same(tmp_path):
    artifact = compressed(TENSORFLOW, pixels(40), wb.Recipe(wb.Quantize(bits=8)))
    package = wb.export(artifact, "keras")
    assert wb.export(artifact, "keras").content == package.content
    agreement = wb.confirm(package)
    assert agreement.confirmed
    assert agreement.largest_difference < 1e-6
    assert agreement.facts["backend"] == "torch"
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        assert set(json.loads(archive.read("metadata.json"))) == {"keras_version"}
        assert b"sgd" not in archive.read("config.json").lower()


def test_another_model_does_not_become_a_keras_file():
    with raises("deploy.not_keras"):
        wb.export(wb.compress(wb.model("vowels/cnn"), wb.Recipe()), "keras")


@pytest.mark.slow
def test_the_console_needs_the_original(tmp_path):
    from workbench.cli import main

    artifact = compressed(TENSORFLOW, pixels(40), wb.Recipe())
    file = artifact.save(tmp_path / "small.safetensors")
    command = ["export", str(file), "--output", str(tmp_path / "m.keras")]
    assert main([*command, "--to", "keras"]) == 2
    assert main([*command, "--to", "torch", "--original", str(TENSORFLOW)]) == 2
    assert not (tmp_path / "m.keras").exists()


def test_a_registered_layer_of_the_user_is_read_and_another_is_named(tmp_path, models):
    models.doubled().save(tmp_path / "m.keras")
    assert wb.from_keras(tmp_path / "m.keras")(torch.ones(2, 3)).shape == (2, 4)
    with zipfile.ZipFile(tmp_path / "m.keras") as source:
        content = {name: source.read(name) for name in source.namelist()}
    content["config.json"] = content["config.json"].replace(b"tests>Doubled", b"tests>Other")
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as target:
        for name, text in content.items():
            target.writestr(name, text)
    with raises("module.keras_custom", "tests>Other", "twice"):
        wb.from_keras(tmp_path / "other.keras")


def test_a_file_without_its_weights_is_refused(tmp_path):
    with zipfile.ZipFile(TENSORFLOW) as source, zipfile.ZipFile(tmp_path / "m.keras", "w") as cut:
        for name in ("config.json", "metadata.json"):
            cut.writestr(name, source.read(name))
    with raises("module.loading_failed", "m.keras"):
        wb.from_keras(tmp_path / "m.keras")
