"""Run a package on every example of a split, and compare with the compressed file."""

from __future__ import annotations

from os import PathLike

import torch

from workbench.artifact.artifact import Artifact, as_artifact
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.agreement import Agreement
from workbench.deploy.comparison import differences, has_classes, score
from workbench.deploy.facts import check_facts
from workbench.deploy.host import Host
from workbench.deploy.integers.ran import integer_products
from workbench.deploy.outputs import outputs_of_file
from workbench.deploy.package import Package, load_package
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.source import exported_network
from workbench.errors import InputError


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
        The compressed file, or its path, for a package that was read from a disk.
    cancel
        Checked between the steps.

    Raises
    ------
    RuntimeFailedError
        If the runtime crashes, hangs, or runs something else than was requested.
    InputError
        If the package was not made from this file, its file is missing, or it returns outputs of
        another shape.
    ArtifactError
        If the package or the file is damaged, or a layer of the package has other codes or scales
        than the file.
    """
    loaded = package if isinstance(package, Package) else load_package(package)
    RUNTIMES[loaded.target.runtime].check_installed()
    network = exported_network(artifact_of(loaded, artifact))
    quantized = len(network.spec.inputs)
    if quantized and loaded.name.endswith(".onnx"):
        from workbench.deploy.integers.check import check_integers  # loads onnx

        check_integers(loaded.content, network.artifact)
    data = network.task.split(split)
    inputs = network.task.inputs(data.examples)
    with Host(loaded) as host:
        check_facts(loaded.target, host.facts)
        cancel.check()
        outputs = torch.from_numpy(host.run(inputs.numpy(), loaded.target.batch))
        facts = host.facts
    cancel.check()
    file = outputs_of_file(network, inputs, cancel)
    eager = file.exact
    if outputs.shape != eager.shape:
        raise InputError(
            f"The package returns outputs of shape {tuple(outputs.shape)}, the file of shape "
            f"{tuple(eager.shape)}: it holds another network.",
            code="deploy.other_shape",
        )
    borderline, different = differences(network, data, outputs, file)
    return Agreement(
        RUNTIMES[loaded.target.runtime].title,
        split,
        outputs[..., 0].numel() if has_classes(network) else len(outputs),
        int(file.equal_rows(outputs).sum()),
        borderline,
        different,
        file.largest_difference(outputs),
        network.task.metric,
        score(network, data, outputs),
        score(network, data, eager),
        {**facts, "integer_products": integer_products(facts), "quantized_layers": quantized},
    )


def artifact_of(
    package: Package, artifact: Artifact | str | PathLike[str] | None = None
) -> Artifact:
    """Return the compressed file of a package: its own, or the given one.

    Raises
    ------
    InputError
        If there is none, or the given file is another one.
    """
    if artifact is None:
        if package.artifact is None:
            raise InputError(
                "The package does not contain the compressed file: give it as artifact= or --file.",
                code="deploy.no_artifact",
            )
        return package.artifact
    opened = as_artifact(artifact)
    if opened.digest != package.manifest["artifact"]["sha256"]:
        raise InputError(
            "The package was made from another compressed file than the given one.",
            code="deploy.other_artifact",
        )
    return opened
