"""Which values of which fields the next search of the page Choose tries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.panels.buttons import button, select
from workbench.recipe.labels import field_label
from workbench.session import Session

if TYPE_CHECKING:
    from workbench.domain import Model
    from workbench.study.space import Value

Range = tuple[str, int, int]


def fields(model: Model) -> Mapping[str, Sequence[Value]]:
    """Return the values of the fields that a search may narrow, by key."""
    from workbench.study.candidates import space_of  # loads torch

    return space_of(model).axes


def brushed(session: Session, value: Any) -> dict[str, Any]:
    """Return the change of the focus for a range of an axis that was dragged: {field, range}."""
    if not isinstance(value, Mapping):
        return {}
    key, ends = value.get("field"), value.get("range")
    if not (isinstance(ends, Sequence) and len(ends) == 2 and all(map(_is_number, ends))):
        return {"narrowed": without(session, key)}
    first, last = math.ceil(min(ends)), math.floor(max(ends))
    if first > last:  # the range lies between two values
        first = last = round(sum(ends) / 2)
    return _narrowed(session, key, first, last)


def first_chosen(session: Session, value: Any) -> dict[str, Any]:
    """Return the change of the focus for the index of the first value of the selected field."""
    key = axis(session)
    _first, last = _range_of(session, key)
    return _narrowed(session, key, value, max(last, value)) if isinstance(value, int) else {}


def last_chosen(session: Session, value: Any) -> dict[str, Any]:
    """Return the change of the focus for the index of the last value of the selected field."""
    key = axis(session)
    first, _last = _range_of(session, key)
    return _narrowed(session, key, min(first, value), value) if isinstance(value, int) else {}


def cleared(_session: Session, _value: Any) -> dict[str, Any]:
    """Return the change of the focus for a search of all values."""
    return {"narrowed": ()}


def axis(session: Session) -> str:
    """Return the field that the controls narrow: the selected one, else the first."""
    known = list(fields(session.model))
    selected = session.focus.axis
    return selected if selected in known else known[0]


def controls(session: Session) -> list[dict[str, Any]]:
    """Return what narrows the space without a mouse: a field, its first and its last value."""
    known, key = fields(session.model), axis(session)
    first, last = _range_of(session, key)
    values = [(number, str(value)) for number, value in enumerate(known[key])]
    rows = [
        select("axis", _("field"), key, [(name, field_label(name)) for name in known]),
        select("first_value", _("first value that is tried"), first, values),
        select("last_value", _("last value that is tried"), last, values),
    ]
    if session.focus.narrowed:
        rows.append(button("all_values", 0, _("all values")))
    return rows


def sentence(session: Session) -> str | None:
    """Return a sentence with the values that the next search tries, or None if it tries all."""
    known = fields(session.model)
    parts = []
    for key, first, last in session.focus.narrowed:
        if key in known:
            text = _("{field} {first}") if first == last else _("{field} {first} to {last}")
            values = {"first": known[key][first], "last": known[key][last]}
            parts.append(text.format(field=field_label(key), **values))
    if not parts:
        return None
    return _("The next search tries only: {parts}.").format(parts="; ".join(parts))


def without(session: Session, key: Any) -> tuple[Range, ...]:
    """Return the ranges of all fields except one."""
    return tuple(entry for entry in session.focus.narrowed if entry[0] != key)


def _range_of(session: Session, key: str) -> tuple[int, int]:
    ranges = {name: (first, last) for name, first, last in session.focus.narrowed}
    return ranges.get(key, (0, len(fields(session.model)[key]) - 1))


def _narrowed(session: Session, key: Any, first: int, last: int) -> dict[str, Any]:
    known, others = fields(session.model), without(session, key)
    if key not in known:
        return {}
    end = len(known[key]) - 1
    first, last = max(0, min(first, end)), max(0, min(last, end))
    if (first, last) == (0, end):
        return {"narrowed": others}
    return {"narrowed": (*others, (key, first, last))}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
