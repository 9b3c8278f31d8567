"""Write a module as an ONNX file: the same bytes on every run, with nothing of this machine."""

from __future__ import annotations

import inspect
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from workbench.deploy.batch_of_one import KeepsBatchOfOne
from workbench.deploy.embedding_bag import with_plain_bags
from workbench.deploy.entry import input_names, one_output
from workbench.deploy.exporter_tables import build_tables_once
from workbench.deploy.onnx_names import graphs, rename
from workbench.errors import InputError, describe
from workbench.runtime.batch import Batch
from workbench.runtime.seeding import preserve_random_state
from workbench.runtime.symbolic_length import symbolic_length

OUTPUT, BATCH = "output", "batch"
TRACED = 17
"""Examples in the traced batch: PyTorch takes other branches for batches of 1 or below 16."""
PRODUCER = "workbench"
_OPERATION = re.compile(r"translating node .*?target=torch\.ops\.([\w.]+)")
NOISY = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir", "torch._dynamo")


def onnx_bytes(module: nn.Module, inputs: Batch) -> bytes:
    """Return an ONNX file with a dynamic batch axis and the module's raw outputs.

    Parameters
    ----------
    module
        A private module in eval mode; it is changed.
    inputs
        A batch of `TRACED` examples, tensors [17, ...].

    Raises
    ------
    InputError
        If the module cannot be exported, or only for this size of a batch.
    """
    for name, layer in module.named_modules():
        if isinstance(layer, nn.LSTM) and layer.proj_size:
            raise InputError(
                f"ONNX has no LSTM with a projection: set proj_size=0 in {name or 'the LSTM'}, and "
                "project its outputs with a linear layer.",
                code="deploy.projected_lstm",
            )
    names = input_names(module, inputs)
    module = with_plain_bags(module)
    build_tables_once()
    with (
        _quiet(),
        torch.no_grad(),
        preserve_random_state(),
        symbolic_length(module),
        KeepsBatchOfOne(),
        one_output(module, inputs, unnamed=True),  # the exporter confuses arguments and parameters
    ):
        try:
            program = torch.onnx.export(
                module,
                tuple(tensor.clone() for tensor in inputs.tensors),
                dynamo=True,
                dynamic_shapes=batch_axis(module, len(inputs.tensors)),
                external_data=False,
                verbose=False,
            )
        except Exception as error:
            raise InputError(
                f"PyTorch cannot write this network as ONNX: {_reason(error.__cause__ or error)}",
                code="deploy.export_failed",
            ) from error
    assert program is not None
    proto = program.model_proto
    _strip(proto)
    rename(proto, names, OUTPUT)
    _check_batch_axis(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _reason(cause: BaseException) -> str:
    """Return the operation that the exporter does not know, or what it says."""
    operation = _OPERATION.search(str(cause))
    if operation is None:
        return describe(cause)
    return f"replace the operation {operation[1]}, or export to torch."


def batch_axis(module: nn.Module, inputs: int = 1, most: int | None = None) -> tuple[Any, ...]:
    """Return which axis of the module's inputs has any length, as `torch.export` takes it."""
    axes: tuple[Any, ...] = ({0: torch.export.Dim(BATCH, max=most)},) * inputs
    kinds = [parameter.kind for parameter in inspect.signature(module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return axes
    before = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*axes[:before], axes[before:]) if before < inputs else axes


def _strip(proto: Any) -> None:
    """Remove stack traces, paths, comments and shapes of values from a ModelProto."""
    proto.producer_name, proto.producer_version, proto.doc_string = PRODUCER, "", ""
    del proto.metadata_props[:]
    for graph in graphs([proto.graph, *proto.functions]):
        del graph.metadata_props[:]
        del graph.value_info[:]
        graph.doc_string = ""
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
        if hasattr(graph, "initializer"):
            for tensor in (*graph.initializer, *graph.input, *graph.output):
                del tensor.metadata_props[:]
                tensor.doc_string = ""


def _check_batch_axis(proto: Any) -> None:
    """Raise `InputError` if the export fixed the number of examples."""
    for value in (*proto.graph.input, *proto.graph.output):
        axes = value.type.tensor_type.shape.dim
        if not axes or not axes[0].dim_param:
            raise InputError(
                f"The network runs only for batches of {TRACED} examples: its code depends on the "
                "size of the batch, as a loop over the examples or int(x.shape[0]) does.",
                code="deploy.fixed_batch",
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's reports; failures are raised."""
    loggers = [logging.getLogger(name) for name in NOISY]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
