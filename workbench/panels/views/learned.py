"""What a model of the user's data learned: its figures next to those of guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain import Model
from workbench.i18n import _
from workbench.panels.views.labels import examples_label
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.evaluation.honest_figures import HonestFigures
    from workbench.evaluation.report import Score

SPLIT = "validation"
MAX_CLASSES = 50
"""Classes that are listed."""


def learned(model: Model, palette: Palette) -> dict[str, Any]:
    """Return the figures of a model that was trained on the user's data, for the page."""
    from workbench.evaluation.honest_figures import figures_of_score
    from workbench.evaluation.scores import reference_score

    split = model.task.split(SPLIT)
    score = reference_score(model, model.weights(), split)
    honest = figures_of_score(model.task, split, score)
    assert honest is not None, "trained models predict classes or numbers"
    examples = _("on {count} {examples} that it did not learn from").format(
        count=formatting.count(score.total), examples=examples_label(model.task.input_type)
    )
    is_number = model.task.metric.counts == "numbers"
    figures = _of_number(model, honest, score) if is_number else _of_classes(honest)
    figures[0]["note"] = formatting.listed(filter(None, [figures[0]["note"], examples]))
    return {
        "title": _("What the model learned: {name}").format(name=model.title),
        "poor": "" if honest.better else f"{honest.sentences[0]} {_advice()}",
        "figures": figures,
        "classes": _recalls(honest, score),
        "figure": _predicted(model, palette) if is_number else None,
    }


def _advice() -> str:
    return _("Before you compress it, give it more data, or data that say more about the answer.")


def _of_classes(honest: HonestFigures) -> list[dict[str, str]]:
    assert honest.new_data is not None, "classes have an interval"
    low, high = formatting.percent_interval(*honest.new_data)
    return [
        _figure(_("accuracy"), formatting.percent(honest.value)),
        _figure(
            _("on new data, probably"),
            _("{low} to {high}").format(low=low, high=high),
            _("if they are like these; confidence 95\u202f%"),
        ),
        _figure(
            _("by guessing"),
            formatting.percent(honest.baseline),
            _("with the answer “{name}” every time").format(name=_(honest.guess)),
        ),
    ]


def _of_number(model: Model, honest: HonestFigures, score: Score) -> list[dict[str, str]]:
    return [
        _figure(
            _("typical error"),
            formatting.number(honest.value),
            _("in the unit of “{name}”").format(name=model.task.target.name),
        ),
        _figure(
            _("by guessing"),
            formatting.number(honest.baseline),
            _("with the average, {mean}, as the answer every time").format(mean=honest.guess),
        ),
        _figure(
            _("R²"),
            formatting.percent(score.figures["r2"]),
            _("0\u202f% is guessing, 100\u202f% is perfect"),
        ),
    ]


def _figure(label: str, value: str, note: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "note": note}


def _predicted(model: Model, palette: Palette) -> Figure:
    """Draw the predictions of the model by the true numbers."""
    from workbench.analysis.number_comparison import compare_numbers
    from workbench.plots import number_comparison

    figure = number_comparison.draw(compare_numbers(model, Recipe()), palette)
    line, original, _compressed = figure["data"]  # nothing is compressed yet
    title = {**figure["layout"]["title"], "text": _("Predicted against true")}
    margin = {**figure["layout"]["margin"], "t": 48}
    layout = {**figure["layout"], "title": title, "margin": margin, "showlegend": False}
    return {"data": [line, original], "layout": layout}


def _recalls(honest: HonestFigures, score: Score) -> list[dict[str, Any]]:
    """Return how many examples of each class are recognized."""
    return [
        {
            "name": _(name),
            "examples": formatting.count(sum(row)),
            "recall": "–" if recall is None else formatting.percent(recall, 0),
            "share": recall or 0.0,
        }
        for (name, recall), row in list(zip(honest.recalls.items(), score.confusion, strict=True))[
            :MAX_CLASSES
        ]
    ]
