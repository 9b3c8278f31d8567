"""The inputs and the output of a network as an exported file has them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import torch
from torch import nn

from workbench.domain import Task
from workbench.errors import InputError
from workbench.runtime.batch import HALF_DTYPES, Batch, apply, outputs_of

INPUT = "input"


def inputs_of(task: Task, examples: Any) -> Batch:
    """Return n stored examples as a file takes them: tensors [n, ...], none in half precision."""
    batch = Batch.of(task.inputs(examples))
    return batch.with_tensors(
        tensor.float() if tensor.dtype in HALF_DTYPES else tensor for tensor in batch.tensors
    )


def input_names(module: nn.Module, batch: Batch) -> tuple[str, ...]:
    """Return the names of a file's inputs: `INPUT` for one, else those in the module's code.

    The module must be as its code made it, not inside `one_output`.
    """
    if len(batch.tensors) == 1:
        return (INPUT,)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(module.forward).parameters.items()
    known = [name for name, parameter in parameters if parameter.kind in kinds]
    names = known if batch.names is None else [*batch.names]
    numbered = (f"{INPUT}_{number}" for number in count(len(names)))
    names = [*names, *[""] * len(batch.tensors)][: len(batch.tensors)]
    unused = (name for name in numbered if name not in names)
    return tuple(name or next(unused) for name in names)


def check_one_input(batch: Batch, runtime: str) -> None:
    """Raise `InputError` if a network takes several tensors, for a runtime that is run with one."""
    if len(batch.tensors) > 1:
        raise InputError(
            f"This network takes {len(batch.tensors)} tensors, and {runtime} is run with networks "
            "of one: export to onnxruntime, openvino or torch.",
            code="deploy.several_inputs",
        )


@contextmanager
def one_output(module: nn.Module, batch: Batch, *, unnamed: bool = False) -> Iterator[None]:
    """Let a `module` take the tensors of a batch in order and return one tensor, in the context.

    Models of libraries take named tensors, and return objects with the output among other values.
    If inputs are `unnamed`, the names of the module's arguments are hidden in any case.
    """
    with torch.no_grad():
        returned = apply(module, batch[:2], select=False)
    if not unnamed and batch.names is None and isinstance(returned, torch.Tensor):
        yield
        return
    attributes, forward, names = vars(module), module.forward, batch.names

    def in_order(*tensors: torch.Tensor) -> Any:
        if names is None:
            return outputs_of(forward(*tensors))
        return outputs_of(forward(**dict(zip(names, tensors, strict=True))))

    before = {"forward": forward} if "forward" in attributes else {}
    attributes["forward"] = in_order
    try:
        yield
    finally:
        del attributes["forward"]
        attributes.update(before)
