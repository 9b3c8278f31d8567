"""What the recipes that a search has measured recommend under other limits than its own."""

from __future__ import annotations

from dataclasses import replace

from workbench.i18n import _
from workbench.study.choices import choices_of, ranked
from workbench.study.goal import Goal
from workbench.study.guessing import guessing_sentence
from workbench.study.other_networks import other_network
from workbench.study.reasons import all_reasons
from workbench.study.recommendation import Recommendation


def under(
    found: Recommendation,
    max_bytes: int | None,
    min_accuracy: float | None,
    max_energy_mj: float | None = None,
) -> Recommendation:
    """Return what is best under other limits of what was measured; nothing is measured again.

    A search under these limits may find better recipes: those that the earlier limits excluded
    were not measured.

    Raises
    ------
    InputError
        If a limit is not possible for the model.
    """
    goal = Goal.of(found.model, max_bytes, min_accuracy, None, max_energy_mj)
    choices = choices_of(
        found.model, goal, ranked(goal, found.result.trials, found.costs), found.costs
    )
    draft = replace(found, goal=goal, choices=choices, reasons=(), other=None)
    violations = draft.violations if choices else ()
    first, *others = all_reasons(
        choices, goal, found.result, violations, found.seconds, ended=False, complete=False
    )
    other = other_network(found.model, goal, choices[0] if choices else None)
    reasons = [
        first,
        guessing_sentence(found.model, choices[0]) if choices else None,
        *others,
        _("The energy is not known: search under the limit.")
        if max_energy_mj is not None and choices and draft.energy is None
        else None,
        None if other is None else other.sentence(goal),
    ]
    return replace(draft, reasons=tuple(filter(None, reasons)), other=other)
