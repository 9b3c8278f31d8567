"""The section in which a person trains: its controls, and what they say."""

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

FRONT = ("teacher", "temperature", "mix")
LEFT_OUT = ("steps", "threads")  # steps come from the seconds, threads from the machine
OF_IMAGES = ("shift", "mirror")
ONLY_WITH = {"width": ("start", ["scratch"]), "left_out": ("start", ["scratch"])}
"""Fields that matter only beside certain values of another one; they hide otherwise."""
# Of a few settings tried on five recipes, the best or nearly so on each.
USUAL = Train(
    teacher=SELF,
    temperature=1.0,
    sparsening="cubic",
    schedule="one-cycle",
    average=0.99,
    patience=20,
)
SECONDS = 20
MAX_SECONDS = 3600


def section(session: Session) -> dict[str, Any]:
    """Return what the page needs to build the section, as plain data."""
    task = session.model.task
    hidden = LEFT_OUT if task.input_type == "image" else LEFT_OUT + OF_IMAGES
    described = [_field(spec, session) for spec in specs(Train) if spec.name not in hidden]
    asks = task.metric.counts == "classes"
    chosen = session.recipe.train or USUAL
    return {
        "title": _("train: win it back, distil"),
        "front": [field for field in described if field["key"] in FRONT],
        "more": [field for field in described if field["key"] not in FRONT],
        "values": {field["key"]: getattr(chosen, field["key"]) for field in described},
        "seconds": {
            "key": "seconds",
            "kind": "integer",
            "front": False,
            "label": _("seconds"),
            "help": _("How long to train; as many steps as fit in are taken."),
            "low": 1,
            "high": MAX_SECONDS,
            "step": 1,
            "value": SECONDS,
        },
        "how": _("how it trains"),
        "another": _("ask about another example") if asks else None,
        "button": _("train"),
        "button_back": _("win it back"),
        "button_sweep": _("try a row of temperatures") if asks else None,
        "help_sweep": _(
            "Trains the network as it is, without pruning or quantising, at five temperatures "
            "and on labels alone, twice each, in the seconds chosen."
        ),
        "warnings": {name: teacher_warning(session.model, name) for name in _others(session)},
    }


def settings(values: Mapping[str, Any], threads: int) -> Train:
    """Return what the section's controls say.

    Raises
    ------
    RecipeError
        When a value is not allowed or a key is unknown, whoever sent it.
    """
    known = {spec.name for spec in specs(Train)} - set(LEFT_OUT)
    for key in values:
        if key not in known:
            raise RecipeError(f"Training has no setting {key!r}.")
    return Train(**values, threads=threads)


def _others(session: Session) -> list[str]:
    return [*compatible_teachers(session.model)]


def _field(spec: FieldSpec, session: Session) -> dict[str, Any]:
    described = describe_field("train", spec, front=spec.name in FRONT)
    field = {**described, "key": spec.name, "only_with": ONLY_WITH.get(spec.name)}
    if spec.name != "teacher":
        return field
    nobody = {"value": "", "label": _("labels alone"), "help": _("No teacher takes part.")}
    itself = {
        "value": SELF,
        "label": _("the original itself"),
        "help": _("The model learns what it said before it was compressed."),
    }
    others = [{"value": name, "label": _(title(name)), "help": ""} for name in _others(session)]
    choices = [nobody, itself, *others]
    linked = session.recipe.train.teacher if session.recipe.train else SELF
    if linked not in [choice["value"] for choice in choices]:  # compressed, from a link
        choices.append({"value": linked, "label": linked, "help": ""})
    return {**field, "kind": "choice", "front": False, "choices": choices}
