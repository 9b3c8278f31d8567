"""What sentences call the model that a file is compared with."""

from __future__ import annotations

from workbench.i18n import _
from workbench.zoo.students import find_student


def reference(model: str) -> str:
    """Return "the original", or the name of a distilled student, which is not the original."""
    known = find_student(model)
    if known is None:
        return _("the original")
    return _("the {student}").format(student=known.short_title)


def reference_label(model: str) -> str:
    """Return the same as the label of a point."""
    known = find_student(model)
    return _("original") if known is None else known.short_title
