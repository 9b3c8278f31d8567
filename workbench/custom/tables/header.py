"""Whether the first line of a table holds names or data, and lines of types below the names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from workbench.custom.tables import dates
from workbench.custom.tables.missing import is_missing
from workbench.i18n import _

SAMPLE = 50
"""Rows from which it is decided."""
MIN_SAME_TYPE = 0.8
MAX_REPEATED = 0.5
MAX_FEW = 5
MIN_ROWS_OF_WORD = 10
"""Different words of a column, and rows for each, from which a word above them is a name."""
MIN_COUNTED = 3
"""Consecutive numbers in the first line that are names."""
TYPE_WORDS = frozenset(
    [
        *("int", "integer", "int32", "int64", "float", "float32", "float64", "double", "real"),
        *("number", "numeric", "numerical", "continuous", "discrete", "decimal", "long", "short"),
        *("string", "str", "text", "char", "varchar", "object", "category", "categorical"),
        *("factor", "class", "nominal", "ordinal", "bool", "boolean", "date", "datetime", "time"),
        *("timestamp", "binary", "meta", "target", "ignore", "c", "d", "s", "t", "i", "f"),
    ]
)
ROLE_WORDS = frozenset(["class", "target", "meta", "ignore", "weight", "c", "m", "i", "w", ""])
"""The roles of columns in the third line of a table of Orange."""
TARGET_ROLES = frozenset(["class", "target", "c"])
UNUSED_ROLES = frozenset(["meta", "ignore", "m", "i"])
_NUMBER = re.compile(r"\(?[-+−]?\s?[$€£¥]?\s?[\d.,' ]*\d\s?[%$€£¥]?\)?(?:[eE][-+]?\d+)?")
_UNIT = re.compile(r"[\[(][^\])]{0,20}[\])]|[°%$€£]|[^\W\d_]{1,4}(?:[/²³][^\W\d_]{0,4})?|-")


def is_header(first: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[bool, bool]:
    """Return whether the first line holds names, and whether that is sure.

    A name differs from the cells below it: text above numbers or dates, or a word that does not
    occur again. Years in a row, such as 1990, 1991, are names above numbers.
    """
    if not any(len(cells) for cells in columns):
        return True, True
    names = data = 0
    for name, cells in zip(first, columns, strict=True):
        vote = _vote(name, cells[:SAMPLE])
        names += vote > 0
        data += vote < 0
    are_years = _count_up(first) and not _count_up([cells[0] for cells in columns])
    if are_years or any(map(_is_foreign, first, columns)):
        return True, data == 0
    repeated = len({*first}) < len(first) and data > 0
    if names and not data:
        return True, True
    if data and not names:
        return False, not repeated or data > 1
    if not names and not data:
        return True, not any(_is_value(name) for name in first)
    return names >= data, False


def type_line(cells: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether the line below the names holds types or units, given the cells below it."""
    types = [cell.lower() for cell in cells if cell]
    if len(types) > 1 and TYPE_WORDS.issuperset(types):
        return not all(cell in set(c[:SAMPLE]) for cell, c in zip(cells, columns, strict=True))
    numeric = [n for n, column in enumerate(columns) if _share_of_values(column[:SAMPLE]) > 0.9]
    units = [cells[n] for n in numeric]
    return (
        len(numeric) > 1
        and any(units)
        and all(not unit or _UNIT.fullmatch(unit) for unit in units)
        and not all(is_missing(unit) for unit in units)
    )


