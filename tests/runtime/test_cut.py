"""A network cut before any of its layers computes what the whole one does."""

from __future__ import annotations

import threading

import pytest
import torch

import workbench as wb
from workbench.runtime.batch import Batch
from workbench.runtime.cut import cut
from workbench.runtime.shell import shell

PLACES = [(name, layer) for name in wb.models("fashion") for layer in wb.model(name).layers]


@pytest.fixture
def batch():
    def first(model, examples=16):
        return Batch.in_channels_last(
            model.task.inputs(model.task.split("validation").examples[:examples])
        )

    return first


@pytest.mark.parametrize(("name", "layer"), PLACES)
def test_both_parts_are_the_whole(name, layer, batch):
    model = wb.model(name)
    inputs = batch(model)
    changed = dict(model.weights())
    changed[layer] = changed[layer] * 0.5 + 0.01
    whole = shell(model, fast=True)(changed, *inputs.tensors)
    parts = cut(model, layer)
    passed = parts.head(model.weights(), inputs)
    assert len(passed) == len(inputs)
    torch.testing.assert_close(parts.tail(changed, passed), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "layer"), PLACES)
def test_the_first_part_does_not_hang_on_the_layer_and_the_second_does(name, layer, batch):
    model = wb.model(name)
    broken = {**model.weights(), layer: torch.full_like(model.weights()[layer], torch.nan)}
    parts = cut(model, layer)
    passed = parts.head(broken, batch(model))
    assert all(tensor.isfinite().all() for tensor in passed.tensors)
    assert parts.tail(broken, passed).isnan().all()


def test_beside_a_residual_layer_its_shortcut_passes_too(batch):
    model = wb.model("fashion/resnet")
    passed = cut(model, "blocks.1.conv2.weight").head(model.weights(), batch(model))
    assert [tuple(one.shape) for one in passed.tensors] == [(16, 64, 7, 7)] * 2


def test_activations_are_taken_apart_and_joined_alike(batch):
    model = wb.model("fashion/resnet")
    passed = cut(model, "blocks.0.conv1.weight").head(model.weights(), batch(model))
    pieces = [passed[:5], passed[torch.arange(5, 11)], *passed[11:].chunk(2)]
    assert [len(piece) for piece in pieces] == [5, 6, 3, 2]
    again = Batch.concatenate(pieces)
    for one, other in zip(again.tensors, passed.tensors, strict=True):
        assert torch.equal(one, other)
        assert one.is_contiguous(memory_format=torch.channels_last)
    assert {one.dtype for one in passed.to(torch.bfloat16).tensors} == {torch.bfloat16}


def test_cuts_belong_to_a_thread():
    model = wb.model("fashion/mlp-32")
    mine = cut(model, "fc1.weight")
    assert cut(model, "fc1.weight") is mine
    theirs = []
    other = threading.Thread(target=lambda: theirs.append(cut(model, "fc1.weight")))
    other.start()
    other.join()
    assert theirs[0] is not mine
