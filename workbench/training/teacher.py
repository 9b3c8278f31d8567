"""The teacher: a model whose outputs a student learns, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from workbench.artifact.operands import operands
from workbench.cache.memory import MemoryCache
from workbench.calibration.untrained import compress_untrained
from workbench.domain import Model, Task
from workbench.errors import Cancelled, RecipeError, WorkbenchError, user_errors
from workbench.recipe import Recipe
from workbench.recipe.schema import brief
from workbench.runtime.batch import Batch, call
from workbench.training.teacher_ref import resolve_teacher

BATCH = 250

MAX_CACHED_BYTES = 256 * 2**20
"""Bytes of logits that are kept; what is larger is computed batch by batch."""

_kept: MemoryCache[Tensor] = MemoryCache(16, MAX_CACHED_BYTES, lambda logits: logits.nbytes)
_one_at_a_time = Lock()


class Teacher:
    """Gives logits for training examples by number, or for inputs made from them.

    `names` are those of the inputs that the module takes, and `quick` says whether these may have
    channels last in memory: a student may take the same inputs otherwise.
    """

    def __init__(
        self, module: nn.Module, weights: Mapping[str, Tensor], task: Task | None = None
    ) -> None:
        self.task = task
        self.quick = True
        self.names: tuple[str, ...] | None = None
        self.module = module.eval()
        self.weights = dict(weights)
        self.known: Tensor | None = None

    def on(self, inputs: Any) -> Tensor:
        """Return the logits [b, classes] for inputs that no example gives as it is.

        Raises
        ------
        WorkbenchError
            When a person's own module fails on them, or returns something else than a tensor.
        """
        with user_errors("The teacher fails on the train data"), torch.no_grad():
            outputs = call(self.module, self.weights, self._taken(inputs))
        if not isinstance(outputs, Tensor):
            raise WorkbenchError(
                f"The teacher returns {brief(outputs)}, and only outputs in a tensor can be "
                "learned: train without it."
            )
        return outputs

    def _taken(self, inputs: Any) -> Batch:
        batch = Batch.of(inputs)
        names = self.names if len(batch.tensors) == 1 else batch.names
        if self.quick:
            return replace(batch, names=names)
        return Batch(tuple(tensor.contiguous() for tensor in batch.tensors), names)

    def learn(
        self,
        batches: Callable[[int, int], Any],
        examples: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Compute the logits of all `examples`, once; `batches(a, b)` gives their inputs.

        Always in the same batches: the last bits of a logit depend on its neighbours. Logits that
        would take more than `MOST_KEPT` bytes stay unknown, and each step computes its own.

        Raises
        ------
        Cancelled
            When `cancelled()` answers True between two batches.
        """
        found = []
        for start in range(0, examples, BATCH):
            if cancelled():
                raise Cancelled("Training was stopped.")
            stop = min(start + BATCH, examples)
            found.append(self.on(batches(start, stop)))
            if found[0].nbytes * examples > MAX_CACHED_BYTES * min(BATCH, examples):
                return
        self.known = torch.cat(found)


def load_teacher(
    name: str,
    student: Model,
    *,
    know: bool = True,
    cancelled: Callable[[], bool] = lambda: False,
) -> Teacher:
    """Return the teacher that `name` means to `student`, as `resolve_teacher` reads it.

    Its logits on the training split are kept while the teacher lives, unless they are too many;
    without `know` they are not computed, for students that see images the split does not hold.

    Raises
    ------
    UnknownNameError, RecipeError
        When there is no such teacher.
    Cancelled
        When `cancelled()` answers True on the way.
    """
    chosen, recipe = resolve_teacher(name, student)
    teacher = as_teacher(chosen, recipe)
    if not know:
        return teacher
    images = chosen.task.split("train").examples
    key = (chosen.name, chosen.digest, recipe)
    with _one_at_a_time:
        known = _kept.get(key)
        if known is None:
            teacher.learn(lambda a, b: chosen.task.inputs(images[a:b]), len(images), cancelled)
            known = teacher.known
            if known is not None:
                _kept.put(key, known, chosen.architecture.lifetime)
    teacher.known = known
    return teacher


def check_output_shapes(
    teacher: Teacher, module: nn.Module, weights: Mapping[str, Tensor], inputs: Any
) -> None:
    """Raise `RecipeError` where teacher and student give outputs of other shapes for `inputs`."""
    with user_errors("The module fails on the train data"), torch.no_grad():
        ours = call(module, weights, inputs)
    theirs = teacher.on(inputs)
    shapes = [tuple(one.shape) if isinstance(one, Tensor) else brief(one) for one in (theirs, ours)]
    if shapes[0] != shapes[1]:
        raise RecipeError(
            f"The teacher's outputs are {shapes[0]} and the student's {shapes[1]}: choose a "
            "teacher with outputs of the same shape."
        )


def as_teacher(chosen: Model, recipe: Recipe) -> Teacher:
    """Return `chosen` as a teacher, with the module and the weights of a file of `recipe`."""
    if recipe == Recipe():
        teacher = Teacher(chosen.module(), chosen.weights(), chosen.task)
    else:
        tensors, form = compress_untrained(chosen, recipe)
        teacher = Teacher(chosen.with_spec(form).module(), operands(tensors, form), chosen.task)
    teacher.quick = chosen.architecture.traits.channels_last
    first = chosen.task.split("validation").examples[:1]
    teacher.names = Batch.of(chosen.task.inputs(first)).names
    return teacher
