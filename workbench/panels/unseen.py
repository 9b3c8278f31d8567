"""What a step of the history changed, for pages that do not show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from workbench import formatting
from workbench.domain.metric import Metric
from workbench.i18n import _
from workbench.panels.pages import Page
from workbench.panels.views import results
from workbench.session import Session
from workbench.session.records import Goal


@dataclass(frozen=True)
class Shown:
    """The recipe of a session, as text, and its goal."""

    recipe: str
    goal: Goal
    metric: Metric

    @classmethod
    def of(cls, session: Session) -> Self:
        """Return those of a session."""
        recipe = results.summary(session.model.name, session.recipe, session.origin)
        return cls(recipe, session.goal, session.model.task.metric)

    def unseen(self, before: Shown, page: Page) -> str:
        """Return what is different from before and not on a page; empty if there is nothing."""
        changes = []
        if self.recipe != before.recipe and not page.recipe:
            changes.append(_("The recipe on Compress is now: {recipe}.").format(recipe=self.recipe))
        if self.goal != before.goal and not page.goal:
            changes.append(_("The goal on Compress is now: {goal}.").format(goal=self._goal()))
        return formatting.paragraph(changes)

    def _goal(self) -> str:
        limits = []
        if self.goal.budget is not None:
            limits.append(f"\u2264 {formatting.nbytes(self.goal.budget)}")
        if self.goal.floor is not None:
            sign = "\u2265" if self.metric.higher_is_better else "\u2264"
            limits.append(f"{sign} {self.metric.format(self.goal.floor)}")
        return ", ".join(limits) or _("none")
