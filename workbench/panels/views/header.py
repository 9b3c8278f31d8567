"""The model selector in the header, with accuracy and size of the uncompressed model."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.i18n import _
from workbench.panels.views.about import about
from workbench.session import Session
from workbench.zoo import models, task, tasks
from workbench.zoo.reference import reference_label
from workbench.zoo.registry import title


def header(session: Session) -> dict[str, Any]:
    """Return the models to choose from and the facts about the selected model."""
    model = session.origin_model
    format_value = model.task.metric.format
    metric = model.task.metric.label.capitalize()
    facts = [
        (
            format_value(model.metric_value("validation")),
            _("validation"),
            _("{metric} of the original model on the validation split.").format(metric=metric),
        ),
        (
            format_value(model.metric_value("test")),
            _("test"),
            _("{metric} of the original model on the test split.").format(metric=metric),
        ),
        (
            formatting.size(uncompressed_bytes(model)),
            "",
            _("Size of the file with all weights in float32: {size}.").format(
                size=formatting.nbytes(uncompressed_bytes(model))
            ),
        ),
        (
            formatting.count(model.card["parameters"]),
            _("parameters"),
            _("Number of trainable parameters."),
        ),
    ]
    return {
        "tasks": [
            {
                "title": task(name).title,
                "models": [{"value": m, "label": _(title(m))} for m in models(name)],
            }
            for name in tasks()
        ],
        "selected": model.name,
        "about": about(model),
        "facts": [{"value": value, "label": label, "help": h} for value, label, h in facts],
    }


def selected_student(session: Session) -> dict[str, str] | None:
    """Return the entry of the selector for the student that is selected, or None."""
    model = session.model
    if session.student is None:
        return None
    text = _("{student}, in place of {model}")
    return {
        "value": model.name,
        "label": reference_label(model.name),
        "help": text.format(student=model.title, model=_(title(session.origin))),
    }
