"""How the predictions of a runtime agree with those of the compressed file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.analysis.comparison import Comparison
from workbench.deploy.target import ROUNDED_INPUTS
from workbench.display import Displayable
from workbench.domain.metric import Metric
from workbench.evaluation.report import Score
from workbench.i18n import _, mark as N_, plural
from workbench.zoo.registry import model as find_model

CAUSES = {
    "bfloat16": N_(
        "It computes in bfloat16, which rounds each number to 8 binary digits: outputs differ by "
        "up to {difference}."
    ),
    ROUNDED_INPUTS: N_(
        "It rounds the inputs of layers to 8 bits, which the file does not: outputs differ by up "
        "to {difference}."
    ),
}
"""Why predictions differ where a runtime does not compute in float32, by precision."""


@dataclass(frozen=True)
class Agreement(Displayable):
    """How the predictions of a runtime agree with those of the compressed file.

    Attributes
    ----------
    model, runtime, split : str
        The names of the model and of the split, and the title of the runtime.
    predictions : int
        Predictions that were compared: one for each example, or for each position of a sequence.
    equal : int
        Predictions whose outputs all differ by at most 10⁻⁴ · max(1, |output|) from those of the
        file, in float64 or in PyTorch's float32.
    borderline, different : array of int64
        The indices of predictions that differ: those that rounding decides, and all others.
    classes : array of int64
        For each borderline prediction, the class of the file and that of the runtime,
        [borderline, 2].
    beyond, tried : int
        Examples whose outputs lie further from the file's than rounding explains, and how many were
        tried; 0 if these are as few as chance allows.
    largest_difference : float
        The largest absolute difference of an output to that of the file: in float64, or in float32
        if the file quantizes no inputs.
    metric : Metric
        The metric of the task.
    score, reference : Score
        Computed from the runtime's own outputs, and that of the file.
    facts : mapping
        What really ran: provider, version, precision, layers.
    """

    _plots = "agreement"
    _columns = ("example", "position", "file", "runtime")

    model: str
    runtime: str
    split: str
    predictions: int
    equal: int
    borderline: NDArray[np.int64]
    different: NDArray[np.int64]
    classes: NDArray[np.int64]
    beyond: int
    tried: int
    largest_difference: float
    metric: Metric
    score: Score
    reference: Score
    facts: Mapping[str, Any]

    @property
    def confirmed(self) -> bool:
        """Whether rounding explains every difference of predictions and of outputs."""
        return not len(self.different) and not self.beyond

    @property
    def integers(self) -> str:
        """How many layers run in integers, how many outputs are equal, and why others differ.

        It is empty for a file that quantizes no inputs.
        """
        layers = self.facts.get("quantized_layers", 0)
        if not layers:
            return ""
        sentence = plural(
            "{layers} layer has quantized inputs, and the products in integers are {products}; "
            "{equal} of {total} predictions have the same outputs to 10⁻⁴.",
            "{layers} layers have quantized inputs, and the products in integers are {products}; "
            "{equal} of {total} predictions have the same outputs to 10⁻⁴.",
            layers,
        )
        if not self.facts.get("exact_sums", True):
            sentence += " " + _(
                "This processor has no VNNI instructions: {runtime} adds two products in 16 bits, "
                "and cuts off larger sums. With inputs of 7 bits and symmetric weights, it cuts "
                "off none."
            )
        return sentence.format(
            runtime=self.runtime,
            products=formatting.count(self.facts["integer_products"]),
            layers=formatting.count(layers),
            equal=formatting.count(self.equal),
            total=formatting.count(self.predictions),
        )

    @property
    def summary(self) -> str:
        """One sentence: the same, the same but for borderline examples, or different."""
        total = formatting.count(self.predictions)
        if self.beyond and not len(self.different):
            return _(
                "The outputs of {count} of {total} examples in {runtime} differ from the file's by "
                "more than rounding explains, by up to {difference}: do not use this package."
            ).format(
                count=formatting.count(self.beyond),
                total=formatting.count(self.tried),
                runtime=self.runtime,
                difference=formatting.scientific(self.largest_difference),
            )
        if not self.confirmed:
            sentence = plural(
                "{count} of {total} predictions in {runtime} differs: do not use this package.",
                "{count} of {total} predictions in {runtime} differ: do not use this package.",
                len(self.different),
            )
            count = formatting.count(len(self.different))
            sentence = sentence.format(count=count, total=total, runtime=self.runtime)
            return f"{sentence} {self.cause}"
        if len(self.borderline):
            sentence = plural(
                "All {total} predictions in {runtime} are those of the file, except {count} that "
                "rounding decides.",
                "All {total} predictions in {runtime} are those of the file, except {count} that "
                "rounding decides.",
                len(self.borderline),
            )
            count = formatting.count(len(self.borderline))
            return sentence.format(count=count, total=total, runtime=self.runtime)
        return _("All {total} predictions in {runtime} are those of the file.").format(
            total=total, runtime=self.runtime
        )

    @property
    def cause(self) -> str:
        """Why predictions differ from the file's, as one sentence; empty if none differ."""
        if not len(self.different):
            return ""
        text = CAUSES.get(self.facts.get("target_precision", ""))
        if text is None:
            text = N_(
                "Rounding in another order does not explain it: outputs differ by up to "
                "{difference}."
            )
            if not self.facts.get("exact_sums", True):
                text = N_(
                    "It cuts off large sums of integers on this processor: outputs differ by up to "
                    "{difference}."
                )
        return _(text).format(difference=formatting.scientific(self.largest_difference))

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
            "beyond": self.beyond,
            "tried": self.tried,
            "largest_difference": self.largest_difference,
            "metric": self.metric.name,
            "value": self.score.value,
            "reference_value": self.reference.value,
            "figures": dict(self.score.figures),
            "facts": dict(self.facts),
        }

    def __repr__(self) -> str:
        return f"<Agreement: {self.summary}>"

    @property
    def positions(self) -> int:
        """Predictions for each example: 1, or the positions of a sequence."""
        return self.predictions // len(find_model(self.model).task.split(self.split))

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each borderline prediction: example, position and both classes.

        There is none where numbers are predicted.
        """
        names = find_model(self.model).task.classes
        if not len(self.classes):
            return []
        return [
            {
                "example": int(number) // self.positions,
                "position": int(number) % self.positions,
                "file": names[expected],
                "runtime": names[predicted],
            }
            for number, (expected, predicted) in zip(self.borderline, self.classes, strict=True)
        ]

    def comparison(self) -> Comparison:
        """Return the predictions of the file and of the runtime as a comparison of examples.

        Where the runtime agrees, both predictions are the label. The model must have one
        prediction for each example.
        """
        task = find_model(self.model).task
        data = task.split(self.split)
        labels = np.asarray(data.labels, np.int64)
        before, after = labels.copy(), labels.copy()
        before[self.borderline], after[self.borderline] = self.classes.T
        return Comparison(self.model, self.split, task.classes, labels, before, after, data.rows)
