"""Load weights from a safetensors or PyTorch file into a module."""

from __future__ import annotations

import argparse
import copy
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.arguments import expect_path
from workbench.artifact.writing import check_regular
from workbench.custom.loaders.differences import Shapes, differences
from workbench.custom.loaders.state_dicts import StateDict, name_variants, shape_of, state_dicts
from workbench.errors import (
    FileError,
    InputError,
    file_errors,
    first_line,
    missing_file,
    user_errors,
)
from workbench.recipe.schema import brief

_scalar = np.float64(0).__reduce__()[0]
SAFE_TYPES: list[Any] = [
    argparse.Namespace,
    np.dtype,
    *(type(np.dtype(name)) for name in ("float32", "float64", "int64")),
    *((_scalar, f"{home}.multiarray.scalar") for home in ("numpy.core", "numpy._core")),
]
"""Types that training scripts save next to the weights and that run no code when they are read."""


def from_checkpoint(path: str | PathLike[str], module: nn.Module) -> nn.Module:
    """Return `module` with the weights of a file, in eval mode.

    The file may contain whatever ``module.load_state_dict(weights, strict=True)`` accepts, with
    three extensions: the weights may be in a dict next to other entries (``state_dict``, ``model``,
    …), all names may have the prefix of a wrapper (``module.``, ``_orig_mod.``, ``model.``), and a
    tied tensor may be stored once. If several dicts fit, trained weights take precedence over
    averaged (EMA or SWA) ones. Code in a file is never run.

    Parameters
    ----------
    path
        A ``.safetensors`` file, or one that ``torch.save(module.state_dict(), path)`` wrote.
    module
        The network of the weights, which are copied into it. It is unchanged after an error.

    Raises
    ------
    FileError
        If the file cannot be read, or `torch.load(weights_only=True)` rejects it.
    InputError
        If its tensors do not fit the module.
    """
    path = expect_path(path, "path")
    if not isinstance(module, nn.Module):
        raise InputError(
            f"The weights must be loaded into a torch.nn.Module, not {brief(module)}.",
            code="module.invalid_type",
        )
    states = state_dicts(_read(path), module)
    if not states:
        raise InputError(
            f"{path} contains no tensors by name: save the state_dict() of a module.",
            code="file.no_tensors",
        )
    variants = [name_variants(state, module) for state in states]
    for variant in chain(*variants):
        if _loading_error(variant, module) is None:
            module.load_state_dict(variant, strict=True)
            return module.eval()
    raise InputError(
        f"{path} does not fit the module: {_mismatch(variants[0][0], module)}.",
        code="file.wrong_module",
    )


def _loading_error(state: StateDict, module: nn.Module) -> Exception | None:
    """Return the error of loading `state` strictly into a copy of the module, None if it loads."""
    with user_errors(
        "The module cannot be copied to test the weights: copying it fails",
        code="module.not_copyable",
    ):
        other = copy.deepcopy(module)
    try:
        other.load_state_dict(state, strict=True)
    except Exception as error:  # noqa: BLE001 - the module's own hooks may raise anything
        return error
    return None


def _read(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with file_errors("read", path):
        if not path.exists():
            raise missing_file(path)
        check_regular(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(SAFE_TYPES):
            return torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise FileError(
            f"{path} is not a safetensors file: {first_line(error)}", code="file.not_safetensors"
        ) from error
    except Exception as error:
        raise FileError(
            f"{path} is damaged or contains objects other than tensors, which could run code. Save "
            "the state_dict() with safetensors.torch.save_file instead.",
            code="file.unsafe_pickle",
        ) from error


def _mismatch(state: StateDict, module: nn.Module) -> str:
    """Return how the tensors of a file differ from those of the module."""
    return differences(_shapes(state), _shapes(module.state_dict())) or first_line(
        _loading_error(state, module) or ValueError()
    )


def _shapes(state: StateDict) -> Shapes:
    return {name: shape_of(value) for name, value in state.items()}
