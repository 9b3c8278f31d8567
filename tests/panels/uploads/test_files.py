"""A file of a model of own data opens only where the same data were uploaded."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from tests.panels.uploads.conftest import csv
from workbench.recipe import Prune, Recipe
from workbench.zoo import registry

RECIPE = Recipe(Prune(0.3))


def train(client, sender, content):
    sender.send("wine-red.csv", content)
    sender.until("check")
    assert sender.train()["step"] == "done", sender.last()
    return client.session.model


def answer(sender, file):
    sender.send("red.safetensors", file)
    return sender.until("done", "failed")["text"]


@pytest.mark.slow
def test_a_file_needs_the_data_that_it_was_made_from(client, sender, monkeypatch):
    file = wb.compress(train(client, sender, csv()), RECIPE).to_bytes()
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())  # as after a reload
    assert answer(sender, file) == (
        "This was made from wine-red.csv: upload that table first, then this file."
    )
    assert train(client, sender, csv(90)).name == "custom/wine-red"
    assert "with rows or choices that differ" in answer(sender, file)
    assert train(client, sender, csv()).name == "custom/wine-red-2"
    assert answer(sender, file) == (
        "This is a compressed custom/wine-red-2; its recipe is now selected."
    )
    assert (client.session.model.name, client.session.recipe) == ("custom/wine-red-2", RECIPE)


def test_a_file_of_a_model_that_is_not_registered(client, sender, monkeypatch):
    data = torch.rand(60, 4), torch.arange(60) % 2
    splits = dict.fromkeys(("train", "validation", "test"), data)
    model = wb.from_module(torch.nn.Linear(4, 2), **splits, name="gone")
    file = wb.compress(model, RECIPE).to_bytes()
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    text = answer(sender, file)
    assert text.startswith("This was made from custom/gone, which is not here: upload the file of")
    assert "--module" not in text
