"""Values that a user's module holds and files do not store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.artifact.artifact import Artifact
from workbench.artifact.unstored import Fingerprint, differing, fingerprint
from workbench.domain.module_tensors import stored_tensors
from workbench.errors import ArtifactError

OF_LAYERS = frozenset((*vars(nn.Module()), "_flat_weights", "_flat_weight_refs"))
"""Attributes that PyTorch itself keeps in layers."""
NAMED = 3
"""Most tensors that an error names."""


def check_unstored(
    artifact: Artifact,
    module: nn.Module,
    fingerprints: Mapping[str, Fingerprint] | None = None,
) -> None:
    """Check that a module has the values that a file needs and does not store.

    Parameters
    ----------
    artifact
        The file.
    module
        The module that is to run on its tensors.
    fingerprints
        Those of the values that the module needs, if that is known. Others of its values are then
        not compared: it computes them itself.

    Raises
    ------
    ArtifactError
        If values are missing or differ.
    """
    if not artifact.unstored or artifact.unstored == fingerprints:
        return
    values = unstored_values(module)
    known = fingerprints
    if known is None:
        known = {n: fingerprint(v) for n, v in values.items() if n in artifact.unstored}
    expected = {
        name: content
        for name, content in artifact.unstored.items()
        if name in known or name not in values
    }
    wrong = differing(expected, known)
    if wrong:
        more = f" and {len(wrong) - NAMED:,} more" if len(wrong) > NAMED else ""
        raise ArtifactError(
            f"The file of {artifact.model} was compressed with other values of "
            f"{', '.join(wrong[:NAMED])}{more}, which files do not store: pass the module with "
            "those values, or register them as persistent buffers and compress again.",
            code="artifact.other_values",
        )


def unstored_values(module: nn.Module) -> dict[str, Tensor]:
    """Return the tensors and arrays of a module that files do not store, by name.

    They are unsaved and sparse buffers, and attributes of layers, also in lists, tuples and dicts.
    Views of stored tensors and tensors without values are not included.
    """
    stored = {tensor.untyped_storage().data_ptr() for tensor in stored_tensors(module).values()}
    return {
        f"{path}.{attribute}{place}".removeprefix("."): tensor
        for path, layer in module.named_modules()
        for attribute, value in layer_values(layer).items()
        for place, tensor in values_in(value)
        if not (
            tensor.layout == torch.strided
            and tensor.numel()
            and tensor.untyped_storage().data_ptr() in stored
        )
    }


def layer_values(layer: nn.Module) -> dict[str, Any]:
    """Return the buffers and the attributes of one layer by name."""
    attributes = {name: value for name, value in vars(layer).items() if name not in OF_LAYERS}
    return dict(layer.named_buffers(recurse=False, remove_duplicate=False)) | attributes


def values_in(value: Any, around: frozenset[int] = frozenset()) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in an attribute, each with its place in nested lists, tuples and dicts.

    `around` are the ids of the containers around `value`: one may contain itself.
    """
    if isinstance(value, Tensor | np.ndarray):
        yield from _tensors(value)
    elif isinstance(value, Mapping | list | tuple) and id(value) not in around:
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for number, (key, item) in enumerate(pairs):
            label = repr(key) if isinstance(key, str | int) else str(number)
            for place, tensor in values_in(item, around | {id(value)}):
                yield f"[{label}]{place}", tensor


def _tensors(value: Tensor | np.ndarray[Any, Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield the dense tensors that hold the content of a tensor or an array."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biufc":
            wide = np.complex128 if value.dtype.kind == "c" else np.float64
            yield "", torch.from_numpy(value.astype(wide))
    elif type(value) not in (Tensor, nn.Parameter) or value.is_meta:
        return
    elif value.is_quantized:
        yield "", value.dequantize()
    elif value.layout == torch.strided:
        yield "", value.detach()
    elif value.layout in (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc):
        entries = value.detach().to_sparse_coo().coalesce()
        yield ".indices", entries.indices()
        yield ".values", entries.values()
