"""Attribution of one prediction to its input, before and after compression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.analysis.artifact_for import artifact_for
from workbench.analysis.attribution_paths import check_explainable, path_to
from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact
from workbench.cache.memory import MemoryCache
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model
from workbench.errors import InputError
from workbench.evaluation.reference import NO_CLASS, predict
from workbench.recipe import Recipe
from workbench.validation import expect_count, expect_model
from workbench.zoo.readable import display_type, to_readable

MIN_STEPS = 64
"""Initial integration steps; they double while the error exceeds `TOLERANCE`."""
MAX_STEPS = 512
TOLERANCE = 0.02
"""Accepted integration error, as a fraction of the logit difference."""
FLOAT_BYTES = 32
"""Memory of a Python float and its slot in a tuple."""
MAX_CACHED = 64
"""Cached explanations of the original model; they do not depend on the file."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """How the parts of one example contribute to the predicted class, for one network.

    Attributes
    ----------
    predicted : int
        The class of the reference prediction.
    probabilities : tuple of float
        The softmax of the outputs.
    attributions : ndarray
        What each part of the input adds to the logit of `predicted`, float32: per pixel [h, w]
        relative to a black image, per word [words] relative to zero embeddings, or per feature of
        each audio frame [frames, features] relative to the mean training frame.
    logit_difference : float
        The logit of `predicted` for the example minus that for the baseline input, which is a
        black image, zero embeddings or the mean frame.
    convergence_delta : float
        The sum of `attributions` minus `logit_difference`: the error of the numerical integral.
    """

    predicted: int
    probabilities: tuple[float, ...]
    attributions: NDArray[np.float32]
    logit_difference: float
    convergence_delta: float

    @property
    def nbytes(self) -> int:
        """Approximate memory in bytes."""
        return self.attributions.nbytes + FLOAT_BYTES * len(self.probabilities)


_originals: MemoryCache[Explanation] = MemoryCache(MAX_CACHED, 16 * 2**20, lambda item: item.nbytes)


@dataclass(frozen=True, eq=False)
class Attribution(Displayable):
    """One example, explained for the original and for the compressed model.

    Attributes
    ----------
    model, split : str
        The names of the model and of the split.
    classes : tuple of str
        The names of the classes.
    example : int
        The index of the example in the split.
    content : ndarray or tuple of str
        The example: uint8 of shape [h, w] (gray) or [h, w, 3] (color), a tuple of words, or
        float32 of shape [frames, features].
    label : int
        Its class, an index of `classes`.
    before, after : Explanation
        For the original and for the compressed model.
    kind : str
        "image", "words" or "frames", accordingly.
    """

    _plots = "attribution"

    model: str
    split: str
    classes: tuple[str, ...]
    example: int
    content: Any
    label: int
    before: Explanation
    after: Explanation
    kind: str = "image"

    def __repr__(self) -> str:
        before, after = (self.classes[i] for i in (self.before.predicted, self.after.predicted))
        return (
            f"<Attribution {self.model}: {self.split} example {self.example}, "
            f"{self.classes[self.label]}, predicted {before} before and {after} after>"
        )


def attribution(
    model: Model,
    compressed: Recipe | Artifact,
    example: int = 0,
    *,
    split: str = "validation",
    cancel: CancelToken = NEVER,
) -> Attribution:
    """Attribute the predictions of the original and the compressed model to parts of the input.

    Uses integrated gradients (Sundararajan, Taly and Yan 2017, arXiv 1703.01365) as implemented by
    Captum: the gradient of the predicted logit is integrated along the straight line from a
    baseline, such as a black image, to the example. Activation quantization is treated as the
    identity in the backward pass. The number of steps grows until the attributions sum to the
    logit difference; `convergence_delta` is the remaining error.

    Parameters
    ----------
    model
        The original model.
    compressed
        A recipe, or an artifact of the model.
    example
        The index of the example in the split.
    split
        "train", "validation" or "test".
    cancel
        Checked between two integrals.

    Raises
    ------
    RecipeError, ArtifactError
        If the recipe or the artifact does not fit the model.
    InputError
        If the example does not exist, the task has no classes, or its examples are neither
        images nor words nor frames.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> model = wb.model("fashion/lenet-300-100")
    >>> result = wb.attribution(model, wb.Recipe(quantize=wb.Quantize(bits=4)), example=3)
    >>> result.after.attributions.shape
    (28, 28)
    """
    expect_running(cancel)
    check_explainable(expect_model(model).task)
    artifact = artifact_for(model, compressed, cancel)
    data = model.task.split(split)
    index = expect_count(example, "The index of the example", least=0)
    if index >= len(data):
        raise InputError(
            f"There is no example {index:,}: the {split} split has examples 0 to "
            f"{len(data) - 1:,}.",
            code="argument.unknown_example",
        )
    examples = data.examples[index : index + 1]
    key = (model.name, model.digest, data.digest, index)
    before = _originals.of(
        key,
        lambda: explain(model, model.weights(), examples, cancel),
        model.architecture.lifetime,
    )
    return Attribution(
        model=model.name,
        split=split,
        classes=model.task.classes,
        example=index,
        content=to_readable(model.task, examples),
        label=int(data.labels[index]),
        before=before,
        after=_explain_artifact(model, artifact, examples, cancel),
        kind=display_type(model.task),
    )


def _explain_artifact(
    model: Model,
    artifact: Artifact,
    examples: Any,
    cancel: CancelToken,
) -> Explanation:
    """Explain the prediction of an artifact; gradients ignore activation quantization."""
    differentiable = model.with_spec(replace(artifact.spec, inputs=()))
    predicted = predict(model.with_spec(artifact.spec), artifact.operands(), examples)
    return explain(differentiable, artifact.weights(), examples, cancel, int(predicted[0]))


def explain(
    model: Model,
    weights: Mapping[str, Tensor],
    examples: Any,
    cancel: CancelToken = NEVER,
    predicted: int | None = None,
) -> Explanation:
    """Explain class `predicted` of the single stored example in `examples`.

    `predicted` defaults to the reference prediction.
    """
    if predicted is None:
        predicted = int(predict(model, weights, examples)[0])
    if predicted == NO_CLASS:
        raise InputError(
            "The outputs for this example are not finite, so there is no prediction to explain: "
            "choose another example.",
            code="model.no_prediction",
        )
    path = path_to(model, weights, examples)
    from captum.attr import IntegratedGradients  # slow to import: it loads matplotlib

    with torch.no_grad():
        outputs = path.run(torch.cat([path.end, path.begin]))
    difference = float(outputs[0, predicted] - outputs[1, predicted])
    steps = MIN_STEPS
    while True:
        cancel.check()
        with torch.enable_grad():
            raw, delta = IntegratedGradients(path.run).attribute(
                path.end,
                baselines=path.begin,
                target=predicted,
                n_steps=steps,
                return_convergence_delta=True,
            )
        if abs(float(delta)) <= TOLERANCE * max(1.0, abs(difference)) or steps >= MAX_STEPS:
            break
        steps *= 2
    attributions = path.reduce(raw.detach()[0]).numpy()
    attributions.flags.writeable = False
    return Explanation(
        predicted=predicted,
        probabilities=tuple(torch.softmax(outputs[0], dim=0).tolist()),
        attributions=attributions,
        logit_difference=difference,
        convergence_delta=float(delta),
    )
