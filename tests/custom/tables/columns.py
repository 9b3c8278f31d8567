"""Columns and tables made in tests."""

from __future__ import annotations

import numpy as np

from workbench.custom.tables.column import Column, Format, Table


def number(name, values):
    values = np.asarray(values, float)
    return Column(name, Format("number"), [f"{v:g}" for v in values], ~np.isnan(values), values)


def date(name, dates):
    seconds = np.array(dates, "datetime64[s]").astype(np.int64).astype(float)
    seconds[np.isnat(np.array(dates, "datetime64[s]"))] = np.nan
    return Column(name, Format("date"), list(map(str, dates)), ~np.isnan(seconds), seconds)


def category(name, values):
    words = tuple(sorted({value for value in values if value}))
    codes = np.array([words.index(value) if value else -1 for value in values], np.int32)
    return Column(name, Format("category"), values, codes >= 0, codes=codes, words=words)


def text(name, texts):
    return Column(name, Format("text"), texts, np.array([bool(text) for text in texts]))


def table(*columns):
    """Return a table whose target is the last column, as in a file with a header."""
    count = len(columns[0].present)
    return Table(columns, len(columns) - 1, np.arange(2, count + 2))
