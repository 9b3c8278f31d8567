"""A notebook that repeats a search under limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.recipe.description import describe
from workbench.session.choosing import Demand
from workbench.zoo.registry import custom_models

if TYPE_CHECKING:
    from workbench.study.recommendation import Recommendation


def can_repeat(result: Recommendation) -> bool:
    """Return whether another kernel can open the model: a user's model exists only in this one."""
    return result.model.name not in custom_models()


def search_notebook(result: Recommendation, demand: Demand) -> dict[str, Any]:
    """Return a notebook, as JSON data, with the search and the exact recommended recipe."""
    best, name = result.best, result.model.name
    limits = zip(("max_bytes", "min_accuracy", "max_energy_mj"), demand.limits, strict=True)
    arguments = "".join(f"    {key}={value!r},\n" for key, value in limits if value)
    if demand.narrowed:
        axes = {key: list(values) for key, values in result.result.study.space.axes.items()}
        arguments += f"    space=wb.Space({axes!r}),\n"
    cells = [
        _text(
            _("# Which recipe suits {model}?").format(model=name),
            _("Recommended: {recipe}.").format(recipe=describe(best.recipe)),
        ),
        _code("import workbench as wb\n\n" + f"model = wb.model({name!r})"),
        _code(
            f"result = wb.optimize(\n    model,\n{arguments}    seconds={demand.seconds:g},\n)\n"
            "result"
        ),
        _code("result.result.plot()"),
        _text(_("The recipe that this notebook was saved for, measured again:")),
        _code(
            f"recipe = wb.Recipe.from_json({best.recipe.to_json()!r})\n"
            "report = wb.measure(model, recipe)\n"
            f"assert (report.bytes, report.value) == ({best.bytes}, {best.value!r})\n"
            "report"
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _text(*paragraphs: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(paragraphs)}


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
