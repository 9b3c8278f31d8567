"""Shipped students: small networks trained from scratch, with each teacher and without one.

Each is a Workbench file that `python -m workbench.checkpoints --students` trains and writes. A
student is also a model by name, so that it can be compressed, measured and linked like any other.
Importing this module does not import PyTorch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import log2
from pathlib import Path
from typing import Any

from workbench import formatting
from workbench.arguments import expect_name
from workbench.errors import FileError, UnknownNameError
from workbench.i18n import _
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import brief
from workbench.zoo.fashion import FOLDER

NETWORKS = ("fashion/mlp-32", "fashion/cnn-10k")
TEACHERS = ("fashion/resnet", "fashion/lenet5")
TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0)
SHARES = (1.0, 0.05, 0.01)
"""Shares of the training images whose labels are used."""

STEPS = {"fashion/mlp-32": 3000, "fashion/cnn-10k": 1500}
"""Training steps by network."""
LEARNING_RATE = 5e-3
THREADS = 1
"""Fixed, because the bytes of a trained file depend on it."""
ALONE = "alone"
_EXAMPLE = "fashion/mlp-32.resnet.t4.labels5"
STUDENTS = FOLDER / "students"
TABLE = STUDENTS / "students.json"
"""Size, metric and digest of every file, and the kind of machine that made them."""


@dataclass(frozen=True)
class Card:
    """What the table says about the file of a student.

    Attributes
    ----------
    bytes : int
        The length of the file.
    file_bytes : int
        That of a file with the same weights in which the student is the original.
    digest : str
        The SHA-256 that the file carries.
    accuracy : dict
        For "validation" and "test", how many of all ``examples`` are ``correct``.
    figures : dict
        ``zeros``, the share of zeros in the layers; ``nonzero``, the number of nonzero parameters;
        ``recall`` and ``f1`` on validation, averaged over the classes.
    interval : tuple of float
        The 95 % interval of the accuracy on new data, from validation.
    """

    bytes: int
    file_bytes: int
    digest: str
    accuracy: dict[str, dict[str, int]]
    figures: dict[str, float]
    interval: tuple[float, float]

    @property
    def value(self) -> float:
        """The accuracy of the file on all validation examples, exact."""
        return self.metric_value("validation")

    def metric_value(self, split: str) -> float:
        """Return the accuracy of the file on "validation" or "test"."""
        counts = self.accuracy[split]
        return counts["correct"] / counts["examples"]


@dataclass(frozen=True)
class Student:
    """A network, how it was trained, and the file that this gave.

    Attributes
    ----------
    network : str
        The name of the model whose architecture it has.
    teacher : str
        The name of its teacher; empty if it learned from the labels alone.
    temperature : float
        The temperature of the teacher's outputs; 1 without a teacher.
    labels : float
        The share of the training images whose labels are used. The teacher answers on all images.
    """

    network: str
    teacher: str = ""
    temperature: float = 1.0
    labels: float = 1.0

    @property
    def name(self) -> str:
        """The name of the model with the student's weights."""
        teacher = f"{_stem(self.teacher)}.t{self.temperature:g}" if self.teacher else ALONE
        return f"{self.network}.{teacher}.labels{100 * self.labels:g}"

    @property
    def title(self) -> str:
        """The display name, in the user's language."""
        text = _("{network}, {labels} of the labels, no teacher")
        if self.teacher:
            text = _("{network}, {labels} of the labels, teacher {teacher} at temperature {t}")
        return text.format(
            network=_stem(self.network),
            labels=formatting.percent(self.labels, 0),
            teacher=_stem(self.teacher),
            t=f"{self.temperature:g}",
        )

    @property
    def short_title(self) -> str:
        """What labels and sentences call it, in the user's language."""
        return _("student {network}").format(network=_stem(self.network))

    @property
    def recipe(self) -> Recipe:
        """The recipe that trains the student: compressing its network gives its file."""
        train = Train(
            steps=STEPS[self.network],
            start="scratch",
            teacher=self.teacher,
            temperature=self.temperature if self.teacher else Train.temperature,
            labels=self.labels,
            learning_rate=LEARNING_RATE,
            threads=THREADS,
        )
        return Recipe(train=train)

    @property
    def alone(self) -> Student:
        """The student of the same network and labels without a teacher."""
        return Student(self.network, labels=self.labels)

    @property
    def path(self) -> Path:
        """The Workbench file."""
        return STUDENTS / f"{_stem(self.name)}.safetensors"

    @property
    def card(self) -> Card:
        """What is known of the file.

        Raises
        ------
        FileError
            If the table is missing or damaged.
        """
        entry = table()["students"][self.name]
        return Card(**entry | {"interval": tuple(entry["interval"])})


