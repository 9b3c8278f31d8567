"""A killed run continues and produces the bytes of an uninterrupted run."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from tests.raises import raises
from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming import compress as compressing
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress

RECIPE = Recipe(Prune(0.5), Quantize(4, granularity="group"))
KILLED_AT = """
import os, sys
from workbench.recipe import Recipe
from workbench.streaming.compress import compress_file
calls = []
def stop(done, total):
    calls.append(done)
    if len(calls) == int(sys.argv[4]):
        os.kill(os.getpid(), 9)
compress_file(sys.argv[1], Recipe.from_json(sys.argv[3]), sys.argv[2], on_progress=stop)
"""


@pytest.fixture
def big(tmp_path):
    """A file in which many weights of several tensors tie at the threshold."""
    generator = torch.Generator().manual_seed(1)
    tensors = {
        f"layer {k}": (torch.randn(40, 32, generator=generator) * 2).round().bfloat16()
        for k in range(6)
    }
    save_file(tensors, tmp_path / "big.safetensors")
    return tmp_path / "big.safetensors"


@pytest.fixture
def expected(big):
    compress_file(big, RECIPE, big.with_name("expected"))
    content = big.with_name("expected").read_bytes()
    big.with_name("expected").unlink()
    return content


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="os.kill differs on Windows")
@pytest.mark.parametrize("call", [3, 8, 11])
def test_continue_after_being_killed(big, expected, call) -> None:
    small = big.with_name("small")
    command = [sys.executable, "-c", KILLED_AT, big, small, RECIPE.to_json(), str(call)]
    assert subprocess.run(command, check=False).returncode == -9
    assert not small.exists()
    compress_file(big, RECIPE, small)
    assert small.read_bytes() == expected
    assert {path.name for path in big.parent.iterdir()} == {"big.safetensors", "small"}


class Stop(Exception):
    pass


@pytest.fixture
def stopped(big, monkeypatch):
    """Compress all but the last tensors, and return the partial output."""
    encode = compressing._encode

    def stop(name, *rest):
        if name == "layer 4":
            raise Stop
        return encode(name, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(compressing, "_encode", stop)
        with pytest.raises(Stop):
            compress_file(big, RECIPE, big.with_name("small"))
    return big.with_name(".small.unfinished"), big.with_name(".small.unfinished.notes")


def resumed(big, monkeypatch) -> list[str]:
    """Continue, and return the names of the tensors that were encoded."""
    encode, names = compressing._encode, []
    with monkeypatch.context() as patched:
        patched.setattr(
            compressing, "_encode", lambda name, *rest: names.append(name) or encode(name, *rest)
        )
        compress_file(big, RECIPE, big.with_name("small"))
    return names


def _unchanged(data, notes):
    pass


def _truncated_note(data, notes):
    notes.write_bytes(notes.read_bytes()[:-5])


def _stream_without_note(data, notes):
    data.write_bytes(data.read_bytes() + b"more")


def _truncated_stream(data, notes):
    data.write_bytes(data.read_bytes()[:-1])


def _zeros_after_power_loss(data, notes):
    content = data.read_bytes()
    data.write_bytes(content[:-9] + bytes(9))


def _missing_notes(data, notes):
    notes.unlink()


def _missing_data(data, notes):
    data.unlink()


def _invalid_note(data, notes):
    notes.write_bytes(b"[1]\n")


def _note_of_other_work(data, notes):
    first, *_ = notes.read_bytes().splitlines(keepends=True)
    notes.write_bytes(json.dumps({**json.loads(first), "key": "other"}).encode() + b"\n")


REMAINING = {
    _unchanged: 2,
    _truncated_note: 3,
    _stream_without_note: 2,
    _truncated_stream: 3,
    _zeros_after_power_loss: 3,
    _missing_notes: 6,
    _missing_data: 6,
    _invalid_note: 6,
    _note_of_other_work: 6,
}


@pytest.mark.parametrize("damage", REMAINING, ids=lambda damage: damage.__name__)
def test_damaged_partial_output_is_discarded(big, expected, stopped, monkeypatch, damage) -> None:
    damage(*stopped)
    assert len(resumed(big, monkeypatch)) == REMAINING[damage]
    assert big.with_name("small").read_bytes() == expected
    assert {path.name for path in big.parent.iterdir()} == {"big.safetensors", "small"}


def test_another_recipe_or_file_starts_over(big, stopped, monkeypatch) -> None:
    other = Recipe(quantize=Quantize(8))
    compress_file(big, other, big.with_name("small"))
    again = big.with_name("again")
    compress_file(big, other, again)
    assert big.with_name("small").read_bytes() == again.read_bytes()
    big.write_bytes(big.read_bytes())  # the same content with a new time
    assert len(resumed(big, monkeypatch)) == 6


HOLD = """
import sys
from pathlib import Path
from workbench.streaming.resume import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
def test_a_second_run_stops_at_once_and_the_first_ends(big, expected):
    small = big.with_name("small")
    command = [sys.executable, "-c", HOLD, str(small)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "locked\n"
        with raises("file.being_written", "small"):
            compress_file(big, RECIPE, small)
        compress_file(big, RECIPE, big.with_name("other"))
        with raises("file.being_written", "small"):
            decompress(big.with_name("other"), small)
        big.with_name("other").unlink()
        assert not small.exists()
        run.communicate("\n")
    compress_file(big, RECIPE, small)
    assert small.read_bytes() == expected
    assert {path.name for path in big.parent.iterdir()} == {"big.safetensors", "small"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="os.kill differs on Windows")
def test_a_killed_process_loses_the_lock(big, expected):
    small = big.with_name("small")
    command = [sys.executable, "-c", HOLD, str(small)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "locked\n"
        run.kill()
    compress_file(big, RECIPE, small)
    assert small.read_bytes() == expected
