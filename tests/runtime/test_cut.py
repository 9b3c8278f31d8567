"""A network that is cut before a layer computes the same outputs."""

from __future__ import annotations

import threading

import pytest
import torch

import workbench as wb
from workbench.runtime.batch import Batch
from workbench.runtime.cut import cut
from workbench.runtime.shell import shell

LAYERS = [(name, layer) for name in wb.models("fashion") for layer in wb.model(name).layers]


@pytest.fixture
def batch():
    def first(model, examples=16):
        return Batch.in_channels_last(
            model.task.inputs(model.task.split("validation").examples[:examples])
        )

    return first


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_head_and_tail_compute_the_same_outputs(name, layer, batch):
    model = wb.model(name)
    inputs = batch(model)
    changed = dict(model.weights())
    changed[layer] = changed[layer] * 0.5 + 0.01
    expected = shell(model, fast=True)(changed, *inputs.tensors)
    parts = cut(model, layer)
    intermediate = parts.head(model.weights(), inputs)
    assert len(intermediate) == len(inputs)
    torch.testing.assert_close(parts.tail(changed, intermediate), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_only_the_tail_depends_on_the_layer(name, layer, batch):
    model = wb.model(name)
    broken = {**model.weights(), layer: torch.full_like(model.weights()[layer], torch.nan)}
    parts = cut(model, layer)
    intermediate = parts.head(broken, batch(model))
    assert all(tensor.isfinite().all() for tensor in intermediate.tensors)
    assert parts.tail(broken, intermediate).isnan().all()


def test_the_shortcut_of_a_residual_block_passes_the_cut(batch):
    model = wb.model("fashion/resnet")
    intermediate = cut(model, "blocks.1.conv2.weight").head(model.weights(), batch(model))
    assert [tuple(tensor.shape) for tensor in intermediate.tensors] == [(16, 64, 7, 7)] * 2


def test_batches_are_indexed_split_and_concatenated(batch):
    model = wb.model("fashion/resnet")
    intermediate = cut(model, "blocks.0.conv1.weight").head(model.weights(), batch(model))
    pieces = [intermediate[:5], intermediate[torch.arange(5, 11)], *intermediate[11:].chunk(2)]
    assert [len(piece) for piece in pieces] == [5, 6, 3, 2]
    restored = Batch.concatenate(pieces)
    for tensor, expected in zip(restored.tensors, intermediate.tensors, strict=True):
        assert torch.equal(tensor, expected)
        assert tensor.is_contiguous(memory_format=torch.channels_last)
    assert {tensor.dtype for tensor in intermediate.to(torch.bfloat16).tensors} == {torch.bfloat16}


def test_cuts_are_cached_per_thread():
    model = wb.model("fashion/mlp-32")
    first = cut(model, "fc1.weight")
    assert cut(model, "fc1.weight") is first
    others = []
    other = threading.Thread(target=lambda: others.append(cut(model, "fc1.weight")))
    other.start()
    other.join()
    assert others[0] is not first
