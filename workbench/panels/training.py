"""The training section: its controls, and the conversion of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workbench.errors import RecipeError
from workbench.i18n import _, mark as N_
from workbench.panels import controls, distillation, training_fields
from workbench.panels.bounds import between
from workbench.panels.views.results import summary
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import specs
from workbench.recipe.train import SELF
from workbench.session import Session, teacher_warning
from workbench.training.teacher_ref import compatible_teachers
from workbench.zoo.registry import title
from workbench.zoo.students import TEACHERS

MAIN = ("teacher", "temperature", "labels", "width", "left_out")
"""The settings that are always shown; all others are in groups."""
GROUPS = {
    N_("Optimizer"): ("optimizer", "learning_rate", "schedule", "batch", "clip", "precision"),
    N_("Regularization"): ("weight_decay", "label_smoothing", "dropout", "shift", "mirror"),
    N_("Pruning and rounding"): ("sparsening", "rounding", "batch_norm"),
    N_("Distillation"): ("mix", "matching"),
}
REST = N_("Stopping, averaging and randomness")
"""The group of all other settings."""
# Best or close to the best of a few settings on each of five recipes.
DEFAULTS = Train(
    temperature=1.0, sparsening="cubic", schedule="one_cycle", average=0.99, patience=20
)
AIMS = {
    "fine_tune": (
        N_("Fine-tune"),
        N_(
            "Continues from the uncompressed weights of the network. The file has the same "
            "sparsity and bits as before; by default, training adds the zeros little by little."
        ),
        {"start": "trained", "teacher": ""},
    ),
    "distill": (
        N_("Distill"),
        N_("Continues from the weights of the network, which learns the outputs of a teacher."),
        {"start": "trained", "teacher": SELF},
    ),
    "train": (
        N_("From scratch"),
        N_("Starts from random weights, with or without a teacher."),
        {"start": "scratch", "teacher": ""},
    ),
}
"""What training is for: a label, an explanation, and the settings that it implies."""
LENGTHS = {
    "seconds": (
        N_(
            "About the time for training: a short run counts the steps that fit. They take longer "
            "if other programs use the processor later."
        ),
        N_("about {count} s"),
        20,
        3600,
    ),
    "steps": (
        N_("The same steps give everyone the same network, however fast the machine is."),
        N_("{count} steps"),
        300,
        200_000,
    ),
}
"""What limits a training: an explanation, how buttons say it, the default and the maximum."""
CHANGES: dict[str, Callable[[Train], Train]] = {
    "steps": lambda train: replace(train, steps=max(1, train.steps // 2)),
    "learning_rate": lambda train: replace(
        train, learning_rate=max(1e-6, round(train.learning_rate / 4, 6))
    ),
    "patience": lambda train: replace(train, patience=DEFAULTS.patience),
}
"""What to try after a training that made the file worse."""


def section(session: Session) -> dict[str, Any]:
    """Return the description from which the page builds the section."""
    hidden = training_fields.unsuitable(session.model)
    fields = {spec.name: spec for spec in specs(Train) if spec.name not in hidden | {"start"}}
    teachers = _teachers(session) if "teacher" in fields else []
    described = {
        name: _field(name, controls.describe_field("train", spec, primary=name in MAIN), teachers)
        for name, spec in fields.items()
    }
    settings = session.recipe.train or replace(DEFAULTS, labels=_labels(session))
    grouped = {name for names in GROUPS.values() for name in names}
    rest = [name for name in described if name not in grouped and name not in MAIN]
    return {
        "title": _("Train"),
        "aim": _aim_field(distills=bool(teachers)),
        "aims": {aim: values for aim, (_label, _help, values) in AIMS.items()},
        "main": [
            *(_teacher_fields(described["teacher"], teachers) if teachers else []),
            *(described[name] for name in MAIN[1:] if name in described),
        ],
        "groups": [
            {"title": _(title), "fields": [described[name] for name in names if name in described]}
            for title, names in {**GROUPS, REST: rest}.items()
        ],
        "values": {name: getattr(settings, name) for name in ("start", "teacher", *described)},
        "student_labels": _labels(session),
        "length": _length_field(),
        "limit": "seconds" if session.recipe.train is None else "steps",
        "amounts": _amount_fields(session.recipe.train),
        "buttons": {
            "fine_tune": _("Fine-tune for {amount}"),
            "distill": _("Distill for {amount}"),
            "train": _("Train for {amount}"),
            "student": _("Train a student for {amount}"),
        },
        "sweep": _("Compare temperatures for {amount}") if _can_sweep(session) else None,
        "sweep_help": _(
            "Trains the uncompressed network at five temperatures and on labels only, twice each: "
            "in the given seconds in total, or for the given steps each."
        ),
        "warnings": {
            name: teacher_warning(session.model, name)
            for name in compatible_teachers(session.model)
            if name in teachers
        },
    }


def live(session: Session) -> dict[str, Any]:
    """Return what the section shows of the current recipe."""
    return {
        "idle": training_fields.idle(session.recipe),
        "network": _("The network: {settings}.").format(
            settings=summary(session.model.name, session.recipe.untrained, session.origin)
        ),
        "distilled": _distilled(session),
        "student_labels": _labels(session),
    }


def _distilled(session: Session) -> dict[str, Any] | None:
    """Return how the selected student was distilled: further distillation starts from that."""
    student = session.student
    if student is None or not student.teacher:
        return None
    return {"teacher": student.teacher, "temperature": student.temperature}


def _labels(session: Session) -> float:
    """Return the share of the labels that the selected student has seen, else the default."""
    return DEFAULTS.labels if session.student is None else session.student.labels


def settings(
    values: Mapping[str, Any], recipe: Recipe, threads: int, steps: int | None = None
) -> Train:
    """Return the training settings for the values of the controls, and a number of steps.

    Values without an effect under `recipe` are omitted, so that recipes hold only what matters.

    Raises
    ------
    RecipeError
        If a value is not allowed or a key is unknown; `values` come from the browser.
    """
    known = {spec.name for spec in specs(Train)} - training_fields.ALWAYS_HIDDEN
    for key in values:
        if key not in known:
            raise RecipeError(f"Training has no setting {key!r}.", code="recipe.unknown_setting")
    Train(**values)  # all values must be allowed, with or without an effect
    chosen = Train(**training_fields.effective(values, recipe), threads=threads)
    return chosen if steps is None else replace(chosen, steps=steps)


def _can_sweep(session: Session) -> bool:
    """Whether a row of temperatures can be compared: the outputs of a teacher can be softened."""
    hidden = training_fields.unsuitable(session.model)
    return session.model.task.metric.counts == "classes" and "temperature" not in hidden


def _field(name: str, described: dict[str, Any], teachers: list[str]) -> dict[str, Any]:
    return {
        **described,
        "key": name,
        "name": _("training: {label}").format(label=described["label"]),
        "visible_if": None,
        "gate": None,
        "needs": training_fields.needs(name, teachers),
    }


def _aim_field(*, distills: bool) -> dict[str, Any]:
    return {
        "key": "aim",
        "kind": "choice",
        "primary": True,
        "label": _("What to do"),
        "name": _("training: what to do"),
        "help": "",
        "choices": [
            {"value": aim, "label": _(label), "help": _(text)}
            for aim, (label, text, _values) in AIMS.items()
            if distills or aim != "distill"
        ],
    }


def _length_field() -> dict[str, Any]:
    """Return the choice of what limits a training."""
    return {
        "key": "length",
        "kind": "choice",
        "primary": True,
        "label": _("stop after"),
        "name": _("training: stop after"),
        "help": "",
        "choices": [
            {"value": "seconds", "label": _("seconds"), "help": _(LENGTHS["seconds"][0])},
            {"value": "steps", "label": _("steps"), "help": _(LENGTHS["steps"][0])},
        ],
    }


def _amount_fields(trained: Train | None) -> dict[str, dict[str, Any]]:
    """Return the numbers of seconds and steps, which repeat the training of the recipe."""
    fields = {name: _amount_field(name) for name in LENGTHS}
    if trained is not None and trained.steps:
        fields["steps"]["value"] = trained.steps
    return fields


def _amount_field(name: str) -> dict[str, Any]:
    """Return the number of seconds or steps, with the text of it on buttons."""
    explanation, text, default, most = LENGTHS[name]
    return {
        "key": name,
        "kind": "integer",
        "primary": False,
        "label": _("seconds") if name == "seconds" else _("steps"),
        "name": _("training: seconds") if name == "seconds" else _("training: steps"),
        "help": _(explanation),
        "low": 1,
        "high": most,
        "bounds": between(1, most, is_integer=True),
        "step": 1,
        "value": default,
        "amount": _(text),
    }


def _teachers(session: Session) -> list[str]:
    """Return the names of all teachers to choose from; one from a link may be compressed."""
    names = [SELF, *compatible_teachers(session.model)]
    if distillation.is_offered(session):  # the list stays when a student is selected
        names += [name for name in TEACHERS if name not in names]
    current = session.recipe.train.teacher if session.recipe.train else ""
    return names if not current or current in names else [*names, current]


def _teacher_fields(field: dict[str, Any], teachers: list[str]) -> list[dict[str, Any]]:
    """Return the control of the teacher: distillation needs one, training from scratch may not."""
    original = {
        "value": SELF,
        "label": _("the original model"),
        "help": _("The model before compression is the teacher."),
    }
    choices = [
        original if name == SELF else {"value": name, "label": _label(name), "help": ""}
        for name in teachers
    ]
    none = {"value": "", "label": _("labels only"), "help": _("Train without a teacher.")}
    field = {**field, "kind": "choice", "primary": False}  # a list, which can be long
    return [
        {**field, "choices": choices, "needs": [("aim", ["distill"])]},
        {**field, "choices": [none, *choices], "needs": [("aim", ["train"])]},
    ]


def _label(teacher: str) -> str:
    name, _question, recipe = teacher.partition("?")
    return teacher if recipe else _(title(name))
