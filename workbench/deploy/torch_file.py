"""Write a module as an exported PyTorch program, with nothing of this machine."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

import torch
from torch import Tensor, nn

from workbench.deploy.onnx_file import batch_axis
from workbench.errors import InputError, describe
from workbench.runtime.symbolic_length import symbolic_length

PRIVATE = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node")
"""What nodes say of the source code."""


def program_bytes(module: nn.Module, inputs: Tensor) -> bytes:
    """Return an exported program that takes batches of any size.

    Parameters
    ----------
    module
        A module in eval mode that takes one tensor and returns one.
    inputs
        A batch of examples, [n, ...].

    Raises
    ------
    InputError
        If the module cannot be exported.
    """
    return save_program(exported_program(module, inputs, batch_axis(module)))


def exported_program(
    module: nn.Module, inputs: Tensor, shapes: tuple[Any, ...] | None
) -> torch.export.ExportedProgram:
    """Return an exported program; `shapes` is from `batch_axis`, or None for this size only.

    Raises
    ------
    InputError
        If the module cannot be exported.
    """
    with torch.no_grad(), warnings.catch_warnings(), symbolic_length(module):
        warnings.simplefilter("ignore")
        try:
            program = torch.export.export(module, (inputs.clone(),), dynamic_shapes=shapes)
        except Exception as error:
            raise InputError(
                f"PyTorch cannot export this network: {describe(error)}",
                code="deploy.export_failed",
            ) from error
    for node in program.graph.nodes:
        for key in PRIVATE:
            node.meta.pop(key, None)
    return program


def save_program(program: torch.export.ExportedProgram) -> bytes:
    """Return the file of an exported program."""
    stream = BytesIO()
    torch.export.save(program, stream)
    return stream.getvalue()
