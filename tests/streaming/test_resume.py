"""A run that was killed goes on, and ends with the bytes of one that was not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming import compress as compressing
from workbench.streaming.compress import compress_file

RECIPE = Recipe(Prune(0.5), Quantize(4, granularity="group"))
KILLED_AT = """
import os, sys
from workbench.recipe import Recipe
from workbench.streaming.compress import compress_file
passes = []
def stop(done, total):
    passes.append(done)
    if len(passes) == int(sys.argv[4]):
        os.kill(os.getpid(), 9)
compress_file(sys.argv[1], Recipe.from_json(sys.argv[3]), sys.argv[2], progress=stop)
"""


@pytest.fixture
def big(tmp_path):
    """A file in which many weights tie at the threshold, over several tensors."""
    generator = torch.Generator().manual_seed(1)
    tensors = {
        f"layer {k}": (torch.randn(40, 32, generator=generator) * 2).round().bfloat16()
        for k in range(6)
    }
    save_file(tensors, tmp_path / "big.safetensors")
    return tmp_path / "big.safetensors"


@pytest.fixture
def whole(big):
    compress_file(big, RECIPE, big.with_name("whole"))
    content = big.with_name("whole").read_bytes()
    big.with_name("whole").unlink()
    return content


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot kill itself so")
@pytest.mark.parametrize("moment", [3, 8, 11])
def test_killed_in_the_middle(big, whole, moment) -> None:
    small = big.with_name("small")
    command = [sys.executable, "-c", KILLED_AT, big, small, RECIPE.to_json(), str(moment)]
    assert subprocess.run(command, check=False).returncode == -9
    assert not small.exists()
    compress_file(big, RECIPE, small)
    assert small.read_bytes() == whole
    assert {path.name for path in big.parent.iterdir()} == {"big.safetensors", "small"}


class Stop(Exception):
    pass


@pytest.fixture
def stopped(big, monkeypatch):
    """Compress all but the last tensors; return what is left beside the output."""
    coded = compressing._coded

    def some(name, *rest):
        if name == "layer 4":
            raise Stop
        return coded(name, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(compressing, "_coded", some)
        with pytest.raises(Stop):
            compress_file(big, RECIPE, big.with_name("small"))
    return big.with_name(".small.unfinished"), big.with_name(".small.unfinished.notes")


def redone(big, monkeypatch) -> list[str]:
    """Go on, and return the names of the tensors that were coded."""
    coded, names = compressing._coded, []
    with monkeypatch.context() as patched:
        patched.setattr(
            compressing, "_coded", lambda name, *rest: names.append(name) or coded(name, *rest)
        )
        compress_file(big, RECIPE, big.with_name("small"))
    return names


def _nothing(data, notes):
    pass


def _note_cut_off(data, notes):
    notes.write_bytes(notes.read_bytes()[:-5])


def _stream_without_note(data, notes):
    data.write_bytes(data.read_bytes() + b"more")


def _stream_lost(data, notes):
    data.write_bytes(data.read_bytes()[:-1])


def _zeros_after_a_power_cut(data, notes):
    content = data.read_bytes()
    data.write_bytes(content[:-9] + bytes(9))


def _no_notes(data, notes):
    notes.unlink()


def _no_data(data, notes):
    data.unlink()


def _nonsense(data, notes):
    notes.write_bytes(b"[1]\n")


def _of_other_work(data, notes):
    first, *_ = notes.read_bytes().splitlines(keepends=True)
    notes.write_bytes(json.dumps({**json.loads(first), "key": "other"}).encode() + b"\n")


LEFT = {
    _nothing: 2,
    _note_cut_off: 3,
    _stream_without_note: 2,
    _stream_lost: 3,
    _zeros_after_a_power_cut: 3,
    _no_notes: 6,
    _no_data: 6,
    _nonsense: 6,
    _of_other_work: 6,
}


@pytest.mark.parametrize("harm", LEFT, ids=lambda harm: harm.__name__)
def test_only_what_is_whole_is_believed(big, whole, stopped, monkeypatch, harm) -> None:
    harm(*stopped)
    assert len(redone(big, monkeypatch)) == LEFT[harm]
    assert big.with_name("small").read_bytes() == whole
    assert {path.name for path in big.parent.iterdir()} == {"big.safetensors", "small"}


def test_another_recipe_or_file_begins_anew(big, stopped, monkeypatch) -> None:
    other = Recipe(quantize=Quantize(8))
    compress_file(big, other, big.with_name("small"))
    again = big.with_name("again")
    compress_file(big, other, again)
    assert big.with_name("small").read_bytes() == again.read_bytes()
    big.write_bytes(big.read_bytes())  # as it was, but nobody can know
    assert len(redone(big, monkeypatch)) == 6
