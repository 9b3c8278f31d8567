"""The network of a rank: built from a name, from the user's file, or sent by the caller."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from workbench.domain.module_tensors import stored_tensors
from workbench.errors import InputError, user_errors
from workbench.parallel.objects import read_object
from workbench.runtime.batch import HALF_DTYPES

RUNNING_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def build(description: Mapping[str, Any], folder: Path) -> nn.Module:
    """Return the module that a job describes, with any weights.

    Parameters
    ----------
    description
        ``name`` of a built-in model; ``path``, ``sha256`` and ``attribute`` of a user's file; or
        an ``object`` that the caller has written.
    folder
        Where a relative path starts, and where the object is.

    Raises
    ------
    InputError
        If the file has changed since the job was made, or does not return a module.
    """
    if "name" in description:
        from workbench.zoo.registry import architecture

        return architecture(description["name"]).build()
    if "object" in description:
        return with_memory(read_object(description, folder))
    path = folder / description["path"]
    return module_of_file(path, description["sha256"], description["attribute"])


def module_of_file(path: Path, sha256: str, attribute: str) -> nn.Module:
    """Return the module that a callable of a user's Python file makes.

    Raises
    ------
    InputError
        If the file has another digest, fails, or does not return a module.
    """
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(
            f"{path} has changed since the run was started; start it again.",
            code="parallel.source_changed",
        )
    spec = spec_from_file_location(f"workbench_source_{sha256[:16]}", path)
    assert spec is not None
    assert spec.loader is not None
    source = module_from_spec(spec)
    with user_errors(f"Making the module of {path} fails"):
        spec.loader.exec_module(source)
        module = getattr(source, attribute)()
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{attribute} in {path} must return a torch.nn.Module, not {type(module).__name__}.",
            code="parallel.source_returns_no_module",
        )
    return module


def with_memory(module: nn.Module) -> nn.Module:
    """Return a copy of a module whose tensors without values have memory, in float32 if halves."""
    from workbench.domain.module_copy import deep_copy

    tensors: dict[int, Any] = {}
    for tensor in stored_tensors(module).values():
        dtype = torch.float32 if tensor.dtype in HALF_DTYPES else tensor.dtype
        empty = torch.empty_like(tensor, dtype=dtype, device="cpu")
        trained = isinstance(tensor, nn.Parameter)
        tensors[id(tensor)] = (
            nn.Parameter(empty, requires_grad=tensor.requires_grad) if trained else empty
        )
    return deep_copy(module, tensors)


def load_weights(module: nn.Module, path: Path) -> None:
    """Copy the weights of a .safetensors file into `module`.

    Raises
    ------
    InputError
        If the names or shapes differ.
    """
    weights = load_file(path)
    tensors = stored_tensors(module)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if shapes != {name: tuple(tensor.shape) for name, tensor in weights.items()}:
        raise InputError(
            "The module of the file does not have the tensors of the model; pass the file that "
            "makes the module which was registered.",
            code="parallel.source_differs",
        )
    for name, tensor in tensors.items():
        tensor.detach().copy_(weights[name])


def set_modes(module: nn.Module, *, per_rank_norms: bool) -> None:
    """Switch dropout off; let batch norm use the batch's statistics if `per_rank_norms`."""
    module.eval()
    if per_rank_norms:
        for layer in module.modules():
            if isinstance(layer, RUNNING_NORMS):
                layer.train()


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Switch all layers to evaluation, and back."""
    modes = {layer: layer.training for layer in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for layer, mode in modes.items():
            layer.training = mode


def trained(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters that are trained, by name; a tied one once."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}
