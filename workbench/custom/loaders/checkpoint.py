"""Weights from a file into a module that a person gives: safetensors, or tensors alone."""

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

from workbench.custom.loaders.differences import Shapes, differences
from workbench.custom.loaders.state_dicts import StateDict, name_variants, shape_of, state_dicts
from workbench.errors import WorkbenchError, first_line, user_errors
from workbench.recipe.schema import brief

_scalar = np.float64(0).__reduce__()[0]
SAFE_TYPES: list[Any] = [
    argparse.Namespace,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("float32", "float64", "int64")),
    *((_scalar, f"{home}.multiarray.scalar") for home in ("numpy.core", "numpy._core")),
]
"""Types of values that training scripts keep beside the weights, which run no code when read."""


def from_checkpoint(path: str | PathLike[str], module: nn.Module) -> nn.Module:
    """Return `module` with the weights of a file, in eval mode.

    Whatever ``module.load_state_dict(weights, strict=True)`` accepts is accepted, and no more but
    this: the weights may lie in a dict beside other things (``state_dict``, ``model``, …), all
    names may begin with the prefix of a wrapper (``module.``, ``_orig_mod.``, ``model.``), and a
    tensor that the module uses in two places may be stored once. Of several dicts that fit, the
    trained weights go before averaged ones. Code in a file is never run.

    Parameters
    ----------
    path
        A ``.safetensors`` file, or one that ``torch.save(module.state_dict(), path)`` wrote.
    module
        The network that the weights are of; they are copied into it.

    Raises
    ------
    WorkbenchError
        When the file cannot be read, or is of another network; the module is then as it was.
    """
    if not isinstance(module, nn.Module):
        raise WorkbenchError(f"Give the torch.nn.Module to load into, not {brief(module)}.")
    states = state_dicts(_read(Path(path)), module)
    if not states:
        raise WorkbenchError(f"{path} holds no tensors by name: save a module's state_dict().")
    tried = [name_variants(state, module) for state in states]
    for reading in chain(*tried):
        if _refusal(reading, module) is None:
            module.load_state_dict(reading, strict=True)
            return module.eval()
    raise WorkbenchError(f"{path} is of another network: {_why(tried[0][0], module)}.")


def _refusal(state: StateDict, module: nn.Module) -> Exception | None:
    """Return why the module does not load `state` strictly, None where it does; try on a copy."""
    with user_errors("The module cannot be copied, to try the weights on the copy,"):
        other = copy.deepcopy(module)
    try:
        other.load_state_dict(state, strict=True)
    except Exception as error:  # noqa: BLE001 - the module's own hooks may raise anything
        return error
    return None


def _read(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise WorkbenchError(f"There is no file {path}.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(SAFE_TYPES):
            return torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WorkbenchError(f"{path} is no safetensors file: {first_line(error)}") from error
    except Exception as error:
        raise WorkbenchError(
            f"{path} holds more than tensors, or is damaged, and is not opened, because a pickle "
            "can run code: where it was made, save its state_dict() with "
            "safetensors.torch.save_file."
        ) from error


def _why(found: StateDict, module: nn.Module) -> str:
    """Return what separates the best reading of a file from the module's own tensors."""
    wrong = differences(_shapes(found), _shapes(module.state_dict()))
    return wrong or first_line(_refusal(found, module) or ValueError())


def _shapes(state: StateDict) -> Shapes:
    return {name: shape_of(value) for name, value in state.items()}
