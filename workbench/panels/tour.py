"""The guided tour: what to do, next to which control, and when it is done."""

from __future__ import annotations

from typing import Any

from workbench.i18n import _
from workbench.panels import distillation
from workbench.session import Session


def describe(session: Session) -> dict[str, Any]:
    """Return the texts of the tour and its steps.

    `target` is the value of ``data-tour`` of a control. A step is done when the control `key` has a
    value from `low` to `high`, when there is a goal, or when an event has come.
    """
    return {
        "start": _("tour"),
        "title": _("guided tour"),
        "count": _("{step} of {steps}"),
        "skip": _("skip"),
        "end": _("end the tour"),
        "steps": [
            {
                "target": "prune.sparsity",
                "text": _(
                    "Drag sparsity to 80\u202f% or more: four of five weights become zero. In the "
                    "picture, left is smaller and down is less accurate."
                ),
                "key": "prune.sparsity",
                "low": 0.8,
            },
            {
                "target": "quantize.bits",
                "text": _("Now move bits to 4 or below: each weight has one of a few values."),
                "key": "quantize.bits",
                "high": 4,
            },
            {
                "target": "undo",
                "text": _("Press undo: every step can be taken back."),
                "key": "quantize.bits",
                "low": 5,
            },
            *_distillation(session),
            {
                "target": "goal",
                "text": _("Set a goal, such as at most 100 kB: the rest of the picture is shaded."),
                "goal": True,
            },
            {
                "target": "download",
                "text": _("Download the file: it has exactly the bytes that you see."),
                "event": "file",
            },
        ],
    }


def _distillation(session: Session) -> list[dict[str, Any]]:
    if not distillation.is_offered(session):
        return []
    return [
        {
            "target": "distillation.temperature",
            "text": _(
                "Move the temperature to 4: a much smaller student network, trained by a teacher, "
                "takes the place of the model."
            ),
            "key": "distillation.temperature",
            "low": 4,
            "high": 4,
        }
    ]
