"""Tables made to known values, written as different programs and countries write them."""

from __future__ import annotations

import csv
import io
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product

ROWS = 90
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "gb18030")
WORDS = {
    "cp1252": ("décidé", "größer", "señal"),
    "gb18030": ("北京", "上海", "广州"),
    "other": ("naïve", "日本", "plain"),
}
DELIMITERS = (",", ";", "\t", "|")
NUMBERS = ((".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'"))
HEADERS = ("names", "none", "title", "sep", "types", "comments", "trailing", "unnamed")
MISSING = ("", "NA", "-", "None", "#N/A", "?", "n/a", "NaN", "#DIV/0!", "null")
DECORATIONS = ("", "%", "$", " €", " kg")
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%dT%H:%M:%S", "%d %b %Y", "%b %d, %Y %I:%M %p")


@dataclass
class Made:
    """The bytes of a table, and the values that were written."""

    data: bytes
    delimiter: str
    header: str
    numbers: dict[str, list[float]] = field(default_factory=dict)
    words: dict[str, list[str | None]] = field(default_factory=dict)
    dates: dict[str, list[float]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)


def written(value, decimal, thousands, decoration=""):
    """Return a number as text with the given separators."""
    if math.isnan(value):
        return None
    digits = f"{abs(value):,.2f}" if value != int(value) else f"{abs(int(value)):,}"
    digits = digits.replace(",", "T").replace(".", "D")
    digits = digits.replace("T", thousands).replace("D", decimal)
    sign = "-" if value < 0 else ""
    return f"{sign}${digits}" if decoration == "$" else f"{sign}{digits}{decoration}"


def make(seed, encoding, delimiter, separators, header, missing, decoration, date_format):
    """Return a table of these spellings."""
    rng = random.Random(seed)
    decimal, thousands = separators

    def some(value, share=0.1):
        return None if rng.random() < share else value

    amounts = [some(rng.randint(100, 900_000) / 4) for _ in range(ROWS)]
    counts = [rng.randint(-50, 9_999) for _ in range(ROWS)]
    first = datetime(2019, 1, 1, tzinfo=UTC)
    moments = [some(first + timedelta(minutes=rng.randint(0, 10**6))) for _ in range(ROWS)]
    choices = WORDS.get(encoding, WORDS["other"])
    cities = [some(rng.choice(choices)) for _ in range(ROWS)]
    labels = [rng.choice(["yes", "no"]) for _ in range(ROWS)]
    columns = {
        "amount": [
            missing if x is None else written(x, decimal, thousands, decoration) for x in amounts
        ],
        "count": [written(x, decimal, thousands) for x in counts],
        "when": [missing if x is None else x.strftime(date_format) for x in moments],
        "city": [missing if x is None else x for x in cities],
        "label": labels,
    }
    data, begin = _text(columns, delimiter, header)
    names = [f"column {n}" if header == "none" else name for n, name in enumerate(columns, 1)]
    if header == "unnamed":
        names[1] = "column 2"
    dates = [
        math.nan
        if x is None
        else datetime.strptime(x.strftime(date_format), date_format).replace(tzinfo=UTC).timestamp()
        for x in moments
    ]
    return Made(
        data.encode(encoding),
        delimiter,
        header,
        {
            names[0]: [math.nan if x is None else x for x in amounts],
            names[1]: [float(x) for x in counts],
        },
        {names[3]: cities, names[4]: labels},
        {names[2]: dates},
        [begin + n for n in range(ROWS)],
    )


def _text(columns, delimiter, header):
    """Return the text of a table and the line of its first row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    names = [*columns]
    if header == "unnamed":
        names[1] = ""
    end = [""] if header == "trailing" else []
    begin = 2
    if header == "title":
        buffer.write(f"Sales of the year\r\n\r\nmade by hand{delimiter * 4}\r\n")
        begin = 5
    elif header == "sep":
        buffer.write(f"sep={delimiter}\r\n")
        begin = 3
    elif header == "comments":
        buffer.write("# a comment\r\n# another one, with a comma\r\n")
        begin = 4
    if header == "none":
        begin = 1
    else:
        writer.writerow([*names, *end])
    if header == "types":
        writer.writerow(["float", "int", "date", "string", "category"])
        begin = 3
    writer.writerows([*row, *end] for row in zip(*columns.values(), strict=True))
    return buffer.getvalue(), begin


def combinations(count=160):
    """Return sets of spellings in which every pair of two kinds occurs, as far as it can be."""
    everything = [ENCODINGS, DELIMITERS, NUMBERS, HEADERS, MISSING, DECORATIONS, DATES]
    rng = random.Random(0)
    left = {
        (i, a, j, b)
        for i, j in product(range(len(everything)), repeat=2)
        if i < j
        for a, b in product(everything[i], everything[j])
    }
    chosen = []
    while left and len(chosen) < count:
        candidates = [tuple(rng.choice(kind) for kind in everything) for _ in range(30)]
        best = max(candidates, key=lambda c: len(left & _pairs(c)))
        left -= _pairs(best)
        chosen.append(best)
    return chosen


def _pairs(choice):
    return {(i, a, j, b) for i, a in enumerate(choice) for j, b in enumerate(choice) if i < j}
