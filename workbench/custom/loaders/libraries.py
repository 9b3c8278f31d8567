"""Modules from timm and transformers, by name or from a folder."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from workbench.custom.loaders.optional_packages import require_package
from workbench.errors import WorkbenchError, describe


def from_timm(name: str | PathLike[str], *, pretrained: bool = False, **options: Any) -> nn.Module:
    """Return an image model of timm, ready for `wb.from_module`.

    Parameters
    ----------
    name
        What ``timm.list_models()`` lists, or a folder with ``config.json`` and its weights.
    pretrained
        Whether to fetch the trained weights of that name from the hub; a folder's own are always
        read. Without, the weights are fresh.
    options
        Handed on to ``timm.create_model``, such as ``num_classes=10``.

    Raises
    ------
    WorkbenchError
        When timm is not installed or cannot make the model.

    >>> module = wb.from_timm("resnet18", pretrained=True)  # doctest: +SKIP
    """
    timm = require_package("timm", "A timm model")
    local = Path(name).is_dir()
    chosen = f"local-dir:{Path(name)}" if local else str(name)
    return _made(name, lambda: timm.create_model(chosen, pretrained=pretrained or local, **options))


def from_transformers(name: str | PathLike[str], **options: Any) -> nn.Module:
    """Return a model of transformers, ready for `wb.from_module`: float32, in eval mode.

    It is of the class that it was saved as, and is called with a dict: what a tokenizer returns.

    Parameters
    ----------
    name
        A folder that ``save_pretrained`` wrote, or a name on the hub, which is then asked.
    options
        Handed on to ``from_pretrained``, such as ``num_labels=3`` or ``revision=...``.

    Raises
    ------
    WorkbenchError
        When transformers is not installed or cannot load the model.

    >>> module = wb.from_transformers("folder/of/my-model")  # doctest: +SKIP
    """
    transformers = require_package("transformers", "A transformers model")

    def load() -> Any:
        config = transformers.AutoConfig.from_pretrained(name)
        saved_as = (config.architectures or ["AutoModel"])[0]
        kind = getattr(transformers, saved_as, transformers.AutoModel)
        module = kind.from_pretrained(name, **{"dtype": "float32", **options})
        module.config.use_cache = False  # what is kept for the next token is nobody's output here
        return module

    return _made(name, load)


def _made(name: str | PathLike[str], make: Callable[[], Any]) -> nn.Module:
    try:
        module: nn.Module = make().eval()
    except Exception as error:
        raise WorkbenchError(f"{name} cannot be loaded: {describe(error)}") from error
    return module
