"""Files of other programs get one line that says what they are and what to do."""

from __future__ import annotations

import io

import pytest
import torch
from safetensors.torch import save

import workbench as wb
from tests.raises import raises
from workbench.artifact.on_disk import OnDiskArtifact
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress


def saved_by_torch(**options) -> bytes:
    stream = io.BytesIO()
    torch.save({"w": torch.ones(4, 4)}, stream, **options)
    return stream.getvalue()


CONTENT = {
    "of torch.save": ("m.bin", saved_by_torch(), "pickle", "weights_only=True"),
    "of an old torch.save": (
        "m.pth",
        saved_by_torch(_use_new_zipfile_serialization=False),
        "pickle",
        "save_file",
    ),
    "a pickle named safetensors": ("m.safetensors", saved_by_torch(), "pickle", "save_file"),
    "unclear content": ("m.PT", b"what is this", "pickle", "save_file"),
    "GGUF": ("m.gguf", b"GGUF\x03\0\0\0", "gguf", "quantized already"),
    "GGUF by name": ("Q4.GGUF", b"something", "gguf", "quantized already"),
    "a pointer": ("m.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "pointer"),
    "a web page": ("m.safetensors", b"\n<!DOCTYPE html><html>Sign in", "web_page"),
    "a zip": ("m.zip", b"PK\x03\x04" + bytes(500), "other_format", "unpack"),
    "a zip without a name": ("m", b"PK\x03\x04" + bytes(500), "other_format", "unpack"),
    "gzip": ("m.safetensors.gz", b"\x1f\x8b" + bytes(50), "other_format", "unpack"),
    "ONNX": ("m.onnx", b"\x08\x07", "other_format", "ONNX"),
    "Keras": ("m.h5", b"\x89HDF\r\n", "other_format", "from_keras"),
}
READERS = {
    "compress": lambda path: compress_file(path, wb.Recipe(), path.with_name("small")),
    "decompress": lambda path: decompress(path, path.with_name("big")),
    "open": OnDiskArtifact.open,
    "load": wb.load,
    "model": lambda path: wb.model(str(path)),
}


@pytest.mark.parametrize("use", READERS)
@pytest.mark.parametrize("name", CONTENT)
def test_files_of_other_programs(tmp_path, name, use):
    title, content, kind, *facts = CONTENT[name]
    path = tmp_path / title
    path.write_bytes(content)
    with raises(f"file.{kind}", path, *facts):
        READERS[use](path)
    assert [item.name for item in tmp_path.iterdir()] == [title]


@pytest.mark.parametrize("use", READERS)
def test_a_missing_file_names_similar_ones(tmp_path, use):
    (tmp_path / "Mistral.Safetensors").write_bytes(save({"w": torch.ones(2, 2)}))
    with raises("file.missing", "Mistral.Safetensors"):
        READERS[use](tmp_path / "mistrl.safetensors")


def test_a_missing_folder_is_named(tmp_path):
    (tmp_path / "llama-3").mkdir()
    with raises("file.missing", tmp_path / "llama-3"):
        compress_file(tmp_path / "lama-3" / "m.safetensors", wb.Recipe(), tmp_path / "small")


def test_a_suffix_in_capitals_is_read(tmp_path):
    path = tmp_path / "MODEL.SAFETENSORS"
    path.write_bytes(save({"w": torch.ones(8, 8)}))
    small = tmp_path / "small"
    for source in (path, tmp_path):
        assert compress_file(source, wb.Recipe(), small).model == "file:MODEL"
        small.unlink()


def test_compressed_and_plain_files_are_recognized(tmp_path):
    plain = tmp_path / "plain.safetensors"
    plain.write_bytes(save({"w": torch.ones(8, 8)}))
    compress_file(plain, wb.Recipe(), tmp_path / "small.safetensors")
    with raises("file.compressed_already", "small.safetensors", "decompress"):
        compress_file(tmp_path / "small.safetensors", wb.Recipe(), tmp_path / "again")
    with raises("artifact.unknown_format", "not compressed"):
        decompress(plain, tmp_path / "again")
    with raises("model.is_a_file", "plain.safetensors", "wb.from_module"):
        wb.model(str(plain))
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    with raises("model.is_a_file", "table.csv", "workbench learn", "wb.from_table"):
        wb.model(str(table))


@pytest.mark.parametrize("name", ["lama-3-8B", "Llama-3-8B-"])
def test_a_misspelled_folder_is_not_taken_for_a_model(tmp_path, monkeypatch, name):
    (tmp_path / "Llama-3-8B").mkdir()
    monkeypatch.chdir(tmp_path)
    with raises("name.unknown", "Llama-3-8B"):
        wb.model(name)
    with raises("name.unknown", "fashion/lenet5"):
        wb.model("fashion/lenet")


def test_an_index_is_not_a_compressed_file(tmp_path):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"weight_map": {}}', encoding="utf-8")
    with raises("file.index", "compress"):
        decompress(index, tmp_path / "again")
