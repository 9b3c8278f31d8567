"""The screen on which the user tries a model on new rows or pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain import Model
from workbench.i18n import _, plural
from workbench.panels.views.check_table import TYPES

if TYPE_CHECKING:
    from workbench.custom.prediction.predictions import Predictions

MAX_FIELDS = 100
"""Columns whose values can be typed; tables with more are tried as files."""
MAX_CHOICES = 50
MAX_ROWS = 50
"""Predictions that are listed; the file to save has all of them."""
MAX_CLASSES = 8


def trial(model: Model) -> dict[str, Any] | None:
    """Return what new data the model predicts from, or None if its files do not say it."""
    made_from = model.preprocessing
    if made_from is None:
        return None
    is_table = made_from["kind"] == "table"
    return {
        "title": _("Try it: {name}").format(name=model.title),
        "fields": _fields(model, made_from["data"]) if is_table else [],
        "accept": ".csv,.tsv,.txt,.data,.dat,.gz" if is_table else ".zip,.png,.jpg,.jpeg",
        "drop": _("choose a table with new rows, or drop it here")
        if is_table
        else _("choose a picture or a ZIP archive of pictures, or drop it here"),
        "or": _("or a whole file"),
        "help": _("Type the values of one row; what you leave empty is unknown."),
        "answer": _("The prediction of the compressed model"),
        "sending": _("reading {name}"),
        "save": _("save the predictions as CSV"),
        "close": _("close"),
        "line": _("line") if is_table else _("picture"),
    }


def _fields(model: Model, data: Any) -> list[dict[str, Any]]:
    """Return the columns to type values for, with those of the first row of validation."""
    from workbench.custom.tables.preprocessing import Preprocessing

    columns = Preprocessing.from_dict(data).columns
    if len(columns) > MAX_FIELDS:
        return []
    rows = model.task.split("validation").rows
    first = {} if rows is None else rows.row(0)
    return [
        {
            "name": column.name,
            "type": _(TYPES[column.format.type]),
            "value": first.get(column.name, ""),
            "choices": list(getattr(column.features, "values", ()))[:MAX_CHOICES],
        }
        for column in columns
    ]


def predictions(result: Predictions) -> dict[str, Any]:
    """Return the predictions of new rows or pictures, for the page."""
    return {
        "answer": _only(result) if len(result) == 1 else _count(result),
        "agreement": _agreement(result) if len(result) > 1 else "",
        "classes": _classes(result) if len(result) == 1 else [],
        "notes": list(result.notes),
        "rows": _rows(result) if len(result) > 1 else [],
        "more": _more(len(result)),
        "head": [_("prediction"), _("probability")] if result.classes else [_("prediction")],
        "count": len(result),
    }


def _answer(result: Predictions, index: int) -> str:
    value = result.predicted[index]
    if isinstance(value, str):
        return _(value) if value else _("no prediction")
    return formatting.number(value)


def _only(result: Predictions) -> str:
    """Return the prediction of the only example, with the name of the target."""
    return _("{target}: {value}").format(target=result.target, value=_answer(result, 0))


def _count(result: Predictions) -> str:
    sentence = plural("{count} prediction", "{count} predictions", len(result))
    return sentence.format(count=formatting.count(len(result)))


def _agreement(result: Predictions) -> str:
    """Return how well the predictions agree with the answers in the file, if it has any."""
    figures = result.figures
    if not figures:
        return ""
    if "accuracy" in figures:
        text = _("{value} are right, of the {examples} whose answer is in the file.")
        value = formatting.percent(figures["accuracy"])
    else:
        text = _("The typical error is {value}, of the {examples} whose answer is in the file.")
        value = formatting.number(figures["root mean squared error"])
    return text.format(value=value, examples=formatting.count(int(figures["examples"])))


def _classes(result: Predictions) -> list[dict[str, Any]]:
    """Return the most probable classes of the only example."""
    pairs = (
        zip(result.classes, result.probabilities[0].tolist(), strict=True) if result.classes else ()
    )
    best = sorted(pairs, key=lambda pair: -pair[1])[:MAX_CLASSES]
    return [
        {"name": _(name), "count": "", "share": share, "percent": formatting.percent(share)}
        for name, share in best
    ]


def _rows(result: Predictions) -> list[dict[str, Any]]:
    return [
        {
            "source": formatting.count(source) if isinstance(source, int) else str(source),
            "cells": [_answer(result, index), *_probability(result, index)],
        }
        for index, source in enumerate(result.sources[:MAX_ROWS])
    ]


def _probability(result: Predictions, index: int) -> list[str]:
    """Return the probability of the predicted class, if classes are predicted."""
    if not result.classes:
        return []
    return [formatting.percent(float(result.probabilities[index].max()))]


def _more(count: int) -> str:
    more = count - MAX_ROWS
    if more <= 0:
        return ""
    sentence = plural(
        "{count} more row is in the file to save.",
        "{count} more rows are in the file to save.",
        more,
    )
    return sentence.format(count=formatting.count(more))
