"""Write a compressed Keras model as a .keras file: the same bytes on every run."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import nn

from workbench.errors import InputError, describe
from workbench.runtime.keras_module import KerasModule

METADATA, CONFIG = "metadata.json", "config.json"
SHARED = "shared_object_id"


def keras_bytes(module: nn.Module, *_inputs: Any) -> bytes:
    """Return the file of the module's Keras model, with the weights of the module.

    Neither the module nor its Keras model changes. Optimizer and losses are left out.

    Raises
    ------
    InputError
        If the module is not one of `wb.from_keras`, or Keras cannot save it.
    """
    if not isinstance(module, KerasModule):
        raise InputError(
            "Only a model that wb.from_keras read becomes a .keras file: choose another runtime.",
            code="deploy.not_keras",
        )
    stateless = module.stateless
    with TemporaryDirectory(prefix="workbench-") as folder:
        path = Path(folder) / "model.keras"
        try:
            with stateless.keras.device("cpu"), stateless.scope(module.values()):
                stateless.keras.saving.save_model(stateless.model, path)
        except Exception as error:
            raise InputError(
                f"Keras cannot save this model: {describe(error)}", code="deploy.export_failed"
            ) from error
        return _reproducible(path)


def _reproducible(path: Path) -> bytes:
    """Return an archive without dates and without numbers that depend on the process."""
    stream = BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(stream, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == METADATA:
                version = json.loads(content)["keras_version"]
                content = json.dumps({"keras_version": version}).encode()
            if name == CONFIG:
                config = json.loads(content)
                config["compile_config"] = None
                content = json.dumps(_renumbered(config, {})).encode()
            target.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def _renumbered(value: Any, numbers: dict[int, int]) -> Any:
    """Return a configuration whose shared objects are numbered in their order."""
    if isinstance(value, list):
        return [_renumbered(item, numbers) for item in value]
    if isinstance(value, dict):
        return {
            key: numbers.setdefault(item, len(numbers) + 1)
            if key == SHARED and isinstance(item, int)
            else _renumbered(item, numbers)
            for key, item in value.items()
        }
    return value
