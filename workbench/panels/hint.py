"""One sentence that says what to try next."""

from __future__ import annotations

from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.panels import distillation
from workbench.panels.goal import is_good_enough, is_small_enough
from workbench.recipe import Recipe
from workbench.session import Session

TOO_MUCH = 0.05
"""The loss of a fraction, such as accuracy, from which the hint is to compress less."""


def hint(session: Session) -> str:
    """Return the sentence for the current state: that of the first condition that holds."""
    if session.lost_training is not None:
        return _(
            "The training belongs to the settings before this change: undo brings it back, or "
            "train again with these."
        )
    recipe, report = session.recipe, session.report
    measured = report if report is not None and report.recipe == recipe else None
    return _about_result(session, measured) or _about_recipe(session, recipe)


def _about_result(session: Session, report: Report | None) -> str:
    """Return a sentence about the goal or a large loss; empty if there is nothing to say."""
    if report is None or report.score is None:
        return ""
    if session.budget is not None or session.floor is not None:
        return _about_goal(session, report.size.bytes, report.score.value)
    if _is_large(session, report.score.value):
        if report.recipe.train is not None:
            return _("That was too much: move back a little.")
        return _("That was too much: move back a little, or fine-tune on the Train page.")
    return ""


def _about_goal(session: Session, size: int, value: float) -> str:
    """Return whether a file meets the goal, else what is missing and what helps."""
    small = is_small_enough(session, size)
    good = is_good_enough(session, value)
    if small and good:
        return _("This file meets the goal: download it, or try a smaller one.")
    if good:
        problem = _too_large(session)
        if _can_distill(session):
            advice = _("prune more, lower the bits, or move the temperature")
        else:
            advice = _("prune more, or lower the bits")
    elif not _original_is_good_enough(session):
        problem = _("Not even the original model is accurate enough")
        advice = _other_network(session)
    elif not small:
        problem, advice = _("Too large, and not accurate enough"), _smaller_and_better(session)
    elif _is_compressed(session.recipe):
        problem, advice = _not_accurate(session), _("prune less, or use more bits")
    else:
        problem, advice = _not_accurate(session), _other_network(session)
    return _("{problem}: {advice}.").format(problem=problem, advice=advice)


def _too_large(session: Session) -> str:
    if session.floor is None:
        return _("Too large")
    return _("Accurate enough, but too large")


def _not_accurate(session: Session) -> str:
    if session.budget is None:
        return _("Not accurate enough")
    return _("Small enough, but not accurate enough")


def _original_is_good_enough(session: Session) -> bool:
    return is_good_enough(session, session.origin_model.metric_value("validation"))


def _smaller_and_better(session: Session) -> str:
    """Return advice for a smaller, more accurate file; fine-tuning alone makes none smaller."""
    if session.student is not None:
        return _("prune more and then fine-tune on the Train page, or choose another student")
    if _can_distill(session):
        return _("prune more and then fine-tune on the Train page, or move the temperature")
    return _("prune more and then fine-tune on the Train page, or choose another model")


def _other_network(session: Session) -> str:
    """Return advice for a more accurate file: another student for a student, else another model."""
    if session.student is not None:
        return _("fine-tune on the Train page, or choose another student")
    return _("fine-tune on the Train page, or choose another model")


def _about_recipe(session: Session, recipe: Recipe) -> str:
    if recipe.prune is None or recipe.prune.sparsity == 0:
        if session.student is not None:
            return _("This student can be compressed too: drag sparsity.")
        return _("Drag sparsity until the accuracy falls.")
    if recipe.quantize is None or recipe.quantize.bits == 32:
        return _("Now lower the bits: 8 bits usually cost nothing.")
    if _can_distill(session):
        return _("Move the temperature: a teacher has trained much smaller networks.")
    if session.budget is None and session.floor is None:
        return _("Set a goal: how small must the file be, and how accurate?")
    return _("Open “what changed” to see which predictions differ.")


def _can_distill(session: Session) -> bool:
    """Whether the temperature is off and can be moved."""
    return session.student is None and distillation.is_offered(session)


def _is_compressed(recipe: Recipe) -> bool:
    return recipe.untrained != Recipe()


def _is_large(session: Session, value: float) -> bool:
    metric = session.model.task.metric
    return metric.is_fraction and session.origin_model.metric_value("validation") - value > TOO_MUCH
