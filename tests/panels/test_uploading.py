"""A file is uploaded in chunks; it becomes a model, or one error message and nothing else."""

from __future__ import annotations

import io
import itertools
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save

import workbench as wb
from workbench.custom.pictures.reading import read_pictures
from workbench.custom.uploads import limits, small_models, tables, weights
from workbench.panels import uploading
from workbench.recipe import Prune, Recipe
from workbench.zoo import registry
from workbench.zoo.tables import ARCHITECTURES

NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setattr(small_models, "STEPS", {"custom": 60, "image": 20})


def csv(rows=80):
    lines = (f"{n},{n % 7},{'low' if n < rows / 2 else 'high'}" for n in range(rows))
    return "\n".join(["n,m,label", *lines]).encode()


def zipped_images():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(40):
            png = io.BytesIO()
            pixels = np.full((20, 20, 3), (number % 2) * 200 + number, np.uint8)
            pixels[:, :, 1] = 90
            Image.fromarray(pixels).save(png, "png")
            archive.writestr(f"{'ab'[number % 2]}/{number}.png", png.getvalue())
    return content.getvalue()


class Sender:
    """The client's side of an upload."""

    def __init__(self, client):
        self.client = client
        self.number = 0

    def start(self, name, size):
        self.number = next(NUMBERS)
        self.client.act("upload", number=self.number, file=name, size=size)
        return self.last()

    def last(self):
        return self.client.last("upload")

    def send_chunk(self, *buffers):
        message = {"act": "upload_chunk", "number": self.number}
        self.client.dashboard._on_message(self.client.dashboard, message, list(buffers))

    def send(self, name, data):
        answer = self.start(name, len(data))
        while answer["step"] == "chunk":
            offset = answer["offset"]
            self.send_chunk(memoryview(data)[offset : offset + uploading.CHUNK_BYTES])
            answer = self.last()
            if offset + uploading.CHUNK_BYTES >= len(data):
                break

    def until(self, *steps):
        number = self.number
        return self.client.wait("upload", lambda m: m["number"] == number and m["step"] in steps)


@pytest.fixture
def sender(client):
    client.wait_until_idle()
    return Sender(client)


def test_a_model_is_trained_on_a_table(client, sender):
    sender.send("my data (1).csv", csv())
    message = sender.until("target", "failed")
    assert (message["columns"], message["selected"]) == (["n", "m", "label"], 2)
    assert message["text"] == "80 rows, 3 columns"
    client.act("upload_target", number=sender.number, target=2)
    client.act("upload_target", number=sender.number, target=1)  # the second choice has no effect
    result = sender.until("done", "failed")
    assert result["step"] == "done", result
    assert result["text"].startswith("Trained on 56 examples; accuracy is")
    steps = [
        m["text"] for m, _ in client.dashboard.sent if m["kind"] == "upload" and m["step"] == "busy"
    ]
    assert [text for text, _ in itertools.groupby(steps)] == ["reading", "training", "measuring"]
    assert client.session.model.name == "custom/my-data-1"
    assert client.session.recipe == Recipe()
    header = client.wait("page", lambda page: page["header"]["selected"] == "custom/my-data-1")[
        "header"
    ]
    assert header["tasks"][-1]["models"][0]["label"] == "my-data-1"
    assert registry.models()[-1] == "custom/my-data-1"
    client.set_values(prune_sparsity=0.5, quantize_bits=4)
    shown = client.wait_until_idle()["numbers"]
    assert shown["exact"]
    client.act("tab", key="comparison", columns=8)
    for view in ("recall", "confusion", "weights"):
        client.act("focus", key="view", value=view)
        client.wait("tab", lambda tab: tab.get("figure") is not None)
    client.act("download")
    assert f"{len(client.file()[2]):,}\u202fbytes" == shown["bytes"]


