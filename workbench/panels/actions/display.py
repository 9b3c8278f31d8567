"""Actions on what the page displays: initial state, theme, open tab and its controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.panels import plotly_script
from workbench.panels.actions.registry import action
from workbench.panels.comparison.focus import update_focus
from workbench.panels.error_boundary import error_boundary
from workbench.plots.palette import THEMES

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def hello(view: Dashboard, message: dict[str, Any]) -> None:
    """Restore the state in the link of a new page, and send the page everything."""
    _set_theme(view, message)
    search = str(message.get("search", ""))
    with view.paused():
        if search.strip("?"):
            with error_boundary(lambda reason: view.show_message(_invalid_link(reason))):
                view.session.restore(search)
    view.publish(full=True)


@action
def theme(view: Dashboard, message: dict[str, Any]) -> None:
    """Switch between the light and the dark theme."""
    _set_theme(view, message)
    view.publish()


@action
def tab(view: Dashboard, message: dict[str, Any]) -> None:
    """Open a tab; only the open tab is kept up to date."""
    view.open_tab = message.get("key")
    with view.paused():
        update_focus(view.session, "columns", message.get("columns"))
    view.publish(tab_opened=True)


@action
def focus(view: Dashboard, message: dict[str, Any]) -> None:
    """Apply a control of the open tab."""
    update_focus(view.session, str(message.get("key")), message.get("value"))


@action
def plotly(view: Dashboard, message: dict[str, Any]) -> None:
    """Send plotly.js to a page whose server does not provide it."""
    view.send({"kind": "plotly"}, buffers=[plotly_script.compressed_script()])


def _set_theme(view: Dashboard, message: dict[str, Any]) -> None:
    if message.get("theme") in THEMES:
        view.theme = message["theme"]


def _invalid_link(reason: str) -> str:
    return _("This link is not valid, so no recipe is selected. {reason}").format(reason=reason)
