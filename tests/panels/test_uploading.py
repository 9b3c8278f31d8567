"""A file comes in piece by piece; it ends in a model, or in one sentence and nothing else."""

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
from workbench.custom.uploads import limits, small_models
from workbench.panels import uploading
from workbench.recipe import Prune, Recipe
from workbench.zoo import registry
from workbench.zoo.tables import ARCHITECTURES

NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setattr(small_models, "STEPS", {"own": 60, "image": 20})


def csv(rows=80):
    lines = (f"{n},{n % 7},{'low' if n < rows / 2 else 'high'}" for n in range(rows))
    return "\n".join(["n,m,label", *lines]).encode()


def pictures():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(40):
            one = io.BytesIO()
            shade = np.full((20, 20, 3), (number % 2) * 200 + number, np.uint8)
            shade[:, :, 1] = 90
            Image.fromarray(shade).save(one, "png")
            archive.writestr(f"{'ab'[number % 2]}/{number}.png", one.getvalue())
    return made.getvalue()


class Sender:
    """The page's side of an upload."""

    def __init__(self, wire):
        self.wire = wire
        self.number = 0

    def begin(self, name, size):
        self.number = next(NUMBERS)
        self.wire.act("upload", number=self.number, file=name, size=size)
        return self.last()

    def last(self):
        return self.wire.last("upload")

    def part(self, *buffers):
        message = {"act": "upload_part", "number": self.number}
        self.wire.view._on_message(self.wire.view, message, list(buffers))

    def send(self, name, data):
        answer = self.begin(name, len(data))
        while answer["step"] == "ask":
            at = answer["at"]
            self.part(memoryview(data)[at : at + uploading.CHUNK_BYTES])
            answer = self.last()
            if at + uploading.CHUNK_BYTES >= len(data):
                break

    def until(self, *steps):
        mine = self.number
        return self.wire.wait("upload", lambda m: m["number"] == mine and m["step"] in steps)


@pytest.fixture
def sender(wire):
    wire.settled()
    return Sender(wire)


def test_a_table_is_learned_from_and_slid(wire, sender):
    sender.send("my data (1).csv", csv())
    asked = sender.until("choose", "failed")
    assert (asked["columns"], asked["chosen"]) == (["n", "m", "label"], 2)
    assert asked["text"] == "80 rows, 3 columns"
    wire.act("upload_target", number=sender.number, target=2)
    wire.act("upload_target", number=sender.number, target=1)  # too late, and too much
    done = sender.until("done", "failed")
    assert done["step"] == "done", done
    assert done["text"].startswith("It learned from 56 examples; accuracy is")
    steps = [m["text"] for m, _ in wire.view.sent if m["kind"] == "upload" and m["step"] == "busy"]
    assert [text for text, _ in itertools.groupby(steps)] == ["reading", "training", "measuring"]
    assert wire.session.model.name == "custom/my-data-1"
    assert wire.session.recipe == Recipe()
    header = wire.wait("page", lambda page: page["header"]["chosen"] == "custom/my-data-1")[
        "header"
    ]
    assert header["tasks"][-1]["models"][0]["label"] == "my-data-1"
    assert registry.models()[-1] == "custom/my-data-1"
    wire.choose(prune_sparsity=0.5, quantize_bits=4)
    shown = wire.settled()["numbers"]
    assert shown["exact"]
    wire.act("tab", key="changed", columns=8)
    for view in ("recall", "confusion", "weights"):
        wire.act("look", key="view", value=view)
        wire.wait("tab", lambda tab: tab.get("figure") is not None)
    wire.act("download")
    assert f"{len(wire.file()[2]):,}\u202fbytes" == shown["bytes"]


def test_pictures_in_colour_are_learned_from_and_seen(wire, sender):
    sender.send("shades.zip", pictures())
    assert sender.until("done", "failed")["step"] == "done", sender.last()
    assert wire.session.model.name == "custom/shades"
    wire.choose(prune_sparsity=0.9, quantize_bits=2)
    wire.settled()
    wire.act("tab", key="changed", columns=8)
    for view in ("pictures", "attribution"):
        wire.act("look", key="view", value=view)
        wire.wait("tab", lambda tab: tab.get("figure") is not None)
    assert "text" not in (wire.last("tell") or {})


def test_weights_that_fit_are_a_model_beside_the_built_in_one(wire, sender):
    data = save({n: t * 0.5 for n, t in wb.model("fashion/lenet-300-100").weights().items()})
    sender.send("half.safetensors", data)
    done = sender.until("done", "failed")
    assert done["text"].startswith("The weights fit LeNet-300-100, fully connected; accuracy is")
    assert wire.session.model.name == "custom/half"
    wire.choose(prune_sparsity=0.5)
    assert wire.settled()["numbers"]["exact"]
    section = wire.last("page")["training"]
    assert "fashion/resnet" in [choice["value"] for choice in section["front"][0]["choices"]]
    sender.send("half.safetensors", data)  # a namesake does not take its place
    sender.until("done", "failed")
    assert wire.session.model.name == "custom/half-2"


