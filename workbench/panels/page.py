"""The page as one widget: a view of a session that holds no state of its own.

What the page sends: the trait `values` (what the controls say, with a sequence number; at most one
such message is under way and the newest wins), and custom messages, each a name of `ACTIONS`.
What it gets, as custom messages with a `kind`:

page
    the words, controls, models, presets and tabs: once, and again for another model
state
    the numbers, flags and banner: after every change, first
picture, tab
    the main figure and the content of the open tab: after the state they belong to, once there
    is an accuracy to show; the tab again when what it needs has been found out
upload
    how far a file of the person's own has come, as `panels.uploading` says
task, file, drawing, tell
    progress of a download, bytes to save or to run, a sentence for the banner
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
from workbench.i18n import _
from workbench.panels import bank, card, controls, points, sources, training, uploading
from workbench.panels.actions import ACTIONS, VIEW_ACTIONS
from workbench.panels.error_boundary import error_boundary
from workbench.panels.following import AnalysisRunner
from workbench.panels.header import header
from workbench.panels.labels import examples_label, page_labels
from workbench.panels.tabs import Tab, content, tabs
from workbench.plots import tradeoff
from workbench.plots.palette import THEMES
from workbench.recipe import Recipe
from workbench.recipe.presets import PRESETS
from workbench.session import Session
from workbench.session.analyses import AnalysisKey

AT_ONCE = frozenset({"training", "teacher", "temperature", "sensitivity"})
"""Tabs that do not wait for a file to be measured."""


class Dashboard(anywidget.AnyWidget):
    """Shows `session`, and does what the person asks of it."""

    _esm = sources.script()
    _css = sources.styles()

    values = traitlets.Dict(help="what the controls say, and a sequence number").tag(
        sync=True, echo_update=False
    )

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.theme = "light"
        self.open_tab: str | None = None
        self.banner: str | None = None
        self.cancelled = threading.Event()
        self.analysis_runner = AnalysisRunner(self, self._wants)
        self.uploads = uploading.Uploads(self)
        self._asked: tuple[int, Recipe] = (0, session.recipe)
        self._quiet = True  # until the page says hello
        self._answered = 0
        self._controls: Recipe | None = session.recipe  # what the page's controls say
        self._shown_model: str | None = None
        self._last_spot: tradeoff.Spot | None = None
        self._began = (session.recipe, time.monotonic())
        self._tickets = itertools.count(1)
        self._newest_sent = 0
        self._sending = threading.Lock()
        self.observe(self._on_values, "values")
        self.on_msg(self._on_message)
        self._unsubscribe = session.subscribe(lambda _session: self._on_change())

    def close(self) -> None:
        """Let go of the session and of the page."""
        self._unsubscribe()
        self.uploads.cancel()
        self.session.close()
        super().close()

    def tell(self, sentence: str) -> None:
        """Show `sentence` in the banner until the next change."""
        self.banner = sentence
        self.send({"kind": "tell", "text": sentence})

    def correct(self) -> None:
        """Put the page's controls back to what holds."""
        self._controls = None
        self.publish()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Publish nothing meanwhile: what comes after is the first that the page hears."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def publish(self, *, whole: bool = False, opened: bool = False) -> None:
        """Send what has changed: the numbers first, then the picture and the open tab.

        Safe from any thread; of two that race, the older view is dropped. `whole` sends the page
        and the values of its controls too; `opened` sends the open tab whatever else is late.
        """
        if self._quiet:
            return
        ticket = next(self._tickets)
        session = self.session
        recipe = session.recipe
        asked, wanted = self._asked
        seq = asked if recipe == wanted else self._answered
        late = session.busy and session.report is not None and not self._is_current()
        new_model = session.model.name != self._shown_model
        with_values = whole or recipe != self._controls
        first = [self._page()] if whole or new_model else []
        first.append(self._state(seq, late=late, with_values=with_values))
        if not self._send_all(ticket, first):
            return
        self._answered = seq
        self._controls = recipe
        only_size = session.busy and session.report is not None and session.report.score is None
        if whole or not (late or only_size):  # the text is out before the picture is even made
            if new_model:
                self._last_spot = None
            self._shown_model = session.model.name
            self._send_all(ticket, [self._picture(seq), *self._open_tab(seq)])
        elif opened or self.open_tab in AT_ONCE:
            self._send_all(ticket, self._open_tab(seq))
        self.analysis_runner.follow()

    def _tabs(self) -> list[Tab]:
        return tabs(self.session.model.task)

    def _wants(self) -> AnalysisKey | None:
        """Return what the open tab needs to be found out."""
        needs = (tab.wants(self.session) for tab in self._tabs() if tab.key == self.open_tab)
        return next(needs, None)

    def _send_all(self, ticket: int, messages: Sequence[dict[str, Any]]) -> bool:
        with self._sending:
            if ticket < self._newest_sent:
                return False
            self._newest_sent = ticket
            for message in messages:
                self.send(message)
            return True

    def _on_values(self, change: dict[str, Any]) -> None:
        with error_boundary(self.tell):
            sent = change["new"]
            shown = controls.recipe(sent["values"])
            recipe = controls.with_default_scope(shown, self.session.recipe)
            self.banner = None
            self._asked = (int(sent["seq"]), recipe)
            self._controls = shown
            if recipe == self.session.recipe:
                self.publish()
            else:
                self.session.set(recipe)

    def _on_message(self, _widget: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        with error_boundary(self.tell):
            name = content.get("act", "")
            if name in ACTIONS:
                if name not in VIEW_ACTIONS:
                    self.banner = None
                ACTIONS[name](self, {**content, "buffers": buffers})

    def _on_change(self) -> None:
        with error_boundary(self.tell):
            if self._began[0] != self.session.recipe:
                self._began = (self.session.recipe, time.monotonic())
            self.publish()

    def _page(self) -> dict[str, Any]:
        return {
            "kind": "page",
            "words": page_labels(self.session.model.task.metric),
            "header": header(self.session),
            "parts": controls.describe(),
            "layers": list(self.session.layers),
            "bank": bank.rows(self.session.model),
            "training": training.section(self.session),
            "upload": uploading.describe(),
            "presets": [{"key": p.name, "label": p.label, "help": p.help} for p in PRESETS],
            "tabs": [
                {"key": tab.key, "label": _(tab.label_id), "under": tab.under}
                for tab in self._tabs()
            ],
        }

    def _is_current(self) -> bool:
        report = self.session.report
        return report is not None and self.session.recipe in (report.recipe, report.preview_of)

    def _state(self, seq: int, *, late: bool, with_values: bool) -> dict[str, Any]:
        session = self.session
        state = {
            "kind": "state",
            "seq": seq,
            "late": late,
            "numbers": card.numbers(
                session.report,
                points.original(session.model),
                plain=session.plain,
                parameters=session.model.card["parameters"],
                untouched=session.recipe == Recipe(),
                stale=session.stale,
                metric=session.model.task.metric,
                form=session.model.task.input_type,
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
            "bank": bank.live(session),
        }
        if with_values:
            state["values"] = controls.values(session.recipe)
        return state

    def _progress(self) -> dict[str, Any] | None:
        if not self.session.busy:
            return None
        course = self.session.training
        if course is not None and course.step < course.steps:
            text = _("Training, step {step} of {steps}, about {seconds} s left")
            seconds = max(1, round(course.seconds_left))
            words = {"step": formatting.count(course.step), "steps": formatting.count(course.steps)}
            share = course.step / course.steps
            return {"share": share, "text": text.format(**words, seconds=seconds)}
        if self.session.calibration_progress is not None:
            text = _("Looking once at how the model sees calibration {examples}").format(
                examples=examples_label(self.session.model.task.input_type)
            )
            return {"share": self.session.calibration_progress, "text": text}
        report = self.session.report
        score = report.score if report is not None else None
        if score is None or report is None or report.recipe != self.session.recipe:
            return {"share": None, "text": _("Making the file and measuring it")}
        share = score.examples / score.total
        left = (time.monotonic() - self._began[1]) * (1 - share) / share
        text = _("Measuring on all examples, about {seconds} s left")
        return {"share": share, "text": text.format(seconds=max(1, round(left)))}

    def _picture(self, seq: int) -> dict[str, Any]:
        session = self.session
        report = session.report
        original = points.original(session.model)
        self._last_spot = points.current(report) or self._last_spot
        figure = tradeoff.draw(
            original,
            points.visited(session),
            self._last_spot or (original if session.recipe == Recipe() else None),
            THEMES[self.theme],
            size=report.size.bytes if report is not None else None,
            budget=session.budget,
            floor=session.floor,
            metric=session.model.task.metric,
        )
        return {"kind": "picture", "seq": seq, "figure": figure}

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
