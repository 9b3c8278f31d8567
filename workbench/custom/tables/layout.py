"""How a text is divided into cells: its delimiter, quotes and lines before the table."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, islice, takewhile

DELIMITERS = (",", ";", "\t", "|")
RARE_DELIMITERS = ("::", "^", "~", "，", "；")
"""They are tried where no other delimiter divides a text."""
NO_DELIMITER = "\x1f"
"""The delimiter of a single column, which no text contains."""
LONG_DELIMITER = "\x1e"
"""Stands for a delimiter of several characters."""
ESCAPE = "\\"
"""The letter before quotation marks in tables of MySQL, Spark and others."""
SPACES = " "
"""The delimiter of columns that runs of spaces or tabs separate."""
SAMPLE_ROWS = 100
"""Rows from which the layout is detected."""
SAMPLE_CHARACTERS = 2**20
COMMENTS = ("#", "%", "//")
MIN_REGULAR = 0.6
"""The share of rows with the same number of cells in a table."""
_NUMBER = re.compile(r"[-+]?[\d.,' ]*\d%?")


@dataclass(frozen=True)
class Layout:
    """How to divide a text into rows of cells.

    Attributes
    ----------
    delimiter, quote : str
        `quote` is empty if quotation marks are ordinary letters.
    escape : str
        The letter before quotation marks inside quoted cells; empty if they are doubled.
    skip : int
        Lines before the table: the delimiter, as Excel writes it, titles and comments.
    width : int
        The number of cells of most rows.
    names_itself : bool
        Whether the first line names the delimiter.
    """

    delimiter: str
    quote: str = '"'
    skip: int = 0
    width: int = 0
    names_itself: bool = False
    escape: str = ""


def detect(text: str) -> Layout:
    """Return the layout of a text.

    The delimiter is the one that divides most lines into equally many cells, and that leaves no
    other delimiter inside cells. Without one, each line is a cell.
    """
    named = re.match(r"\"?sep=(.)[^\n\r]*(?:\r\n|\n|\r)", text, re.IGNORECASE)
    if named:
        rest = _of(text[named.end() :], named[1])
        return replace(rest, skip=rest.skip + 1, names_itself=True)
    sample = text[:SAMPLE_CHARACTERS]
    layouts = [_of(sample, delimiter) for delimiter in DELIMITERS]
    scores = {layout: _score(sample, layout) for layout in layouts if layout.width > 1}
    best = max(scores, key=scores.__getitem__, default=None)
    is_regular = best is not None and scores[best] >= MIN_REGULAR
    if best is not None and is_regular and not _has_runs_of_spaces(sample):
        return best
    spaced = _of(sample, SPACES)
    if best is not None and is_regular:
        return spaced if _is_spaced(sample, spaced, best) else best
    if spaced.width > 1 and _score(sample, spaced) >= (scores[best] if best else MIN_REGULAR):
        return spaced
    if best is not None and best.delimiter in sample.lstrip().split("\n", 1)[0]:
        return best
    rare = [_of(sample, delimiter) for delimiter in RARE_DELIMITERS if delimiter in sample]
    rare = [layout for layout in rare if layout.width > 1 and _score(sample, layout) >= MIN_REGULAR]
    return max(rare, key=lambda layout: layout.width, default=_of(sample, NO_DELIMITER))


def unwrapped(text: str) -> tuple[str, Layout]:
    """Return a text and its layout, without quotation marks around each line as a whole.

    Spreadsheets write such lines if a table of another delimiter is saved again.
    """
    layout = detect(text)
    if layout.width != 1 or not text.lstrip().startswith('"'):
        return text, layout
    inner = "\n".join(cells[0] for _line, cells in rows(text, layout))
    inner_layout = detect(inner)
    return (inner, inner_layout) if inner_layout.width > 1 else (text, layout)


def others(layout: Layout, text: str) -> list[Layout]:
    """Return the layouts to try if a row cannot be divided: with other quotation marks inside."""
    if not layout.quote:
        return []
    unquoted = replace(layout, quote="")
    escaped = replace(layout, escape=ESCAPE)
    return (
        [escaped, unquoted] if not layout.escape and ESCAPE + layout.quote in text else [unquoted]
    )


def rows(text: str, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank, with the line in which it begins, counted from 1.

    Raises
    ------
    csv.Error
        If a quoted cell has no end, or a cell is too long.
    """
    delimiter = layout.delimiter
    if len(delimiter) > 1:
        text, delimiter = text.replace(delimiter, LONG_DELIMITER), LONG_DELIMITER
    if delimiter == SPACES:
        text = re.sub(r"(?m)^[ \t]+|[ \t]+$", "", re.sub(r"[ \t]+", " ", text))
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=layout.quote or None,
        escapechar=layout.escape or None,
        quoting=csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE,
        strict=True,
        skipinitialspace=bool(layout.quote),
    )
    begin = 1
    for cells in reader:
        if begin > layout.skip and any(cells) and (cells[0].strip() or "".join(cells).strip()):
            yield begin, cells
        begin = reader.line_num + 1


