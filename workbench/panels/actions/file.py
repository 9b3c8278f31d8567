"""Downloading the compressed file, which is then measured on the test examples, and timing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.panels.actions.background import progress_bar, run_in_background
from workbench.panels.actions.registry import action
from workbench.panels.actions.sending import send_file
from workbench.panels.labels import examples_label

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact
    from workbench.evaluation.report import Report
    from workbench.panels.page import Dashboard


@action
def download(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the file itself; then measure it on the test examples."""
    view.cancelled.clear()
    run_in_background("download", _download, view)


@action
def timing(view: Dashboard, asked: dict[str, Any]) -> None:
    """Time the original and the file on this machine."""
    view.cancelled.clear()
    run_in_background("timing", _time, view)


def _download(view: Dashboard) -> None:
    with progress_bar(view, _("Making the file")) as show:
        artifact = view.session.artifact(
            view.cancelled.is_set, lambda now: show(now.step / now.steps)
        )
    data = artifact.to_bytes()
    send_file(view, _file_name(artifact), "application/octet-stream", data)
    with progress_bar(view, _("Measuring the file on the test examples")) as show:

        def progress(found: Report) -> None:
            if found.score is not None:
                show(found.score.examples / found.score.total)

        tested = view.session.test_report(artifact, view.cancelled.is_set, progress)
    sentence = _("The file of {bytes} reaches {accuracy} on {count} test {examples}.")
    text = sentence.format(
        bytes=formatting.nbytes(len(data)),
        accuracy=view.session.model.task.metric.format(tested.value),
        examples=examples_label(view.session.model.task.input_type),
        count=formatting.count(tested.total),
    )
    view.send({"kind": "tested", "text": text})


def _time(view: Dashboard) -> None:
    with progress_bar(view, _("Timing the original and the file in turn")):
        view.session.measure_latency(view.cancelled.is_set)


def _file_name(artifact: Artifact) -> str:
    words = [artifact.model.replace("/", "-")]
    for part, chosen in artifact.recipe.as_dict().items():
        first = next(iter(chosen))
        words.append(f"{part}-{chosen[first]}")
    return "-".join(words) + ".safetensors"
