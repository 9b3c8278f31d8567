"""A checkpoint of any network is checked tensor by tensor, then compressed like in a console."""

from __future__ import annotations

import io
import struct

import pytest
import torch
from safetensors.torch import load, save

import workbench as wb
from tests.raises import raises
from workbench.panels.uploads import choices, file
from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming.in_memory import InMemorySource, compress_in_memory
from workbench.streaming.room import largest_size

BITS_4 = Quantize(bits=4, granularity="group", group_size=64)
RECIPES = {
    "nothing": Recipe(),
    "16 bits": Recipe(quantize=Quantize(bits=16)),
    "8 bits": Recipe(quantize=Quantize(bits=8, exclude=("b.weight",))),
    "4 bits": Recipe(quantize=BITS_4),
    "pruned": Recipe(Prune(0.7), quantize=BITS_4),
}


def tensors():
    """Layers in three dtypes, one twice, and tensors of every kind that stays as it is."""
    torch.manual_seed(0)
    weight = torch.randn(64, 96)
    return {
        "a.weight": weight,
        "tied.weight": weight.clone(),
        "b.weight": torch.randn(32, 64).bfloat16(),
        "stft_conv.weight": torch.randn(16, 1, 8),
        "c.bias": torch.randn(32),
        "mask": torch.triu(torch.full((8, 8), float("-inf")), 1),
        "empty": torch.empty(0, 3),
        "ids": torch.arange(9),
        "small": torch.randn(8, 8).to(torch.float8_e4m3fn),
    }


BLOB = save(tensors(), {"trigger": "x"})


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_bytes_and_changes_are_those_of_a_file_on_disk(tmp_path, recipe):
    path = tmp_path / "m.safetensors"
    path.write_bytes(BLOB)
    expected = wb.compress_file(path, recipe, tmp_path / "out.safetensors")
    source = InMemorySource.of("m.safetensors", BLOB)
    data, changes = compress_in_memory(source, recipe)
    assert data == (tmp_path / "out.safetensors").read_bytes()
    assert changes == expected.changes
    assert len(data) <= largest_size(source, recipe)


def test_the_screen_says_what_python_says_and_saves_the_file(client, sender, tmp_path):
    path = tmp_path / "voice.safetensors"
    path.write_bytes(BLOB)
    before = client.session.model.name
    sender.send("voice.safetensors", BLOB)
    shown = sender.until("check", "failed")["checkpoint"]
    assert shown["facts"][0] == "9 tensors"
    assert "1 entry of metadata, kept" in shown["facts"]
    eight = wb.inspect_checkpoint(path, Recipe(quantize=Quantize(bits=8)))
    assert shown["sentences"] == list(eight.sentences)
    used = {row["name"]: row["used"] for row in shown["tensors"]}
    assert used == {tensor.name: bool(tensor.action) for tensor in eight.tensors}
    notes = {row["name"]: row["note"] for row in shown["tensors"]}
    assert "attention mask" in notes["mask"]
    assert "fixed transform" in notes["stft_conv.weight"]
    assert "F8_E4M3 is not rounded" in notes["small"]
    answer = sender.check(1, bits=4, leave_out=["stft_conv.weight"])["checkpoint"]
    assert [row["note"] for row in answer["tensors"] if row["name"] == "stft_conv.weight"] == [
        "stays as it is: you leave it out · by its name, it may be a fixed transform"
    ]
    assert "--quantize.bits 4" in answer["command"]
    text = sender.train()["text"]
    _message, _mime, data = client.file()
    most = int(answer["used"].split("most ")[1].split("\u202f")[0].replace(",", ""))
    assert f"{len(data):,}\u202fbytes instead of {len(BLOB):,}\u202fbytes" in text
    assert len(data) <= most
    (tmp_path / "small.safetensors").write_bytes(data)
    wb.decompress(tmp_path / "small.safetensors", tmp_path / "back.safetensors")
    back = load((tmp_path / "back.safetensors").read_bytes())
    assert torch.equal(back["stft_conv.weight"], tensors()["stft_conv.weight"])
    assert not torch.equal(back["a.weight"], tensors()["a.weight"])
    assert client.session.model.name == before


def test_of_a_large_file_only_the_header_is_sent(sender, monkeypatch):
    monkeypatch.setitem(file.MAX_BYTES, "weights", 4_000)
    monkeypatch.setattr(file, "CHUNK_BYTES", 500)
    name = "model-00001-of-00003.safetensors"
    answer = sender.start(name, len(BLOB))
    sent = 0
    while answer["step"] == "chunk":
        sent = answer["offset"] + 500
        sender.send_chunk(memoryview(BLOB)[answer["offset"] : sent])
        answer = sender.last()
        if sent >= 8 + struct.unpack("<Q", BLOB[:8])[0]:
            break
    shown = sender.until("check", "failed")["checkpoint"]
    assert sent < len(BLOB) / 10
    assert "Only the start of the file was sent" in shown["problem"]
    assert not any("same bytes" in sentence for sentence in shown["sentences"])
    assert any("file 1 of 3" in warning["text"] for warning in shown["warnings"])
    assert shown["command"].startswith(f"workbench compress {name} --output")
    sender.client.act("upload_train", number=sender.number)
    error = sender.until("check", accept=lambda message: message["error"])["error"]
    assert error == shown["problem"]


PICKLE = io.BytesIO()
torch.save({"w": torch.ones(2)}, PICKLE)
UNREAD = {
    "a pickle by its content": ("m.safetensors", PICKLE.getvalue(), "is a pickle"),
    "a pickle by its name": ("m.pt", PICKLE.getvalue(), "can execute code"),
    "an index": ("model.safetensors.index.json", b"{}", "the index of several files"),
    "cut short": ("m.safetensors", BLOB[:-9], "not a complete safetensors file"),
    "too short": ("m.safetensors", b"abc", "not a complete safetensors file"),
    "no tensors": ("m.safetensors", save({}), "contains no tensors"),
}


@pytest.mark.parametrize(("name", "data", "text"), UNREAD.values(), ids=UNREAD)
def test_files_that_are_not_read(sender, name, data, text):
    sender.send(name, data)
    assert text in sender.until("check", "failed", "done")["text"]


@pytest.mark.parametrize(
    "message", [{"bits": 5}, {"bits": "8"}, {"leave_out": "a"}, {"bits": True}]
)
def test_unknown_choices(message):
    with raises("upload.unknown_choice"):
        choices.checkpoint_choices(message)
