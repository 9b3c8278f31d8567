"""What the page says about a downloaded file."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from tests.panels.conftest import Client
from workbench import formatting
from workbench.custom.uploads.weights import model_with_weights
from workbench.panels.file_name import file_stem
from workbench.recipe import Prune, Quantize, Recipe, Train
from workbench.session import Session
from workbench.zoo.registry import remove_model


def downloaded(client):
    """Return what the card shows, and the size of the file once it is measured on test."""
    client.wait_until_idle()
    shown = client.last("state")["numbers"]
    with client.dashboard.changed:
        client.dashboard.sent[:] = [
            pair for pair in client.dashboard.sent if pair[0]["kind"] == "state"
        ]
    client.act("download")
    client.wait("saved", lambda message: "that were not used" in message["text"])
    return shown, len(client.file()[2])


def check_download(client):
    shown, size = downloaded(client)
    assert shown["bytes"] == f"{size:,}\u202fbytes"
    assert f"The file of {size:,}\u202fbytes" in client.last("saved")["text"]
    return shown


@pytest.fixture(params=["built-in", "half precision", "weights", "table"])
def origin(request):
    """The name of a model of each kind."""
    if request.param == "built-in":
        yield "fashion/mlp-32"
        return
    model = MAKERS[request.param]()
    yield model.name
    remove_model(model.name)


class Halved(nn.Sequential):
    def forward(self, x):
        return super().forward(x.to(self[0].weight.dtype)).float()


def half_precision():
    torch.manual_seed(0)
    x, y = torch.randn(60, 20), torch.arange(60) % 2
    net = Halved(nn.Linear(20, 50), nn.ReLU(), nn.Linear(50, 2)).half()
    data = {"train": (x, y), "validation": (x, y), "test": (x, y)}
    return wb.from_module(net, name="halves", **data)


def uploaded_weights():
    base = wb.model("fashion/mlp-32")
    return model_with_weights("mine", base, {k: v.clone() for k, v in base.weights().items()})


def table():
    lines = [f"{i % 7},{'xyz'[i % 3]},{'yes' if i % 7 > 3 else 'no'}" for i in range(120)]
    content = "\n".join(["a,b,c", *lines]).encode()
    return wb.from_table(content, target="c", name="rows", seconds=0.5)


MAKERS = {"half precision": half_precision, "weights": uploaded_weights, "table": table}


@pytest.mark.slow
@pytest.mark.parametrize("postpone", [False, True])
def test_the_size_shown_is_that_of_the_file_of_each_kind_of_model(store, origin, postpone):
    client = Client(Session(origin, store=store, postpone=postpone))
    client.act("hello", search="", theme="light")
    client.session.open(origin, Recipe())
    try:
        original = check_download(client)
        assert original["original"] == f"original {original['bytes']}"
        assert original["times"] == formatting.size_ratio(1)
        for change in (
            lambda: client.session.preset("tiny"),
            lambda: client.session.train(Train(steps=2, threads=1)),
            client.session.reset,
        ):
            change()
            shown = check_download(client)
            assert shown["original"] == original["original"]
        assert shown["bytes"] == original["bytes"]
    finally:
        client.dashboard.close()


@pytest.mark.slow
def test_the_size_shown_is_that_of_the_file_of_a_student(client):
    client.session.distill(wb.student("fashion/mlp-32.resnet.t4.labels1"))
    check_download(client)
    client.session.set(Recipe(quantize=Quantize(bits=8)))
    check_download(client)


@pytest.mark.slow
@pytest.mark.parametrize(("budget", "met"), [(10_000, False), (None, True), (1_000_000, True)])
def test_both_accuracies_and_whether_the_goal_is_met(client, budget, met):
    client.session.set(Recipe(quantize=Quantize(bits=8)))
    client.wait_until_idle()
    client.session.set_budget(budget)
    client.act("download")
    saved = client.wait("saved", lambda message: "test images" in message["text"])
    validation = formatting.percent(client.session.report.value)
    assert f"(on validation: {validation})" in saved["text"]
    assert {m["met"] for m, _ in client.dashboard.sent if m["kind"] == "saved"} == {met}


@pytest.mark.slow
def test_a_limit_that_is_missed_on_test_alone_is_said(client):
    client.session.set(Recipe(quantize=Quantize(bits=8)))
    client.wait_until_idle()
    client.session.set_floor(client.session.report.value)
    client.act("download")
    saved = client.wait("saved", lambda message: "test images" in message["text"])
    assert "misses the limit" in saved["text"]
    assert not saved["met"]


def test_file_names_differ_where_recipes_do():
    tiny = Recipe(prune=Prune(0.6), quantize=Quantize(bits=3, range="mse"))
    drawn = Recipe(prune=Prune(0.6), quantize=Quantize(bits=3))
    names = {file_stem("fashion/lenet5", recipe) for recipe in (tiny, drawn)}
    assert len(names) == 2
    assert all(name.startswith("fashion-lenet5-prune-0.6-quantize-3-") for name in names)
    assert max(map(len, names)) < 60
    assert file_stem("fashion/lenet5", Recipe()) == "fashion-lenet5"


def test_images_are_named_after_the_model_and_the_recipe_like_the_file(client):
    client.session.set(Recipe(quantize=Quantize(bits=8)))
    client.act("tab", key="bytes")
    client.wait_until_idle()
    client.act("download")
    name = client.file()[0].removesuffix(".safetensors")
    assert "-quantize-8-" in name
    assert client.wait("chart", lambda chart: chart["name"] == name)
    assert client.wait("tab", lambda tab: tab["name"] == f"{name}-bytes")
