"""The model selector in the header, with accuracy and size of the uncompressed model."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.session import Session
from workbench.zoo import models, task, tasks
from workbench.zoo.registry import title


def header(session: Session) -> dict[str, Any]:
    """Return the models to choose from and the facts about the selected model."""
    card, format_value = session.model.card, session.model.task.metric.format
    metric = _(session.model.task.metric.name).capitalize()
    return {
        "tasks": [
            {
                "title": task(name).title,
                "models": [{"value": m, "label": _(title(m))} for m in models(name)],
            }
            for name in tasks()
        ],
        "selected": session.model.name,
        "facts": [
            _fact(
                format_value(session.model.metric_value("validation")),
                _("validation"),
                _("{metric} of the original model on the validation split.").format(metric=metric),
            ),
            _fact(
                format_value(session.model.metric_value("test")),
                _("test"),
                _("{metric} of the original model on the test split.").format(metric=metric),
            ),
            _fact(
                formatting.size(session.model.original_bytes),
                "",
                _("Size of the file with all weights in float32: {size}.").format(
                    size=formatting.nbytes(session.model.original_bytes)
                ),
            ),
            _fact(
                formatting.count(card["parameters"]),
                _("parameters"),
                _("Number of trainable parameters."),
            ),
        ],
    }


def _fact(value: str, label: str, help_: str) -> dict[str, str]:
    return {"value": value, "label": label, "help": help_}
