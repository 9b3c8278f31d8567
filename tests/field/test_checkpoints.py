"""Checkpoints as hubs and libraries hold them, against an independent reader in NumPy."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import workbench as wb
from tests.field import safetensors_by_hand as hand
from tests.raises import raises
from workbench.cli import main

GROUPS = {"quantize": {"bits": 4, "granularity": "group"}}
PRUNED = {"prune": {"sparsity": 0.5}, **GROUPS}


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """One thread is fastest for small tensors."""


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def round_trip(path, recipe):
    """Compress and decompress a file, and return what NumPy reads from the result."""
    small, again = path.with_name("small"), path.with_name("again.safetensors")
    artifact = wb.compress_file(path, wb.Recipe.from_json(recipe), small)
    assert artifact.size == small.stat().st_size == artifact.ledger.total
    wb.decompress(small, again)
    return artifact, *hand.read(again)


def normal(generator, *shape, dtype="BF16"):
    return hand.tensor(dtype, generator.standard_normal(shape))


def everything(generator):
    """Return tensors of all dtypes and odd shapes."""
    return {
        "model.embed.weight": normal(generator, 96, 40),
        "model.layers.0.q.weight": normal(generator, 64, 70, dtype="F16"),
        "model.layers.10.q.weight": normal(generator, 48, 33, dtype="F32"),
        "conv.weight": normal(generator, 8, 3, 3, 3, dtype="F32"),
        "wide.weight": normal(generator, 5, 7, dtype="F64"),
        "norm.weight": normal(generator, 40),
        "scalar": normal(generator, dtype="F32"),
        "empty": hand.tensor("F32", np.zeros((0, 3))),
        "größe.重み": normal(generator, 9, 9),
        **{f"raw.{d}": hand.raw(d, (6, 5), generator) for d in ("I8", "I16", "I32", "I64")},
        **{f"raw.{d}": hand.raw(d, (7,), generator) for d in ("U8", "U16", "U32", "U64")},
        "raw.bool": hand.tensor("BOOL", generator.integers(0, 2, (4, 4))),
        "raw.e4m3": hand.raw("F8_E4M3", (12, 8), generator),
        "raw.e5m2": hand.raw("F8_E5M2", (12,), generator),
    }


RECIPES = {
    "nothing": {},
    "groups": GROUPS,
    "pruned": PRUNED,
    "8 bits": {"quantize": {"bits": 8}},
    "affine": {"quantize": {"bits": 3, "scheme": "affine"}},
    "shared": {"share": {"clusters": 16}},
    "2:4": {"prune": {"pattern": "n_m", "width": 4, "sparsity": 0.5}},
    "patterns": {"quantize": {"bits": 4, "layers": {"model.*": 8}, "exclude": ["*.10.*", "wide*"]}},
}


@pytest.mark.parametrize("name", RECIPES)
def test_names_shapes_and_dtypes_survive_and_the_errors_are_true(tmp_path, generator, name):
    path = tmp_path / "big.safetensors"
    tensors = everything(generator)
    hand.write(path, tensors)
    artifact, after, _ = round_trip(path, RECIPES[name])
    assert after.keys() == tensors.keys()
    inspected = wb.inspect_checkpoint(path, wb.Recipe.from_json(RECIPES[name]))
    may_change = {tensor.name for tensor in inspected.tensors if tensor.action}
    compared = wb.compare_files(path, path.with_name("small"))
    for key, before in tensors.items():
        assert after[key][:2] == before[:2], key
        if key not in may_change:
            assert after[key][2] == before[2], key
            continue
        old, new = hand.numbers(before), hand.numbers(after[key])
        difference = np.abs(new - old)
        rms = np.sqrt((difference**2).sum() / (old**2).sum())
        for error in (artifact.changes.errors[key], compared.errors[key]):
            assert np.isclose(error.rms, rms, rtol=1e-5)
            assert np.isclose(error.max_error, difference.max(), rtol=1e-5)
            assert np.isclose(error.max_relative, (difference / np.abs(old)).max(), rtol=1e-5)
            assert error.changed == (difference > 0).sum()
    assert bool(may_change) == (name != "nothing")


def test_tensors_that_are_no_layers_are_the_same_bit_by_bit(tmp_path, generator):
    signs = np.where(generator.random((64, 64)) < 0.5, -0.0, 0.0)
    tensors = {
        "masked.weight": hand.tensor("BF16", signs),
        "other.weight": normal(generator, 64, 64),
        "bias": hand.tensor("F32", [-0.0, 0.0, np.inf, -np.inf, np.nan]),
    }
    path = tmp_path / "m.safetensors"
    hand.write(path, tensors)
    for recipe in ({}, GROUPS):
        artifact, after, _ = round_trip(path, recipe)
        assert after["bias"] == tensors["bias"]
        assert (hand.numbers(after["masked.weight"]) == 0).all()
        assert "masked.weight" not in artifact.changes.errors
        assert artifact.ledger["masked.weight"].uncompressed == 0  # masks leave negative zeros


def test_4_bits_in_groups_stay_within_half_a_step(tmp_path, generator):
    path = tmp_path / "big.safetensors"
    hand.write(path, {"w": normal(generator, 64, 256)})
    artifact, after, _ = round_trip(path, GROUPS)
    old = hand.numbers(hand.read(path)[0]["w"]).reshape(64, 4, 64)
    new = hand.numbers(after["w"]).reshape(64, 4, 64)
    step = np.abs(old).max(axis=2, keepdims=True) / 7
    bound = step / 2 + np.abs(new) * 2**-8  # and the rounding to bfloat16
    assert (np.abs(new - old) <= bound).all()
    assert 0.10 < artifact.changes.total.rms < 0.12


METADATA = {"trigger": "sks dog", "license": "mit", "ss_tag_frequency": '{"a": {"b": 3}}', "ü": "é"}


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, METADATA, {"format": "np"}])
def test_metadata_are_written_back(tmp_path, generator, metadata):
    path = tmp_path / "lora.safetensors"
    hand.write(path, {"lora_A.weight": normal(generator, 8, 64)}, metadata)
    _, _, written = round_trip(path, GROUPS)
    assert written == {"format": "pt", **(metadata or {})}


def quantized(generator):
    """Return layers as other programs quantize them, by format."""

    def scale(*shape):
        return hand.tensor("F32", generator.random(shape) + 0.1)

    def packed(dtype, *shape):
        return hand.raw(dtype, shape, generator)

    return {
        "8-bit floats": {
            "weight": packed("F8_E4M3", 64, 64), "weight_scale_inv": scale(8, 8),
        },
        "bitsandbytes": {
            "weight": packed("U8", 2048, 1),
            "weight.absmax": scale(64),
            "weight.quant_map": scale(16),
            "weight.nested_absmax": scale(4, 4),
            "weight.quant_state.bitsandbytes__nf4": packed("U8", 90),
        },
        "GPTQ or AWQ": {
            "qweight": packed("I32", 8, 64), "qzeros": packed("I32", 2, 8), "scales": scale(2, 64),
            "g_idx": packed("I32", 64),
        },
        "integers with scales": {"weight": packed("I8", 64, 64), "scale": scale(64, 1)},
        "compressed-tensors": {
            "weight_packed": packed("I32", 64, 8), "weight_scale": scale(64, 1),
        },
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("title", quantized(np.random.default_rng(0)))
@pytest.mark.parametrize("recipe", ["groups", "pruned", "shared"])
def test_layers_that_are_quantized_already_stay_bit_for_bit(
    tmp_path, generator, capsys, title, recipe
):
    layer = {f"model.0.up.{k}": tensor for k, tensor in quantized(generator)[title].items()}
    path = tmp_path / "m.safetensors"
    hand.write(path, layer | {"head.weight": normal(generator, 64, 64)})
    artifact, after, _ = round_trip(path, RECIPES[recipe])
    assert {key: after[key] for key in layer} == layer
    assert set(artifact.changes.errors) == {"head.weight"}
    arguments = ["compress", str(path), "--recipe", json.dumps(RECIPES[recipe])]
    assert main([*arguments, "--output", str(tmp_path / "o")]) == 0
    assert title in capsys.readouterr().out
    hand.write(path, layer)
    assert main([*arguments, "--output", str(tmp_path / "o")]) == 0
    assert "Nothing is rounded" in capsys.readouterr().out


def test_tied_tensors_are_stored_once(tmp_path, generator):
    embed = normal(generator, 100, 64)
    tensors = {
        "embed.weight": embed,
        "lm_head.weight": embed,
        "up.weight": normal(generator, 64, 64),
    }
    path = tmp_path / "m.safetensors"
    hand.write(path, tensors)
    artifact, after, _ = round_trip(path, GROUPS)
    assert after["embed.weight"] == after["lm_head.weight"]
    assert artifact.ledger["lm_head.weight"].total == 0
    del tensors["lm_head.weight"]
    hand.write(path, tensors)
    without = wb.compress_file(path, wb.Recipe.from_json(GROUPS), tmp_path / "without").size
    assert artifact.size - without < 200
    assert "embed.weight" in str(wb.inspect_checkpoint(tmp_path / "again.safetensors"))


def test_a_pattern_excludes_the_head(tmp_path, generator, capsys):
    path = tmp_path / "m.safetensors"
    hand.write(path, {f"model.{k}.weight": normal(generator, 64, 64) for k in ("up", "lm_head")})
    arguments = ["compress", str(path), "--quantize.bits", "4", "--output", str(tmp_path / "o")]
    assert main([*arguments, "--quantize.exclude", "*.lm_head.weight", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["changes"]["tensors"]) == ["model.up.weight"]
    assert main([*arguments, "--quantize.layers", "*.lm_heed.*=8"]) == 2
    assert "model.lm_head.weight" in capsys.readouterr().err


def test_a_fixed_transform_is_listed(tmp_path, generator):
    path = tmp_path / "vad.safetensors"
    names = ("stft_conv.weight", "conv1.weight")
    hand.write(path, {name: normal(generator, 16, 1, 32, dtype="F32") for name in names})
    artifact = wb.compress_file(path, wb.Recipe.from_json(GROUPS), tmp_path / "o")
    assert set(artifact.changes.worst()) == set(names)
    warning = wb.inspect_checkpoint(path, wb.Recipe.from_json(GROUPS)).sentences[-1]
    assert "stft_conv.weight" in warning
    assert "conv1.weight" not in warning


def shards(folder, tensors, count):
    """Write `tensors` as shards with their index."""
    folder.mkdir()
    weight_map = {}
    for number in range(count):
        title = f"model-{number + 1:05}-of-{count:05}.safetensors"
        part = dict(list(tensors.items())[number::count])
        hand.write(folder / title, part)
        weight_map |= dict.fromkeys(part, title)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}), encoding="utf-8")


def test_shards_and_one_file_give_the_same_tensors(tmp_path, generator):
    tensors = everything(generator)
    hand.write(tmp_path / "model.safetensors", tensors)
    shards(tmp_path / "model", tensors, 3)
    recipe = wb.Recipe.from_json(PRUNED)
    wb.compress_file(tmp_path / "model.safetensors", recipe, tmp_path / "one")
    wb.compress_file(tmp_path / "model", recipe, tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "three").read_bytes()
    assert wb.compare_files(tmp_path / "model", tmp_path / "model.safetensors").equal


COMMANDS = {
    "compress": ("compress", "PATH", "--output", "OUT"),
    "inspect": ("inspect", "PATH"),
    "compare": ("compare", "PATH", "PATH"),
    "measure": ("measure", "PATH"),
    "sensitivity": ("sensitivity", "PATH"),
    "train": ("train", "PATH", "--output", "OUT", "--steps", "1"),
    "decompress": ("decompress", "PATH", "--output", "OUT"),
    "evaluate": ("evaluate", "PATH"),
    "to-module": ("to-module", "PATH", "--output", "OUT"),
}
FOREIGN = {
    "m.gguf": (b"GGUF\x03\0\0\0", "quantized already"),
    "m.bin": (b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "weights_only=True"),
    "m.pth": (b"\x80\x02}q\0.", "weights_only=True"),
    "m.pt": (b"whatever", "weights_only=True"),
    "pytorch_model.bin.index.json": (b'{"weight_map": {"w": "m-1.bin"}}', "safe_serialization"),
    "page.safetensors": (b"<!DOCTYPE html>", "web page"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", FOREIGN)
def test_other_files_get_the_one_helpful_line(tmp_path, capsys, command, name):
    content, words = FOREIGN[name]
    path = tmp_path / name
    path.write_bytes(content)
    values = {"PATH": str(path), "OUT": str(tmp_path / "out")}
    assert main([values.get(part, part) for part in COMMANDS[command]]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert [item.name for item in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("command", ["compress", "inspect", "compare"])
def test_a_pipeline_of_several_models(tmp_path, generator, capsys, command):
    for part in ("unet", "vae"):
        (tmp_path / part).mkdir()
        hand.write(tmp_path / part / "m.safetensors", {"w": normal(generator, 8, 8)})
    (tmp_path / "model_index.json").write_text("{}", encoding="utf-8")
    values = {"PATH": str(tmp_path), "OUT": str(tmp_path / "out")}
    assert main([values.get(word, word) for word in COMMANDS[command]]) == 2
    assert str(tmp_path / "unet") in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_misspelled_paths_get_the_name_that_exists(tmp_path, capsys, command):
    (tmp_path / "Llama-3-8B").mkdir()
    hand.write(tmp_path / "model.safetensors", {})
    for wrong, right in (("Llama-3-8b-", "Llama-3-8B"), ("modl.safetensors", "model.safetensors")):
        values = {"PATH": str(tmp_path / wrong), "OUT": str(tmp_path / "out")}
        assert main([values.get(part, part) for part in COMMANDS[command]]) == 2
        err = capsys.readouterr().err
        assert str(tmp_path / right) in err
        assert err.count("\n") == 1


PAUSED = """
import sys
from workbench.recipe import Recipe
from workbench.streaming.compress import compress_file
def pause(done, total):
    print(done, flush=True)
    sys.stdin.readline()
