"""Export a compressed file to an inference runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import version
from os import PathLike
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.artifact.artifact import Artifact, as_artifact
from workbench.deploy.canary import check_runs_here
from workbench.deploy.converted_file import executorch_bytes, litert_bytes
from workbench.deploy.entry import check_one_input, input_names
from workbench.deploy.integers.notes import storage_notes
from workbench.deploy.integers.prepare import integer_manifest, is_coded, with_rounding
from workbench.deploy.keras_file import keras_bytes
from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.deploy.package import FORMAT, Package
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.source import Network, exported_network, is_parametrized, with_values
from workbench.deploy.target import Target
from workbench.deploy.tensorrt_rules import check_rules
from workbench.deploy.torch_file import program_bytes
from workbench.errors import InputError
from workbench.runtime.batch import Batch, apply

if TYPE_CHECKING:  # loads onnx
    from workbench.deploy.integers.rewrite import Written

ONNX, KERAS = ".onnx", ".keras"
WRITERS: dict[str, Callable[[nn.Module, Batch], bytes]] = {
    ONNX: onnx_bytes,
    ".pt2": program_bytes,
    KERAS: keras_bytes,
}
"""By the suffix of the file."""
CONVERTERS: dict[str, Callable[[Network, Target], bytes]] = {
    ".pte": executorch_bytes,
    ".tflite": litert_bytes,
}
"""Writers of files whose content depends on the target's batch, by suffix."""
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

    Examples
    --------
    >>> import workbench as wb
    >>> artifact = wb.compress(wb.model("fashion/lenet5"), wb.Recipe(wb.Prune(0.5)))
    >>> package = wb.export(artifact, "onnxruntime")  # doctest: +SKIP
    """
    return Exporter(file).export(target)


class Exporter:
    """Exports one compressed file for several targets; what they share is computed once."""

    def __init__(self, file: Artifact | str | PathLike[str]) -> None:
        self._file = file

    @cached_property
    def artifact(self) -> Artifact:
        """The compressed file."""
        return as_artifact(self._file)

    @cached_property
    def _network(self) -> Network:
        network = exported_network(self.artifact)
        with_values(network.module)
        return network

    @cached_property
    def _onnx(self) -> bytes:
        try:
            return self._written(ONNX)
        except InputError:  # it may have no operator that computes a weight
            if not is_parametrized(exported_network(self.artifact).module):
                raise
            return self._written(ONNX, values=True)

    def export(self, target: Target | str = "onnxruntime") -> Package:
        """Return the network for an inference runtime, as the function `export` does."""
        target = Target.of(target)
        runtime = RUNTIMES[target.runtime]
        runtime.check_installed()
        if target.runtime == "tensorrt":
            check_runs_here(target)
        artifact, written = self.artifact, None
        if artifact.spec.inputs and runtime.suffix in {KERAS, *CONVERTERS}:
            raise InputError(
                f"No {runtime.suffix} file is written for layers that round their inputs: export "
                "to onnxruntime or openvino, which run them in integers, or leave out the recipe's "
                "activations.",
                code="deploy.quantized_inputs",
            )
        if runtime.suffix == KERAS:
            check_one_input(self._network.inputs(2), runtime.title)
        content = self._content(target)
        if runtime.suffix == ONNX and is_coded(artifact):
            from workbench.deploy.integers.rewrite import with_codes

            written = with_codes(content, artifact, target)
            content = written.content
        if target.runtime == "openvino":
            from workbench.deploy.openvino_graph import for_openvino

            content = for_openvino(content, dict(artifact.spec.inputs))
        if target.runtime == "tensorrt":
            check_rules(content)
        return Package(content, self._manifest(target, content, written), artifact)

    def _content(self, target: Target) -> bytes:
        suffix = RUNTIMES[target.runtime].suffix
        if suffix in CONVERTERS:
            return CONVERTERS[suffix](self._network, target)
        return self._onnx if suffix == ONNX else self._written(suffix, values=True)

    def _written(self, suffix: str, *, values: bool = False) -> bytes:
        network = exported_network(self.artifact)  # its module is changed
        module = with_values(network.module) if values else network.module
        if is_coded(self.artifact) and suffix != KERAS:
            module = with_rounding(module, self.artifact, marks=suffix == ONNX)
        return WRITERS[suffix](module, network.inputs(TRACED))

    def _manifest(self, target: Target, content: bytes, written: Written | None) -> dict[str, Any]:
        network, artifact, runtime = self._network, self.artifact, RUNTIMES[target.runtime]
        examples = network.inputs(2)
        with torch.no_grad():
            output: Tensor = apply(network.reference, examples)
        size = target.batch if runtime.fixed_batch else "batch"
        preparation = PREPARATIONS[network.task.input_type]
        return {
            "format": FORMAT,
            "model": artifact.model,
            "artifact": {"sha256": artifact.digest, "bytes": len(artifact)},
            "target": target.as_dict(),
            "file": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
            "inputs": [
                {"name": name, **_described(tensor, size), "preparation": preparation}
                for name, tensor in zip(
                    input_names(network.module, examples), examples.tensors, strict=True
                )
            ],
            "output": _described(output, "batch"),
            "classes": list(network.task.classes),
            "versions": {"torch": version("torch").partition("+")[0], **runtime.versions()},
            "layers": integer_manifest(artifact, written),
            "notes": list(storage_notes(artifact, target, written)),
        }


def _described(tensor: Tensor, size: int | str) -> dict[str, Any]:
    """Return the type and the shape of a tensor, with `size` for the number of examples."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": [size, *tensor.shape[1:]]}