@cache
def table() -> dict[str, Any]:
    """Return the table of all files.

    Raises
    ------
    FileError
        If it is missing or damaged.
    """
    return read_json(TABLE)


@cache
def _all() -> dict[str, Student]:
    taught = [
        Student(network, teacher, temperature, labels)
        for network in NETWORKS
        for labels in SHARES
        for teacher in TEACHERS
        for temperature in TEMPERATURES
    ]
    alone = [Student(network, labels=labels) for network in NETWORKS for labels in SHARES]
    return {student.name: student for student in (*taught, *alone)}


def students(network: str | None = None) -> tuple[Student, ...]:
    """Return all shipped students, or those of one network.

    Parameters
    ----------
    network
        The name of the built-in model whose network they have; all by default.

    Raises
    ------
    InputError
        If `network` is not a name.
    UnknownNameError
        If it is none of `NETWORKS`.

    Examples
    --------
    >>> import workbench as wb
    >>> len(wb.students())
    66
    """
    if network is not None and expect_name(network, "a model", NETWORKS[0]) not in NETWORKS:
        raise UnknownNameError(
            f"No student has the network {brief(network)}: choose one of {', '.join(NETWORKS)}.",
            code="name.unknown",
        )
    return tuple(s for s in _all().values() if network in (None, s.network))


def find_student(name: str) -> Student | None:
    """Return the student whose model has this name, or None."""
    return _all().get(name)


def student(name: str) -> Student:
    """Return the student whose model has this name.

    Parameters
    ----------
    name
        The name of a model.

    Raises
    ------
    InputError
        If `name` is not a name.
    UnknownNameError
        If there is no such student.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.student("fashion/mlp-32.resnet.t4.labels5").temperature
    4.0
    """
    known = find_student(expect_name(name, "a student", _EXAMPLE))
    if known is None:
        raise _unknown_student(name)
    return known


def check_name(name: str) -> None:
    """If `name` has the form of a student's name, check that there is such a student.

    Raises
    ------
    UnknownNameError
        If there is no such student.
    """
    network, _dot, training = name.partition(".")
    if network not in NETWORKS or not training or name in _all():
        return
    raise _unknown_student(name)


def _unknown_student(name: str) -> UnknownNameError:
    """Return the error for a name that no student has; it explains how the names are made."""
    close = get_close_matches(name, _all(), 1, cutoff=0) or [_EXAMPLE]
    return UnknownNameError(
        _(
            "There is no student {name}; {example} is one. In a name, the teacher is one of "
            "{teachers}, or {alone} without t; t is one of {temperatures}, and labels is one of "
            "{shares}."
        ).format(
            name=formatting.short(name),
            teachers=", ".join(map(_stem, TEACHERS)),
            alone=ALONE,
            temperatures=", ".join(f"{t:g}" for t in TEMPERATURES),
            shares=", ".join(f"{100 * share:g}" for share in SHARES),
            example=close[0],
        ),
        code="name.unknown",
    )


def nearest(temperature: float) -> float:
    """Return the temperature of `TEMPERATURES` with the smallest ratio to `temperature`."""
    return min(TEMPERATURES, key=lambda known: abs(log2(known / temperature)))


def _stem(name: str) -> str:
    return name.partition("/")[2]


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file of the students.

    Raises
    ------
    FileError
        If it is missing or damaged.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(
            f"The file {path.name} of the students is missing or damaged; install the package "
            "again, or make it with: python -m workbench.checkpoints --students",
            code="model.students_damaged",
        ) from error
    return content
