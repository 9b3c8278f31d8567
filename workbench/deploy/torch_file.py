"""Write a module as an exported PyTorch program, with nothing of this machine."""

from __future__ import annotations

import warnings
from io import BytesIO

import torch
from torch import nn

from workbench.deploy.batch_of_one import KeepsBatchOfOne
from workbench.deploy.entry import one_output
from workbench.deploy.onnx_file import batch_axis
from workbench.errors import InputError, describe
from workbench.runtime.batch import Batch
from workbench.runtime.symbolic_length import symbolic_length

PRIVATE = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node")
"""What nodes say of the source code."""


def program_bytes(module: nn.Module, inputs: Batch) -> bytes:
    """Return an exported program that takes batches of any size.

    Parameters
    ----------
    module
        A module in eval mode.
    inputs
        A batch of examples, tensors [n, ...].

    Raises
    ------
    InputError
        If the module cannot be exported.
    """
    return save_program(exported_program(module, inputs))


def exported_program(
    module: nn.Module, inputs: Batch, *, most: int | None = None, fixed: bool = False
) -> torch.export.ExportedProgram:
    """Return an exported program that takes one tensor after the other and returns one.

    Parameters
    ----------
    module
        A module in eval mode.
    inputs
        A batch of examples, tensors [n, ...].
    most
        The largest batch that it takes; by default any.
    fixed
        Whether it takes only batches of the size of `inputs`.

    Raises
    ------
    InputError
        If the module cannot be exported.
    """
    given = tuple(tensor.clone() for tensor in inputs.tensors)
    with (
        torch.no_grad(),
        warnings.catch_warnings(),
        symbolic_length(module),
        KeepsBatchOfOne(),
        one_output(module, inputs),
    ):
        warnings.simplefilter("ignore")
        shapes = None if fixed else batch_axis(module, len(inputs.tensors), most)
        try:
            program = torch.export.export(module, given, dynamic_shapes=shapes)
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
