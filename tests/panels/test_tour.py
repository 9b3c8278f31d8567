"""The texts of the guided tour."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.panels import tour


@pytest.fixture
def texts(tmp_path):
    def describe(name):
        session = SimpleNamespace(origin_model=wb.model(name), store=ResultCache(tmp_path))
        return [step["text"] for step in tour.describe(session)["steps"]]

    return describe


@pytest.mark.parametrize("name", wb.models())
def test_the_tour_has_six_steps_where_there_are_students(texts, name):
    steps = texts(name)
    assert len(steps) == (6 if name.startswith("fashion/") else 5)
    assert all(text.endswith(".") for text in steps)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("fashion/lenet5", "Then try “small”: 11.6 × smaller costs 0.9 points of accuracy."),
        ("reviews-lm/gpt", "Then let Choose search for good recipes."),  # bits have no scale
    ],
)
def test_the_tour_ends_with_what_to_try(texts, name, advice):
    assert texts(name)[-1].replace("\u202f", " ").endswith(advice)
