"""What the page can ask for by name."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workbench import figures
from workbench.errors import Cancelled, WorkbenchError
from workbench.panels import controls, drawing, points, tables, training, uploading
from workbench.panels.comparing import tab as comparing
from workbench.panels.comparing.looks import look as look_at
from workbench.panels.guard import guarded
from workbench.panels.words import examples
from workbench.plots import ledger, sensitivity, teacher, temperature, tradeoff
from workbench.plots.palette import THEMES
from workbench.recipe.off import BY_LAYER, with_row
from workbench.recipe.train import SELF, Train
from workbench.text import _

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.evaluation.report import Report
    from workbench.panels.page import Dashboard
    from workbench.recipe import Recipe

Action = Callable[["Dashboard", dict[str, Any]], None]
ACTIONS: dict[str, Action] = {}
LOOKING = frozenset({"hello", "theme", "tab", "look", "plotly", "soften"})
"""Actions that change nothing but the view; the others take the banner down."""


def action(work: Action) -> Action:
    """Register `work` under its own name."""
    ACTIONS[work.__name__] = work
    return work


@action
def hello(view: Dashboard, asked: dict[str, Any]) -> None:
    """Greet a page that has just been built: open its link, and send it everything."""
    _wear(view, asked)
    search = str(asked.get("search", ""))
    with view.quiet():
        if search.strip("?"):
            with guarded(lambda sentence: view.tell(_bad_link(sentence))):
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
def undo(view: Dashboard, asked: dict[str, Any]) -> None:
    """Go back one step."""
    view.session.undo()


@action
def redo(view: Dashboard, asked: dict[str, Any]) -> None:
    """Go forward one step."""
    view.session.redo()


@action
def reset(view: Dashboard, asked: dict[str, Any]) -> None:
    """Go back to the untouched model."""
    view.session.reset()


@action
def preset(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take a recipe by its name."""
    view.session.preset(str(asked["key"]))


@action
def model(view: Dashboard, asked: dict[str, Any]) -> None:
    """Pick another model."""
    view.session.choose_model(str(asked["key"]))


@action
def visit(view: Dashboard, asked: dict[str, Any]) -> None:
    """Bring back a point that was measured before."""
    visits = view.session.visited
    place = asked.get("key")
    if isinstance(place, int) and 0 <= place < len(visits):
        view.session.set(visits[place].recipe)


@action
def budget(view: Dashboard, asked: dict[str, Any]) -> None:
    """Set the largest size wanted, in bytes, or none."""
    value = _number(asked.get("value"))
    view.session.set_budget(None if value is None else max(1, round(value)))


@action
def floor(view: Dashboard, asked: dict[str, Any]) -> None:
    """Set the worst figure wanted, a share from 0 to 1, or none."""
    value = _number(asked.get("value"))
    if value is not None and view.session.model.task.metric.share:
        value = min(1.0, value)
    view.session.set_floor(None if value is None else max(0.0, value))


@action
def cancel(view: Dashboard, asked: dict[str, Any]) -> None:
    """Give up what is under way; the last good result stays."""
    view.cancelled.set()
    view.follower.cancel()
    view.session.cancel()


