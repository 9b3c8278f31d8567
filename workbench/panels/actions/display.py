"""Actions on what the page displays: initial state, theme, open page and tab, and its controls."""

from __future__ import annotations

from typing import Any

from workbench.errors import WorkbenchError
from workbench.i18n import LANGUAGES, _, choose_language, suggest_languages
from workbench.panels import plotly_script
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.address_values import ignored
from workbench.panels.comparison.focus import update_focus
from workbench.panels.error_boundary import error_boundary
from workbench.panels.uploads.missing import missing_model
from workbench.plots.palette import THEMES


@action
def hello(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Restore the state in the link of a new page, and send the page everything."""
    _set_theme(dashboard, message)
    dashboard.add_display(1)
    search, shown = str(message.get("search", "")), message.get("view")
    shown = shown if isinstance(shown, dict) else {}
    if isinstance(languages := message.get("languages"), list):
        suggest_languages(map(str, languages))
    if (lang := str(shown.get("lang"))) in LANGUAGES:
        choose_language(lang)
    problems = ignored(shown)
    with dashboard.paused():
        if message.get("page"):
            with error_boundary(problems.append):
                dashboard.turn_to(str(message["page"]))
        if search.strip("?"):
            with error_boundary(lambda reason: problems.append(_invalid_link(reason))):
                _restore(dashboard, search, message.get("file"))
    if problems:
        dashboard.show_message("\n".join(problems))
    dashboard.publish(full=True)


@action
def bye(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Stop sending to a display that was removed."""
    dashboard.add_display(-1)


@action
def close_message(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Hide the banner in all displays; it stays hidden when another page opens."""
    dashboard.show_message("")


@action
def warm_up(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Load in the background what measuring needs: the user is about to change something."""
    dashboard.session.warm_up()


@action
def theme(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Switch between the light and the dark theme."""
    _set_theme(dashboard, message)
    dashboard.publish()


@action
def page(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Open a page; only the open page is kept up to date."""
    dashboard.turn_to(str(message.get("key")))
    dashboard.publish(chart=True)


@action
def tab(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Open a tab; only the open tab is kept up to date."""
    dashboard.open_tab = message.get("key")
    with dashboard.paused():
        update_focus(dashboard.session, "columns", message.get("columns"))
    dashboard.publish(tab=True)


@action
def focus(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Apply a control of the open tab."""
    update_focus(dashboard.session, str(message.get("key")), message.get("value"))


@action
def plotly(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send plotly.js to a page whose server does not provide it."""
    dashboard.send({"kind": "plotly"}, buffers=[plotly_script.compressed_script()])


def _set_theme(dashboard: Dashboard, message: dict[str, Any]) -> None:
    if message.get("theme") in THEMES:
        dashboard.theme = message["theme"]


def _restore(dashboard: Dashboard, search: str, file: object) -> None:
    """Open the state of a link, or ask for the file of its model."""
    try:
        dashboard.session.restore(search)
    except WorkbenchError as error:
        dashboard.uploads.missing = missing_model(search, file, error)
        if dashboard.uploads.missing is None:
            raise


def _invalid_link(reason: str) -> str:
    return _("This link is not valid, so no recipe is selected. {reason}").format(reason=reason)
