"""Folders as hubs and libraries lay them out lead to their model, or to one helpful line."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from tests.raises import raises
from workbench.streaming.folders import find_in_folder
from workbench.streaming.source import Source

ONE = {"w": torch.ones(4, 4)}
FOLDERS = {
    "an adapter next to a model": (
        ("model.safetensors", "adapter_model.safetensors"),
        "ambiguous_folder",
        "an adapter",
    ),
    "half precision next to single": (
        ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors"),
        "ambiguous_folder",
        "fp16.safetensors (",
    ),
    "two indexes": (
        ("m.safetensors.index.json", "m.safetensors.index.fp16.json"),
        "ambiguous_folder",
        "fp16.json",
    ),
    "shards without an index": (
        ("model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors"),
        "missing_index",
        "2 of 3",
    ),
    "one shard": (("model-00001-of-00003.safetensors",), "missing_index", "1 of 3"),
    "a pipeline": (
        ("model_index.json", "unet/m.safetensors", "vae/m.safetensors"),
        "several_models",
        "unet",
    ),
    "snapshots": (("snapshots/m.safetensors",), "several_models", "snapshots"),
    "pickles": (("config.json", "pytorch_model.bin"), "pickle", "weights_only=True"),
    "pickles with an index": (
        ("pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"),
        "pickle",
        "save_pretrained",
    ),
    "GGUF": (("q4_k_m.gguf",), "gguf", "quantized already"),
    "an adapter of pickles": (("adapter_config.json", "adapter_model.bin"), "pickle", "save_file"),
    "only settings": (("config.json", "training_args.bin"), "empty_folder"),
}


def fill(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".safetensors"):
            save_file(ONE, path)
        else:
            path.write_text("{}", encoding="utf-8")


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_without_one_model(tmp_path, name):
    names, code, *facts = FOLDERS[name]
    fill(tmp_path, names)
    with raises(f"file.{code}", tmp_path, *facts):
        Source.open(tmp_path)


READABLE = {
    "model.safetensors": ("model.safetensors", "config.json", "pytorch_model.bin"),
    "adapter_model.safetensors": ("adapter_config.json", "adapter_model.safetensors"),
    "MODEL.SAFETENSORS": ("MODEL.SAFETENSORS", "._MODEL.SAFETENSORS", ".m.unfinished"),
    "m.safetensors.index.json": (
        "m.safetensors.index.json",
        "pytorch_model.bin.index.json",
        "consolidated.safetensors",
        "m-00001-of-00002.safetensors",
        "m-00002-of-00002.safetensors",
    ),
    "model-00001-of-00001.safetensors": ("model-00001-of-00001.safetensors",),
}


@pytest.mark.parametrize("expected", READABLE)
def test_folders_with_one_model(tmp_path, expected):
    fill(tmp_path, READABLE[expected])
    assert find_in_folder(tmp_path).name == expected


def test_an_index_of_pickles(tmp_path):
    index = tmp_path / "model.index.json"
    index.write_text(json.dumps({"weight_map": {"w": "pytorch_model-00001-of-00002.bin"}}))
    with raises("file.pickle", "save_pretrained"):
        Source.open(index)