@action
def upload(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take a file of the person's own, of which the bytes follow."""
    if not uploading.allowed():
        raise WorkbenchError(_("This server takes no uploads."))
    view.uploads.begin(asked.get("number"), asked.get("file"), asked.get("size"))


@action
def upload_part(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take the next bytes of it."""
    view.uploads.part(asked.get("number"), asked["buffers"])


@action
def upload_target(view: Dashboard, asked: dict[str, Any]) -> None:
    """Train on the table that was uploaded, to predict one of its columns."""
    view.uploads.choose(asked.get("number"), asked.get("target"))


@action
def upload_cancel(view: Dashboard, asked: dict[str, Any]) -> None:
    """Give the upload up."""
    view.uploads.cancel()


@action
def download(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the file itself; then measure it on the test examples."""
    view.cancelled.clear()
    threading.Thread(target=_download, args=(view,), daemon=True, name="download").start()


@action
def timing(view: Dashboard, asked: dict[str, Any]) -> None:
    """Time the original and the file on this machine."""
    view.cancelled.clear()
    threading.Thread(target=_time, args=(view,), daemon=True, name="timing").start()


@action
def train(view: Dashboard, asked: dict[str, Any]) -> None:
    """Train the present recipe for some seconds."""
    view.session.train(*_asked_training(asked))


@action
def sweep(view: Dashboard, asked: dict[str, Any]) -> None:
    """Train students at a row of temperatures, for some seconds in all."""
    settings, seconds = _asked_training(asked)
    view.cancelled.clear()
    threading.Thread(
        target=_sweep, args=(view, settings, seconds), daemon=True, name="sweep"
    ).start()


@action
def scan(view: Dashboard, asked: dict[str, Any]) -> None:
    """Find out what each layer alone bears of a part of the recipe."""
    view.cancelled.clear()
    part = str(asked.get("part"))
    threading.Thread(target=_scan, args=(view, part), daemon=True, name="scan").start()


@action
def hold(view: Dashboard, asked: dict[str, Any]) -> None:
    """Keep the file's size while layers change, or let go of it."""
    report = view.session.report
    if asked.get("on") is not True:
        view.session.hold(None)
    elif report is not None and report.recipe == view.session.recipe:
        view.session.hold(report.size.bytes)
    else:
        view.correct()
        raise WorkbenchError(_("The file is being made: try again in a moment."))


@action
def layer(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take the controls' values, in which one layer has changed."""
    _change(view, controls.recipe(asked.get("values") or {}), str(asked.get("layer")))


@action
def set_row(view: Dashboard, asked: dict[str, Any]) -> None:
    """Give one layer one setting."""
    part, name = str(asked.get("part")), str(asked.get("layer"))
    setting = _number(asked.get("setting"))
    if part not in BY_LAYER or name not in view.session.layers or setting is None:
        raise WorkbenchError(_("There is no such layer or setting."))
    together = view.session.model.moving_with(name, part)
    _change(view, with_row(view.session.recipe, part, together, setting), name)


@action
def soften(view: Dashboard, asked: dict[str, Any]) -> None:
    """Show what the teacher thinks of an example at a temperature."""
    teacher, temperature = str(asked.get("teacher") or SELF), _number(asked.get("temperature"))
    example = asked.get("example", 0)
    if temperature is None or not isinstance(example, int):
        raise WorkbenchError(_("The temperature must be above 0."))
    known = view.session.question
    if known is not None and known.teacher == teacher:  # at once: the outputs are there
        view.session.ask_teacher(teacher, temperature, example)
    else:
        question = (view, teacher, temperature, example)
        threading.Thread(target=_ask, args=question, daemon=True, name="teacher").start()


@action
def results_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the table of results."""
    _send_file(view, "results.csv", "text/csv", tables.to_csv(tables.results(view.session)))


@action
def picture_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the data of the main picture."""
    session = view.session
    you = points.current(session.report)
    rows = tradeoff.rows(
        points.original(session.model), points.visited(session), you, session.model.task.metric
    )
    _send_file(view, "accuracy-and-size.csv", "text/csv", tables.to_csv(rows))


@action
def bytes_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the data of the ledger's picture."""
    if view.session.report is None:
        raise WorkbenchError(_("The file is being made: try again in a moment."))
    found = view.session.report.size.ledger
    rows = ledger.rows(found.rows, found.container)
    _send_file(view, "ledger.csv", "text/csv", tables.to_csv(rows))


@action
def changed_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the data of the view of what changed."""
    name = f"{comparing.shown(view.session).key}.csv"
    _send_file(view, name, "text/csv", tables.to_csv(comparing.rows(view.session)))


@action
def training_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the course of training."""
    course = view.session.training.curve if view.session.training is not None else ()
    rows = [{"step": step, "loss": loss, "accuracy": share} for step, loss, share in course]
    _send_file(view, "training.csv", "text/csv", tables.to_csv(rows))


@action
def temperature_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send what students reach at each temperature."""
    tried = view.session.tried
    rows = temperature.rows(tried.levels) if tried is not None else []
    _send_file(view, "temperature.csv", "text/csv", tables.to_csv(rows))


@action
def sensitivity_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send what each layer alone bears."""
    found = view.session.sensitivity
    rows = sensitivity.rows(found) if found is not None else []
    _send_file(view, "sensitivity.csv", "text/csv", tables.to_csv(rows))


@action
def teacher_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send what the teacher thinks of the example."""
    question = view.session.question
    if question is None or question.opinion is None:
        raise WorkbenchError(_("Open the training section and move the temperature."))
    shares = teacher.soften(question.opinion.outputs, question.temperature)
    rows = [
        {"class": _(name), "probability": share}
        for name, share in zip(view.session.model.task.classes, shares, strict=True)
    ]
    _send_file(view, "teacher.csv", "text/csv", tables.to_csv(rows))


@action
def plotly(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the drawing library to a page whose server does not serve it."""
    view.send({"kind": "drawing"}, buffers=[drawing.packed()])


def _download(view: Dashboard) -> None:
    with guarded(view.tell):
        with _task(view, _("Making the file")) as show:
            artifact = view.session.artifact(
                view.cancelled.is_set, lambda now: show(now.step / now.steps)
            )
        data = artifact.to_bytes()
        _send_file(view, _file_name(artifact), "application/octet-stream", data)
        with _task(view, _("Measuring the file on the test examples")) as show:

            def progress(found: Report) -> None:
                if found.score is not None:
                    show(found.score.examples / found.score.total)

            tested = view.session.test_report(artifact, view.cancelled.is_set, progress)
        sentence = _("The file of {bytes} reaches {accuracy} on {count} test {examples}.")
        text = sentence.format(
            bytes=figures.nbytes(len(data)),
            accuracy=view.session.model.task.metric.written(tested.value),
            examples=examples(view.session.model.task.form),
            count=figures.count(tested.total),
        )
        view.send({"kind": "tested", "text": text})


def _asked_training(asked: dict[str, Any]) -> tuple[Train, float]:
    values, seconds = asked.get("values"), _number(asked.get("seconds"))
    if not isinstance(values, dict) or seconds is None or seconds > training.MOST_SECONDS:
        most = figures.count(training.MOST_SECONDS)
        raise WorkbenchError(_("Choose how long to train, up to {most} seconds.").format(most=most))
    return training.settings(values, os.cpu_count() or 1), seconds


def _sweep(view: Dashboard, settings: Train, seconds: float) -> None:
    with guarded(view.tell), _task(view, _("Training students at a row of temperatures")) as show:
        view.session.sweep(settings, seconds, view.cancelled.is_set, show)


def _scan(view: Dashboard, part: str) -> None:
    with guarded(view.tell), _task(view, _("Trying every layer by itself")) as show:
        view.session.scan(part, view.cancelled.is_set, show)


def _change(view: Dashboard, recipe: Recipe, name: str) -> None:
    """Choose a recipe in which a layer has changed: in the background, for it may take a moment."""
    threading.Thread(
        target=_change_layer, args=(view, recipe, name), daemon=True, name="layer"
    ).start()


def _change_layer(view: Dashboard, recipe: Recipe, name: str) -> None:
    with guarded(view.tell):
        try:
            view.session.change_layer(recipe, name)
        except Cancelled:
            raise
        except WorkbenchError:
            view.correct()
            raise


def _ask(view: Dashboard, teacher: str, temperature: float, example: int) -> None:
    with guarded(view.tell):
        view.session.ask_teacher(teacher, temperature, example)


def _time(view: Dashboard) -> None:
    with guarded(view.tell), _task(view, _("Timing the original and the file in turn")):
        view.session.time_it(view.cancelled.is_set)


@contextmanager
def _task(view: Dashboard, text: str) -> Iterator[Callable[[float], None]]:
    """Show a bar meanwhile; what is yielded sets its share, from 0 to 1."""
    view.send({"kind": "task", "text": text})
    try:
        yield lambda share: view.send({"kind": "task", "text": text, "share": share})
    finally:
        view.send({"kind": "task", "text": None})


def _file_name(artifact: Artifact) -> str:
    words = [artifact.model.replace("/", "-")]
    for part, chosen in artifact.recipe.as_dict().items():
        first = next(iter(chosen))
        words.append(f"{part}-{chosen[first]}")
    return "-".join(words) + ".safetensors"


def _send_file(view: Dashboard, name: str, mime: str, data: bytes) -> None:
    view.send({"kind": "file", "name": name, "mime": mime}, buffers=[data])


def _wear(view: Dashboard, asked: dict[str, Any]) -> None:
    if asked.get("theme") in THEMES:
        view.theme = asked["theme"]


def _bad_link(sentence: str) -> str:
    return _("This link does not work, so here is the untouched model. {why}").format(why=sentence)


def _number(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 < value < math.inf else None
