"""Before anything is done: what a recipe changes in a checkpoint, what stays and why."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

import workbench as wb
from tests.raises import raises
from workbench.cli import main
from workbench.recipe import Prune, Quantize, Recipe, Share
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress
from workbench.streaming.inspect_checkpoint import inspect_checkpoint
from workbench.streaming.treatment import REASONS, is_fixed

GROUPS = Recipe(quantize=Quantize(4, granularity="group", exclude=["lm_head.weight"]))


@pytest.fixture
def checkpoint(tmp_path):
    head = torch.randn(64, 32)
    tensors = {
        "embed.weight": head,
        "lm_head.weight": head.clone(),
        "q.qweight": torch.ones(4, 32, dtype=torch.int32),
        "q.scales": torch.rand(1, 32) + 0.1,
        "q.qzeros": torch.ones(1, 4, dtype=torch.int32),
        "fp8.weight": torch.randn(16, 16).to(torch.float8_e4m3fn),
        "fp8.weight_scale_inv": torch.rand(2, 2) + 0.1,
        "lone.weight": torch.randn(16, 16).to(torch.float8_e5m2),
        "fc.weight": torch.randn(32, 32).bfloat16(),
        "fc.bias": torch.randn(32),
        "steps": torch.tensor(3),
        "causal": torch.full((8, 8), -torch.inf).triu(1),
        "stft_conv.weight": torch.randn(16, 1, 8),
        "nothing": torch.zeros(0, 4),
    }
    path = tmp_path / "m.safetensors"
    save_file(tensors, path, metadata={"license": "mit"})
    return path


EXPECTED = {
    "embed.weight": "4 bits in groups of 64",
    "fc.weight": "4 bits in groups of 64",
    "stft_conv.weight": "4 bits in groups of 64",
    "lm_head.weight": "excluded",
    "q.qweight": "quantized",
    "q.scales": "quantized",
    "q.qzeros": "quantized",
    "fp8.weight": "quantized",
    "fp8.weight_scale_inv": "quantized",
    "lone.weight": "small floats",
    "fc.bias": "one axis",
    "steps": "integers",
    "causal": "mask",
    "nothing": "empty",
}


def test_every_tensor_has_an_action_or_a_reason(checkpoint) -> None:
    inspected = inspect_checkpoint(checkpoint, GROUPS)
    treated = {tensor.name: tensor.action or tensor.reason for tensor in inspected.tensors}
    assert treated == EXPECTED
    assert inspected.repeated == {"lm_head.weight": "embed.weight"}
    assert inspected.metadata == {"license": "mit"}
    text = str(inspected)
    for fact in ("GPTQ or AWQ", "8-bit floats", "F8_E5M2", "stft_conv.weight", "fc.bias", "embed"):
        assert fact in text
    assert {tensor.reason for tensor in inspected.tensors} <= {"", *REASONS}


def test_the_plan_is_what_happens(checkpoint, tmp_path) -> None:
    small, again = tmp_path / "small", tmp_path / "again"
    artifact = compress_file(checkpoint, GROUPS, small)
    decompress(small, again)
    before, after = load_file(checkpoint), load_file(again)
    changed = {
        name
        for name, tensor in before.items()
        if not torch.equal(
            tensor.flatten().view(torch.uint8), after[name].flatten().view(torch.uint8)
        )
    }
    inspected = inspect_checkpoint(checkpoint, GROUPS)
    planned = {tensor.name for tensor in inspected.tensors if tensor.action}
    assert changed == planned == artifact.changes.errors.keys()


ACTIONS = [
    (Recipe(quantize=Quantize(8)), "8 bits, one scale per channel"),
    (Recipe(quantize=Quantize(16)), ""),
    (Recipe(quantize=Quantize(16, format="fp16")), "fp16"),
    (Recipe(Prune(0.5)), "50"),
    (Recipe(Prune(0.9, scope="uniform"), Quantize(4)), "90"),
    (Recipe(share=Share(clusters=8)), "8 shared values"),
    (Recipe(quantize=Quantize(32)), ""),
    (Recipe(), ""),
]


@pytest.mark.parametrize(("recipe", "words"), ACTIONS)
def test_actions(checkpoint, recipe, words) -> None:
    inspected = inspect_checkpoint(checkpoint, recipe)
    (tensor,) = (tensor for tensor in inspected.tensors if tensor.name == "fc.weight")
    assert words in tensor.action
    assert bool(words) == bool(tensor.action)


@pytest.mark.parametrize(
    "name", ["stft_conv.weight", "mel.dct", "rope.inv_freq", "a.filter_bank.w"]
)
def test_names_of_fixed_transforms(name) -> None:
    assert is_fixed(name)


@pytest.mark.parametrize(
    "name", ["mel_head.weight", "shift.weight", "soft.w", "window_attn.weight"]
)
def test_names_of_learned_weights(name) -> None:
    assert not is_fixed(name)


def test_nothing_to_round(tmp_path) -> None:
    path = tmp_path / "nf4.safetensors"
    save_file(
        {"w.weight": torch.ones(64, 1, dtype=torch.uint8), "w.weight.absmax": torch.ones(2)}, path
    )
    text = str(inspect_checkpoint(path, Recipe(quantize=Quantize(4))))
    assert "Nothing is rounded" in text
    assert "bitsandbytes" in text


def test_long_names_are_shortened_in_sentences(tmp_path) -> None:
    path = tmp_path / "long.safetensors"
    name = f"start{'x' * 9000}end"
    save_file({name: torch.randn(8, 8)}, path)
    small = compress_file(path, Recipe(quantize=Quantize(4)), tmp_path / "small")
    for text in (str(inspect_checkpoint(path)), str(small.changes)):
        assert "start" in text
        assert "xend" in text
        assert len(text) < 1000


def test_the_console(checkpoint, tmp_path, capsys) -> None:
    recipe = GROUPS.to_json()
    assert main(["inspect", str(checkpoint), "--recipe", recipe, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    inspected = wb.inspect_checkpoint(checkpoint, GROUPS)
    assert printed == {"file": str(checkpoint), **json.loads(json.dumps(inspected.as_dict()))}
    assert main(["inspect", str(checkpoint)]) == 0
    assert "can be pruned and rounded" in capsys.readouterr().out
    small = str(tmp_path / "small")
    assert main(["compress", str(checkpoint), "--recipe", recipe, "--output", small]) == 0
    out = capsys.readouterr().out
    assert all(sentence in out for sentence in inspected.sentences)
    assert "RMS" in out
    assert main(["inspect", small, "--original", str(checkpoint)]) == 0
    assert str(wb.compare_files(checkpoint, small)) in capsys.readouterr().out
    assert main(["inspect", small, "--recipe", recipe]) == 2


def test_patterns_choose_layers(checkpoint) -> None:
    recipe = Recipe(quantize=Quantize(4, layers={"*.weight": 8}, exclude=["stft*"]))
    actions = {t.name: t.action for t in inspect_checkpoint(checkpoint, recipe).tensors}
    assert "8 bits" in actions["fc.weight"]
    assert not actions["stft_conv.weight"]
    with raises("recipe.unknown_layer", "lm_head.weight"):
        inspect_checkpoint(checkpoint, Recipe(quantize=Quantize(4, exclude=["*.lm_head.weight"])))
