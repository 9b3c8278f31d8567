"""The settings column: what its parts need in addition to the fields of a recipe."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workbench.i18n import _
from workbench.panels import controls, distillation, goal, tour
from workbench.panels.hint import hint
from workbench.session import Session


def parts(session: Session, only: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the parts of the recipe; with `only` these fields, which may be of distillation."""
    described = controls.describe(session.model, session.recipe, only)
    extra = distillation.part(session) if only else None
    fields = [field for field in extra["fields"] if field["key"] in only] if extra else []
    return [*described, {**extra, "fields": fields}] if extra and fields else described


def describe(session: Session) -> dict[str, Any]:
    """Return what the page needs to build the column."""
    return {
        "levels": [{"value": key, "label": _(label)} for key, label in controls.LEVELS.items()],
        "distillation": distillation.describe(session),
        "goal": goal.bounds(session.model.task.metric),
        "tour": tour.describe(session),
    }


def state(session: Session) -> dict[str, Any]:
    """Return the texts that change."""
    return {
        "hidden": controls.hidden_settings(session.recipe),
        "goal": goal.text(session),
        "hint": hint(session),
        "can_train_again": session.lost_training is not None,
        "distillation": distillation.state(session),
    }


def values(session: Session) -> dict[str, Any]:
    """Return the values of all controls of the column."""
    return controls.values(session.recipe) | distillation.values(session)
