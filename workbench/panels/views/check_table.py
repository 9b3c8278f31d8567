"""What the page shows of a table before training: the inspection, in texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench import formatting
from workbench.custom.tables.encodings import NAMES
from workbench.custom.tables.inspection import Choices, ColumnReport, Inspection, TargetReport
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _, mark as N_, plural

TYPES = {
    "number": N_("number"),
    "category": N_("category"),
    "date": N_("date"),
    "text": N_("text"),
    "identifier": N_("identifier"),
    "constant": N_("constant"),
    "empty": N_("empty"),
}
DELIMITERS = {
    ",": N_("columns separated by commas"),
    ";": N_("columns separated by semicolons"),
    "\t": N_("columns separated by tabs"),
    "|": N_("columns separated by vertical bars"),
    " ": N_("columns separated by spaces"),
}
MAX_CLASSES = 12
"""Classes that are listed; the others are counted."""


def check_table(
    file: str,
    inspection: Inspection,
    choices: Choices,
    names: Sequence[str],
    detected: str,
) -> dict[str, Any]:
    """Return the description of a table for the page.

    Parameters
    ----------
    file
        The name of the file.
    inspection
        What the table holds with these `choices`.
    names
        All columns, in the order of the table.
    detected
        The name of the encoding that the file seems to have.
    """
    target = inspection.target
    columns = [_column(column, choices) for column in inspection.columns]
    return {
        "file": file,
        "facts": _facts(inspection),
        "target": {
            "name": target.name,
            "names": list(names),
            "as_number": target.as_number,
            "can_be_number": target.can_be_number,
            "can_be_classes": target.can_be_classes,
        },
        "classes": _classes(target),
        "more_classes": _more_classes(target),
        "any_rare": bool(target.rare),
        "leave_out_rare": choices.leave_out_rare,
        "leave_out": list(choices.leave_out),
        "header": inspection.header,
        "header_is_sure": inspection.header_is_sure,
        "encoding": choices.encoding or "",
        "encodings": [
            {"value": "", "label": _("found: {encoding}").format(encoding=detected)},
            *({"value": codec, "label": label} for codec, label in NAMES.items()),
        ],
        "missing": choices.missing,
        "any_missing": any(column.missing or column.unreadable for column in inspection.columns),
        "warnings": [
            {"text": text, "leave_out": _leak(text, inspection)} for text in inspection.warnings
        ],
        "columns": columns,
        "counts": {
            "all": formatting.count(len(columns)),
            "unused": formatting.count(sum(not column["used"] for column in columns)),
            "odd": formatting.count(sum(bool(column["unreadable"]) for column in columns)),
        },
        "used": _used(inspection),
    }


def _facts(inspection: Inspection) -> list[str]:
    rows = plural("{count} row", "{count} rows", inspection.rows_read)
    count = len(inspection.columns) + 1
    columns = plural("{count} column", "{count} columns", count)
    facts = [
        rows.format(count=formatting.count(inspection.rows_read)),
        columns.format(count=formatting.count(count)),
    ]
    if inspection.encoding:
        facts.append(_("text encoding {name}").format(name=inspection.encoding))
    if inspection.delimiter in DELIMITERS:
        facts.append(_(DELIMITERS[inspection.delimiter]))
    return facts


def _used(inspection: Inspection) -> str:
    used = sum(column.used for column in inspection.columns)
    return _("Uses {rows} of {all_rows} rows and {columns} of {all_columns} columns.").format(
        rows=formatting.count(inspection.rows_used),
        all_rows=formatting.count(inspection.rows_read),
        columns=formatting.count(used),
        all_columns=formatting.count(len(inspection.columns)),
    )


def _column(column: ColumnReport, choices: Choices) -> dict[str, Any]:
    chosen = column.name in choices.leave_out
    note = _("you leave it out") if chosen else column.note
    return {
        "name": column.name,
        "type": _(TYPES[column.type]),
        "missing": _count(column.missing),
        "unreadable": _count(column.unreadable),
        "note": " · ".join(filter(None, [*_examples(column), note])),
        "used": column.used and not chosen,
        "can_change": column.used or chosen,
    }


def _examples(column: ColumnReport) -> list[str]:
    """Return the first cells that were not understood, with their lines."""
    text = _("{cell} in line {line}")
    return [
        text.format(cell=quoted(cell.text), line=formatting.count(cell.line))
        for cell in column.examples
    ]


def _count(number: int) -> str:
    return formatting.count(number) if number else ""


def _classes(target: TargetReport) -> list[dict[str, Any]]:
    total = sum(target.classes.values()) or 1
    listed = list(target.classes.items())[:MAX_CLASSES]
    return [
        {
            "name": name,
            "count": formatting.count(count),
            "share": count / total,
            "percent": formatting.percent(count / total),
        }
        for name, count in listed
    ]


def _more_classes(target: TargetReport) -> str:
    more = len(target.classes) - MAX_CLASSES
    if more <= 0:
        return ""
    sentence = plural("and {count} more class", "and {count} more classes", more)
    return sentence.format(count=formatting.count(more))


def _leak(warning: str, inspection: Inspection) -> str | None:
    """Return the column that, by a warning, alone predicts the target; or None."""
    return next((name for name in inspection.leaks if warning.startswith(quoted(name))), None)
