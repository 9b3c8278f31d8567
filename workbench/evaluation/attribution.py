"""What a model looks at in one example, before and after compression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from workbench.arguments import expect_count
from workbench.artifact.artifact import Artifact
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.file import file_of
from workbench.evaluation.judge import predict
from workbench.recipe import Recipe
from workbench.zoo import Model

STEPS = 64
"""Points of the integral; where the gap stays wide, twice as many, and so on up to `MOST_STEPS`."""
MOST_STEPS = 512
NARROW = 0.02
"""The gap that is narrow enough, as a share of what the pixels have to explain."""
KEPT = 64
"""How many examples' originals are kept, which are the same beside every file."""

_originals: dict[tuple[str, str, str, int], Look] = {}


@dataclass(frozen=True, eq=False)
class Look:
    """What one network looks at.

    `predicted` is the judge's class, `probabilities` the softmax of the outputs. `pixels`, float32
    [h, w], is what each pixel adds to the logit of `predicted`, compared with a black image;
    `explained` is how far that logit lies above the black image's, and `gap` the sum of the pixels
    less `explained`: what the integral, taken in steps, misses it by.
    """

    predicted: int
    probabilities: tuple[float, ...]
    pixels: NDArray[np.float32]
    explained: float
    gap: float


@dataclass(frozen=True, eq=False)
class Attribution:
    """One example of class `label`, as original and file look at it.

    Its `image` is uint8 [h, w], in colour [h, w, 3].
    """

    model: str
    split: str
    classes: tuple[str, ...]
    example: int
    image: NDArray[np.uint8]
    label: int
    before: Look
    after: Look

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
    """Return what each pixel of an example adds to what the original and the file predict.

    Integrated gradients (Sundararajan, Taly and Yan 2017, arXiv 1703.01365), by Captum: the
    gradient of the logit of the predicted class, added up along the straight line from a black
    image. Where a file rounds the inputs of its layers, the gradient passes as if it did not. The
    attributions sum to that logit's rise; where the network bends sharply, more steps
    are taken, and what is still missing is the `gap`.

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
        When there is no such example.
    Cancelled
        When `cancelled()` answers True on the way.

    >>> import workbench as wb
    >>> model = wb.model("fashion/lenet-300-100")
    >>> found = wb.attribution(model, wb.Recipe(quantize=wb.Quantize(bits=4)), example=3)
    >>> found.after.pixels.shape
    (28, 28)
    """
    artifact = file_of(model, what, cancelled)
    data = model.task.split(split)
    number = expect_count(example, "The number of the example", least=0)
    if number >= len(data):
        raise WorkbenchError(
            f"There is no example {number:,}: the {split} split has {len(data):,}, counted from 0."
        )
    images = data.examples[number : number + 1]
    key = (model.name, model.digest, data.digest, number)
    before = _originals.get(key) or look(model, model.weights(), images, cancelled)
    _originals[key] = before
    while len(_originals) > KEPT:
        _originals.pop(next(iter(_originals)), None)
    return Attribution(
        model=model.name,
        split=split,
        classes=model.task.classes,
        example=number,
        image=images[0],
        label=int(data.labels[number]),
        before=before,
        after=_look_of(model, artifact, images, cancelled),
    )


def _look_of(
    model: Model,
    artifact: Artifact,
    images: NDArray[np.uint8],
    cancelled: Callable[[], bool],
) -> Look:
    """Return what a file looks at; its gradients pass the rounding of inputs as if it were not."""
    smooth = model.in_form(replace(artifact.form, inputs=()))
    predicted = predict(model.in_form(artifact.form), artifact.operands(), images)
    return look(smooth, artifact.weights(), images, cancelled, int(predicted[0]))


def look(
    model: Model,
    weights: Mapping[str, Tensor],
    images: NDArray[np.uint8],
    cancelled: Callable[[], bool] = lambda: False,
    predicted: int | None = None,
) -> Look:
    """Return what a model with `weights` looks at in `images`, one image [1, h, w].

    It is asked about the class `predicted`, the judge's own unless given.
    """
    if predicted is None:
        predicted = int(predict(model, weights, images)[0])
    module, tensors = model.module(), dict(weights)  # a module of this call's own, without values
    inputs = model.task.inputs(images)

    def run(batch: Tensor) -> Tensor:
        outputs: Tensor = functional_call(module, tensors, (batch,), strict=True)
        return outputs

    with torch.no_grad():
        outputs = run(torch.cat([inputs, torch.zeros_like(inputs)]))
    explained = float(outputs[0, predicted] - outputs[1, predicted])
    steps = STEPS
    while True:
        if cancelled():
            raise Cancelled("Looking was stopped.")
        with torch.enable_grad():
            found, gap = IntegratedGradients(run).attribute(
                inputs,
                baselines=0.0,
                target=predicted,
                n_steps=steps,
                return_convergence_delta=True,
            )
        if abs(float(gap)) <= NARROW * max(1.0, abs(explained)) or steps >= MOST_STEPS:
            break
        steps *= 2
    pixels = found.detach()[0].sum(dim=0).numpy()
    pixels.flags.writeable = False
    return Look(
        predicted=predicted,
        probabilities=tuple(torch.softmax(outputs[0], dim=0).tolist()),
        pixels=pixels,
        explained=explained,
        gap=float(gap),
    )
