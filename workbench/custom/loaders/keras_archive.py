"""Check the archive of a Keras model before Keras opens it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.errors import FileError, InputError, file_errors

CONFIG, METADATA = "config.json", "metadata.json"
MAX_CONFIG_BYTES = 2**28
CODE = {
    "Lambda": "contains Python code",
    "__lambda__": "contains Python code",
    "TorchModuleWrapper": "contains a pickled PyTorch module",
    "JaxLayer": "contains code of JAX",
    "FlaxLayer": "contains code of JAX",
    "TFSMLayer": "contains a TensorFlow program",
}
"""Classes that hold a program of their own, with what is in them."""
STRINGS = ("TextVectorization", "StringLookup", "IntegerLookup", "Hashing", "HashedCrossing")
"""Preprocessing layers that run in TensorFlow only."""


def check_archive(path: Path, is_registered: Callable[[str], bool]) -> None:
    """Check that a file is a Keras 3 archive, all of whose objects belong to Keras or to the user.

    Parameters
    ----------
    path
        The ``.keras`` file.
    is_registered
        Whether the user registered an object under a name, such as ``my_package>MyLayer``.

    Raises
    ------
    FileError
        If the file is missing or is no such archive.
    InputError
        If Keras 2 wrote it, or a layer contains code, needs TensorFlow or is unknown.
    """
    config, metadata = _read(path)
    version = str(metadata.get("keras_version", "3"))
    if version.partition(".")[0] != "3":
        raise InputError(
            f"{path} was saved by Keras {version}: load it with Keras 3 and save it again.",
            code="module.keras_version",
        )
    for entry, layer in _objects(config, ""):
        name, package = entry["class_name"], str(entry.get("module") or "")
        if name in CODE:
            raise InputError(
                f"The layer {layer} ({name}) {CODE[name]}, which is not run: replace it with "
                "layers of Keras.",
                code="module.keras_code",
            )
        if name in STRINGS and package.startswith("keras"):
            raise InputError(
                f"The layer {layer} ({name}) runs in TensorFlow only: apply it to the data before "
                "the model, and save the model without it.",
                code="module.keras_strings",
            )
        registered = str(entry.get("registered_name") or name)
        if not _belongs_to_keras(package) and not is_registered(registered):
            raise InputError(
                f"{registered}, which {layer} uses, does not belong to Keras: import its class "
                "under keras.saving.register_keras_serializable, then load the file again.",
                code="module.keras_custom",
            )


def _belongs_to_keras(package: str) -> bool:
    """Whether Keras itself finds an object of `package`; functions such as relu have builtins."""
    return package in {"builtins", "keras"} or package.startswith("keras.")


def _objects(value: Any, layer: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield all serialized objects in a configuration, each with the name of its layer."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, layer)
    if isinstance(value, dict):
        config = value.get("config")
        if isinstance(value.get("class_name"), str) and "config" in value:
            if isinstance(config, dict) and isinstance(config.get("name"), str):
                layer = config["name"]
            if not value["class_name"].startswith("__") or value["class_name"] in CODE:
                yield value, layer
        for item in value.values():
            yield from _objects(item, layer)


def _read(path: Path) -> tuple[Any, Mapping[str, Any]]:
    """Return the configuration and the metadata of an archive."""
    with file_errors("read", path), path.open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                config = json.loads(_text(archive, CONFIG))
                metadata = json.loads(_text(archive, METADATA))
        except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as error:
            raise FileError(
                f"{path} is not a .keras file of Keras 3, or is incomplete: save the model with "
                'model.save("model.keras").',
                code="file.not_keras",
            ) from error
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise FileError(f"{path} does not describe a Keras model.", code="file.not_keras")
    return config, metadata


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MAX_CONFIG_BYTES:
        raise ValueError(name)
    return archive.read(name)
