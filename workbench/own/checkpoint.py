"""Weights from a file into a module that a person gives: safetensors, or tensors alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import WorkbenchError, first_line

NAMED = 3
"""Names that a sentence lists before it only counts."""
WRAPPED = ("state_dict", "model_state_dict", "model")
"""Under which training scripts keep the weights beside other things."""


def from_checkpoint(path: str | PathLike[str], module: nn.Module) -> nn.Module:
    """Return `module` with the weights of a file, in eval mode.

    Nothing but tensors is read: code in a file is never run. A tensor that the module uses in two
    places may be stored once.

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
    found = _read(Path(path))
    own = module.state_dict()
    _check_names(path, found, own)
    wrong = [name for name, t in found.items() if t.shape != own[name].shape]
    if wrong:
        name = wrong[0]
        raise WorkbenchError(
            f"{path} is of another network: {_listed(wrong)} {_have(wrong)} another shape, such as "
            f"{tuple(found[name].shape)} where the module has {tuple(own[name].shape)}."
        )
    module.load_state_dict(found, strict=False)
    return module.eval()


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise WorkbenchError(f"There is no file {path}.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WorkbenchError(f"{path} is no safetensors file: {first_line(error)}") from error
    except Exception as error:
        raise WorkbenchError(
            f"{path} holds more than tensors, or is damaged, and is not opened, because a pickle "
            "can run code: where it was made, save its state_dict() with "
            "safetensors.torch.save_file."
        ) from error
    return _tensors(path, found)


def _tensors(path: Path, found: Any) -> dict[str, Tensor]:
    for key in WRAPPED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if (
        not isinstance(found, Mapping)
        or not found
        or not all(isinstance(one, Tensor) for one in found.values())
    ):
        raise WorkbenchError(f"{path} holds no tensors by name: save a module's state_dict().")
    return {str(name): tensor for name, tensor in found.items()}


def _check_names(
    path: str | PathLike[str], found: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> None:
    places = {_place(own[name]) for name in found if name in own}  # a tied one is there once
    missing = [name for name in own if name not in found and _place(own[name]) not in places]
    unexpected = [name for name in found if name not in own]
    said = [f"{_listed(missing)} {_are(missing)} missing"] if missing else []
    if unexpected:
        said.append(f"{_listed(unexpected)} {_are(unexpected)} not in the module")
    if said:
        raise WorkbenchError(f"{path} is of another network: {', and '.join(said)}.")


def _place(tensor: Tensor) -> tuple[int, ...]:
    view = (tensor.storage_offset(), *tensor.shape, *tensor.stride())
    empty = tensor.numel() == 0 or tensor.device.type == "meta"
    return (id(tensor),) if empty else (tensor.untyped_storage().data_ptr(), *view)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"
