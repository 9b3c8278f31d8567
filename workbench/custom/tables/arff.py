"""Tables of Weka (.arff): their names and types stand above the rows."""

from __future__ import annotations

import csv
import io
import re

from workbench.errors import InputError
from workbench.i18n import _

_START = re.compile(r"(?:\s++|%[^\n]*+\n)*+@relation\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"@attribute\s+(?:'([^']*)'|\"([^\"]*)\"|(\S+))", re.IGNORECASE)
_DATA = re.compile(r"(?im)^[ \t]*@data\b[^\n]*\n")


def without_declarations(text: str) -> str:
    """Return a table of Weka as a table with names in its first line, and any other text as it is.

    The rows stay in their lines of the file.

    Raises
    ------
    InputError
        If its rows are sparse.
    """
    data = _DATA.search(text) if _START.match(text) else None
    if data is None:
        return text
    rest = text[data.end() :]
    if rest.lstrip().startswith("{"):
        raise InputError(
            _("The rows of this ARFF file are sparse: save it in Weka as CSV."),
            code="upload.not_a_table",
        )
    lines = text[: data.end()].splitlines()
    matches = (_ATTRIBUTE.match(line.strip()) for line in lines)
    names = [match[1] or match[2] or match[3] for match in matches if match]
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(names)
    return "\n" * (len(lines) - 1) + header.getvalue() + re.sub(r"(?m)^%.*$", "", rest)
