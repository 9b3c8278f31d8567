"""The teacher of a distillation: a model whose outputs are computed once and cached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from workbench.cache.memory import MemoryCache
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model, Task
from workbench.errors import InputError, RecipeError, user_errors
from workbench.pipeline import run_pipeline
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.runtime.batch import Batch, call
from workbench.training.teacher_ref import resolve_teacher

BATCH = 250

MAX_CACHED_BYTES = 256 * 2**20
"""Size of the logits that are cached. Larger logits are computed batch by batch."""

_cache: MemoryCache[Tensor] = MemoryCache(16, MAX_CACHED_BYTES, lambda logits: logits.nbytes)
_lock = Lock()


class Teacher:
    """Computes teacher logits.

    Attributes
    ----------
    names : tuple of str or None
        Names of the inputs that the module takes.
    channels_last : bool
        Whether the module runs on inputs in channels-last layout.
    cached : tensor [examples, classes] or None
        The logits of all training examples, if precomputed.
    """

    def __init__(
        self, module: nn.Module, weights: Mapping[str, Tensor], task: Task | None = None
    ) -> None:
        self.task = task
        self.channels_last = True
        self.names: tuple[str, ...] | None = None
        self.module = module.eval()
        self.weights = dict(weights)
        self.cached: Tensor | None = None

    def predict(self, inputs: Any) -> Tensor:
        """Return the logits [b, classes] for `inputs`.

        Raises
        ------
        InputError
            If a user's module fails on the inputs, or does not return a tensor.
        """
        with user_errors("The teacher fails on the train data"), torch.no_grad():
            outputs = call(self.module, self.weights, self._as_batch(inputs))
        if not isinstance(outputs, Tensor):
            raise InputError(
                f"The teacher returns {brief(outputs)}, but a student can only learn from a "
                "tensor: train without this teacher.",
                code="training.teacher_outputs",
            )
        return outputs

    def _as_batch(self, inputs: Any) -> Batch:
        batch = Batch.of(inputs)
        names = self.names if len(batch.tensors) == 1 else batch.names
        if self.channels_last:
            return replace(batch, names=names)
        return Batch(tuple(tensor.contiguous() for tensor in batch.tensors), names)

    def precompute(
        self,
        batches: Callable[[int, int], Any],
        examples: int,
        cancel: CancelToken = NEVER,
    ) -> None:
        """Compute the logits of all `examples`, where `batches(a, b)` returns inputs a to b - 1.

        Batch boundaries are fixed because batching affects the low-order bits of the logits.
        Logits of more than `MAX_CACHED_BYTES` are not stored: each step computes its own.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two batches.
        """
        logits = []
        for start in range(0, examples, BATCH):
            cancel.check()
            stop = min(start + BATCH, examples)
            logits.append(self.predict(batches(start, stop)))
            if logits[0].nbytes * examples > MAX_CACHED_BYTES * min(BATCH, examples):
                return
        self.cached = torch.cat(logits)


def load_teacher(
    name: str,
    student: Model,
    *,
    precompute: bool = True,
    cancel: CancelToken = NEVER,
) -> Teacher:
    """Return the teacher that `name` refers to, as `resolve_teacher` reads it.

    Parameters
    ----------
    precompute
        Compute the logits on the training split and cache them, unless they are too large. False
        for students whose inputs are augmented.

    Raises
    ------
    UnknownNameError, RecipeError
        If there is no such teacher.
    Cancelled
        If `cancel` is cancelled.
    """
    model, recipe = resolve_teacher(name, student)
    teacher = as_teacher(model, recipe)
    if not precompute:
        return teacher
    examples = model.task.split("train").examples
    key = (model.name, model.digest, recipe)
    with _lock:
        logits = _cache.get(key)
        if logits is None:
            teacher.precompute(lambda a, b: model.task.inputs(examples[a:b]), len(examples), cancel)
            logits = teacher.cached
            if logits is not None:
                _cache.put(key, logits, model.architecture.lifetime)
    teacher.cached = logits
    return teacher


def is_precomputed(name: str, student: Model) -> bool:
    """Return whether the logits of the teacher `name` on the training split are cached."""
    model, recipe = resolve_teacher(name, student)
    return _cache.get((model.name, model.digest, recipe)) is not None


def check_output_shapes(
    teacher: Teacher, module: nn.Module, weights: Mapping[str, Tensor], inputs: Any
) -> None:
    """Raise `RecipeError` if teacher and student return different shapes for `inputs`."""
    with user_errors("The module fails on the train data"), torch.no_grad():
        ours = call(module, weights, inputs)
    theirs = teacher.predict(inputs)
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else brief(x) for x in (theirs, ours)]
    if shapes[0] != shapes[1]:
        raise RecipeError(
            f"The teacher's outputs are {shapes[0]} and the student's {shapes[1]}: choose a "
            "teacher with outputs of the same shape.",
            code="training.teacher_output_shape",
        )


def as_teacher(model: Model, recipe: Recipe) -> Teacher:
    """Return `model`, compressed by `recipe`, as a teacher."""
    if recipe == Recipe():
        teacher = Teacher(model.module(), model.weights(), model.task)
    else:
        artifact = run_pipeline(model, recipe)
        teacher = Teacher(model.with_spec(artifact.spec).module(), artifact.operands(), model.task)
    teacher.channels_last = model.architecture.traits.channels_last
    first = model.task.split("validation").examples[:1]
    teacher.names = Batch.of(model.task.inputs(first)).names
    return teacher
