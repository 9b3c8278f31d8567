"""PyTorch's exporter builds its tables once, and sees operators that are registered later."""

import pytest
import torch
from torch import nn

pytest.importorskip("onnxscript")

from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.runtime.batch import Batch


@pytest.mark.slow
def test_the_second_export_reads_no_operators_again():
    from torch.onnx._internal.exporter import _registration

    network, inputs = nn.Linear(3, 2).eval(), Batch.of(torch.ones(TRACED, 3))
    content = onnx_bytes(network, inputs)
    read = []
    parse = _registration.OnnxDecompMeta.__post_init__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _registration.OnnxDecompMeta,
            "__post_init__",
            lambda self: (read.append(self), parse(self)),
        )
        assert onnx_bytes(network, inputs) == content
    assert not read


@pytest.mark.slow
def test_operators_of_later_libraries_are_composite_operators_too():
    from torch._export import utils

    onnx_bytes(nn.Linear(3, 2).eval(), Batch.of(torch.ones(TRACED, 3)))
    with torch.library._scoped_library("later", "DEF") as library:
        library.define("twice(Tensor x) -> Tensor")
        library.impl("twice", lambda x: x + x, "CompositeImplicitAutograd")
        names = {operator.name() for operator in utils._collect_all_valid_cia_ops()}
    assert "later::twice" in names
