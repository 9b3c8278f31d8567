"""A model that is no longer used is removed from memory, whatever was done with it."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.session import Session
from workbench.training.teacher_predictions import teacher_predictions
from workbench.zoo import user_models

STATM = Path("/proc/self/statm")
QUANTIZED = wb.Recipe(quantize=wb.Quantize(4))


def measure(model, **parts):
    return wb.measure(model, wb.Recipe(**parts), timed=False)


def visited(model):
    session = Session(model.name, QUANTIZED)
    session.analyze("comparison")
    session.undo()
    session.close()


USES = {
    "registering": lambda model: model,
    "quantizing": lambda model: measure(model, quantize=wb.Quantize(4)),
    "timing": lambda model: wb.measure(model, QUANTIZED),
    "gradients": lambda model: measure(model, prune=wb.Prune(0.5, "gradient")),
    "curvature": lambda model: measure(model, prune=wb.Prune(0.5, "curvature")),
    "compensated rounding": lambda model: measure(
        model, quantize=wb.Quantize(3, rounding="compensated")
    ),
    "removing channels": lambda model: measure(model, structure=wb.Structure(0.5)),
    "folding": lambda model: measure(model, adjust=wb.Adjust("fold")),
    "correcting biases": lambda model: measure(
        model, quantize=wb.Quantize(3), adjust=wb.Adjust(biases="correct")
    ),
    "quantizing inputs": lambda model: measure(
        model, quantize=wb.Quantize(8), activations=wb.Activations(8)
    ),
    "factorizing": lambda model: measure(model, factorize=wb.Factorize(0.3, aim="outputs")),
    "training": lambda model: wb.train(model, steps=2),
    "self-distillation": lambda model: wb.train(model, steps=2, teacher="self"),
    "self-distillation by name": lambda model: wb.train(model, steps=2, teacher=model.name),
    "teacher predictions": lambda model: teacher_predictions(model, "self"),
    "comparing": lambda model: wb.compare(model, QUANTIZED),
    "attribution": lambda model: wb.attribution(model, QUANTIZED),
    "to a module": lambda model: wb.to_module(wb.compress(model, QUANTIZED)),
    "a session": visited,
}


@pytest.fixture
def images(make_splits):
    generator = torch.Generator().manual_seed(0)
    return make_splits(
        torch.randn(240, 1, 6, 6, generator=generator),
        torch.randint(0, 3, (240,), generator=generator),
    )


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
    )


@pytest.fixture
def register(images):
    def register(name, module=None):
        return wb.from_module(network() if module is None else module, **images, name=name)

    return register


@pytest.mark.slow
@pytest.mark.parametrize("use", USES)
def test_a_model_that_was_used_and_deleted_is_freed(use, register, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    model = register("first")
    module = weakref.ref(model.architecture.module)
    data = weakref.ref(model.task.split("train"))
    USES[use](model)
    assert module() is not None
    del model
    register("second")
    gc.collect()
    assert module() is None
    assert data() is None


def test_cached_statistics_of_a_deleted_model_are_freed(register):
    model = register("only")
    lifetime = weakref.ref(model.architecture.lifetime)
    measure(model, prune=wb.Prune(0.5, "curvature"))
    del model
    gc.collect()
    assert lifetime() is None
    assert measure(wb.model("custom/only"), prune=wb.Prune(0.5)).total == 80


@pytest.mark.slow
def test_a_model_with_references_stays(register, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    first = register("first")
    register("second")
    gc.collect()
    assert wb.model("custom/first") is first
    assert wb.models()[-2:] == ("custom/first", "custom/second")


@pytest.mark.slow
def test_a_session_keeps_its_models(register, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    register("first")
    session = Session("custom/first", QUANTIZED)
    register("second")
    session.choose_model("custom/second")
    register("third")
    gc.collect()
    session.undo()
    assert session.model.name == "custom/first"
    session.close()


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 20_000])
def test_unused_models_stay_registered_within_the_memory_limit(room, register, monkeypatch):
    monkeypatch.setattr(user_models, "ROOM", room)
    size = register("size").original_bytes  # the data is shared, and counted once
    for number in range(5):
        register(f"m{number}")
    gc.collect()
    remaining = [number for number in range(5) if f"custom/m{number}" in wb.models()]
    assert remaining == list(range(max(0, 4 - room // size), 5))
    assert wb.model("custom/m4").name == "custom/m4"


@pytest.mark.slow
def test_data_is_counted_unless_models_share_it(register, points, make_splits, monkeypatch):
    monkeypatch.setattr(user_models, "ROOM", 15_000)  # more than a network, less than its data
    register("first")
    register("same-data")
    assert "custom/first" in wb.models()
    wb.from_module(nn.Linear(8, 3), **make_splits(*points), name="other-data")
    gc.collect()
    assert wb.models()[-1] == "custom/other-data"
    assert "custom/first" not in wb.models()


@pytest.mark.slow
def test_a_removed_model_is_reported(register, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    register("first")
    register("second")
    gc.collect()
    with raises("model.dropped", "custom/first", "wb.from_module(") as caught:
        wb.model("custom/first")
    assert "\n" not in str(caught.value)
    register("first")
    assert wb.model("custom/first").name == "custom/first"


@pytest.mark.slow
def test_registering_a_name_again_replaces_the_model(register):
    first = register("twin")
    second = register("twin")
    assert wb.model("custom/twin") is second
    assert first is not second
    assert wb.models().count("custom/twin") == 1


@pytest.mark.slow
@pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from Linux's /proc")
def test_memory_is_freed(register, monkeypatch):
    def resident():
        return int(STATM.read_text().split()[1]) * 4096

    class Large(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Parameter(torch.randn(4_000_000).view(2000, 2000))
            self.last = nn.Linear(36, 3)

        def forward(self, inputs):
            return self.last(inputs.flatten(1)) + self.table.mean()

    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    register("warm", Large())
    before = resident()
    for number in range(5):
        register(f"m{number}", Large())  # 16 MB each
        gc.collect()
    assert resident() - before < 48 * 2**20
