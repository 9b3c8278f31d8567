"""What a session hands out and remembers: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.training.teacher_predictions import TeacherPrediction


@dataclass(frozen=True)
class Visit:
    """A recipe that was measured exactly: bytes of its file and its figure on validation."""

    recipe: Recipe
    bytes: int
    value: float


@dataclass(frozen=True)
class TrainingProgress:
    """How far training is, and the course so far: (step, loss, figure) of some batches."""

    step: int
    steps: int
    seconds_left: float
    examples_per_second: float
    curve: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class TeacherQuery:
    """What the teacher is asked: about which example, at which temperature."""

    teacher: str
    temperature: float
    example: int = 0
    prediction: TeacherPrediction | None = None


Timing = tuple[Mapping[str, Any], Mapping[str, Any]]
"""What `latency` says of the original and of the file, timed in turn."""


@dataclass(frozen=True)
class Focus:
    """What the person looks at in the views beside the numbers.

    `view` and `kind` are which view of the changes and which of them, `first` how many examples
    are passed over and `columns` how many fit side by side; `example` and `layer` are None until
    somebody picks one. `areas` is whether bytes are drawn as areas; `prompt` and `seed` are what a
    language model goes on from, and its lot.
    """

    view: str = "examples"
    kind: str = "lost"
    first: int = 0
    columns: int = 8
    example: int | None = None
    layer: str | None = None
    areas: bool = False
    prompt: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Selection:
    """What was chosen; `seconds` are those to train for, until they have become steps."""

    model: str
    recipe: Recipe
    seconds: float | None = None
