"""The uploads of one page: the protocol with the page, and the work behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.preset_results import measure_presets
from workbench.i18n import _
from workbench.panels.channel import Channel
from workbench.panels.error_boundary import error_boundary
from workbench.panels.uploads import texts
from workbench.panels.uploads.file import UploadedFile
from workbench.panels.uploads.missing import MissingModel
from workbench.panels.uploads.models import UploadedModels
from workbench.panels.uploads.reading import read
from workbench.panels.uploads.step import Outcome, Step, at_intervals
from workbench.panels.uploads.trial import Trial
from workbench.panels.uploads.trial_step import TrialStep
from workbench.panels.views.learned import learned
from workbench.plots.palette import THEMES


class _Active:
    """The current file and, once it is read, its content.

    Attributes
    ----------
    step : Step or None
        The content.
    shown : dict or None
        What the user checks.
    edit : int
        The number of the newest change of the choices.
    job : CancelToken or None
        The training that is under way.
    lock
        Held while the content is inspected: changes are answered one after the other.
    """

    def __init__(self, file: UploadedFile, choices: Mapping[str, Any]) -> None:
        self.file = file
        self.choices = choices
        self.step: Step | None = None
        self.shown: dict[str, Any] | None = None
        self.edit = 0
        self.job: CancelToken | None = None
        self.lock = threading.Lock()


class Uploads:
    """The uploads of one page, one at a time; a new upload cancels the previous one.

    Attributes
    ----------
    models : UploadedModels
        The models made of earlier files.
    missing : MissingModel or None
        A model that the link of the page names and that is not in memory.
    trial : Trial
        Predictions of the current file for new data.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.models = UploadedModels(channel.session)
        self.missing: MissingModel | None = None
        self.trial = Trial(channel)
        self._lock = threading.Lock()
        self._active: _Active | None = None

    def describe(self) -> dict[str, Any] | None:
        """Return the texts and models of the upload panel, or None if uploads are disabled."""
        described = texts.describe()
        return None if described is None else {**described, "models": self.models.describe()}

    def start(self, number: Any, name: Any, size: Any, choices: Any = None) -> None:
        """Accept the announcement of a file and request its first chunk.

        `choices` are those that the user made for the file before the page was reloaded.
        """
        self.discard()
        reply = self._replier(number)
        with error_boundary(partial(reply, "failed")):
            file = UploadedFile(number, str(name), size)
            self.models.check_room()
            self._active = _Active(file, choices if isinstance(choices, Mapping) else {})
            reply("chunk", offset=0)

    def start_trial(self, number: Any, name: Any, size: Any) -> None:
        """Accept the announcement of a file that the current model predicts from."""
        self.discard()
        reply = self._replier(number)
        with error_boundary(partial(reply, "failed")):
            self._active = _Active(UploadedFile(number, str(name), size, is_trial=True), {})
            reply("chunk", offset=0)

    def add_chunk(self, number: Any, buffers: Sequence[Any]) -> None:
        """Accept the next chunk; after the last one, read the file."""
        active = self._find(number)
        if active is None or active.file.is_complete():
            return
        with error_boundary(partial(self._fail, active)):
            active.file.append(buffers)
            if active.file.is_complete():
                self._run(active, self._read)
            else:
                self._replier(number)("chunk", offset=active.file.received)

    def check(self, number: Any, edit: Any, choices: Any) -> None:
        """Inspect the content again with other choices; the newest `edit` wins."""
        active = self._find(number)
        valid = isinstance(edit, int) and isinstance(choices, Mapping)
        if active is None or active.step is None or active.job is not None or not valid:
            return
        active.edit = edit
        self._run(active, partial(self._inspect_again, edit=edit, choices=choices))

    def train(self, number: Any) -> None:
        """Train a model on the content with the newest choices."""
        active = self._find(number)
        if active is None or active.step is None or active.job is not None:
            return
        active.job = CancelToken()  # a second click has no effect
        self._run(active, partial(self._learn, step=active.step, job=active.job))

    def cancel(self) -> None:
        """Cancel training and return to what the user checked, else discard the upload."""
        active = self._active
        if active is None or active.job is None or active.shown is None:
            self.discard()
            return
        active.job.cancel()
        self._show_again(active, active.job)

    def discard(self) -> None:
        """Cancel the current upload and discard it."""
        if self._active is not None:
            self._end(self._active, "idle")

    # --- in threads --------------------------------------------------------------------------

    def _read(self, active: _Active) -> None:
        reply = self._replier(active.file.number)
        reply("busy", _("reading"))

        def progress(text: str, fraction: float | None) -> None:
            reply("busy", text, fraction=fraction)

        if active.file.is_trial:
            active.step = TrialStep(self.trial, active.file.name, active.file.take())
        else:
            active.step = read(active.file, at_intervals(progress))
        shown = self._inspect(active, active.choices)
        if shown is not None:
            active.shown = shown
            reply("check", edit=active.edit, error=None, **shown)
        else:
            active.job = active.file.cancel
            self._learn(active, active.step, active.job)

    @staticmethod
    def _inspect(active: _Active, choices: Mapping[str, Any]) -> dict[str, Any] | None:
        assert active.step is not None
        try:
            return active.step.check(choices)
        except WorkbenchError:
            if not choices:
                raise
            return active.step.check({})  # choices for an earlier version of the file

    def _inspect_again(self, active: _Active, edit: int, choices: Mapping[str, Any]) -> None:
        with active.lock:
            if edit != active.edit or active.step is None:
                return
            error = None
            try:
                shown = active.step.check(choices)
            except WorkbenchError as problem:
                shown, error = None, str(problem)
            with self._lock:
                if self._active is not active or active.job is not None:
                    return
                active.shown = shown or active.shown
                self._replier(active.file.number)("check", edit=edit, error=error, **(shown or {}))

    def _learn(self, active: _Active, step: Step, job: CancelToken) -> None:
        reply = self._replier(active.file.number)

        def progress(text: str, fraction: float | None) -> None:
            if active.job is job and not job.cancelled:
                reply("busy", text, fraction=fraction)

        try:
            with active.lock:  # the newest choices are inspected
                outcome = step.learn(job, at_intervals(progress))
            job.check()
            self._open(active, outcome)
        except Cancelled:
            self._show_again(active, job)
        except WorkbenchError as problem:
            if active.shown is None:
                raise
            self._show_again(active, job, str(problem))

    def _open(self, active: _Active, outcome: Outcome) -> None:
        if active.file.cancel.cancelled:
            raise Cancelled("The upload was cancelled.", code="upload.cancelled")
        if outcome.file is not None:
            sent = {"kind": "file", "name": outcome.file.name, "mime": "application/octet-stream"}
            self.channel.send(sent, buffers=[outcome.file.content])
        if outcome.model is None:
            self._end(active, "done", outcome.text)
            return
        if outcome.created is not None:
            if outcome.learned:  # a small model: the picture is not empty at first
                measure_presets(outcome.created, self.channel.session.store, active.file.cancel)
            self.models.add(outcome.created, active.file.name, learned=outcome.learned)
        missing, self.missing = self.missing, None
        if missing is not None and missing.model == outcome.model:
            self.channel.session.restore(missing.search)
        else:
            self.channel.session.open(outcome.model, outcome.recipe)
        self._end(active, "done", outcome.text, model=outcome.model, learned=outcome.learned)
        if outcome.learned:
            self.show_figures(outcome.model)

    def show_figures(self, name: str) -> None:
        """Send the figures of a model that was trained on uploaded data."""
        model = self.models.get(name)
        if model is not None:
            self.channel.send({"kind": "learned", **learned(model, THEMES[self.channel.theme])})

    # --- messages ----------------------------------------------------------------------------

    def _find(self, number: Any) -> _Active | None:
        active = self._active
        return active if active is not None and active.file.number == number else None

    def _replier(self, number: Any) -> Callable[..., None]:
        def reply(step: str, text: str | None = None, **more: Any) -> None:
            self.channel.send(
                {"kind": "upload", "number": number, "step": step, "text": text, **more}
            )

        return reply

    def _show_again(self, active: _Active, job: CancelToken, error: str | None = None) -> None:
        """Return from training to what the user checks."""
        with self._lock:
            if self._active is not active or active.job is not job or active.shown is None:
                return
            active.job = None
            reply = self._replier(active.file.number)
            reply("check", edit=active.edit, error=error, **active.shown)

    def _end(self, active: _Active, step: str, text: str | None = None, **more: Any) -> None:
        """Close an upload, unless it is closed already, and send its final step."""
        with self._lock:
            if self._active is not active:
                return
            self._active = None
        active.file.cancel.cancel()
        if active.job is not None:
            active.job.cancel()
        self._replier(active.file.number)(step, text, **more)

    def _fail(self, active: _Active, message: str) -> None:
        self._end(active, "failed", message)

    def _run(self, active: _Active, work: Callable[[_Active], None]) -> None:
        def run() -> None:
            with error_boundary(partial(self._fail, active)):
                work(active)

        threading.Thread(target=run, daemon=True, name="upload").start()
