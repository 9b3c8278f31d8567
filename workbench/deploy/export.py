"""Export a compressed file to an inference runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from workbench.artifact.artifact import Artifact, as_artifact
from workbench.deploy.keras_file import keras_bytes
from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.deploy.package import FORMAT, Package
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.source import exported_network, storage_notes
from workbench.deploy.target import Target
from workbench.deploy.torch_file import program_bytes

WRITERS: dict[str, Callable[[nn.Module, Tensor], bytes]] = {
    ".onnx": onnx_bytes,
    ".pt2": program_bytes,
    ".keras": keras_bytes,
}
"""By the suffix of the file."""
PREPARATIONS = {
    "image": "pixels divided by 255, channels first",
    "words": "identifiers of words",
    "characters": "identifiers of characters",
    "frames": "frames of features",
    "custom": "the inputs of the module",
}
"""How stored examples become inputs, by the input type of a task."""


def export(file: Artifact | str | PathLike[str], target: Target | str = "onnxruntime") -> Package:
    """Return the network of a compressed file for an inference runtime.

    The network computes with the weights of the file, decoded to float32. Two exports give the same
    bytes. The package holds no path and no name of this machine.

    Parameters
    ----------
    file
        An artifact, or the path of a file.
    target
        What to export for, or the name of a runtime.

    Raises
    ------
    InputError
        If the runtime is not installed, or the network cannot be exported.
    ArtifactError
        If the file is damaged.

    >>> import workbench as wb
    >>> artifact = wb.compress(wb.model("fashion/lenet5"), wb.Recipe(wb.Prune(0.5)))
    >>> package = wb.export(artifact, "onnxruntime")  # doctest: +SKIP
    """
    target = Target(target) if isinstance(target, str) else target
    runtime = RUNTIMES[target.runtime]
    runtime.check_installed()
    artifact = as_artifact(file)
    network = exported_network(artifact)
    content = WRITERS[runtime.suffix](network.module, network.inputs(TRACED))
    example: Tensor = network.inputs(2)
    with torch.no_grad():
        output = network.module(example)
    manifest = {
        "format": FORMAT,
        "model": artifact.model,
        "artifact": {"sha256": artifact.digest, "bytes": len(artifact)},
        "target": target.as_dict(),
        "file": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "input": {
            "dtype": str(example.dtype).removeprefix("torch."),
            "shape": _shape(example),
            "preparation": PREPARATIONS[network.task.input_type],
        },
        "output": {"dtype": str(output.dtype).removeprefix("torch."), "shape": _shape(output)},
        "classes": list(network.task.classes),
        "versions": {
            name: version(name).partition("+")[0] for name in ("torch", *runtime.packages)
        },
        "notes": list(storage_notes(artifact)),
    }
    return Package(content, manifest, artifact)


def _shape(batch: Tensor) -> list[Any]:
    return ["batch", *batch.shape[1:]]
