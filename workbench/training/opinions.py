"""What a teacher thinks of some examples it is not sure about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from workbench.training.teacher import teacher_of
from workbench.training.teacher_name import teacher_named
from workbench.zoo import Model

EXAMPLES = 8
LOOKED_AT = 1000


@dataclass(frozen=True)
class Opinion:
    """An example, its label, and the teacher's logits, one for each class."""

    image: tuple[tuple[int, ...], ...]
    label: int
    outputs: tuple[float, ...]


@cache
def opinions(student: Model, teacher: str) -> tuple[Opinion, ...]:
    """Return the validation examples, of the first thousand, about which the teacher is in doubt.

    `teacher` is written as in a recipe.
    """
    chosen, recipe = teacher_named(teacher, student)
    split = chosen.task.split("validation")
    images, labels = split.examples[:LOOKED_AT], split.labels[:LOOKED_AT]
    outputs = teacher_of(chosen, recipe).on(chosen.task.inputs(images))
    best = torch.softmax(outputs, dim=1).topk(2, dim=1).values
    doubt = (best[:, 0] - best[:, 1] - 0.5).abs()  # neither sure nor torn
    picked = doubt.argsort(stable=True)[:EXAMPLES].tolist()
    return tuple(
        Opinion(
            tuple(tuple(row) for row in np.asarray(images[n]).tolist()),
            int(labels[n]),
            tuple(outputs[n].tolist()),
        )
        for n in picked
    )