def joined(
    first: Sequence[str], second: Sequence[str], columns: Sequence[Sequence[str]]
) -> list[str] | None:
    """Return the names of a table whose first two lines hold them together, or None.

    The first line names groups of columns, once above the first column of each or above all, as
    merged cells of a spreadsheet become. `columns` are the cells below both lines.
    """
    groups = list(first)
    for index in range(1, len(groups)):
        groups[index] = groups[index] or groups[index - 1]
    pairs = zip(first, groups, strict=True)
    is_group = [not name or groups.count(group) > 1 for name, group in pairs]
    if (
        not any(is_group)
        or not groups[0]
        or not all(name for name, grouped in zip(second, is_group, strict=True) if grouped)
    ):
        return None
    numeric = [n for n, column in enumerate(columns) if _share_of_values(column[:SAMPLE]) > 0.9]
    if not any(is_group[n] for n in numeric) or any(map(_is_value, second)):
        return None
    names = [" ".join(filter(None, pair)) for pair in zip(groups, second, strict=True)]
    return names if len({*names}) == len(names) else None


def repetitions(first: Sequence[str], columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the rows that repeat the first line, as in joined files."""
    rows = [row for row, cell in enumerate(columns[0]) if cell == first[0]]
    width = range(1, len(columns))
    return [row for row in rows if all(columns[n][row] == first[n] for n in width)]


def role_line(types: Sequence[str], roles: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether two lines below the names hold types and roles, as Orange writes them.

    The type of a category may be the list of its values.
    """
    if not ROLE_WORDS.issuperset(role.lower() for role in roles):
        return False
    if all(kind.lower() in TYPE_WORDS for kind in types):
        return not (all(map(_occurs, roles, columns)) or all(map(_occurs, types, columns)))
    lists = [
        kind.lower() in TYPE_WORDS
        or (len(kind.split()) > 1 and {*kind.split()}.issuperset(filter(None, cells[:SAMPLE])))
        for kind, cells in zip(types, columns, strict=True)
    ]
    return all(lists) and any(roles)


def _occurs(cell: str, cells: Sequence[str]) -> bool:
    return cell in cells[:SAMPLE]


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names on one line that differ; a column without a name is called "column 3"."""
    result: list[str] = []
    counts: Counter[str] = Counter()
    lines = [" ".join(name.split()) for name in names]
    for number, line in enumerate(lines, start=1):
        name = line or _("column {number}").format(number=number)
        counts[name] += 1
        while name in result or (name != line and name in lines):
            name = f"{line or name} ({counts[line] or number})"
            counts[line] += 1
        result.append(name)
    return tuple(result)


def _vote(name: str, cells: Sequence[str]) -> int:
    """Return 1 if a first cell is a name, −1 if it is like the cells below, 0 if it may be both."""
    values = [cell for cell in cells if not is_missing(cell)]
    if not values or is_missing(name):
        return 0
    if _share_of_values(values) >= MIN_SAME_TYPE:
        return -1 if _is_value(name) else 1
    if name in values:
        return -1
    repeated = 1 - len({*values}) / len(values)
    return 1 if repeated > MAX_REPEATED and len(values) >= 10 else 0


def _is_foreign(name: str, cells: Sequence[str]) -> bool:
    """Whether a word stands above two or more others that repeat, and is none of them."""
    if len({*cells[: MIN_ROWS_OF_WORD * MAX_FEW]}) > MAX_FEW:
        return False
    others = {*cells}
    return (
        2 <= len(others) <= MAX_FEW
        and len(others) * MIN_ROWS_OF_WORD <= len(cells)
        and not any(map(_is_value, (name, *others)))
        and not is_missing(name)
        and name not in others
    )


def _share_of_values(cells: Sequence[str]) -> float:
    values = [cell for cell in cells if not is_missing(cell)]
    return sum(map(_is_value, values)) / max(1, len(values))


def _is_value(cell: str) -> bool:
    """Whether a cell is a number or a date."""
    return _NUMBER.fullmatch(cell) is not None or dates.read(cell) is not None


def _count_up(first: Sequence[str]) -> bool:
    """Whether the numbers in a line are consecutive years, or count from 0 or 1."""
    digits = [int(cell) for cell in first if re.fullmatch(r"\d{1,4}", cell)]
    if len(digits) < MIN_COUNTED or any(b - a != 1 for a, b in pairwise(digits)):
        return False
    return digits[0] in {0, 1} or 1900 <= digits[0] <= 2100
