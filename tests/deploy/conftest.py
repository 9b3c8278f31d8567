"""Small networks and their packages."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.deploy import timing
from workbench.deploy.environments import ENVIRONMENTS
from workbench.deploy.interpreter import interpreter
from workbench.deploy.runtimes import RUNTIMES


@pytest.fixture(autouse=True)
def _short_rounds(monkeypatch):
    """Time a few calls in each round."""
    monkeypatch.setattr(timing, "SECONDS", 0.02)


@pytest.fixture(scope="session")
def artifact():
    """A compressed network of convolutions, without quantized inputs."""
    recipe = wb.Recipe(wb.Prune(0.5), wb.Quantize(bits=8))
    return wb.compress(wb.model("vowels/cnn"), recipe)


@pytest.fixture(params=[name for name in RUNTIMES if not RUNTIMES[name].own_models_only])
def runtime(request):
    """Each runtime that is installed, except Keras, which runs only its own models."""
    sentence = RUNTIMES[request.param].missing()
    if sentence is None and request.param == "litert":
        converter = ENVIRONMENTS["litert-converter"]
        found = interpreter(("litert_torch",), converter)
        sentence = None if found else converter.missing()
    if sentence:
        pytest.skip(sentence)
    return request.param


@pytest.fixture(scope="session")
def package(artifact):
    """The network in ONNX Runtime."""
    pytest.importorskip("onnxruntime")
    return wb.export(artifact)


@pytest.fixture(scope="session")
def _exports():
    return {}


@pytest.fixture
def exported(runtime, artifact, _exports):
    """The network in each runtime."""
    if runtime not in _exports:
        _exports[runtime] = wb.export(artifact, runtime)
    return _exports[runtime]


@pytest.fixture
def regression():
    """A user's module that predicts numbers, and its model."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(120, 6, generator=generator)
    labels = inputs.sum(1, keepdim=True)
    parts = {"train": slice(0, 60), "validation": slice(60, 90), "test": slice(90, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.GELU(), torch.nn.Linear(8, 1))
    return wb.from_module(module, **data, name="deployed", metric="r2")
