"""Models of uploads: removed with their memory, limited, and asked for again after a reload."""

from __future__ import annotations

import gc
import weakref

import pytest

from tests.panels.uploads.conftest import csv
from workbench.panels.uploads import models
from workbench.recipe import Prune, Recipe
from workbench.zoo import registry
from workbench.zoo.tables import ARCHITECTURES


def learn(sender, name="plants.csv"):
    sender.send(name, csv())
    sender.until("check")
    assert sender.train()["step"] == "done", sender.last()


@pytest.mark.slow
def test_a_removed_model_is_freed_and_the_session_goes_back(client, sender):
    learn(sender)
    client.wait("learned")
    client.set_values(prune_sparsity=0.5)
    client.wait_until_idle()
    alive = weakref.ref(client.session.model.architecture)
    client.act("remove_model", key="custom/plants")
    client.wait_until_idle()
    assert client.session.model.name == "fashion/lenet5"
    assert registry.models() == tuple(ARCHITECTURES)
    assert client.last("page")["upload"]["models"] == []
    client.act("undo")  # skips the selections of the removed model
    assert client.session.model.name == "fashion/lenet-300-100"
    client.wait_until_idle()
    client.act("remove_model", key="custom/plants")
    assert "There is no model" in client.last("banner")["text"]
    gc.collect()
    assert alive() is None


@pytest.mark.slow
def test_another_model_stays_selected(client, sender):
    learn(sender)
    client.act("model", key="fashion/lenet5")
    client.wait_until_idle()
    client.act("remove_model", key="custom/plants")
    assert client.session.model.name == "fashion/lenet5"
    assert client.last("page")["upload"]["models"] == []


def test_the_number_of_models_is_limited(client, sender, monkeypatch):
    learn(sender)
    monkeypatch.setattr(models, "MAX_MODELS", 1)
    assert "remove one first" in sender.start("a.csv", 10)["text"]
    client.act("remove_model", key="custom/plants")
    assert sender.start("a.csv", 10)["step"] == "chunk"


@pytest.mark.slow
def test_a_link_to_a_missing_model_asks_for_its_file_and_then_goes_on(client, sender):
    link = "?v=2&m=custom/plants&prune.sparsity=0.5"
    client.act("hello", search=link, theme="light", file="plants.csv")
    state = client.last("state")
    assert state["error"] is None
    assert state["missing"]["model"] == "custom/plants"
    assert "was made from “plants.csv”" in state["missing"]["text"]
    assert state["missing"]["button"] == "upload “plants.csv” again"
    learn(sender)
    assert client.session.model.name == "custom/plants"
    assert client.session.recipe == Recipe(Prune(0.5))
    assert client.last("state")["missing"] is None


def test_without_the_name_of_the_file_the_page_asks_for_the_file(client):
    client.act("hello", search="?m=custom/gone", theme="light")
    missing = client.last("state")["missing"]
    assert missing["button"] == "upload the file again"
    assert missing["text"].endswith("the recipe and the plan of the link do not apply.")
    client.act("forget_missing")
    assert client.last("state")["missing"] is None


def test_other_mistakes_in_a_link_are_still_errors(client):
    client.act("hello", search="?m=fashion/gone", theme="light")
    assert client.last("state")["missing"] is None
    assert "This link is not valid" in client.last("state")["error"]


@pytest.mark.slow
def test_a_downloaded_file_asks_for_its_table_and_then_opens(client, sender):
    learn(sender)
    client.set_values(prune_sparsity=0.5)
    client.wait_until_idle()
    client.act("download")
    _name, _mime, data = client.file()
    client.act("remove_model", key="custom/plants")
    sender.send("small.safetensors", data)
    assert sender.until("done", "failed")["text"] == (
        "This was made from plants.csv: upload that table first, then this file."
    )
    learn(sender)
    sender.send("small.safetensors", data)
    assert sender.until("done", "failed")["step"] == "done", sender.last()
    assert client.session.model.name == "custom/plants"
    assert client.session.recipe == Recipe(Prune(0.5))