def _is_spaced(text: str, spaced: Layout, best: Layout) -> bool:
    """Whether spaces divide all lines into more cells than the best other delimiter."""
    return spaced.width > best.width and _score(text, spaced) >= 1


def _has_runs_of_spaces(text: str) -> bool:
    """Whether most of the first lines have two spaces side by side."""
    lines = text.split("\n", SAMPLE_ROWS)[:SAMPLE_ROWS]
    return sum("  " in line.strip() for line in lines) > len(lines) / 2


def _of(text: str, delimiter: str) -> Layout:
    """Return the layout with a delimiter, as far as the first rows show it."""
    layout = Layout(delimiter, _quote(text, delimiter))
    first: list[tuple[int, list[str]]] = []
    for tried in (layout, *others(layout, text)):
        with suppress(csv.Error):
            layout = tried
            first = [*islice(rows(text, layout), SAMPLE_ROWS)]
            break
    widths = Counter(len(cells) for _line, cells in first)
    if not widths:
        return layout
    width = max(widths, key=lambda width: (widths[width], width))
    before = [*takewhile(lambda number: _is_before_table(first, number, width), count())]
    skip = first[len(before)][0] - 1 if before and len(before) < len(first) else 0
    return replace(layout, width=width, skip=skip)


def _quote(text: str, delimiter: str) -> str:
    """Return the mark that quotes cells: `"`, or `'` if it alone surrounds whole cells.

    An apostrophe at one end of a cell only, as in a list of words, shows that it quotes none.
    """
    if '"' not in text and "'" not in text:
        return '"'
    lines = text.splitlines()[:SAMPLE_ROWS]
    sample, mark = "\n".join(lines), re.escape(delimiter)
    start, end = rf"(?:^|{mark}) *", rf" *(?=$|{mark})"
    double, single = (
        re.compile(rf"(?m){start}{q}[^{q}{ends}]*+(?:{q}{q}[^{q}{ends}]*+)*+{q}{end}")
        for q, ends in (('"', ""), ("'", r"\n"))
    )
    cells = single.findall(sample)
    if double.search(sample) or re.search(
        rf"(?m){start}'|'{end}", single.sub(lambda _match: delimiter, sample)
    ):
        return '"'
    is_needed = any(delimiter in cell for cell in cells)
    return "'" if is_needed or len(cells) > len(lines) / 2 else '"'


def _is_before_table(rows: Sequence[tuple[int, list[str]]], number: int, width: int) -> bool:
    """Whether a row is a title or a comment: the number of its cells differs, or few have text.

    A row with one cell less than the others holds their names if values follow it: the first
    column, of the names of the rows, has no name.
    """
    if number >= len(rows):
        return False
    cells = rows[number][1]
    present = sum(bool(cell.strip()) for cell in cells)
    if len(cells) != width and cells[0].lstrip().startswith(COMMENTS):
        return True
    if len(cells) == width - 1 > 1:
        following = [cells for _line, cells in rows[number + 1 :] if len(cells) == width]
        return len(following) > 1 and _has_numbers(following[1]) > _has_numbers(following[0])
    if len(cells) in {width, width + 1} and width > 2:
        return present < max(2, width / 2 - 1)
    return len(cells) not in {width, width + 1}


def _has_numbers(cells: Sequence[str]) -> bool:
    return any(_NUMBER.fullmatch(cell.strip()) for cell in cells)


def _score(text: str, layout: Layout) -> float:
    """Return the share of regular rows, times the share of cells without another delimiter."""
    table = [cells for _line, cells in islice(rows(text, layout), SAMPLE_ROWS)]
    regular = [cells for cells in table if len(cells) == layout.width]
    others = [mark for mark in DELIMITERS if mark != layout.delimiter]
    cells = [cell for row in regular for cell in row]
    divided = sum(
        any(mark in cell for mark in others) and not _NUMBER.fullmatch(cell.strip())
        for cell in cells
    )
    share = len(regular) / max(1, len(table))
    return share * (1 - divided / max(1, len(cells))) + layout.width / 1e6