def test_a_model_is_trained_on_color_images(client, sender):
    sender.send("shades.zip", zipped_images())
    assert sender.until("done", "failed")["step"] == "done", sender.last()
    assert client.session.model.name == "custom/shades"
    client.set_values(prune_sparsity=0.9, quantize_bits=2)
    client.wait_until_idle()
    client.act("tab", key="comparison", columns=8)
    for view in ("examples", "attribution"):
        client.act("focus", key="view", value=view)
        client.wait("tab", lambda tab: tab.get("figure") is not None)
    assert "text" not in (client.last("banner") or {})


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


@pytest.mark.parametrize(
    ("name", "data", "read"),
    [
        ("a.csv", b"1,2\n3,4\n", tables.read),
        ("a.csv", csv(10), tables.read),
        ("a.zip", b"PK nonsense", read_pictures),
        ("a.safetensors", b"\0" * 20, weights.read),
        ("a.pt", b"\x80\x04", None),
        ("a.CSV.exe", b"MZ", None),
        ("", b"x", None),
    ],
    ids=["header", "rows", "zip", "weights", "pickle", "program", "nameless"],
)
def test_an_invalid_file_is_one_sentence_and_changes_nothing(client, sender, name, data, read):
    expected = "Choose a table (.csv), images in folders (.zip) or weights (.safetensors)."
    if read:
        with pytest.raises(wb.WorkbenchError) as caught:
            read(data)
        expected = str(caught.value)
    client.set_values(prune_sparsity=0.5)
    before = client.wait_until_idle()["numbers"]
    sender.send(name, data)
    message = sender.until("failed", "target", "done")
    assert message["step"] == "failed"
    assert message["text"] == expected
    assert message["text"].endswith(".")
    assert client.session.recipe == Recipe(Prune(0.5))
    assert client.session.model.name == "fashion/lenet-300-100"
    assert client.last("state")["numbers"] == before
    assert registry.models() == tuple(ARCHITECTURES)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None, "9", limits.TABLE_BYTES + 1])
def test_an_invalid_size_is_rejected_before_any_chunk(sender, size):
    assert sender.start("a.csv", size)["step"] == "failed"
    sender.send_chunk(b"abc")
    assert sender.last()["step"] == "failed"


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


@pytest.mark.parametrize("target", [3, -1, "label", None, True])
def test_an_unknown_column(client, sender, target):
    sender.send("a.csv", csv())
    sender.until("target")
    client.act("upload_target", number=sender.number, target=target)
    assert sender.until("failed", "done")["text"] == "The table has no such column."


def test_an_upload_can_be_cancelled_at_any_time(client, sender, monkeypatch):
    sender.start("a.csv", 10)
    client.act("upload_cancel")
    assert sender.last()["step"] == "idle"
    sender.send("a.csv", csv())
    sender.until("target")
    training, stopped = threading.Event(), threading.Event()

    def train(name, data, cancel):
        training.set()
        while not cancel.cancelled:
            pass
        stopped.set()
        raise uploading.Cancelled("Training was cancelled.")

    monkeypatch.setattr(small_models, "train_small_model", train)
    client.act("upload_target", number=sender.number, target=2)
    assert training.wait(60)
    client.act("upload_cancel")
    assert sender.last()["step"] == "idle"
    assert stopped.wait(60)
    assert client.session.model.name == "fashion/lenet-300-100"
    assert client.last("banner") is None


def test_the_number_of_uploads_is_limited(client, sender):
    client.dashboard.uploads.count = uploading.MAX_MODELS
    assert "reload the page" in sender.start("a.csv", 10)["text"]


def test_disabled_uploads_have_no_panel_and_are_rejected(client, sender, monkeypatch):
    assert client.last("page")["upload"]["kinds"]
    monkeypatch.setenv(uploading.VARIABLE, "off")
    client.act("hello", search="", theme="light")
    assert client.last("page")["upload"] is None
    client.act("upload", number=1, file="a.csv", size=10)
    assert client.last("banner")["text"] == "Uploads are disabled on this server."
    assert client.last("upload") is None


def test_a_link_to_an_upload_reports_that_it_is_deleted(client):
    client.act("hello", search="?m=custom/gone", theme="light")
    assert "upload its file again in the app" in client.last("state")["error"]
