"""A model that nobody uses any more leaves memory, whatever was done with it."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.session import Session
from workbench.training.teacher_predictions import teacher_predictions
from workbench.zoo import user_models

STATM = Path("/proc/self/statm")
COARSE = wb.Recipe(quantize=wb.Quantize(4))


def exact(model, **parts):
    return wb.measure(model, wb.Recipe(**parts), timed=False)


def visited(model):
    session = Session(model.name, COARSE)
    session.analyze("changes")
    session.undo()
    session.close()


USES = {
    "bringing": lambda model: model,
    "rounding": lambda model: exact(model, quantize=wb.Quantize(4)),
    "timing": lambda model: wb.measure(model, COARSE),
    "gradients": lambda model: exact(model, prune=wb.Prune(0.5, "gradient")),
    "curvature": lambda model: exact(model, prune=wb.Prune(0.5, "curvature")),
    "compensating": lambda model: exact(model, quantize=wb.Quantize(3, rounding="compensated")),
    "removing channels": lambda model: exact(model, structure=wb.Structure(0.5)),
    "folding": lambda model: exact(model, adjust=wb.Adjust("fold")),
    "correcting biases": lambda model: exact(
        model, quantize=wb.Quantize(3), adjust=wb.Adjust(biases="correct")
    ),
    "rounding inputs": lambda model: exact(
        model, quantize=wb.Quantize(8), activations=wb.Activations(8)
    ),
    "factoring": lambda model: exact(model, factorize=wb.Factorize(0.3, aim="outputs")),
    "training": lambda model: wb.train(model, steps=2),
    "teaching itself": lambda model: wb.train(model, steps=2, teacher="self"),
    "teaching by name": lambda model: wb.train(model, steps=2, teacher=model.name),
    "asking": lambda model: teacher_predictions(model, "self"),
    "comparing": lambda model: wb.compare(model, COARSE),
    "attributing": lambda model: wb.attribution(model, COARSE),
    "rebuilding": lambda model: wb.to_module(wb.compress(model, COARSE)),
    "a session": visited,
}


@pytest.fixture
def pictures(halves):
    generator = torch.Generator().manual_seed(0)
    return halves(
        torch.randn(240, 1, 6, 6, generator=generator),
        torch.randint(0, 3, (240,), generator=generator),
    )


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
    )


@pytest.fixture
def bring(pictures):
    def brought(name, module=None):
        return wb.from_module(network() if module is None else module, **pictures, name=name)

    return brought


@pytest.mark.parametrize("use", USES)
def test_a_model_that_was_used_and_dropped_is_gone(use, bring, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    model = bring("first")
    module = weakref.ref(model.architecture.module)
    data = weakref.ref(model.task.split("train"))
    USES[use](model)
    assert module() is not None
    del model
    bring("second")
    gc.collect()
    assert module() is None
    assert data() is None


def test_what_is_known_of_a_model_goes_though_its_name_stays(bring):
    model = bring("only")
    life = weakref.ref(model.architecture.lifetime)
    exact(model, prune=wb.Prune(0.5, "curvature"))
    del model
    gc.collect()
    assert life() is None
    assert exact(wb.model("custom/only"), prune=wb.Prune(0.5)).total == 80


def test_a_model_that_is_held_stays(bring, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    first = bring("first")
    bring("second")
    gc.collect()
    assert wb.model("custom/first") is first
    assert wb.models()[-2:] == ("custom/first", "custom/second")


def test_a_session_holds_its_models(bring, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    bring("first")
    session = Session("custom/first", COARSE)
    bring("second")
    session.choose_model("custom/second")
    bring("third")
    gc.collect()
    session.undo()
    assert session.model.name == "custom/first"
    session.close()


@pytest.mark.parametrize("room", [0, 20_000])
def test_small_models_can_be_had_by_name_and_large_ones_as_long_as_there_is_room(
    room, bring, monkeypatch
):
    monkeypatch.setattr(user_models, "ROOM", room)
    one = bring("size").original_bytes  # the data are shared, and count once
    for number in range(5):
        bring(f"m{number}")
    gc.collect()
    found = [number for number in range(5) if f"custom/m{number}" in wb.models()]
    assert found == list(range(max(0, 4 - room // one), 5))
    assert wb.model("custom/m4").name == "custom/m4"


def test_data_count_unless_models_share_them(bring, points, halves, monkeypatch):
    monkeypatch.setattr(user_models, "ROOM", 15_000)  # more than a network, less than its data
    bring("first")
    bring("same-data")
    assert "custom/first" in wb.models()
    wb.from_module(nn.Linear(8, 3), **halves(*points), name="other-data")
    gc.collect()
    assert wb.models()[-1] == "custom/other-data"
    assert "custom/first" not in wb.models()


def test_a_model_that_is_gone_is_one_sentence(bring, monkeypatch):
    monkeypatch.setattr(user_models, "MOST_HELD", 0)
    bring("first")
    bring("second")
    gc.collect()
    with pytest.raises(
        WorkbenchError, match=r"no longer in memory.*keep the result"
    ) as said:
        wb.model("custom/first")
    assert "\n" not in str(said.value)
    bring("first")
    assert wb.model("custom/first").name == "custom/first"


def test_a_name_brought_again_means_the_newer_model(bring):
    first = bring("twin")
    second = bring("twin")
    assert wb.model("custom/twin") is second
    assert first is not second
    assert wb.models().count("custom/twin") == 1


@pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from Linux's /proc")
def test_memory_comes_back(bring, monkeypatch):
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
    bring("warm", Large())
    before = resident()
    for number in range(5):
        bring(f"m{number}", Large())  # 16 MB each
        gc.collect()
    assert resident() - before < 48 * 2**20
