"""The points of the picture that are known beforehand: presets and students."""

from __future__ import annotations

from workbench import zoo
from workbench.i18n import _
from workbench.plots import points
from workbench.plots.spots import Landmark
from workbench.session import Session
from workbench.zoo.students import Student


def landmarks(session: Session) -> list[Landmark]:
    """Return the points that are known beforehand: presets, and the selected student."""
    return [*points.presets(session.origin_model, session.store), *student_marks(session.student)]


def student_marks(chosen: Student | None) -> list[Landmark]:
    """Return a distilled student, and the same network trained on the same labels alone."""
    if chosen is None or not chosen.teacher:
        return []
    taught = _("taught at T = {t}").format(t=f"{chosen.temperature:g}")
    return [
        Landmark(label, points.original(zoo.model(student.name)), kind)
        for label, student, kind in (
            (_("labels alone"), chosen.alone, "alone"),
            (taught, chosen, "student"),  # in front, if they overlap
        )
    ]
