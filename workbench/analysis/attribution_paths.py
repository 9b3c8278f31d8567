"""What attributions are integrated along, by what an example is: a path from nothing to it.

Images begin black, a person's own at zeros. Words begin as vectors of zeros in place of their
embeddings: the ids stay, and with them what is padding. Each real frame of a sound begins as the
mean real frame of the training split, and padding stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.domain import Model, Task
from workbench.errors import WorkbenchError
from workbench.runtime.batch import call
from workbench.zoo.readable import display_type, valid_frames
from workbench.zoo.reviews.words import PADDING


class Path(NamedTuple):
    """A straight line between two inputs, and what lies at its ends.

    `begin` and `end` are float32 [1, ...]; `run` gives the logits [b, classes] of points between
    them, and `parts` turns their attributions into those of what a person sees.
    """

    begin: Tensor
    end: Tensor
    run: Callable[[Tensor], Tensor]
    parts: Callable[[Tensor], Tensor]


def check_explainable(task: Task) -> None:
    """Raise `WorkbenchError` where there is no class to explain, or no picture to explain it by."""
    if task.metric.counts != "classes":
        raise WorkbenchError(
            f"Attributions explain why a class was chosen, and {task.title} is measured by "
            f"{task.metric.name}."
        )
    if display_type(task) not in PATHS:
        raise WorkbenchError(
            f"Attributions need one tensor of floats with two or three dimensions for each "
            f"example, and the examples of {task.title} are something else."
        )


def path_to(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    """Return the path to `examples`, which holds one example, in `model` with `weights`."""
    return PATHS[display_type(model.task)](model, weights, examples)


def _images(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    end = model.task.inputs(examples)
    module = model.module()  # of this path's own, without values

    def parts(found: Tensor) -> Tensor:
        return found.sum(dim=0) if found.ndim > 2 else found

    return Path(torch.zeros_like(end), end, lambda batch: call(module, weights, batch), parts)


def _words(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    ids = model.task.inputs(examples)
    ids = ids[:, : max(1, int((ids != PADDING).sum()))]  # what follows is padding, and adds nothing
    module = model.module()
    layer, end = _embedded(module, weights, ids)

    def run(batch: Tensor) -> Tensor:
        hook = layer.register_forward_hook(lambda *_seen: batch)
        try:
            outputs: Tensor = call(module, weights, ids.expand(len(batch), -1))
        finally:
            hook.remove()
        return outputs

    return Path(torch.zeros_like(end), end, run, lambda found: found.sum(dim=-1))


def _embedded(
    module: nn.Module, weights: Mapping[str, Tensor], ids: Tensor
) -> tuple[nn.Module, Tensor]:
    """Return the first layer that turns `ids` into vectors, and those vectors."""
    seen: list[tuple[nn.Module, Tensor]] = []

    def note(layer: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        if torch.equal(given[0], ids):
            seen.append((layer, made))

    embeddings = [layer for layer in module.modules() if isinstance(layer, nn.Embedding)]
    hooks = [layer.register_forward_hook(note) for layer in embeddings]
    with torch.no_grad():
        call(module, weights, ids)
    for hook in hooks:
        hook.remove()
    return seen[0]


def _frames(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    end = model.task.inputs(examples)
    real = torch.from_numpy(valid_frames(examples))
    mean = torch.from_numpy(_mean_frame(model.task))
    begin = torch.where(real.unsqueeze(-1), mean, torch.zeros(()))
    module = model.module()
    return Path(
        begin, end, lambda batch: call(module, weights, batch), lambda found: found[real[0]]
    )


@lru_cache(maxsize=8)
def _mean_frame(task: Task) -> NDArray[np.float32]:
    frames = task.split("train").examples
    mean: NDArray[np.float32] = frames[valid_frames(frames)].mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


PATHS: dict[str, Callable[[Model, Mapping[str, Tensor], Any], Path]] = {
    "image": _images,
    "words": _words,
    "frames": _frames,
}
"""By the kind of example."""
