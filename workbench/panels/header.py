"""The model in the page's header: its name, its accuracy untouched, its size."""

from __future__ import annotations

from typing import Any

from workbench import figures
from workbench.session import Session
from workbench.text import _
from workbench.zoo import model, models, task, tasks


def header(session: Session) -> dict[str, Any]:
    """Return the models to pick from and the facts of the picked one."""
    card = session.model.card
    return {
        "tasks": [
            {
                "title": task(name).title,
                "models": [{"value": m, "label": model(m).title} for m in models(name)],
            }
            for name in tasks()
        ],
        "chosen": session.model.name,
        "facts": [
            _fact(
                _share(card["accuracy"]["validation"]),
                _("validation"),
                _("Accuracy of the original on the images that choices are made with."),
            ),
            _fact(
                _share(card["accuracy"]["test"]),
                _("test"),
                _("Accuracy of the original on images kept aside until the end."),
            ),
            _fact(
                figures.size(session.model.original_bytes),
                "",
                _("The file with every weight in float32: {size}.").format(
                    size=figures.nbytes(session.model.original_bytes)
                ),
            ),
            _fact(
                figures.count(card["parameters"]),
                _("parameters"),
                _("Numbers that training has set."),
            ),
        ],
    }


def _share(counted: dict[str, int]) -> str:
    return figures.percent(counted["correct"] / counted["examples"])


def _fact(value: str, label: str, help_: str) -> dict[str, str]:
    return {"value": value, "label": label, "help": help_}
