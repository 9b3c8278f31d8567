"""What users write in a forward pass is exported for batches of any size."""

from __future__ import annotations

import builtins
import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.raises import raises
from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.runtime.batch import Batch
from workbench.runtime.symbolic_length import symbolic_length

onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow


class Sensors(nn.Module):
    """Groups values by the number of examples, as `len` gives it."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 8)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 3)

    def forward(self, inputs):
        hidden = self.embed(inputs.reshape(len(inputs), -1, 4))
        attended, _weights = self.attend(hidden, hidden, hidden, need_weights=False)
        return self.last(attended.reshape(len(attended), -1, 8).mean(1)) * len([1, 2])


class Bag(nn.Module):
    """Averages embeddings, as classifiers of texts do."""

    def __init__(self, mode, padding, *, offsets=False):
        super().__init__()
        self.bag = nn.EmbeddingBag(20, 6, mode=mode, padding_idx=padding)
        self.last, self.offsets = nn.Linear(6, 3), offsets

    def forward(self, inputs):
        if self.offsets:
            rows, columns = inputs.shape
            starts = torch.arange(0, rows * columns, columns)
            return self.last(self.bag(inputs.reshape(-1), starts))
        return self.last(self.bag(inputs))


def difference(module, inputs):
    """Return the largest difference between PyTorch and ONNX Runtime, for two sizes of a batch."""
    reference = copy.deepcopy(module).eval()
    session = onnxruntime.InferenceSession(onnx_bytes(module.eval(), Batch.of(inputs[:TRACED])))
    with torch.no_grad():
        return max(
            np.abs(session.run(None, {"input": part.numpy()})[0] - reference(part).numpy()).max()
            for part in (inputs[:1], inputs)
        )


def test_the_length_of_a_tensor_is_that_of_the_batch():
    torch.manual_seed(0)
    assert difference(Sensors(), torch.randn(29, 12)) < 1e-5


def test_an_operation_that_onnx_does_not_have_is_named():
    inputs, pooled = torch.randn(29, 2, 11, 9), nn.AdaptiveMaxPool2d((3, 2))
    with raises("deploy.export_failed", "aten.adaptive_max_pool2d") as caught:
        difference(pooled, inputs)
    assert "%" not in str(caught.value)


def test_len_is_only_replaced_while_a_network_is_recorded():
    with symbolic_length(Sensors()):
        with symbolic_length(nn.Sequential(Sensors(), nn.ReLU())):
            assert len(torch.zeros(3, 2)) == 3
        assert len is not builtins.len  # the outer one goes on
        assert len("abc") == len({1: 2, 3: 4, 5: 6}) == 3
        with pytest.raises(TypeError):
            len(torch.tensor(1.0))
        with pytest.raises(TypeError):
            len(3)
    assert len is builtins.len


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 0])
def test_bags_of_embeddings_are_exported(mode, padding):
    torch.manual_seed(0)
    inputs = torch.randint(0, 20, (29, 5))
    inputs[0], inputs[1, 2:] = 0, 0  # only padding, and some
    assert difference(Bag(mode, padding), inputs) < 1e-5


def test_bags_by_offsets_are_exported_as_pytorch_writes_them():
    torch.manual_seed(0)
    assert difference(Bag("mean", None, offsets=True), torch.randint(0, 20, (29, 5))) < 1e-5
