"""What the page shows: greeting a new one, its theme, the open tab and what is looked at there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.panels import drawing
from workbench.panels.actions.registry import action
from workbench.panels.comparing.looks import update_focus as look_at
from workbench.panels.error_boundary import error_boundary
from workbench.plots.palette import THEMES

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def hello(view: Dashboard, asked: dict[str, Any]) -> None:
    """Greet a page that has just been built: open its link, and send it everything."""
    _wear(view, asked)
    search = str(asked.get("search", ""))
    with view.quiet():
        if search.strip("?"):
            with error_boundary(lambda sentence: view.tell(_bad_link(sentence))):
                view.session.restore(search)
    view.publish(whole=True)


@action
def theme(view: Dashboard, asked: dict[str, Any]) -> None:
    """Draw for the light or the dark theme."""
    _wear(view, asked)
    view.publish()


@action
def tab(view: Dashboard, asked: dict[str, Any]) -> None:
    """Keep this tab up to date from now on, and no other."""
    view.open_tab = asked.get("key")
    with view.quiet():
        look_at(view.session, "columns", asked.get("columns"))
    view.publish(opened=True)


@action
def look(view: Dashboard, asked: dict[str, Any]) -> None:
    """Look at something else in the open tab."""
    look_at(view.session, str(asked.get("key")), asked.get("value"))


@action
def plotly(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the drawing library to a page whose server does not serve it."""
    view.send({"kind": "drawing"}, buffers=[drawing.compressed_script()])


def _wear(view: Dashboard, asked: dict[str, Any]) -> None:
    if asked.get("theme") in THEMES:
        view.theme = asked["theme"]


def _bad_link(sentence: str) -> str:
    return _("This link does not work, so here is the untouched model. {why}").format(
        reason=sentence
    )
