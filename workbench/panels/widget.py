"""The widget: a display of one session, or of a part of it.

The page sends the trait `values` (the values of all controls and a sequence number; at most one
such message is in flight and the newest replaces a waiting one), and custom messages whose `act`
is a key of `ACTIONS`. Both repeat the last values of gestures that may not have arrived: the trait
under `earlier`, actions under `waiting`. It receives custom messages with a `kind`:

page
    Labels, controls, models, presets and tabs; sent once, and again when the model changes.
layers
    The rows of the layer table; sent when a student takes the place of the model.
state
    Results, flags and error message; sent first after every change.
chart, tab
    The main figure and the content of the open tab; sent after the state they belong to, once the
    accuracy is known and the control rests, and only while they are visible. The tab is sent again
    when its analysis has finished.
upload, learned
    The state of an upload, see `panels.uploads`; the figures of a model of the user's data.
progress, file, saved, plotly, banner
    Progress of a long operation, bytes to save, what to do with the saved file, the plotly.js
    script, a message for the banner.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import anywidget
import traitlets

from workbench.errors import InputError
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.panels import controls, distillation, page, sources
from workbench.panels.actions import ACTIONS, SELECTING_ACTIONS, VIEW_ACTIONS
from workbench.panels.actions.deploying import show_earlier_deployment
from workbench.panels.analysis_runner import AnalysisRunner
from workbench.panels.error_boundary import error_boundary
from workbench.panels.file_name import file_stem
from workbench.panels.jobs import jobs_of
from workbench.panels.page_values import PageValues, Selected
from workbench.panels.pages import APP, Panel
from workbench.panels.picture import Picture
from workbench.panels.remaining_time import RemainingTime
from workbench.panels.tabs import Tab, tabs
from workbench.panels.uploads.uploads import Uploads
from workbench.panels.views import results
from workbench.plots.palette import THEMES
from workbench.recipe import Recipe
from workbench.session import Session
from workbench.session.analyses import AnalysisKey
from workbench.session.checks import resolve_model

IMMEDIATE_TABS = frozenset(
    {
        *("training", "teacher", "temperature", "sensitivity", "choose"),
        *("deploy_speed", "deploy_roofline"),
        *("parallel_weights", "parallel_timeline", "parallel_bytes"),
        *("plan_memory", "plan_chips", "plan_rows", "plan_compared"),
    }
)
"""Tabs whose content does not depend on the report."""

_gestures = itertools.count(1)  # of all widgets, because some share a session


class SessionWidget(anywidget.AnyWidget):
    """Show a panel of `session`, and carry out the actions that the page requests.

    The traits `recipe` and `report` follow the session; setting `recipe` selects a recipe. Their
    observers are called from the thread that made the change.

    Parameters
    ----------
    panel
        What to show.
    owns_session
        Whether closing the widget closes the session.
    """

    _esm = sources.script()
    _css = sources.styles()

    part = traitlets.Unicode(help="which part of the page is displayed").tag(sync=True)
    values = traitlets.Dict(help="values of the controls, and a sequence number").tag(
        sync=True, echo_update=False
    )
    recipe = traitlets.Instance(Recipe, help="the selected recipe")
    report = traitlets.Instance(Report, allow_none=True, help="the newest report")

    def __init__(self, session: Session, panel: Panel = APP, *, owns_session: bool = False) -> None:
        self.session = session
        super().__init__(part=panel.part, recipe=session.recipe, report=session.report)
        self.panel = panel
        self.theme = "light"
        self.open_page: str | None = next(iter(panel.pages), None)
        self.open_tab: str | None = None
        self.banner: str | None = None
        self.note: str | None = None
        self.jobs = jobs_of(session)
        self.analysis_runner = AnalysisRunner(self, self._missing_analysis)
        self.uploads = Uploads(self)
        self.page_values = PageValues(self._selected)
        self.picture = Picture(session)
        self._last_gesture = (0, 0)  # its numbers on the page and in the session
        self._displays = 0  # in the browser
        self._paused = False
        self._controls: Selected | None = self._selected  # what the controls show
        self._shown_origin: str | None = None
        self._shown_model: str | None = None
        self._remaining = RemainingTime()
        self._tickets = itertools.count(1)
        self._last_ticket = 0
        self._send_lock = threading.Lock()
        self._owns_session = owns_session
        self._received = session.recipe  # the newest recipe that came from the session
        self._trait_lock = threading.RLock()
        self.observe(self._on_values, "values")
        self.observe(self._on_recipe, "recipe")
        self.on_msg(self._on_message)
        self._unsubscribe = session.subscribe(lambda _session: self._on_change())

    def close(self) -> None:
        """Close the widget, and the session if it belongs to the widget."""
        if "_unsubscribe" in vars(self):  # else it was never complete: its arguments were wrong
            self._unsubscribe()
            self.uploads.discard()
            if self._owns_session:
                self.session.close()
        super().close()

    def show_message(self, text: str) -> None:
        """Show `text` in the banner until the next change."""
        self.banner = text
        self.send({"kind": "banner", "text": text})

    def show_note(self, text: str) -> None:
        """Say in the banner, until the next change, what changed outside of the open page."""
        self.note = text
        self.publish()

    def _clear_banner(self) -> None:
        self.banner = self.note = None

    def reset_controls(self) -> None:
        """Set the controls of the page back to the recipe of the session."""
        self._controls = None
        self.publish()

    def add_display(self, change: int) -> None:
        """Count the displays of this widget in the browser; without one, nothing is sent."""
        self._displays = max(0, self._displays + change)

    def turn_to(self, page_key: str) -> None:
        """Open a page; only the open page is kept up to date.

        Raises
        ------
        InputError
            If the widget has no such page.
        """
        if page_key not in self.panel.pages:
            text = _("There is no page {name}; change page to one of: {pages}.").format(
                name=repr(page_key), pages=", ".join(self.panel.pages)
            )
            raise InputError(text, code="name.unknown_page")
        self.open_page, self.open_tab, self.note = page_key, None, None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Publish nothing inside this context."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def publish(self, *, full: bool = False, chart: bool = False, tab: bool = False) -> None:
        """Send what has changed: first the results, then the chart and the open tab.

        Any thread may call this. Of two concurrent calls, the messages of the earlier one are
        dropped.

        Parameters
        ----------
        full
            Also send the page description and the values of the controls.
        chart, tab
            Also send the chart or the open tab while the results are outdated.
        """
        if self._paused or not self._displays:
            return
        ticket = next(self._tickets)
        session = self.session
        selected, report = self._selected, session.report
        seq, outdated = self._seq_of(report)
        if full and outdated:  # a page that is built shows nothing yet that could stay
            report, outdated = None, False
        origin = session.origin  # it may change in another thread meanwhile
        with_page = full or origin != self._shown_origin
        messages = [self._page()] if with_page else []
        messages.append(
            page.state(
                session,
                seq=seq,
                report=report,
                plane=None if outdated else self.picture.live(report),
                outdated=outdated,
                with_values=with_page or selected != self._controls,
                message=self.banner,
                note=self.note,
                missing=self.uploads.missing,
                remaining=self._remaining,
            )
        )
        if full and self.panel.shows_chart(self.open_page):
            messages.append(self._chart(seq))
        if not self._send_all(ticket, messages):
            if with_page:  # the newer messages may lack it
                self.publish(full=full, chart=chart, tab=tab)
            return
        if not outdated:
            self.page_values.show(seq)
        self._controls = selected
        self._shown_origin = origin
        only_size = session.busy and report is not None and report.score is None
        complete = not (outdated or only_size or session.moving)
        estimate = session.busy and report is not None and not report.exact
        later = self._after_text(
            seq,
            layers=not with_page and selected[0] != self._shown_model,
            # the page moves the point of an estimate itself; drawing takes the cores that measure
            chart=(chart or (complete and not estimate)) and not full,
            tab=complete or full or tab,
        )
        if self._send_all(ticket, later):
            self._shown_model = selected[0]
        self._start_work()

    def _start_work(self) -> None:
        """Start to compute what the open page and its tab need."""
        if self.open_page == "deploy" and self.session.has_earlier_deployment():
            show_earlier_deployment(self)
        if self.session.postponed and self.open_tab is not None:
            self.session.measure_again()
        if not self.session.moving:
            self.analysis_runner.update()

    def _after_text(
        self, seq: int, *, layers: bool, chart: bool, tab: bool
    ) -> list[dict[str, Any]]:
        """Return what takes time to compute or to show, and is sent after the text."""
        messages = [page.layers(self.session)] if layers else []
        if chart and self.panel.shows_chart(self.open_page):
            messages.append(self._chart(seq))
        if tab or self.open_tab in IMMEDIATE_TABS:
            messages += self._open_tab(seq)
        return messages

    def _tabs(self) -> list[Tab]:
        return tabs(self.session.model.task, self.panel)

    def _missing_analysis(self) -> AnalysisKey | None:
        keys = (tab.missing(self.session) for tab in self._tabs() if tab.key == self.open_tab)
        return next(keys, None)

    def _send_all(self, ticket: int, messages: Sequence[dict[str, Any]]) -> bool:
        with self._send_lock:
            if ticket < self._last_ticket:
                return False
            self._last_ticket = ticket
            for message in messages:
                self.send(message)
            return True

    def _on_values(self, change: dict[str, Any]) -> None:
        message = change["new"]
        for values in (*message.get("earlier", ()), message):
            self._receive(values)

    def _receive(self, message: dict[str, Any]) -> None:
        """Select what the controls show, unless these values have arrived before."""
        with error_boundary(self.show_message):
            if not self.page_values.receive(int(message["seq"])):
                return
            recipe_values, student = distillation.split(message["values"], self.session.student)
            shown = controls.recipe(recipe_values)
            recipe = controls.with_default_scope(shown, self.session.recipe)
            model = self.session.origin if student is None else student.name
            self.page_values.select((model, recipe))
            self._clear_banner()
            self._controls = (model, shown)
            gesture = self._gesture(message.get("gesture"))
            moving = bool(message.get("moving")) and not self.page_values.resting
            if (model, recipe) == self._selected:
                self.publish()
            elif model == self.session.model.name:
                self.session.set(recipe, gesture=gesture, moving=moving)
            else:
                self.session.distill(student, recipe, gesture=gesture, moving=moving)

    def _gesture(self, number: int | None) -> int | None:
        """Return the number in the session of a gesture of this page."""
        if number is None:
            return None
        if number != self._last_gesture[0]:
            self._last_gesture = number, next(_gestures)
        return self._last_gesture[1]

    def _on_message(self, _widget: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        for values in content.get("waiting", ()):
            self._receive(values)
        with error_boundary(self.show_message):
            name = content.get("act", "")
            if name in ACTIONS:
                if name not in VIEW_ACTIONS:
                    self._clear_banner()
                if name in SELECTING_ACTIONS:
                    self.page_values.drop(int(content.get("seq", 0)))
                ACTIONS[name](self, {**content, "buffers": buffers})

    @traitlets.validate("recipe")
    def _check_recipe(self, proposal: dict[str, Any]) -> Recipe:
        recipe: Recipe = proposal["value"]
        if recipe != self.session.recipe:
            resolve_model(self.session.model.name, recipe)  # raises before anything changes
        return recipe

    def _on_recipe(self, change: dict[str, Any]) -> None:
        if change["new"] is not self._received:
            self.session.set(change["new"])

    def _on_change(self) -> None:
        with error_boundary(self.show_message):
            self.publish()
            self._update_traits()

    def _update_traits(self) -> None:
        with self._trait_lock:
            self._received = self.session.recipe
            self.recipe, self.report = self._received, self.session.report

    @property
    def _selected(self) -> Selected:
        return self.session.model.name, self.session.recipe

    def _page(self) -> dict[str, Any]:
        return page.description(self.session, self.panel, self.open_page, self.uploads)

    def _seq_of(self, report: Report | None) -> tuple[int, bool]:
        """Return the number of the values of `report`, and whether newer results are shown."""
        seq = self.page_values.current(self._selected)
        if not self.session.busy or report is None:
            return seq, False
        if self.session.recipe in (report.recipe, report.preview_of):
            return seq, False
        return self.page_values.of_earlier((report.model, report.recipe))

    def _chart(self, seq: int) -> dict[str, Any]:
        return {
            "kind": "chart",
            "seq": seq,
            "name": file_stem(*self._selected),
            "figure": self.picture.figure(THEMES[self.theme]),
            "frame": self.picture.frame(),
            "table": results.chart_table(self.session),
        }

    def _open_tab(self, seq: int) -> list[dict[str, Any]]:
        palette = THEMES[self.theme]
        return [
            {
                "kind": "tab",
                "seq": seq,
                "key": tab.key,
                "name": f"{file_stem(*self._selected)}-{tab.key}",
                **tab.content(self.session, palette),
            }
            for tab in self._tabs()
            if tab.key == self.open_tab
        ]
