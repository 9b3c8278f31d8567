"""The page Deploy: the texts, and the table of runtimes and precisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.deploy.runtimes import RUNTIMES, Runtime, precision_name, title_of
from workbench.i18n import _, mark as N_
from workbench.panels.deploy_notes import notes
from workbench.panels.views import results
from workbench.session import Session
from workbench.session.deploying import Deploying

if TYPE_CHECKING:
    from workbench.deploy.timing import Timing

COLUMNS = {
    "value": "",  # the task's metric
    "one": N_("1 example"),
    "many": N_("64 examples"),
    "artifact": N_("compressed file"),
    "package": N_("package"),
    "resident": N_("memory"),
}
BATCHES = {1: "one", 64: "many"}


def section(session: Session) -> dict[str, Any]:
    """Return the texts of the page."""
    metric = session.model.task.metric
    return {
        "title": _("Deploy"),
        "help": _(
            "Exports the compressed file to each runtime that is installed, compares every "
            "validation prediction there with the file's, and times it on this machine."
        ),
        "start": _("Export, confirm and time"),
        "stop": _("Stop"),
        "download": _("download"),
        "table": _("Runtimes and precisions"),
        "runtime": _("runtime"),
        "columns": [
            {"key": key, "label": _(label) if label else metric.label}
            for key, label in COLUMNS.items()
        ],
        "foot": _(
            "Times of one call on one thread, and below on all cores: the fastest, and in "
            "parentheses the median and the 90th percentile. A processor with other work makes "
            "them longer."
        ),
        "missing": [lack for runtime in RUNTIMES.values() if (lack := _lacking(runtime))],
    }


def _lacking(runtime: Runtime) -> dict[str, str] | None:
    """Return which rows of a runtime are missing, why, and the command to install it; or None."""
    others = [name for name in runtime.precisions if name not in runtime.precisions_here]
    if (sentence := runtime.missing()) is not None:
        return {"text": sentence, "command": runtime.command}
    if not others:
        return None
    text = _("{runtime} in {precision} is left out: this processor does not support it.")
    text = text.format(runtime=runtime.title, precision=precision_name(others[0]))
    return {"text": text, "command": ""}


def live(session: Session) -> dict[str, Any]:
    """Return the file to deploy, and the table as far as it is known."""
    deploying = session.deploying
    settings = results.summary(session.model.name, session.recipe, session.origin)
    file = _("The file: {settings}.").format(settings=settings)
    if deploying is None:
        text = _("Nothing runs until you press the button.")
        return {"file": file, "working": False, "headline": text, "fraction": None, "rows": []}
    rows = [_row(session, deploying, number) for number in range(len(deploying.targets))]
    return {
        "file": file,
        "working": deploying.running,
        "headline": headline(session, deploying),
        "fraction": deploying.fraction if deploying.state == "timing" else None,
        "rows": rows,
    }


def headline(session: Session, deploying: Deploying) -> str:
    """Return how far the run is, or what it has shown."""
    if deploying.state == "failed":
        return deploying.error
    if deploying.state == "reading":
        return _("Reading the results of the last run of this file")
    if deploying.running:
        return _working(deploying)
    benchmark = deploying.deployment.benchmark if deploying.deployment else None
    sentences = [_("Stopped.")] if deploying.state == "stopped" else []
    if benchmark is not None:
        sentences.append(benchmark.summary)
    elif deploying.deployment is not None and deploying.deployment.error:
        sentences.append(deploying.deployment.error)
    if deploying.time is not None:
        ended = formatting.date_and_time(deploying.time)
        sentences.append(_("This was measured on this machine on {time}.").format(time=ended))
    if not is_current(session, deploying):
        sentences.append(_("The recipe has changed since: start again for the current file."))
    return formatting.paragraph(sentences)


def is_current(session: Session, deploying: Deploying) -> bool:
    """Return whether the results belong to the selected model and recipe."""
    return (deploying.model, deploying.recipe) == (session.model.name, session.recipe)


def _working(deploying: Deploying) -> str:
    if deploying.state == "timing":
        return _("Timing the confirmed packages in turn")
    if deploying.deployment is None:
        return _("Creating the file")
    outcomes = deploying.deployment.outcomes
    ready = sum(outcome.settled for outcome in outcomes)
    if ready == len(outcomes):
        return _("Measuring the peaks of this machine")
    return _("Exporting and comparing: {ready} of {count}").format(ready=ready, count=len(outcomes))


def _row(session: Session, deploying: Deploying, number: int) -> dict[str, Any]:
    target, deployment = deploying.targets[number], deploying.deployment
    row: dict[str, Any] = {
        "runtime": RUNTIMES[target.runtime].title,
        "precision": precision_name(target.precision),
        "name": title_of(target.runtime, target.precision),
        "tone": "waiting",
        "status": "" if deploying.running else _("not tried"),
        "cells": {},
        "notes": [],
        "download": None,
    }
    if deployment is None:
        return row
    outcome = deployment.outcomes[number]
    agreement, facts = outcome.agreement, outcome.package_facts
    if outcome.error:
        return row | {"tone": "failed", "status": outcome.error}
    if facts is None or agreement is None:
        working = _("comparing every prediction") if facts else _("waiting")
        return row | {"status": working if deploying.running else row["status"]}
    cells = {
        "value": agreement.metric.format(agreement.score.value),
        "artifact": formatting.size(len(deployment.artifact)),
        "package": formatting.size(facts.bytes),
    }
    timings = deployment.benchmark.timings if deployment.benchmark else ()
    for timing in timings:
        if (timing.runtime, timing.precision) == (target.runtime, target.precision):
            key = BATCHES[timing.batch]
            cells[key] = "\n".join(filter(None, (cells.get(key), _time(timing))))
            cells["resident"] = formatting.size(timing.resident_bytes)
    return row | {
        "tone": "confirmed" if agreement.confirmed else "failed",
        "status": agreement.summary,
        "cells": cells,
        "notes": notes(outcome, deployment),
        "download": number if agreement.confirmed and outcome.package else None,
    }


def _time(timing: Timing) -> str:
    values = [timing.minimum, timing.median, timing.p90]
    fastest, median, slow = (formatting.milliseconds(value) for value in values)
    text = f"{fastest} ({median},\N{NO-BREAK SPACE}{slow})"  # the browser breaks before it
    if timing.threads == 1:
        return text
    name = _("{count} threads").format(count=formatting.count(timing.threads))
    return formatting.titled(name, text)
