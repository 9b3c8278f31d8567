"""The guided tour: what to do, next to which control, and when it is done."""

from __future__ import annotations

from typing import Any

from workbench.i18n import _
from workbench.panels import distillation
from workbench.plots import points
from workbench.plots.finding import finding
from workbench.plots.spots import Landmark
from workbench.session import Session

SMALL_LOSS = 0.01
"""The largest loss of a fraction, such as accuracy, of a preset that is recommended."""


def describe(session: Session) -> dict[str, Any]:
    """Return the texts of the tour and its steps.

    `target` is the value of ``data-tour`` of a control. A step is done when the control `key` has a
    value from `low` to `high`, when there is a goal, or when a change is undone.
    """
    return {
        "start": _("tour"),
        "title": _("guided tour"),
        "count": _("{step} of {steps}"),
        "done": _("done"),
        "back": _("back"),
        "next": _("next"),
        "finish": _("finish"),
        "end": _("end the tour and restore your own recipe and goal"),
        "steps": [
            {
                "target": "prune.sparsity",
                "text": _(
                    "Drag sparsity to 50\u202f% or more: every second weight becomes zero. In the "
                    "picture, left is smaller and down is less accurate."
                ),
                "key": "prune.sparsity",
                "low": 0.5,
            },
            {
                "target": "quantize.bits",
                "text": _("Move bits to 4 or below: each weight has one of a few values."),
                "key": "quantize.bits",
                "high": 4,
            },
            {
                "target": "undo",
                "text": _("Press undo: it takes back the last step."),
                "undone": True,
            },
            *_distillation(session),
            {
                "target": "goal",
                "text": _("Set a goal, such as at most 100 kB: the rest of the picture is shaded."),
                "goal": True,
            },
            {"target": "download", "text": _last(session)},
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


def _last(session: Session) -> str:
    """Return what the download is, what the end of the tour restores, and what to try then."""
    restored = _(
        "Download saves exactly the bytes that you see. Finish brings back your own recipe and "
        "goal."
    )
    preset = _recommended(session)
    if preset is None:
        return f"{restored} {_('Then let Choose search for good recipes.')}"
    original = points.original(session.origin_model)
    text = _("Then try “{preset}”: {finding}.").format(
        preset=preset.label,
        finding=finding(original, preset.spot, session.origin_model.task.metric),
    )
    return f"{restored} {text}"


def _recommended(session: Session) -> Landmark | None:
    """Return the smallest preset that loses little; None if no preset is known to."""
    metric = session.origin_model.task.metric
    if not metric.is_fraction:
        return None
    least = session.origin_model.metric_value("validation") - SMALL_LOSS
    known = points.presets(session.origin_model, session.store)
    good = [preset for preset in known if preset.spot.value >= least]
    return min(good, key=lambda preset: preset.spot.bytes, default=None)
