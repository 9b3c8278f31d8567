"""Compare what a runtime predicts with what the compressed file predicts, example by example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench import formatting
from workbench.artifact.artifact import Artifact, as_artifact
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.facts import check_facts
from workbench.deploy.host import Host
from workbench.deploy.integers.ran import integer_products
from workbench.deploy.outputs import Outputs, outputs_of_file
from workbench.deploy.package import Package, load_package
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.source import Network, exported_network
from workbench.display import Card
from workbench.domain import Split
from workbench.domain.inputs import targets
from workbench.domain.metric import Metric
from workbench.domain.sum_metrics import SUM_METRICS
from workbench.errors import InputError
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.reference import classify, lowest_of_tied, predict
from workbench.evaluation.report import Score
from workbench.evaluation.scores import score_from_counts
from workbench.evaluation.sums import score_of_rows
from workbench.i18n import _, plural


@dataclass(frozen=True)
class Agreement:
    """How the predictions of a runtime agree with those of the compressed file.

    Attributes
    ----------
    runtime, split : str
        The title of the runtime and the name of the split.
    predictions : int
        Predictions that were compared: one for each example, or for each position of a sequence.
    equal : int
        Predictions whose outputs all differ by at most 10⁻⁴ · max(1, |output|).
    borderline, different : array of int64
        The indices of predictions that differ: those where the file's two best outputs are so close
        that rounding decides, and all others.
    largest_difference : float
        The largest absolute difference of an output to that of the file in PyTorch's float32.
    metric : Metric
        The metric of the task.
    score, reference : Score
        Computed from the runtime's own outputs, and that of the file.
    facts : mapping
        What really ran: provider, version, precision, layers.
    """

    runtime: str
    split: str
    predictions: int
    equal: int
    borderline: NDArray[np.int64] = field(repr=False)
    different: NDArray[np.int64] = field(repr=False)
    largest_difference: float
    metric: Metric
    score: Score
    reference: Score
    facts: Mapping[str, Any]

    @property
    def confirmed(self) -> bool:
        """Whether no prediction differs but those that rounding decides."""
        return not len(self.different)

    @property
    def integers(self) -> str:
        """One sentence: how many layers run in integers, and how many outputs are equal.

        It is empty for a file that quantizes no inputs.
        """
        layers = self.facts.get("quantized_layers", 0)
        if not layers:
            return ""
        sentence = plural(
            "{products} products run in integers, of {layers} layer with quantized inputs; "
            "{equal} of {total} predictions have the same outputs to 10⁻⁴.",
            "{products} products run in integers, of {layers} layers with quantized inputs; "
            "{equal} of {total} predictions have the same outputs to 10⁻⁴.",
            layers,
        )
        return sentence.format(
            products=formatting.count(self.facts["integer_products"]),
            layers=formatting.count(layers),
            equal=formatting.count(self.equal),
            total=formatting.count(self.predictions),
        )

    @property
    def summary(self) -> str:
        """One sentence: the same, the same but for borderline examples, or different."""
        total = formatting.count(self.predictions)
        if not self.confirmed:
            sentence = plural(
                "{count} of {total} predictions in {runtime} is another: do not use this package.",
                "{count} of {total} predictions in {runtime} are others: do not use this package.",
                len(self.different),
            )
            count = formatting.count(len(self.different))
            return sentence.format(count=count, total=total, runtime=self.runtime)
        if len(self.borderline):
            sentence = plural(
                "All {total} predictions in {runtime} are those of the file, except {count} where "
                "the two best outputs are almost equal.",
                "All {total} predictions in {runtime} are those of the file, except {count} where "
                "the two best outputs are almost equal.",
                len(self.borderline),
            )
            count = formatting.count(len(self.borderline))
            return sentence.format(count=count, total=total, runtime=self.runtime)
        return _("All {total} predictions in {runtime} are those of the file.").format(
            total=total, runtime=self.runtime
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "runtime": self.runtime,
            "split": self.split,
            "confirmed": self.confirmed,
            "summary": self.summary,
            "integers": self.integers,
            "predictions": self.predictions,
            "equal": self.equal,
            "borderline": self.borderline.tolist(),
            "different": self.different.tolist(),
            "largest_difference": self.largest_difference,
            "metric": self.metric.name,
            "value": self.score.value,
            "reference_value": self.reference.value,
            "figures": dict(self.score.figures),
            "facts": dict(self.facts),
        }

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        facts = (
            (self.metric.format(self.score.value), self.runtime),
            (self.metric.format(self.reference.value), _("the file")),
            (f"{self.largest_difference:.1e}", _("largest difference of an output")),
        )
        card = Card(f"{self.summary} {self.integers}".rstrip(), facts)
        return {"text/html": card.html(), "text/plain": repr(self)}


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
    borderline, different = _differences(network, data, outputs, file)
    return Agreement(
        RUNTIMES[loaded.target.runtime].title,
        split,
        outputs[..., 0].numel() if _has_classes(network) else len(outputs),
        int(file.equal_rows(outputs).sum()),
        borderline,
        different,
        float((outputs - eager).abs().max()) if outputs.numel() else 0.0,
        network.task.metric,
        _score(network, data, outputs),
        _score(network, data, eager),
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


def _has_classes(network: Network) -> bool:
    return network.task.metric.counts in ("classes", "tokens")


def _differences(
    network: Network, data: Split, outputs: Tensor, file: Outputs
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of borderline and of other predictions that differ."""
    if not _has_classes(network):
        return np.empty(0, np.int64), np.flatnonzero(~file.equal_rows(outputs).numpy())
    certain = file.certain().numpy()
    predicted, _certain = classify(outputs.flatten(0, -2), 0.0)
    if file.exact.dtype == torch.float64:
        expected = lowest_of_tied(file.exact.flatten(0, -2).numpy())
    elif network.task.metric.counts == "classes":
        model = network.model.with_spec(network.spec)
        expected = predict(model, network.operands, data.examples)
    else:
        expected, _certain = classify(file.exact.flatten(0, -2), 0.0)
    differs = predicted != expected
    return np.flatnonzero(differs & ~certain), np.flatnonzero(differs & certain)


def _score(network: Network, data: Split, outputs: Tensor) -> Score:
    """Return the score of outputs, of the runtime or of PyTorch."""
    task = network.task
    labels = targets(data.labels)
    if task.metric.counts == "classes":
        predicted, _certain = classify(outputs, 0.0)
        counts = PredictionCounts.of(data.labels, predicted, len(task.classes), len(data))
        return score_from_counts(counts)
    if task.metric.counts in SUM_METRICS:
        rows = SUM_METRICS[task.metric.counts].rows(outputs, labels)
        return score_of_rows(network.model, rows, data)
    assert task.measure is not None  # such a metric comes with its function
    value, name = task.measure([outputs], [labels]), task.metric.name
    return Score(name, value, value, value, len(data), len(data), {name: value})
