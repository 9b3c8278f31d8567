"""What a file contains of the user's data, which the page shows before a download."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.domain import Model
from workbench.i18n import _

MAX_VALUES = 30
"""Values of one column that are listed."""


def contents(model: Model) -> dict[str, Any] | None:
    """Return what files of a model contain of its data, or None if it is only the weights."""
    if model.preprocessing is None:
        return None
    from workbench.custom.prediction.contents import contents_of  # loads torch

    known = contents_of(model.preprocessing)
    assert known is not None, "the model describes its data"
    values = dict(known.values)
    names = (*known.columns, *(name for name in values if name not in known.columns))
    return {
        "text": known.text,
        "items": [{"name": name, "values": _listed(values.get(name, ()))} for name in names],
    }


def _listed(values: tuple[str, ...]) -> str:
    listed = ", ".join(values[:MAX_VALUES])
    if len(values) <= MAX_VALUES:
        return listed
    return _("{values} and {count} more").format(
        values=listed, count=formatting.count(len(values) - MAX_VALUES)
    )
