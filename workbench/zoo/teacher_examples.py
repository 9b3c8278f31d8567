"""A few validation examples with the logits of each teacher, readable without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from workbench.errors import UnknownNameError
from workbench.zoo.fashion import TASK
from workbench.zoo.students import STUDENTS, TEACHERS, read_json

EXAMPLES = STUDENTS / "teachers.json"


@dataclass(frozen=True)
class TeacherExample:
    """The logits of a teacher for one validation example, one for each class."""

    index: int
    label: int
    logits: tuple[float, ...]

    @property
    def image(self) -> Any:
        """The image, uint8 array [28, 28]."""
        return TASK.split("validation").examples[self.index]


@cache
def teacher_examples(teacher: str) -> tuple[TeacherExample, ...]:
    """Return the logits of a teacher of the shipped students for ambiguous images of each class.

    The images are the same for all teachers.

    Raises
    ------
    UnknownNameError
        If no shipped student has this teacher.
    FileError
        If the file is missing or damaged.
    """
    if teacher not in TEACHERS:
        raise UnknownNameError(
            f"No shipped student has the teacher {teacher!r}; choose one of: "
            f"{', '.join(TEACHERS)}.",
            code="name.unknown",
        )
    return tuple(
        TeacherExample(example["index"], example["label"], tuple(example["logits"]))
        for example in read_json(EXAMPLES)[teacher]
    )
