"""How a table becomes inputs, written from docs/format.md alone, in plain Python."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime

WORDS = r"[I]|[^\WI]+(?:'[^\WI]+)?|[^\w\s]".replace("I", "\u3040-\u9fff")


def inputs(data, row):
    """Return the inputs of one row: numbers, seconds or texts by column; None if missing."""
    result = []
    for column in data["columns"]:
        value, fields = row.get(column["name"]), column["features"]
        features = READERS[column["format"]["type"]](fields, value)
        result += [column.get("weight", 1) * feature for feature in features]
    return result


def number(fields, value):
    x = fields.get("median", 0) if value is None else value
    width, result = fields.get("width", 0), []
    if fields.get("used", True):
        y = math.asinh((x - fields.get("median", 0)) / width) if width else x
        y = (y - fields.get("mean", 0)) / fields.get("scale", 1)
        result.append(min(max(y, -10), 10))
        knots = fields.get("knots", [])
        for index in range(len(knots) - 1):
            low, high = knots[index], knots[index + 1]
            result.append(min(max((x - low) / (high - low), 0), 1))
    return result + [float(value is None)] * fields.get("indicator", False)


def category(fields, value):
    values = [key(known) for known in fields["values"]]
    has_other, has_missing = fields.get("other", False), fields.get("missing", False)
    chosen = [float(value is not None and key(value) == known) for known in values]
    other = [float(value is not None and not any(chosen))] * has_other
    return chosen + other + [float(value is None)] * has_missing


def key(text):
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def date(fields, value):
    seconds = fields["elapsed"].get("median", 0) if value is None else value
    moment = datetime.fromtimestamp(seconds, UTC)
    new_year = datetime(moment.year, 1, 1, tzinfo=UTC)
    features = {
        "elapsed": lambda: number(fields["elapsed"], seconds),
        "year": lambda: number(fields["year"], moment.year),
        "day": lambda: number(fields["day"], moment.day),
        "month": lambda: [float(moment.month == n) for n in range(1, 13)],
        "weekday": lambda: [float(moment.weekday() == n) for n in range(7)],
        "day of year": lambda: waves((moment - new_year).days / 365.2425),
        "hour": lambda: waves(seconds % 86400 / 86400),
    }
    result = [feature for part in fields["parts"] for feature in features[part]()]
    return result + [float(value is None)] * fields.get("indicator", False)


def waves(t):
    return [wave(2 * math.pi * t * n) for n in (1, 2) for wave in (math.sin, math.cos)]


def text(fields, value):
    counts = Counter(re.findall(WORDS, (value or "")[:20_000].lower()))
    values = [
        (1 + math.log(counts[word])) * weight if counts[word] else 0.0
        for word, weight in zip(fields["words"], fields["weights"], strict=True)
    ]
    length = math.sqrt(sum(v * v for v in values)) or 1.0
    return [5 * v / length for v in values] + [float(value is None)] * fields.get(
        "indicator", False
    )


READERS = {"number": number, "category": category, "constant": category, "date": date, "text": text}
