"""Integration paths for attributions: from a baseline input to the example, by kind of input.

The baseline of an image is black (zeros for a user's data). The baseline of a text replaces the
embeddings by zeros; token ids and padding stay. The baseline of a sound is the mean valid frame of
the training split in place of each valid frame; padding stays.
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
from workbench.errors import InputError
from workbench.runtime.batch import call
from workbench.zoo.readable import display_type, valid_frames
from workbench.zoo.reviews.words import PADDING


class Path(NamedTuple):
    """A straight line from a baseline to an example.

    `begin` and `end` are float32 tensors of shape [1, ...]. `run` maps points between them to
    logits [b, classes]. `reduce` sums attributions to one value per displayed part.
    """

    begin: Tensor
    end: Tensor
    run: Callable[[Tensor], Tensor]
    reduce: Callable[[Tensor], Tensor]


def check_explainable(task: Task) -> None:
    """Raise `InputError` if the task has no classes or its examples cannot be displayed."""
    if task.metric.counts != "classes":
        raise InputError(
            f"Attributions explain a predicted class, and the task {task.name!r} is measured by "
            f"{task.metric.label}.",
            code="metric.no_classes",
        )
    if display_type(task) not in PATHS:
        raise InputError(
            f"Attributions need one floating-point tensor of two or three dimensions per example, "
            f"which the task {task.name!r} does not have.",
            code="data.not_explainable",
        )


def path_to(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    """Return the path to the single example in `examples` for `model` with `weights`."""
    return PATHS[display_type(model.task)](model, weights, examples)


def _images(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    end = model.task.inputs(examples)
    module = model.module()  # not shared: other threads explain other examples

    def sum_channels(values: Tensor) -> Tensor:
        return values.sum(dim=0) if values.ndim > 2 else values

    return Path(
        torch.zeros_like(end), end, lambda batch: call(module, weights, batch), sum_channels
    )


def _words(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    ids = model.task.inputs(examples)
    ids = ids[:, : max(1, int((ids != PADDING).sum()))]  # padding contributes nothing
    module = model.module()
    layer, end = _embed(module, weights, ids)

    def run(batch: Tensor) -> Tensor:
        hook = layer.register_forward_hook(lambda *_args: batch)
        try:
            outputs: Tensor = call(module, weights, ids.expand(len(batch), -1))
        finally:
            hook.remove()
        return outputs

    return Path(torch.zeros_like(end), end, run, lambda values: values.sum(dim=-1))


def _embed(
    module: nn.Module, weights: Mapping[str, Tensor], ids: Tensor
) -> tuple[nn.Module, Tensor]:
    """Return the first layer that embeds `ids`, and its output."""
    calls: list[tuple[nn.Module, Tensor]] = []

    def record(layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if torch.equal(args[0], ids):
            calls.append((layer, output))

    embeddings = [layer for layer in module.modules() if isinstance(layer, nn.Embedding)]
    hooks = [layer.register_forward_hook(record) for layer in embeddings]
    with torch.no_grad():
        call(module, weights, ids)
    for hook in hooks:
        hook.remove()
    return calls[0]


def _frames(model: Model, weights: Mapping[str, Tensor], examples: Any) -> Path:
    end = model.task.inputs(examples)
    valid = torch.from_numpy(valid_frames(examples))
    mean = torch.from_numpy(_mean_frame(model.task))
    begin = torch.where(valid.unsqueeze(-1), mean, torch.zeros(()))
    module = model.module()
    return Path(
        begin, end, lambda batch: call(module, weights, batch), lambda values: values[valid[0]]
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
"""Path builders by kind of example."""
