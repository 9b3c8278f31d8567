"""The training section: its controls, and the conversion of their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import RecipeError
from workbench.i18n import _
from workbench.panels.controls import describe_field
from workbench.recipe import Train
from workbench.recipe.schema import FieldSpec, specs
from workbench.recipe.train import SELF
from workbench.session import Session, teacher_warning
from workbench.training.teacher_ref import compatible_teachers
from workbench.zoo.registry import title

PRIMARY = ("teacher", "temperature", "mix")
HIDDEN = ("steps", "threads")  # set by the time budget and by the machine
IMAGES_ONLY = ("shift", "mirror")
VISIBLE_IF = {"width": ("start", ["scratch"]), "left_out": ("start", ["scratch"])}
"""Fields that apply only to certain values of another field, and are hidden otherwise."""
# Best or close to the best of a few settings on each of five recipes.
DEFAULTS = Train(
    teacher=SELF,
    temperature=1.0,
    sparsening="cubic",
    schedule="one_cycle",
    average=0.99,
    patience=20,
)
SECONDS = 20
MAX_SECONDS = 3600


def section(session: Session) -> dict[str, Any]:
    """Return the description from which the page builds the section."""
    task = session.model.task
    hidden = HIDDEN if task.input_type == "image" else HIDDEN + IMAGES_ONLY
    fields = [_field(spec, session) for spec in specs(Train) if spec.name not in hidden]
    classifies = task.metric.counts == "classes"
    settings = session.recipe.train or DEFAULTS
    return {
        "title": _("train: fine-tune, distill"),
        "primary": [field for field in fields if field["key"] in PRIMARY],
        "more": [field for field in fields if field["key"] not in PRIMARY],
        "values": {field["key"]: getattr(settings, field["key"]) for field in fields},
        "seconds": {
            "key": "seconds",
            "kind": "integer",
            "primary": False,
            "label": _("seconds"),
            "name": _("seconds"),
            "help": _("Time budget for training, in seconds; it determines the number of steps."),
            "low": 1,
            "high": MAX_SECONDS,
            "step": 1,
            "value": SECONDS,
        },
        "details": _("training settings"),
        "next_example": _("next example") if classifies else None,
        "train": _("train"),
        "fine_tune": _("fine-tune"),
        "sweep": _("compare temperatures") if classifies else None,
        "sweep_help": _(
            "Trains the uncompressed network at five temperatures and on labels only, twice each, "
            "within the time budget."
        ),
        "warnings": {
            name: teacher_warning(session.model, name)
            for name in compatible_teachers(session.model)
        },
    }


def settings(values: Mapping[str, Any], threads: int) -> Train:
    """Return the training settings for the values of the controls.

    Raises
    ------
    RecipeError
        If a value is not allowed or a key is unknown; `values` come from the browser.
    """
    known = {spec.name for spec in specs(Train)} - set(HIDDEN)
    for key in values:
        if key not in known:
            raise RecipeError(f"Training has no setting {key!r}.", code="recipe.unknown_setting")
    return Train(**values, threads=threads)


def _field(spec: FieldSpec, session: Session) -> dict[str, Any]:
    description = describe_field("train", spec, primary=spec.name in PRIMARY)
    field = {**description, "key": spec.name, "visible_if": VISIBLE_IF.get(spec.name)}
    if spec.name != "teacher":
        return field
    none = {"value": "", "label": _("labels only"), "help": _("Train without a teacher.")}
    original = {
        "value": SELF,
        "label": _("the original model"),
        "help": _("The model before compression is the teacher."),
    }
    teachers = compatible_teachers(session.model)
    others = [{"value": name, "label": _(title(name)), "help": ""} for name in teachers]
    choices = [none, original, *others]
    current = session.recipe.train.teacher if session.recipe.train else SELF
    if current not in [choice["value"] for choice in choices]:  # a compressed teacher, from a link
        choices.append({"value": current, "label": current, "help": ""})
    return {**field, "kind": "choice", "primary": False, "choices": choices}
