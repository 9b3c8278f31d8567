"""Actions on the compressed file: download it, measure it on the test split, and its latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting, zoo
from workbench.cancel import CancelToken
from workbench.i18n import _
from workbench.panels import goal
from workbench.panels.actions.background import progress_bar, run_job
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.actions.sending import send_file
from workbench.panels.file_name import file_stem
from workbench.panels.selected import selected
from workbench.panels.views import next_steps
from workbench.panels.views.labels import examples_label
from workbench.panels.views.reasons import exact

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.domain import Task
    from workbench.evaluation.report import Report


@action
def download(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the compressed file, then measure it on the test split."""
    run_job("download", _download, dashboard)


@action
def timing(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Measure the latency of the original model and of the file on this machine."""
    run_job("timing", _measure_latency, dashboard)


def _download(dashboard: Dashboard, cancel: CancelToken) -> None:
    session = dashboard.session
    with progress_bar(dashboard, "download", _("Creating the file")) as on_progress:
        artifact = session.artifact(cancel, lambda x: on_progress(x.step / x.steps))
    data, name = artifact.to_bytes(), f"{file_stem(artifact.model, artifact.recipe)}.safetensors"
    model, validation = zoo.model(artifact.model), _validation(session.report, artifact)
    send_file(dashboard, name, "application/octet-stream", data)
    saved = {
        "kind": "saved",
        "name": name,
        "selected": selected(model, artifact.recipe),
        "text": formatting.nbytes(len(data)),
        "code": next_steps.code(model, name),
        "note": next_steps.note(model),
        "met": validation is None or goal.meets(session, len(data), validation),
    }
    dashboard.send(saved)
    text = _("Measuring the file on the test split")
    with progress_bar(dashboard, "download", text) as on_progress:

        def on_report(report: Report) -> None:
            if report.score is not None:
                on_progress(report.score.examples / report.score.total)

        result = session.test_report(artifact, cancel, on_report)
    text = _result(model.task, len(data), result, validation)
    good = goal.is_good_enough(session, result.value)
    if not good and validation is not None and goal.is_good_enough(session, validation):
        text += " " + _(
            "This misses the limit, which the file meets on validation: choose a better file if "
            "the limit must hold on new data."
        )
    dashboard.send({**saved, "text": text, "met": good and saved["met"]})


def _validation(report: Report | None, artifact: Artifact) -> float | None:
    """Return the exact metric of a file on validation, if `report` is that of the file."""
    if report is None or not exact(report):
        return None
    same = (report.model, report.recipe) == (artifact.model, artifact.recipe)
    return report.value if same else None


def _result(task: Task, size: int, result: Report, validation: float | None) -> str:
    """Return the metric of a file on test, and on validation, which the card shows."""
    text = _(
        "The file of {bytes} reaches {accuracy} on {count} test {examples} that were not used to "
        "train or to choose it."
    )
    if validation is not None:
        text = _(
            "The file of {bytes} reaches {accuracy} on {count} test {examples} that were not used "
            "to train or to choose it (on validation: {validation})."
        )
    return text.format(
        bytes=formatting.nbytes(size),
        accuracy=task.metric.format(result.value),
        examples=examples_label(task.input_type),
        count=formatting.count(result.total),
        validation="" if validation is None else task.metric.format(validation),
    )


def _measure_latency(dashboard: Dashboard, cancel: CancelToken) -> None:
    text = _("Measuring the latency of the original model and the file")
    with progress_bar(dashboard, "timing", text):
        dashboard.session.measure_latency(cancel)
