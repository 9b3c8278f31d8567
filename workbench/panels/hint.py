"""One sentence that says what to try next."""

from __future__ import annotations

from workbench.i18n import _
from workbench.panels import distillation
from workbench.panels.goal import meets
from workbench.session import Session

TOO_MUCH = 0.05
"""A loss of a share, such as accuracy, after which to step back."""


def hint(session: Session) -> str:
    """Return the sentence for the current state."""
    recipe, student = session.recipe, session.student
    report = session.report
    score = report.score if report is not None and report.recipe == recipe else None
    has_goal = session.budget is not None or session.floor is not None
    if report is not None and score is not None and has_goal:
        if meets(session, report.size.bytes, score.value):
            return _("This file meets the goal: download it, or try a smaller one.")
        return _("Not there yet: more sparsity or fewer bits for size, less of them for accuracy.")
    if score is not None and _is_large(session, score.value):
        return _("That was too much: move back a little, or fine-tune on the Train page.")
    pruned = recipe.prune is not None and recipe.prune.sparsity > 0
    rounded = recipe.quantize is not None and recipe.quantize.bits < 32
    if student is not None and not pruned:
        return _("This student can be compressed too: drag sparsity.")
    if not pruned:
        return _("Drag sparsity until the accuracy falls.")
    if not rounded:
        return _("Now lower the bits: 8 bits usually cost nothing.")
    if student is None and distillation.is_offered(session):
        return _("Move the temperature: a teacher has trained much smaller networks.")
    return _("Set a goal: how small must the file be, and how accurate?")


def _is_large(session: Session, value: float) -> bool:
    metric = session.model.task.metric
    return metric.share and session.origin_model.metric_value("validation") - value > TOO_MUCH
