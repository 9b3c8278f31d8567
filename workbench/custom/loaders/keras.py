"""Load Keras models, from their files or as objects."""

from __future__ import annotations

import os
import sys
from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from workbench.custom.loaders.keras_archive import check_archive
from workbench.custom.loaders.optional_packages import require_package
from workbench.errors import InputError, describe
from workbench.recipe.schema import brief
from workbench.runtime.keras_module import KerasModule

BACKEND = "KERAS_BACKEND"


def from_keras(model: Any | str | PathLike[str]) -> nn.Module:
    """Return a Keras 3 model as a module for `wb.from_module`.

    A ``.keras`` file may come from any backend of Keras. It runs here with PyTorch, without
    TensorFlow, in inference mode, and no code in it is run. A compressed file of the model can be
    exported as a ``.keras`` file again. Targets and losses are those of PyTorch: accuracy is the
    same for a model that ends in a softmax, but to train or distill it, give `wb.from_module` a
    loss for probabilities.

    Parameters
    ----------
    model
        The path of a ``.keras`` file, or a ``keras.Model``, which shares its weights. Own layers
        are found if they are registered with ``keras.saving.register_keras_serializable``.

    Raises
    ------
    FileError
        If the file cannot be read.
    InputError
        If Keras is not installed or uses another backend, the model is not built, or a layer
        cannot be read; the message names it.

    Examples
    --------
    >>> module = wb.from_keras("model.keras")  # doctest: +SKIP
    """
    if "keras" not in sys.modules:
        os.environ.setdefault(BACKEND, "torch")
    keras = require_package("keras", "A Keras model")
    if keras.backend.backend() != "torch":
        raise InputError(
            f"Keras uses the backend {keras.backend.backend()}: set the environment variable "
            f"{BACKEND}=torch before keras is imported, and load the model again.",
            code="module.keras_backend",
        )
    if isinstance(model, str | PathLike):
        model = _load(keras, Path(model))
    if not isinstance(model, keras.Model):
        raise InputError(
            f"The model must be a keras.Model or the path of a .keras file, not {brief(model)}.",
            code="module.invalid_type",
        )
    if not model.built:
        raise InputError(
            "The Keras model is not built yet: call it once on an input first.",
            code="module.not_built",
        )
    if any(variable.value.device.type != "cpu" for variable in model.variables):
        raise InputError(
            "The Keras model is not on the CPU, where models are evaluated: create or load it "
            'inside keras.device("cpu").',
            code="module.wrong_device",
        )
    return KerasModule(keras, model).eval()


def _load(keras: Any, path: Path) -> Any:
    """Return the model of a file, without its optimizer and losses."""
    check_archive(path, lambda name: keras.saving.get_registered_object(name) is not None)
    try:
        with keras.device("cpu"):
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        reason = describe(error).partition(" Full object config")[0]
        raise InputError(
            f"Keras {keras.__version__} cannot load {path}: {reason}",
            code="module.loading_failed",
        ) from error
