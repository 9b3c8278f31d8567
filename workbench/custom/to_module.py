"""Turn a compressed file into an ordinary PyTorch module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

import torch
from torch import nn

from workbench.artifact.artifact import Artifact, as_artifact
from workbench.custom.loaders.differences import Shape, differences
from workbench.custom.prediction.file_model import file_model
from workbench.custom.wrappers import unwrap, without_masks
from workbench.domain.module_copy import meta_copy
from workbench.domain.module_tensors import stored_tensors
from workbench.domain.unstored import check_unstored
from workbench.errors import ArtifactError
from workbench.recipe.schema import brief
from workbench.runtime.build import apply_spec
from workbench.zoo.registry import advice_if_not_registered
from workbench.zoo.to_module import artifact_to_module, load_operands


def to_module(file: Artifact | str | PathLike[str], module: nn.Module | None = None) -> nn.Module:
    """Return the compressed network of a file as a module in eval mode on the CPU.

    It has the decoded weights and the reduced shapes. It depends on this package only if inputs are
    quantized, for the layers that do so.

    Parameters
    ----------
    file
        An artifact, or the path of a file.
    module
        The network that was compressed, with any weights. Tensors that files do not store must have
        the values that they had. It is not changed, and no data is needed.
        Not needed if the file describes its network, as those of models do that were trained on a
        table, on pictures or on texts. Otherwise the file's model must be built in or registered
        under its name.

    Raises
    ------
    UnknownNameError
        If no module is given and the file's model is not known.
    ArtifactError
        If the file is damaged, its tensors do not fit the module, or the module holds other values
        of tensors that the file needs and does not store.
    FileError
        If the file cannot be read.

    Examples
    --------
    >>> import workbench as wb
    >>> recipe = wb.Recipe(structure=wb.Structure(removed=0.5))
    >>> wb.to_module(wb.compress(wb.model("fashion/lenet-300-100"), recipe)).fc1
    Linear(in_features=784, out_features=150, bias=True)
    """
    artifact = as_artifact(file)
    if module is not None:
        return _of_module(artifact, module)
    described = None if artifact.preprocessing is None else file_model(artifact)
    with advice_if_not_registered(
        "call {call} first, or pass its network: wb.to_module(file, module)."
    ):
        return artifact_to_module(artifact, described)


def _of_module(artifact: Artifact, module: Any) -> nn.Module:
    """Return a copy of `module` with the tensors and the module spec of a file."""
    if not isinstance(module, nn.Module):
        raise ArtifactError(
            f"module must be a torch.nn.Module, not {brief(module)}.", code="module.invalid_type"
        )
    base, _masked = without_masks(unwrap(module))
    spec = replace(artifact.spec, width=1.0, left_out=0)  # `module` already has that size
    with torch.device("meta"):
        empty = apply_spec(meta_copy(base), spec).eval()
    operands = artifact.operands()
    in_file = _shapes(operands)
    problem = differences(
        in_file, _shapes(stored_tensors(empty)), _is_within if spec.narrowed else _is_equal
    )
    if problem:
        raise ArtifactError(
            f"The file of {artifact.model} does not fit this module: {problem}. Pass the network "
            "that was compressed.",
            code="artifact.wrong_module",
        )
    result = load_operands(empty, operands)
    tensors = (*result.named_parameters(), *result.named_buffers())
    missing = next((name for name, tensor in tensors if tensor.is_meta), None)
    if missing is not None:
        raise ArtifactError(
            f"Neither the module nor the file has values for {missing}: build the module on the "
            "CPU.",
            code="module.no_values",
        )
    check_unstored(artifact, base)
    return result


def _shapes(tensors: Mapping[str, Any]) -> dict[str, Shape]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _is_equal(shape: Shape, full: Shape) -> bool:
    return shape == full


def _is_within(shape: Shape, full: Shape) -> bool:
    """Whether removing channels from `full` may give `shape`."""
    assert shape is not None
    assert full is not None
    return len(shape) == len(full) and all(
        n <= most and (n == 0) == (most == 0) for n, most in zip(shape, full, strict=True)
    )
