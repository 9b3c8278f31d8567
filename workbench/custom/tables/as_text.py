"""An inspection as text, for a terminal or a notebook without HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench import formatting
from workbench.i18n import _, plural

MAX_COLUMNS = 200
"""Columns that are listed."""
MAX_NAME = 30
MAX_CLASSES = 10


def as_text(inspection: Mapping[str, Any]) -> str:
    """Return an inspection as lines of text.

    Parameters
    ----------
    inspection
        The inspection as a dict; see `Inspection.as_dict`.
    """
    lines = [_first_line(inspection), _target_line(inspection["target"]), ""]
    rows = [_row(column) for column in inspection["columns"][:MAX_COLUMNS]]
    head = (_("column"), _("type"), _("missing"), _("no number or date"), _("used"))
    lines += _aligned([head, *rows])
    hidden = len(inspection["columns"]) - len(rows)
    if hidden > 0:
        lines.append(_("… and {count} more columns").format(count=formatting.count(hidden)))
    return "\n".join([*lines, *(f"– {sentence}" for sentence in inspection["warnings"])])


def class_counts(target: Mapping[str, Any]) -> str:
    """Return the classes of a target with their numbers of rows, the most frequent first."""
    classes = [f"{name} {formatting.count(n)}" for name, n in target["classes"].items()]
    return formatting.names(classes, MAX_CLASSES)


def delimiter_name(delimiter: str) -> str:
    """Return how a delimiter is called."""
    names = {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("bar"), " ": _("spaces")}
    return names.get(delimiter, delimiter)


def _first_line(inspection: Mapping[str, Any]) -> str:
    read, used = inspection["rows_read"], inspection["rows_used"]
    parts = [plural("{count} row", "{count} rows", read).format(count=formatting.count(read))]
    if used != read:
        parts.append(_("{count} used").format(count=formatting.count(used)))
    if inspection["encoding"]:
        parts += [inspection["encoding"], delimiter_name(inspection["delimiter"])]
        parts.append(_("first line: names") if inspection["header"] else _("first line: data"))
    return ", ".join(parts)


def _target_line(target: Mapping[str, Any]) -> str:
    if target["as_number"]:
        return _("target: {name}, a number").format(name=target["name"])
    return _("target: {name}, classes: {classes}").format(
        name=target["name"], classes=class_counts(target)
    )


def _row(column: Mapping[str, Any]) -> tuple[str, ...]:
    name = column["name"]
    used = _("yes") if column["used"] else _("no")
    cells = ", ".join(
        _("{cell} (line {line})").format(cell=cell["text"], line=formatting.count(cell["line"]))
        for cell in column["examples"]
    )
    unreadable = formatting.count(column["unreadable"])
    return (
        name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…",
        _(column["type"]),
        formatting.count(column["missing"]),
        f"{unreadable}: {cells}" if cells else unreadable,
        f"{used}: {column['note']}" if column["note"] else used,
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
