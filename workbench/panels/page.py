"""The dashboard widget: a view of one session.

The page sends the trait `values` (the values of all controls and a sequence number; at most one
such message is in flight and the newest replaces a waiting one), and custom messages whose `act`
is a key of `ACTIONS`. It receives custom messages with a `kind`:

page
    Labels, controls, models, presets and tabs; sent once, and again when the model changes.
state
    Results, flags and error message; sent first after every change.
chart, tab
    The main figure and the content of the open tab; sent after the state they belong to, once the
    accuracy is known. The tab is sent again when its analysis has finished.
upload
    The state of an upload, see `panels.uploading`.
progress, file, plotly, banner, test_result
    Progress of a long operation, bytes to save, the plotly.js script, a message for the banner,
    the result on the test split.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import anywidget
import traitlets

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.i18n import _
from workbench.panels import controls, sources, training, uploading
from workbench.panels.actions import ACTIONS, VIEW_ACTIONS
from workbench.panels.analysis_runner import AnalysisRunner
from workbench.panels.error_boundary import error_boundary
from workbench.panels.tabs import Tab, content, tabs
from workbench.panels.views import card, layer_table
from workbench.panels.views.header import header
from workbench.panels.views.labels import examples_label, page_labels
from workbench.plots import points, tradeoff
from workbench.plots.palette import THEMES
from workbench.recipe import Recipe
from workbench.recipe.presets import PRESETS
from workbench.session import Session
from workbench.session.analyses import AnalysisKey

IMMEDIATE_TABS = frozenset({"training", "teacher", "temperature", "sensitivity"})
"""Tabs whose content does not depend on the report."""


class Dashboard(anywidget.AnyWidget):
    """Show `session` and carry out the actions that the page requests."""

    _esm = sources.script()
    _css = sources.styles()

    values = traitlets.Dict(help="values of the controls, and a sequence number").tag(
        sync=True, echo_update=False
    )

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.theme = "light"
        self.open_tab: str | None = None
        self.banner: str | None = None
        self.cancel = CancelToken()
        self.analysis_runner = AnalysisRunner(self, self._missing_analysis)
        self.uploads = uploading.Uploads(self)
        self._requested: tuple[int, Recipe] = (0, session.recipe)  # newest values from the page
        self._paused = True  # until the page sends hello
        self._sent_seq = 0
        self._controls: Recipe | None = session.recipe  # the recipe that the controls show
        self._shown_model: str | None = None
        self._last_spot: tradeoff.Spot | None = None
        self._started = (session.recipe, time.monotonic())
        self._tickets = itertools.count(1)
        self._last_ticket = 0
        self._send_lock = threading.Lock()
        self.observe(self._on_values, "values")
        self.on_msg(self._on_message)
        self._unsubscribe = session.subscribe(lambda _session: self._on_change())

    def close(self) -> None:
        """Close the session and the widget."""
        self._unsubscribe()
        self.uploads.cancel()
        self.session.close()
        super().close()

    def show_message(self, text: str) -> None:
        """Show `text` in the banner until the next change."""
        self.banner = text
        self.send({"kind": "banner", "text": text})

    def reset_controls(self) -> None:
        """Set the controls of the page back to the recipe of the session."""
        self._controls = None
        self.publish()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Publish nothing inside this context."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def publish(self, *, full: bool = False, tab_opened: bool = False) -> None:
        """Send what has changed: first the results, then the chart and the open tab.

        Any thread may call this. Of two concurrent calls, the messages of the earlier one are
        dropped.

        Parameters
        ----------
        full
            Also send the page description and the values of the controls.
        tab_opened
            Also send the open tab while the results are outdated.
        """
        if self._paused:
            return
        ticket = next(self._tickets)
        session = self.session
        recipe = session.recipe
        requested_seq, requested = self._requested
        seq = requested_seq if recipe == requested else self._sent_seq
        outdated = session.busy and session.report is not None and not self._is_current()
        new_model = session.model.name != self._shown_model
        with_values = full or recipe != self._controls
        messages = [self._page()] if full or new_model else []
        messages.append(self._state(seq, outdated=outdated, with_values=with_values))
        if not self._send_all(ticket, messages):
            return
        self._sent_seq = seq
        self._controls = recipe
        only_size = session.busy and session.report is not None and session.report.score is None
        if full or not (outdated or only_size):  # text is sent before the chart is computed
            if new_model:
                self._last_spot = None
            self._shown_model = session.model.name
            self._send_all(ticket, [self._chart(seq), *self._open_tab(seq)])
        elif tab_opened or self.open_tab in IMMEDIATE_TABS:
            self._send_all(ticket, self._open_tab(seq))
        self.analysis_runner.update()

    def _tabs(self) -> list[Tab]:
        return tabs(self.session.model.task)

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
        with error_boundary(self.show_message):
            message = change["new"]
            shown = controls.recipe(message["values"])
            recipe = controls.with_default_scope(shown, self.session.recipe)
            self.banner = None
            self._requested = (int(message["seq"]), recipe)
            self._controls = shown
            if recipe == self.session.recipe:
                self.publish()
            else:
                self.session.set(recipe)

    def _on_message(self, _widget: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        with error_boundary(self.show_message):
            name = content.get("act", "")
            if name in ACTIONS:
                if name not in VIEW_ACTIONS:
                    self.banner = None
                ACTIONS[name](self, {**content, "buffers": buffers})

    def _on_change(self) -> None:
        with error_boundary(self.show_message):
            if self._started[0] != self.session.recipe:
                self._started = (self.session.recipe, time.monotonic())
            self.publish()

    def _page(self) -> dict[str, Any]:
        return {
            "kind": "page",
            "labels": page_labels(self.session.model.task.metric),
            "header": header(self.session),
            "parts": controls.describe(),
            "layers": list(self.session.layers),
            "layer_table": layer_table.rows(self.session.model),
            "training": training.section(self.session),
            "upload": uploading.describe(),
            "presets": [{"key": p.name, "label": p.label, "help": p.help} for p in PRESETS],
            "tabs": [
                {"key": tab.key, "label": _(tab.label_id), "parent": tab.parent}
                for tab in self._tabs()
            ],
        }

    def _is_current(self) -> bool:
        report = self.session.report
        return report is not None and self.session.recipe in (report.recipe, report.preview_of)

    def _state(self, seq: int, *, outdated: bool, with_values: bool) -> dict[str, Any]:
        session = self.session
        state = {
            "kind": "state",
            "seq": seq,
            "outdated": outdated,
            "numbers": card.numbers(
                session.report,
                points.original(session.model),
                baseline=session.baseline,
                parameters=session.model.card["parameters"],
                untouched=session.recipe == Recipe(),
                stale=session.stale,
                metric=session.model.task.metric,
                input_type=session.model.task.input_type,
            ),
            "busy": session.busy,
            "stale": session.stale,
            "error": session.error or self.banner,
            "note": session.note,
            "progress": self._progress(),
            "undo": session.can_undo,
            "redo": session.can_redo,
            "query": session.query(),
            "budget": session.budget,
            "floor": session.floor,
            "model": session.model.name,
            "layer_table": layer_table.live(session),
        }
        if with_values:
            state["values"] = controls.values(session.recipe)
        return state

    def _progress(self) -> dict[str, Any] | None:
        if not self.session.busy:
            return None
        training_run = self.session.training
        if training_run is not None and training_run.step < training_run.steps:
            text = _("Training, step {step} of {steps}, about {seconds} s left").format(
                step=formatting.count(training_run.step),
                steps=formatting.count(training_run.steps),
                seconds=max(1, round(training_run.seconds_left)),
            )
            return {"fraction": training_run.step / training_run.steps, "text": text}
        if self.session.calibration_progress is not None:
            text = _("Collecting calibration statistics on {examples}").format(
                examples=examples_label(self.session.model.task.input_type)
            )
            return {"fraction": self.session.calibration_progress, "text": text}
        report = self.session.report
        score = report.score if report is not None else None
        if score is None or report is None or report.recipe != self.session.recipe:
            return {"fraction": None, "text": _("Creating and measuring the file")}
        fraction = score.examples / score.total
        remaining = (time.monotonic() - self._started[1]) * (1 - fraction) / fraction
        text = _("Measuring on all examples, about {seconds} s left")
        return {"fraction": fraction, "text": text.format(seconds=max(1, round(remaining)))}

    def _chart(self, seq: int) -> dict[str, Any]:
        session = self.session
        report = session.report
        original = points.original(session.model)
        self._last_spot = points.current(report) or self._last_spot
        figure = tradeoff.draw(
            original,
            points.visited(session.visited),
            self._last_spot or (original if session.recipe == Recipe() else None),
            THEMES[self.theme],
            size=report.size.bytes if report is not None else None,
            budget=session.budget,
            floor=session.floor,
            metric=session.model.task.metric,
        )
        return {"kind": "chart", "seq": seq, "figure": figure}

    def _open_tab(self, seq: int) -> list[dict[str, Any]]:
        return [
            {
                "kind": "tab",
                "seq": seq,
                "key": tab.key,
                **content(tab, self.session, THEMES[self.theme]),
            }
            for tab in self._tabs()
            if tab.key == self.open_tab
        ]
