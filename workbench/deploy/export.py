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
from workbench.deploy.integers.notes import storage_notes
from workbench.deploy.integers.prepare import integer_manifest, is_coded, with_rounding
from workbench.deploy.keras_file import keras_bytes
from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.deploy.package import FORMAT, Package
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.source import exported_network
from workbench.deploy.target import Target
from workbench.deploy.torch_file import program_bytes
from workbench.errors import InputError

ONNX, KERAS = ".onnx", ".keras"
WRITERS: dict[str, Callable[[nn.Module, Tensor], bytes]] = {
    ONNX: onnx_bytes,
    ".pt2": program_bytes,
    KERAS: keras_bytes,
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

    The network computes with the numbers of the file: layers with quantized inputs multiply its
    codes, and all other weights are decoded to float32. Two exports give the same bytes. The
    package holds no path and no name of this machine.

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
    module, written = network.module, None
    if artifact.spec.inputs and runtime.suffix == KERAS:
        raise InputError(
            "A .keras file cannot round the inputs of layers: leave out the recipe's activations.",
            code="deploy.quantized_inputs",
        )
    if artifact.spec.inputs:
        module = with_rounding(module, artifact, marks=runtime.suffix == ONNX)
    content = WRITERS[runtime.suffix](module, network.inputs(TRACED))
    if runtime.suffix == ONNX and is_coded(artifact):
        from workbench.deploy.integers.rewrite import with_codes

        written = with_codes(content, artifact, target)
        content = written.content
    example: Tensor = network.inputs(2)
    with torch.no_grad():
        output = network.reference(example)
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
        "layers": integer_manifest(artifact, written),
        "notes": list(storage_notes(artifact, target, written)),
    }
    return Package(content, manifest, artifact)


def _shape(batch: Tensor) -> list[Any]:
    return ["batch", *batch.shape[1:]]
