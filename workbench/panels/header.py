"""The model in the page's header: its name, its accuracy untouched, its size."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.session import Session
from workbench.zoo import models, task, tasks
from workbench.zoo.registry import title


def header(session: Session) -> dict[str, Any]:
    """Return the models to pick from and the facts of the picked one."""
    card, written = session.model.card, session.model.task.metric.format
    metric = _(session.model.task.metric.name).capitalize()
    return {
        "tasks": [
            {
                "title": task(name).title,
                "models": [{"value": m, "label": _(title(m))} for m in models(name)],
            }
            for name in tasks()
        ],
        "chosen": session.model.name,
        "facts": [
            _fact(
                written(session.model.metric_value("validation")),
                _("validation"),
                _("{metric} of the original on the examples that choices are made with.").format(
                    metric=metric
                ),
            ),
            _fact(
                written(session.model.metric_value("test")),
                _("test"),
                _("{metric} of the original on examples kept aside until the end.").format(
                    metric=metric
                ),
            ),
            _fact(
                formatting.size(session.model.original_bytes),
                "",
                _("The file with every weight in float32: {size}.").format(
                    size=formatting.nbytes(session.model.original_bytes)
                ),
            ),
            _fact(
                formatting.count(card["parameters"]),
                _("parameters"),
                _("Numbers that training has set."),
            ),
        ],
    }


def _fact(value: str, label: str, help_: str) -> dict[str, str]:
    return {"value": value, "label": label, "help": help_}
