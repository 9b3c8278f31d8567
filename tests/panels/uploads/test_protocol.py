"""A file is uploaded in chunks; an invalid one is a sentence and changes nothing."""

from __future__ import annotations

import threading

import pytest
from safetensors.torch import save

import workbench as wb
from tests.panels.uploads.conftest import csv
from workbench.custom.pictures.reading import read_pictures
from workbench.custom.tables.read import read
from workbench.custom.uploads import limits, small_models, weights
from workbench.errors import Cancelled
from workbench.panels.uploads import file, texts
from workbench.recipe import Prune, Recipe
from workbench.zoo import registry
from workbench.zoo.tables import ARCHITECTURES


def test_matching_weights_become_a_model_next_to_the_built_in_one(client, sender):
    data = save({n: t * 0.5 for n, t in wb.model("fashion/lenet-300-100").weights().items()})
    sender.send("half.safetensors", data)
    text = sender.until("done", "failed")["text"]
    assert text.startswith("The weights match LeNet-300-100, fully connected; accuracy is")
    assert client.session.model.name == "custom/half"
    client.set_values(prune_sparsity=0.5)
    assert client.wait_until_idle()["numbers"]["exact"]
    section = client.last("page")["training"]
    teacher, *_ = [field for field in section["main"] if field["key"] == "teacher"]
    assert "fashion/resnet" in [choice["value"] for choice in teacher["choices"]]
    sender.send("half.safetensors", data)  # a model of the same name is not replaced
    sender.until("done", "failed")
    assert client.session.model.name == "custom/half-2"


def test_a_compressed_file_selects_its_recipe(client, sender):
    recipe = Recipe(Prune(0.3))
    sender.send("a.safetensors", wb.compress(wb.model("fashion/lenet5"), recipe).to_bytes())
    assert sender.until("done", "failed")["text"] == (
        "This is a compressed fashion/lenet5; its recipe is now selected."
    )
    assert (client.session.model.name, client.session.recipe) == ("fashion/lenet5", recipe)
    client.act("undo")
    assert (client.session.model.name, client.session.recipe) == ("fashion/lenet-300-100", Recipe())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data", "reader"),
    [
        ("a.csv", csv(10), read),
        ("a.csv", b"\0\1\2\3" * 50, read),
        ("a.zip", b"PK nonsense", read_pictures),
        ("a.safetensors", b"\0" * 20, weights.read),
    ],
    ids=["rows", "binary", "zip", "weights"],
)
def test_an_invalid_file_is_one_sentence_and_changes_nothing(client, sender, name, data, reader):
    with pytest.raises(wb.WorkbenchError) as caught:
        reader(data)
    client.set_values(prune_sparsity=0.5)
    before = client.wait_until_idle()["numbers"]
    sender.send(name, data)
    message = sender.until("failed", "check", "done")
    assert (message["step"], message["text"]) == ("failed", str(caught.value))
    assert message["text"].endswith(".")
    assert client.session.recipe == Recipe(Prune(0.5))
    assert client.session.model.name == "fashion/lenet-300-100"
    assert client.last("state")["numbers"] == before
    assert registry.models() == tuple(ARCHITECTURES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a.xlsx", "save it as “CSV UTF-8”"),
        ("a.PT", "can execute code"),
        ("a.parquet", "save the table as CSV"),
        ("a.jpg", "put the pictures of each class into a folder"),
        ("a.7z", "create a ZIP archive"),
        ("a.CSV.exe", "Choose a table (.csv), pictures in folders (.zip) or weights"),
        ("", "Choose a table (.csv), pictures in folders (.zip) or weights"),
    ],
)
def test_a_file_of_another_type_is_answered_with_what_to_do(sender, name, advice):
    answer = sender.start(name, 5)
    assert answer["step"] == "failed"
    assert advice in answer["text"]
    assert answer["text"].endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, -1, 2.5, True, None, "9", limits.TABLE_BYTES + 1])
def test_an_invalid_size_is_rejected_before_any_chunk(sender, size):
    assert sender.start("a.csv", size)["step"] == "failed"
    sender.send_chunk(b"abc")
    assert sender.last()["step"] == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("buffers", [[], [b""], [b"x", b"y"], [b"x" * 11], [b"x" * 2**20]])
def test_an_invalid_chunk_ends_the_upload(sender, buffers):
    sender.start("a.csv", 10)
    sender.send_chunk(*buffers)
    assert sender.last()["text"] == "The upload was interrupted: start it again."
    sender.send_chunk(b"x" * 10)
    assert sender.last()["step"] == "failed"


def test_chunks_of_an_older_file_are_ignored(sender):
    sender.start("a.csv", 10)
    old, sender.number = sender.number, 0
    sender.send_chunk(b"x" * 10)
    assert sender.last() == {
        "kind": "upload", "number": old, "step": "chunk", "text": None, "offset": 0
    }  # fmt: skip


@pytest.mark.slow
def test_a_file_of_many_chunks_is_complete(sender):
    sender.send("a.csv", csv(60_000))
    assert file.CHUNK_BYTES < 60_000 * 10
    assert sender.until("check", "failed")["table"]["facts"][0] == "60,000 rows"


def test_an_upload_can_be_cancelled_at_any_time(client, sender, monkeypatch):
    sender.start("a.csv", 10)
    client.act("upload_cancel")
    assert sender.last()["step"] == "idle"
    sender.send("a.csv", csv())
    shown = sender.until("check")
    training, stopped = threading.Event(), threading.Event()

    def train(name, data, cancel, **_more):
        training.set()
        while not cancel.cancelled:
            pass
        stopped.set()
        raise Cancelled("Training was cancelled.")

    monkeypatch.setattr(small_models, "train_small_model", train)
    client.act("upload_train", number=sender.number)
    client.act("upload_train", number=sender.number)  # a second click has no effect
    assert training.wait(60)
    client.act("upload_cancel")  # returns to what the user checked
    assert sender.last() == shown
    assert stopped.wait(60)
    client.act("upload_cancel")
    assert sender.last()["step"] == "idle"
    assert client.session.model.name == "fashion/lenet-300-100"
    assert client.last("banner") is None


def test_disabled_uploads_have_no_panel_and_are_rejected(client, sender, monkeypatch):
    assert client.last("page")["upload"]["kinds"]
    monkeypatch.setenv(texts.VARIABLE, "off")
    client.act("hello", search="", theme="light")
    assert client.last("page")["upload"] is None
    client.act("upload", number=1, file="a.csv", size=10)
    assert client.last("banner")["text"] == "Uploads are disabled on this server."
    assert client.last("upload") is None
