"""From a file to an ordinary PyTorch module: of a known model, or of one that is given."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from typing import Any

import torch
from torch import nn

from workbench.artifact.artifact import Artifact, load
from workbench.custom.loaders.differences import Shape, differences
from workbench.custom.wrappers import unwrap, without_masks
from workbench.domain.user_architecture import meta_copy, stored_tensors
from workbench.errors import ArtifactError
from workbench.recipe.schema import brief
from workbench.runtime.build import apply_spec
from workbench.zoo.to_module import artifact_to_module, load_operands


def to_module(file: Artifact | str | PathLike[str], module: nn.Module | None = None) -> nn.Module:
    """Return the network of a file, as small as the file has it: a module in eval mode, on the CPU.

    It holds the decoded weights and needs nothing of this package but, where inputs are rounded,
    the layers that do it.

    Parameters
    ----------
    file
        An artifact, or the path of a file.
    module
        The network that was compressed, with any weights: it is not changed, and no data are
        needed. Without it the file's model must be built in, or known under its name.

    Raises
    ------
    UnknownNameError
        When no module is given and the file's model is not known.
    ArtifactError
        When the file cannot be read, or its tensors are not those of the module.

    >>> import workbench as wb
    >>> recipe = wb.Recipe(structure=wb.Structure(removed=0.5))
    >>> wb.to_module(wb.compress(wb.model("fashion/lenet-300-100"), recipe)).fc1
    Linear(in_features=784, out_features=150, bias=True)
    """
    artifact = load(file) if isinstance(file, str | PathLike) else file
    if not isinstance(artifact, Artifact):
        raise ArtifactError(f"Give a file's path or what wb.load(path) returns, not {brief(file)}.")
    return artifact_to_module(artifact) if module is None else _of_module(artifact, module)


def _of_module(artifact: Artifact, module: Any) -> nn.Module:
    """Return a copy of `module` with the tensors of a file, in the file's form."""
    if not isinstance(module, nn.Module):
        raise ArtifactError(f"module must be a torch.nn.Module, not {brief(module)}.")
    held, _masked = without_masks(unwrap(module))
    form = replace(artifact.spec, width=1.0, left_out=0)  # the module given has its own
    with torch.device("meta"):
        empty = apply_spec(meta_copy(held), form).eval()
    operands = artifact.operands()
    found: dict[str, Shape] = {name: tuple(tensor.shape) for name, tensor in operands.items()}
    own: dict[str, Shape] = {
        name: tuple(tensor.shape) for name, tensor in stored_tensors(empty).items()
    }
    wrong = differences(found, own, _is_within if form.narrowed else _is_equal)
    if wrong:
        raise ArtifactError(
            f"The file of {artifact.model} does not fit this module: {wrong}. Give the network "
            "that was compressed."
        )
    whole = load_operands(empty, operands)
    lost = [
        name for name, one in (*whole.named_parameters(), *whole.named_buffers()) if one.is_meta
    ]
    if lost:
        raise ArtifactError(
            f"The module has no values for {lost[0]}, nor has the file: build it on the CPU."
        )
    return whole


def _is_equal(one: Shape, other: Shape) -> bool:
    return one == other


def _is_within(one: Shape, other: Shape) -> bool:
    """Whether channels may have been removed from `other` to make `one`."""
    assert one is not None
    assert other is not None
    return len(one) == len(other) and all(
        n <= most and (n == 0) == (most == 0) for n, most in zip(one, other, strict=True)
    )
