"""Load modules from timm and transformers, by name or from a folder."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from workbench.arguments import expect_path
from workbench.custom.loaders.optional_packages import require_package
from workbench.errors import InputError, describe


def from_timm(name: str | PathLike[str], *, pretrained: bool = False, **options: Any) -> nn.Module:
    """Return an image model of timm for `wb.from_module`.

    Parameters
    ----------
    name
        A name from ``timm.list_models()``, or a folder with ``config.json`` and weights.
    pretrained
        Whether to download the trained weights from the hub; otherwise they are random. The weights
        of a folder are always read.
    options
        Passed to ``timm.create_model``, such as ``num_classes=10``.

    Raises
    ------
    InputError
        If timm is not installed or cannot create the model.

    Examples
    --------
    >>> module = wb.from_timm("resnet18", pretrained=True)  # doctest: +SKIP
    """
    expect_path(name, "name")
    timm = require_package("timm", "A timm model")
    local = Path(name).is_dir()
    chosen = f"local-dir:{Path(name)}" if local else str(name)
    return _load(name, lambda: timm.create_model(chosen, pretrained=pretrained or local, **options))


def from_transformers(name: str | PathLike[str], **options: Any) -> nn.Module:
    """Return a model of transformers for `wb.from_module`, float32 and in eval mode.

    It has the class that it was saved as, and is called with a dict, as a tokenizer returns it.

    Parameters
    ----------
    name
        A folder that ``save_pretrained`` wrote, or a name on the hub, from which it is downloaded.
    options
        Passed to ``from_pretrained``, such as ``num_labels=3`` or ``revision=...``.

    Raises
    ------
    InputError
        If transformers is not installed or cannot load the model.

    Examples
    --------
    >>> module = wb.from_transformers("folder/of/my-model")  # doctest: +SKIP
    """
    expect_path(name, "name")
    transformers = require_package("transformers", "A transformers model")

    def load() -> Any:
        config = transformers.AutoConfig.from_pretrained(name)
        saved_as = (config.architectures or ["AutoModel"])[0]
        model_class = getattr(transformers, saved_as, transformers.AutoModel)
        module = model_class.from_pretrained(name, **{"dtype": "float32", **options})
        module.config.use_cache = False  # the key-value cache is not an output here
        return module

    return _load(name, load)


def _load(name: str | PathLike[str], load: Callable[[], Any]) -> nn.Module:
    try:
        module: nn.Module = load().eval()
    except Exception as error:
        raise InputError(
            f"{name} cannot be loaded: {describe(error)}", code="module.loading_failed"
        ) from error
    return module
