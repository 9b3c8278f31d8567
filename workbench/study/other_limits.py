"""What the recipes that a search has measured recommend under other limits than its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.cache.results import ResultCache
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.study.candidates import space_of
from workbench.study.choices import choices_of, ranked
from workbench.study.goal import Goal
from workbench.study.guessing import guessing_sentence
from workbench.study.known import known_trials
from workbench.study.other_networks import other_network
from workbench.study.reasons import all_reasons
from workbench.study.recommendation import Recommendation


def under(
    searched: Recommendation,
    max_bytes: int | None,
    min_accuracy: float | None,
    max_energy_mj: float | None = None,
    *,
    known: Sequence[Recipe] = (),
    store: ResultCache | None = None,
) -> Recommendation:
    """Return what is best under other limits of what was measured; nothing is measured again.

    A search under these limits may find better recipes: those that the earlier limits excluded
    were not measured.

    Parameters
    ----------
    searched
        The result of the search.
    max_bytes, min_accuracy, max_energy_mj
        The limits.
    known
        Further recipes that may have been measured.
    store
        The cache that knows their results; by default the user's.

    Raises
    ------
    InputError
        If a limit is not possible for the model.
    """
    goal = Goal.of(searched.model, max_bytes, min_accuracy, None, max_energy_mj)
    further = known_trials(searched.model, known, space_of(searched.model), store)
    trials, count = (*further, *searched.result.trials), searched.result.known + len(further)
    searched = replace(searched, result=replace(searched.result, trials=trials, known=count))
    choices = choices_of(
        searched.model, goal, ranked(goal, searched.result.trials, searched.costs), searched.costs
    )
    draft = replace(searched, goal=goal, choices=choices, reasons=(), other=None)
    violations = draft.violations if choices else ()
    first, *others = all_reasons(
        choices, goal, searched.result, violations, searched.seconds, ended=False, complete=False
    )
    other = other_network(searched.model, goal, choices[0] if choices else None)
    reasons = [
        first,
        guessing_sentence(searched.model, choices[0]) if choices else None,
        *others,
        _("The energy is not known: search under the limit.")
        if max_energy_mj is not None and choices and draft.energy is None
        else None,
        None if other is None else other.sentence(goal),
    ]
    return replace(draft, reasons=tuple(filter(None, reasons)), other=other)