compress_file(sys.argv[1], Recipe.from_json(sys.argv[3]), sys.argv[2], on_progress=pause)
"""


def paused(path, output, recipe):
    """Start compressing in another process, which waits for a line after each step."""
    command = [sys.executable, "-c", PAUSED, str(path), str(output), json.dumps(recipe)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_processes_and_a_kill(tmp_path, generator, capsys):
    path, small, alone = tmp_path / "big.safetensors", tmp_path / "small", tmp_path / "alone"
    hand.write(path, {f"w{k}.weight": normal(generator, 64, 64) for k in range(6)})
    wb.compress_file(path, wb.Recipe.from_json(PRUNED), alone)
    arguments = ["compress", str(path), "--recipe", json.dumps(PRUNED), "--output", str(small)]
    with paused(path, small, PRUNED) as first:
        for _ in range(9):  # beyond the pass that looks for the threshold
            assert first.stdout.readline()
            first.stdin.write("\n")
            first.stdin.flush()
        assert main(arguments) == 2  # the second one stops at once
        assert "Another process is writing" in capsys.readouterr().err
        first.kill()
    assert not small.exists()
    with paused(path, small, PRUNED) as second:  # continues, and ends
        second.communicate("\n" * 50)
    assert second.returncode == 0
    assert small.read_bytes() == alone.read_bytes()
    assert {item.name for item in tmp_path.iterdir()} == {"alone", "big.safetensors", "small"}


def test_the_errors_of_a_continued_run_are_complete(tmp_path, generator):
    path, small = tmp_path / "big.safetensors", tmp_path / "small"
    hand.write(path, {f"w{k}.weight": normal(generator, 64, 64) for k in range(4)})
    token, steps = wb.CancelToken(), []

    def stop(done, total):
        steps.append(done)
        if len(steps) == 2:
            token.cancel()

    recipe = wb.Recipe.from_json(GROUPS)
    with raises("cancelled"):
        wb.compress_file(path, recipe, small, on_progress=stop, cancel=token)
    continued = wb.compress_file(path, recipe, small)
    complete = wb.compress_file(path, recipe, tmp_path / "other")
    assert continued.changes == complete.changes


def test_workbench_files_are_recognized(tmp_path, generator, capsys):
    plain, small = tmp_path / "plain.safetensors", tmp_path / "small.safetensors"
    hand.write(plain, {"w": normal(generator, 64, 64)})
    assert main(["compress", str(plain), "--output", str(small)]) == 0
    capsys.readouterr()
    for command, path, words in (
        ("compress", small, "compressed already"),
        ("decompress", plain, "not compressed"),
        ("evaluate", plain, "not compressed"),
    ):
        output = [] if command == "evaluate" else ["--output", str(tmp_path / "out")]
        assert main([command, str(path), *output]) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_many_tensors_take_time_in_proportion(tmp_path, generator):
    """Count what is done for each tensor instead of the time, which depends on the machine."""
    calls = {}
    for count in (100, 400):
        path = tmp_path / f"{count}.safetensors"
        hand.write(path, {f"l.{k}.weight": normal(generator, 4, 8) for k in range(count)})
        calls[count] = _bytecodes(lambda path=path: round_trip(path, PRUNED))
    assert calls[400] < 4.6 * calls[100]


def _bytecodes(work):
    """Return the number of Python and C functions that `work` calls."""
    seen = 0

    def count(frame, event, argument):
        nonlocal seen
        seen += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen
