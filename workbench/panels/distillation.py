"""Distillation on the page: shipped students take the place of the chosen model.

The slider jumps between students that were trained at several temperatures. Their sizes and
accuracies come from a table, so that the point moves before PyTorch has loaded.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from workbench import formatting, zoo
from workbench.domain.metric import ACCURACY
from workbench.errors import RecipeError
from workbench.i18n import _, plural
from workbench.panels.views.activity import repeated_steps
from workbench.session import Session
from workbench.zoo.students import (
    NETWORKS,
    SHARES,
    TEACHERS,
    TEMPERATURES,
    Card,
    Student,
    students,
)
from workbench.zoo.teacher_examples import teacher_examples

PART = "distillation."
OFF = 0
"""The value of the temperature without a student."""
SHORT = {
    "fashion/mlp-32": "MLP-32",
    "fashion/cnn-10k": "CNN-10k",
    "fashion/resnet": "ResNet",
    "fashion/lenet5": "LeNet-5",
}
"""The names of students and teachers, short enough for three selectors in a row."""
ALONE = Student.teacher
"""The value of the teacher of a student that learned from the labels alone."""
START = Student("fashion/cnn-10k", "fashion/resnet", 4.0, 0.01)
"""The student that is selected first."""


def is_offered(session: Session) -> bool:
    """Return whether there are students for the task of the session's model."""
    return session.origin_model.task.name == NETWORKS[0].partition("/")[0]


def part(session: Session) -> dict[str, Any] | None:
    """Return title and fields as those of a part of a recipe, or None without students."""
    if not is_offered(session):
        return None
    temperatures = [(OFF, _("off")), *((t, f"{t:g}") for t in TEMPERATURES)]
    fields = [
        _field(
            "temperature",
            _("temperature"),
            _(
                "A student network learns from the softened probabilities of a teacher: the "
                "higher the temperature, the more it sees of the unlikely classes "
                "(Hinton et al., arXiv 1503.02531)."
            ),
            temperatures,
            stepped=True,
        ),
        _field(
            "network",
            _("student"),
            _("The small network that is trained."),
            [(name, SHORT[name]) for name in NETWORKS],
        ),
        _field(
            "teacher",
            _("teacher"),
            _("The trained network whose probabilities it learns."),
            [*((name, SHORT[name]) for name in TEACHERS), (ALONE, _("none"))],
        ),
        _field(
            "labels",
            _("labels"),
            _("How many of the training images have labels; the teacher answers on all."),
            [(share, formatting.percent(share, 0)) for share in SHARES],
        ),
    ]
    return {
        "key": PART.rstrip("."),
        "title": _("Distillation"),
        "fields": fields,
        "rules": {
            "temperature": f"{PART}temperature",
            "teacher": f"{PART}teacher",
            "start": {f"{PART}temperature": START.temperature, f"{PART}teacher": START.teacher},
            "alone": Student.temperature,
            "selected": _("A temperature needs a teacher: {teacher} is selected.").format(
                teacher=SHORT[START.teacher]
            ),
        },
    }


def describe(session: Session) -> dict[str, Any] | None:
    """Return the description from which the page builds the controls, or None without students."""
    described = part(session)
    if described is None:
        return None
    return {
        **described,
        "classes": [_(name) for name in session.origin_model.task.classes],
        "examples": _examples(),
        "logits": {
            teacher: [list(example.logits) for example in teacher_examples(teacher)]
            for teacher in TEACHERS
        },
        "unit": f"{formatting.NARROW_SPACE}%",
        "texts": {
            "caption": _("teacher at T = {t}: {first}, {second}"),
            "image": _("an image with the label {label}"),
            "alone": _("No teacher: moving the temperature selects {teacher}.").format(
                teacher=SHORT[START.teacher]
            ),
        },
        "next": _("next example"),
        "repeat": _("train it yourself"),
        "repeat_help": _("Trains this student again on this computer and compares the two files."),
    }


def values(session: Session) -> dict[str, Any]:
    """Return the values of the controls; without a student, the choices keep theirs."""
    if not is_offered(session):
        return {}
    chosen = _values(session.recent_student or START)
    return chosen if session.student is not None else chosen | {f"{PART}temperature": OFF}


def split(
    values: Mapping[str, Any], current: Student | None = None
) -> tuple[dict[str, Any], Student | None]:
    """Return the values of a recipe's controls, and the student that the others select.

    Without others, the student stays `current`.

    Raises
    ------
    RecipeError
        If there is no such student; `values` come from the browser.
    """
    ours = {key.removeprefix(PART): v for key, v in values.items() if key.startswith(PART)}
    others = {key: value for key, value in values.items() if not key.startswith(PART)}
    if not ours:
        return others, current
    if not ours.get("temperature"):
        return others, None
    if ours.get("teacher") == ALONE:
        ours["temperature"] = Student.temperature
    chosen = next((known for known in students() if _settings(known) == ours), None)
    if chosen is None:
        raise RecipeError(
            _("There is no student with these settings: {settings}.").format(settings=ours),
            code="recipe.unknown_student",
        )
    return others, chosen


def state(session: Session) -> dict[str, Any] | None:
    """Return the texts that change with the student, or None without students."""
    if not is_offered(session):
        return None
    current = session.student
    return {
        "comparison": _off() if current is None else _comparison(current),
        "can_repeat": current is not None,
        "repeated": session.repeat_result,
        "repeating": _repeating(session),
    }


def _repeating(session: Session) -> dict[str, Any] | None:
    """Return how far the repeated training is, or None if it does not run."""
    if not session.repeating:
        return None
    step = session.repeat_step
    return {
        "text": repeated_steps(step, session.model.task.input_type),
        "fraction": None if step is None or step.over else step.step / step.steps,
    }


def _field(
    name: str, label: str, help_: str, choices: Sequence[tuple[Any, str]], *, stepped: bool = False
) -> dict[str, Any]:
    return {
        "key": PART + name,
        "kind": "choice",
        "primary": stepped,
        "stepped": stepped,
        "level": "start",
        "label": label,
        "name": formatting.titled(_("Distillation").lower(), label),
        "help": help_,
        "choices": [{"value": value, "label": text} for value, text in choices],
        "visible_if": None,
        "gate": None,
    }


def _settings(known: Student) -> dict[str, Any]:
    return {
        "temperature": known.temperature,
        "network": known.network,
        "teacher": known.teacher,
        "labels": known.labels,
    }


def _values(known: Student) -> dict[str, Any]:
    return {f"{PART}{name}": value for name, value in _settings(known).items()}


def _examples() -> list[dict[str, Any]]:
    """Return label and image of each example; they are the same for all teachers."""
    return [
        {"label": example.label, "image": b64encode(example.image.tobytes()).decode()}
        for example in teacher_examples(TEACHERS[0])
    ]


def _off() -> str:
    return _(
        "Off: the selected model is compressed. A student is a smaller network that learned from a "
        "teacher."
    )


def _comparison(current: Student) -> str:
    """Compare a student with the same network trained on the labels alone."""
    value, alone = current.card.value, current.alone.card.value
    images = round(current.labels * _training_images(current.network))
    if current.teacher == ALONE:
        return plural(
            "Trained on {count} label alone, without a teacher: {value}.",
            "Trained on {count} labels alone, without a teacher: {value}.",
            images,
        ).format(count=formatting.count(images), value=ACCURACY.format(value))
    sentences = [
        _("Taught by {teacher} at T = {t}: {value}.").format(
            teacher=SHORT[current.teacher],
            t=f"{current.temperature:g}",
            value=ACCURACY.format(value),
        ),
        plural(
            "The same network on the same {count} label alone: {value} ({change}).",
            "The same network on the same {count} labels alone: {value} ({change}).",
            images,
        ).format(
            count=formatting.count(images),
            value=ACCURACY.format(alone),
            change=_gain(current),
        ),
    ]
    return formatting.paragraph([*sentences, _about_temperature(current)])


def _gain(current: Student) -> str:
    """Return what the teacher adds to the accuracy on the labels alone."""
    card, alone = current.card, current.alone.card
    change = ACCURACY.difference(card.value, alone.value)
    if is_measurable(card, alone):
        return change
    return _("{change}, no measurable difference").format(change=change)


@cache
def _training_images(network: str) -> int:
    return int(zoo.model(network).card["training"]["examples"])


def _about_temperature(current: Student) -> str:
    if temperature_is_indifferent(current):
        return _("Temperature makes no measurable difference here.")
    best = max(_temperatures(current), key=lambda known: known.card.value)
    if not is_measurable(best.card, current.card):
        return _("No other temperature is measurably better here.")
    return _("T = {t} reaches {value} here.").format(
        t=f"{best.temperature:g}", value=ACCURACY.format(best.card.value)
    )


def _temperatures(current: Student) -> list[Student]:
    """Return the students that differ from `current` in their temperature only."""
    return [Student(current.network, current.teacher, t, current.labels) for t in TEMPERATURES]


def temperature_is_indifferent(current: Student) -> bool:
    """Return whether the students at all temperatures lie in each other's 95 % intervals."""
    cards = [known.card for known in _temperatures(current)]
    return not any(is_measurable(card, other) for card in cards for other in cards)


def is_measurable(card: Card, other: Card) -> bool:
    """Return whether one of two students lies outside the 95 % interval of the other."""
    return any(
        not low <= value <= high
        for value, (low, high) in ((card.value, other.interval), (other.value, card.interval))
    )
