"""What a model looks at in one example, before and after compression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from torch import Tensor

from workbench.analysis.artifact_for import artifact_for
from workbench.analysis.attribution_paths import check_explainable, path_to
from workbench.artifact.artifact import Artifact
from workbench.cache.memory import MemoryCache
from workbench.domain import Model
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.reference import NO_CLASS, predict
from workbench.recipe import Recipe
from workbench.validation import expect_count, expect_model
from workbench.zoo.readable import display_type, to_readable

MIN_STEPS = 64
"""Points of the integral; where the gap stays wide, twice as many, and so on up to `MOST_STEPS`."""
MAX_STEPS = 512
TOLERANCE = 0.02
"""The gap that is narrow enough, as a share of what the parts have to explain."""
BYTES_OF_A_NUMBER = 32
"""Of a float of Python's with its place in a tuple."""
KEPT = 64
"""How many examples' originals are kept, which are the same beside every file."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What one network looks at.

    `predicted` is the judge's class, `probabilities` the softmax of the outputs. `parts`, float32,
    is what each part of the example adds to the logit of `predicted`: each pixel [h, w], compared
    with a black image; each word [words], compared with none; each number of each frame of a sound
    [frames, features], compared with the mean frame of the training split. `explained` is how far
    that logit lies above that of what it is compared with, and `gap` the sum of the parts less
    `explained`: what the integral, taken in steps, misses it by.
    """

    predicted: int
    probabilities: tuple[float, ...]
    parts: NDArray[np.float32]
    logit_difference: float
    convergence_delta: float

    @property
    def nbytes(self) -> int:
        """Bytes that it takes, but for small change."""
        return self.parts.nbytes + BYTES_OF_A_NUMBER * len(self.probabilities)


_originals: MemoryCache[Explanation] = MemoryCache(KEPT, 16 * 2**20, lambda look: look.nbytes)


@dataclass(frozen=True, eq=False)
class Attribution:
    """One example of class `label`, as original and file look at it.

    `kind` is "image", "words" or "frames", and `content` accordingly uint8 [h, w], in
    colour [h, w, 3], a tuple of words, or float32 [frames, features].
    """

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
        seen = [self.classes[number] for number in (self.before.predicted, self.after.predicted)]
        return (
            f"<Attribution {self.model}: {self.split} example {self.example}, "
            f"{self.classes[self.label]}, seen as {seen[0]} before and {seen[1]} after>"
        )


def attribution(
    model: Model,
    what: Recipe | Artifact,
    example: int = 0,
    *,
    split: str = "validation",
    cancelled: Callable[[], bool] = lambda: False,
) -> Attribution:
    """Return what each part of an example adds to what the original and the file predict.

    Integrated gradients (Sundararajan, Taly and Yan 2017, arXiv 1703.01365), by Captum: the
    gradient of the logit of the predicted class, added up along the straight line from what the
    example is compared with, such as a black image. Where a file rounds the inputs of its layers,
    the gradient passes as if it did not. The attributions sum to that logit's rise; where the
    network bends sharply, more steps are taken, and what is still missing is the `gap`.

    Parameters
    ----------
    model
    what
        How to compress it, or a file that holds it compressed.
    example
        The number of the example in the split, from 0 up.
    split : "validation" or "test"
    cancelled
        Asked between two integrals whether to give up.

    Raises
    ------
    RecipeError, ArtifactError
        When the recipe or the file does not fit the model.
    WorkbenchError
        When there is no such example, the task knows no classes, or its examples are neither
        images nor words nor frames.
    Cancelled
        When `cancelled()` answers True on the way.

    >>> import workbench as wb
    >>> model = wb.model("fashion/lenet-300-100")
    >>> found = wb.attribution(model, wb.Recipe(quantize=wb.Quantize(bits=4)), example=3)
    >>> found.after.parts.shape
    (28, 28)
    """
    check_explainable(expect_model(model).task)
    artifact = artifact_for(model, what, cancelled)
    data = model.task.split(split)
    number = expect_count(example, "The number of the example", least=0)
    if number >= len(data):
        raise WorkbenchError(
            f"There is no example {number:,}: the {split} split has {len(data):,}, counted from 0."
        )
    examples = data.examples[number : number + 1]
    key = (model.name, model.digest, data.digest, number)
    before = _originals.of(
        key,
        lambda: explain(model, model.weights(), examples, cancelled),
        model.architecture.lifetime,
    )
    return Attribution(
        model=model.name,
        split=split,
        classes=model.task.classes,
        example=number,
        content=to_readable(model.task, examples),
        label=int(data.labels[number]),
        before=before,
        after=_look_of(model, artifact, examples, cancelled),
        kind=display_type(model.task),
    )


def _look_of(
    model: Model,
    artifact: Artifact,
    examples: Any,
    cancelled: Callable[[], bool],
) -> Explanation:
    """Return what a file looks at; its gradients pass the rounding of inputs as if it were not."""
    smooth = model.with_spec(replace(artifact.spec, inputs=()))
    predicted = predict(model.with_spec(artifact.spec), artifact.operands(), examples)
    return explain(smooth, artifact.weights(), examples, cancelled, int(predicted[0]))


def explain(
    model: Model,
    weights: Mapping[str, Tensor],
    examples: Any,
    cancelled: Callable[[], bool] = lambda: False,
    predicted: int | None = None,
) -> Explanation:
    """Return what a model with `weights` looks at in `examples`, which holds one, as it is stored.

    It is asked about the class `predicted`, the judge's own unless given.
    """
    if predicted is None:
        predicted = int(predict(model, weights, examples)[0])
    if predicted == NO_CLASS:
        raise WorkbenchError(
            "The outputs for this example are not finite, so that there is no prediction to "
            "explain: choose another example."
        )
    path = path_to(model, weights, examples)
    with torch.no_grad():
        outputs = path.run(torch.cat([path.end, path.begin]))
    explained = float(outputs[0, predicted] - outputs[1, predicted])
    steps = MIN_STEPS
    while True:
        if cancelled():
            raise Cancelled("Looking was stopped.")
        with torch.enable_grad():
            found, gap = IntegratedGradients(path.run).attribute(
                path.end,
                baselines=path.begin,
                target=predicted,
                n_steps=steps,
                return_convergence_delta=True,
            )
        if abs(float(gap)) <= TOLERANCE * max(1.0, abs(explained)) or steps >= MAX_STEPS:
            break
        steps *= 2
    parts = path.parts(found.detach()[0]).numpy()
    parts.flags.writeable = False
    return Explanation(
        predicted=predicted,
        probabilities=tuple(torch.softmax(outputs[0], dim=0).tolist()),
        parts=parts,
        logit_difference=explained,
        convergence_delta=float(gap),
    )