def test_a_file_of_our_own_opens_its_recipe(wire, sender):
    recipe = Recipe(Prune(0.3))
    sender.send("a.safetensors", wb.compress(wb.model("fashion/lenet5"), recipe).to_bytes())
    assert sender.until("done", "failed")["text"] == (
        "This is a file of fashion/lenet5: its recipe is open."
    )
    assert (wire.session.model.name, wire.session.recipe) == ("fashion/lenet5", recipe)
    wire.act("undo")
    assert (wire.session.model.name, wire.session.recipe) == ("fashion/lenet-300-100", Recipe())


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.csv", b"1,2\n3,4\n", "first line holds numbers"),
        ("a.csv", csv(10), "10 rows"),
        ("a.zip", b"PK nonsense", "not a whole zip"),
        ("a.safetensors", b"\0" * 20, "no whole safetensors file"),
        ("a.pt", b"\x80\x04", "Choose a table"),
        ("a.CSV.exe", b"MZ", "Choose a table"),
        ("", b"x", "Choose a table"),
    ],
    ids=["header", "rows", "zip", "weights", "pickle", "program", "nameless"],
)
def test_a_bad_file_is_one_sentence_and_changes_nothing(wire, sender, name, data, sentence):
    wire.choose(prune_sparsity=0.5)
    before = wire.settled()["numbers"]
    sender.send(name, data)
    told = sender.until("failed", "choose", "done")
    assert told["step"] == "failed"
    assert sentence in told["text"]
    assert told["text"].endswith(".")
    assert wire.session.recipe == Recipe(Prune(0.5))
    assert wire.session.model.name == "fashion/lenet-300-100"
    assert wire.last("state")["numbers"] == before
    assert registry.models() == tuple(ARCHITECTURES)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None, "9", limits.TABLE_BYTES + 1])
def test_a_size_that_cannot_be_is_refused_before_any_byte(sender, size):
    assert sender.begin("a.csv", size)["step"] == "failed"
    sender.part(b"abc")
    assert sender.last()["step"] == "failed"


@pytest.mark.parametrize("buffers", [[], [b""], [b"x", b"y"], [b"x" * 11], [b"x" * 2**20]])
def test_pieces_that_do_not_fit_end_the_upload(sender, buffers):
    sender.begin("a.csv", 10)
    sender.part(*buffers)
    assert sender.last()["text"] == "The upload broke off: begin it again."
    sender.part(b"x" * 10)
    assert sender.last()["step"] == "failed"


def test_pieces_of_an_older_file_are_let_be(sender):
    sender.begin("a.csv", 10)
    old, sender.number = sender.number, 0
    sender.part(b"x" * 10)
    assert sender.last() == {
        "kind": "upload", "number": old, "step": "ask", "text": None, "at": 0
    }  # fmt: skip


@pytest.mark.parametrize("target", [3, -1, "label", None, True])
def test_a_column_that_is_not_there(wire, sender, target):
    sender.send("a.csv", csv())
    sender.until("choose")
    wire.act("upload_target", number=sender.number, target=target)
    assert sender.until("failed", "done")["text"] == "There is no such column."


def test_an_upload_can_be_given_up_at_any_time(wire, sender, monkeypatch):
    sender.begin("a.csv", 10)
    wire.act("upload_cancel")
    assert sender.last()["step"] == "idle"
    sender.send("a.csv", csv())
    sender.until("choose")
    training, stopped = threading.Event(), threading.Event()

    def train(name, data, watch, over):
        training.set()
        while not over():
            pass
        stopped.set()
        raise uploading.Cancelled("Training was stopped.")

    monkeypatch.setattr(small_models, "train_small_model", train)
    wire.act("upload_target", number=sender.number, target=2)
    assert training.wait(60)
    wire.act("upload_cancel")
    assert sender.last()["step"] == "idle"
    assert stopped.wait(60)
    assert wire.session.model.name == "fashion/lenet-300-100"
    assert wire.last("tell") is None


def test_no_more_than_a_few_are_kept(wire, sender):
    wire.view.uploads.made = uploading.MAX_MODELS
    assert "reload the page" in sender.begin("a.csv", 10)["text"]


def test_where_uploads_are_off_there_is_no_panel_and_the_kernel_refuses(wire, sender, monkeypatch):
    assert wire.last("page")["upload"]["kinds"]
    monkeypatch.setenv(uploading.VARIABLE, "off")
    wire.act("hello", search="", theme="light")
    assert wire.last("page")["upload"] is None
    wire.act("upload", number=1, file="a.csv", size=10)
    assert wire.last("tell")["text"] == "This server takes no uploads."
    assert wire.last("upload") is None


def test_a_link_to_an_upload_says_that_it_is_gone(wire):
    wire.act("hello", search="?m=custom/gone", theme="light")
    assert "upload its file again on the page" in wire.last("state")["error"]
