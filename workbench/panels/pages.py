"""The pages of the app, and what each widget shows of them.

A new page is a row in `PAGES`, its tabs in `panels.tabs`, and a JavaScript class in `js/app.js`.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.i18n import mark as N_


@dataclass(frozen=True)
class Page:
    """A page of the app.

    Attributes
    ----------
    chart
        Whether it shows accuracy against size.
    model
        Whether the header selects a model there.
    recipe, goal
        Whether it shows a change of the recipe or of the goal. The header has undo where it shows
        one of them; the keyboard undoes everywhere, and the page then says what has changed.
    """

    key: str
    label_id: str
    chart: bool = False
    model: bool = True
    recipe: bool = True
    goal: bool = False


PAGES = (
    Page("compress", N_("Compress"), chart=True, goal=True),
    Page("train", N_("Train")),
    Page("choose", N_("Choose"), recipe=False, goal=True),
    Page("deploy", N_("Deploy")),
    Page("parallel", N_("Parallel"), recipe=False),
    Page("plan", N_("Plan"), model=False, recipe=False),
)


@dataclass(frozen=True)
class Panel:
    """What a widget shows.

    Attributes
    ----------
    part
        The key of the JavaScript class that displays it, see `js/main.js`.
    pages
        The keys of the pages between which the user can switch; the first opens initially.
    chart
        Whether the widget shows accuracy against size, on whatever page is open.
    fields
        The keys of the controls to show; empty for all.
    tab
        The key of the only tab, or None for the tabs of the pages.
    """

    part: str
    pages: tuple[str, ...] = ()
    chart: bool = False
    fields: tuple[str, ...] = ()
    tab: str | None = None

    def shows_chart(self, page: str | None) -> bool:
        """Return whether the chart is visible while `page` is open."""
        return self.chart or any(known.chart for known in PAGES if known.key == page)


APP = Panel("app", pages=tuple(page.key for page in PAGES))
