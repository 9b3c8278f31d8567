"""Run a package on every example of a split, and compare with the compressed file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from workbench.arguments import expect_instance, expect_running
from workbench.artifact.artifact import Artifact, as_artifact
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.agreement import Agreement
from workbench.deploy.comparison import differences, has_classes, score
from workbench.deploy.entry import inputs_of
from workbench.deploy.host import Host
from workbench.deploy.integers.ran import integer_products
from workbench.deploy.outputs import Outputs, by_example, outputs_of_file
from workbench.deploy.package import Package, load_package
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.source import exported_network
from workbench.deploy.ties import beyond_rounding
from workbench.errors import InputError
from workbench.runtime.batch import Batch

PRECISION = "float32"
"""The precision whose outputs differ from those of the file only by rounding."""


def confirm(
    package: Package | str | PathLike[str],
    split: str = "validation",
    *,
    artifact: Artifact | str | PathLike[str] | None = None,
    cancel: CancelToken = NEVER,
) -> Agreement:
    """Run every example of a split in the package's runtime, and compare with the file.

    Parameters
    ----------
    package
        A package, or its path.
    split
        "validation", "test" or "train".
    artifact
        The compressed file, or its path. It is needed if the package was loaded from disk, because
        a saved package does not contain that file.
    cancel
        Checked before and after the runtime runs, and during the comparison.

    Raises
    ------
    RuntimeFailedError
        If the runtime crashes, hangs, or uses another device or precision than requested.
    InputError
        If the package was not made from this file, the file is missing, or the shape of the
        package's outputs differs from that of the file's outputs.
    ArtifactError
        If the package or the file is damaged, or if a layer of the package differs from the file in
        its integer codes, its scales or the position of its reset gate.

    Examples
    --------
    >>> import workbench as wb
    >>> artifact = wb.compress(wb.model("fashion/mlp-32"), wb.Recipe(wb.Quantize(8)))
    >>> agreement = wb.confirm(wb.export(artifact, "torch"))
    >>> agreement.predictions, len(agreement.different)
    (5000, 0)
    """
    expect_running(cancel)
    if isinstance(package, str | PathLike):
        package = load_package(package)
    advice = "Pass a package, as wb.export(artifact) returns it, or its path"
    loaded = expect_instance(package, Package, advice, "not_a_package")
    RUNTIMES[loaded.target.runtime].check_installed()
    reference = Reference(artifact_of(loaded, artifact), split, cancel)
    with Host(loaded.target.runtime) as host:
        return reference.confirm(loaded, host)


class Reference:
    """A compressed file and a split, with which several packages are compared.

    The outputs of the file are computed once.
    """

    def __init__(self, artifact: Artifact, split: str, cancel: CancelToken = NEVER) -> None:
        self._network = exported_network(artifact)
        self._split, self._cancel = split, cancel
        self._data = self._network.task.split(split)

    @cached_property
    def inputs(self) -> Batch:
        """The inputs of all examples."""
        return inputs_of(self._network.task, self._data.examples)

    @cached_property
    def _outputs(self) -> Outputs:
        return outputs_of_file(self._network, self.inputs, self._cancel)

    def confirm(self, package: Package, host: Host) -> Agreement:
        """Run a package in the process of its runtime, and compare; see the function `confirm`."""
        self.check(package)
        host.load(package)
        self._cancel.check()
        outputs = host.run(self.inputs.arrays(), package.target.batch)
        self._cancel.check()
        return self.compare(package, torch.from_numpy(outputs), host.facts)

    def check(self, package: Package) -> None:
        """Raise `ArtifactError` if a layer of an ONNX package differs from the file.

        Integer codes, scales and the position of the reset gate of a GRU are compared.
        """
        if not package.name.endswith(".onnx"):
            return
        from workbench.deploy.recurrent import check_reset_gates  # loads onnx

        if any(isinstance(layer, nn.GRU) for layer in self._network.module.modules()):
            check_reset_gates(package.content)
        if self._network.spec.inputs:
            from workbench.deploy.integers.check import check_integers

            check_integers(package.content, self._network.artifact)

    def compare(self, package: Package, outputs: Tensor, facts: Mapping[str, Any]) -> Agreement:
        """Compare a runtime's outputs for all inputs with those of the file.

        Raises
        ------
        InputError
            If the shapes differ.
        """
        network, data, file = self._network, self._data, self._outputs
        eager = file.exact
        if outputs.shape != eager.shape:
            raise InputError(
                f"The package returns outputs of shape {tuple(outputs.shape)}, and the file of "
                f"{tuple(eager.shape)}: the package holds a different network; export it again.",
                code="deploy.other_shape",
            )
        rows = outputs
        if not has_classes(network):
            rows, file = by_example(outputs), file.by_example()
        biases = package.target.rounds_biases
        in_float32 = package.target.precision == PRECISION
        differing = differences(
            network,
            data,
            rows,
            file,
            self._cancel,
            rounds_biases=biases,
            in_float32=in_float32,
        )
        exact_sums = not network.spec.inputs or facts.get("exact_sums", True)
        beyond = (
            beyond_rounding(network, data.examples, rows, file, self._cancel, rounds_biases=biases)
            if in_float32 and exact_sums
            else (0, 0)
        )
        products = {
            "integer_products": integer_products(facts),
            "quantized_layers": len(network.spec.inputs),
            "target_precision": package.target.precision,
        }
        return Agreement(
            network.artifact.model,
            RUNTIMES[package.target.runtime].title,
            self._split,
            outputs[..., 0].numel() if has_classes(network) else len(outputs),
            int(file.equal_rows(rows).sum()),
            *differing,
            *beyond,
            file.largest_difference(rows),
            network.task.metric,
            score(network, data, outputs),
            score(network, data, eager),
            {**facts, **products},
        )


def artifact_of(
    package: Package, artifact: Artifact | str | PathLike[str] | None = None
) -> Artifact:
    """Return the compressed file that a package was made from.

    Parameters
    ----------
    package
    artifact
        The file or its path; by default the one that the package contains.

    Raises
    ------
    InputError
        If neither is there, or the package was not made from the given file.
    """
    if artifact is None:
        if package.artifact is None:
            raise InputError(
                "The package does not contain the compressed file: pass it as artifact= or --file.",
                code="deploy.no_artifact",
            )
        return package.artifact
    opened = as_artifact(artifact)
    if opened.digest != package.manifest["artifact"]["sha256"]:
        raise InputError(
            "The package was made from a different compressed file: pass that file.",
            code="deploy.other_artifact",
        )
    return opened
