"""Predicted numbers before and after compression, in the unit of the target."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.plots import number_comparison

RECIPE = wb.Recipe(quantize=wb.Quantize(bits=2))


@pytest.fixture(scope="module")
def model():
    generator = np.random.default_rng(0)
    size = generator.uniform(30, 150, 200).round(1)
    price = (3000 * size + generator.normal(0, 5000, 200)).round()
    return wb.from_table({"size": size, "label": ["a", "b"] * 100, "price": price}, name="prices")


@pytest.mark.slow
def test_errors_are_those_of_the_report(model):
    result = wb.compare_numbers(model, RECIPE)
    report = wb.measure(model, RECIPE, timed=False)
    before = model.card["accuracy"]["validation"]["root mean squared error"]
    assert result.errors == pytest.approx(
        (before, report.score.figures["root mean squared error"]), rel=1e-6
    )
    assert result.errors[0] < 20_000
    assert result.labels.min() > 50_000


@pytest.mark.slow
def test_rows_have_cells_and_lines_and_begin_with_the_largest_change(model):
    result = wb.compare_numbers(model, RECIPE)
    rows = result.rows()
    changes = [abs(row["change"]) for row in rows]
    assert changes == sorted(changes, reverse=True)
    first = rows[0]
    assert float(first["price"]) == pytest.approx(first["label"], rel=1e-6)
    assert first["label="] in {"a", "b"}  # a column of that name
    assert 2 <= first["line"] <= 201


def test_it_is_drawn_and_has_a_card(model):
    result = wb.compare_numbers(model, RECIPE)
    line, before, after = number_comparison.draw(result)["data"]
    assert before["x"] == after["x"] == result.labels.tolist()
    assert after["y"] == result.after.tolist()
    assert line["x"] == line["y"]
    title, error = number_comparison.card(result).title, number_comparison.card(result).facts[0]
    assert title == "custom/prices"
    assert error[1] == "root mean squared error"


def test_without_compression_nothing_changes(model):
    result = wb.compare_numbers(model, wb.Recipe())
    assert len(result.most_changed) == 0
    assert result.rows() == []


class Shaped(nn.Module):
    """A layer whose outputs have another shape."""

    def __init__(self, outputs, shape):
        super().__init__()
        self.layer, self.shape = nn.Linear(4, outputs), shape

    def forward(self, inputs):
        return self.layer(inputs).view(-1, *self.shape)


def numbers(shape, outputs=None, **options):
    """A model of targets of a shape; its weights and numbers depend on their count only."""
    torch.manual_seed(0)
    module = Shaped(int(np.prod(shape)), shape if outputs is None else outputs)
    data = torch.randn(120, 4), torch.randn(120, *shape)
    return wb.from_module(module, train=data, validation=data, test=data, name="n", **options)


@pytest.mark.parametrize(
    ("shape", "outputs"), [((1,), (1,)), ((1,), ()), ((), (1,)), ((1, 1), (1, 1))]
)
def test_targets_and_outputs_may_have_axes_of_one(shape, outputs):
    expected = wb.compare_numbers(numbers(()), RECIPE)
    model = numbers(shape, outputs)
    with raises("metric.no_classes", "wb.compare_numbers"):
        wb.compare(model, RECIPE)
    result = wb.compare_numbers(model, RECIPE)
    for name in ("labels", "before", "after"):
        assert getattr(result, name).shape == (120,)
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))
        assert not getattr(result, name).flags.writeable
    assert result.errors == expected.errors
    assert result.rows() == expected.rows() != []
    report = wb.measure(model, RECIPE, timed=False)
    assert result.errors[1] == pytest.approx(report.score.figures["root mean squared error"])
    assert len(number_comparison.draw(result)["data"][1]["x"]) == 120


@pytest.mark.parametrize(("shape", "count"), [((3,), 3), ((2, 2), 4)])
def test_several_numbers_for_each_example_are_refused(shape, count):
    model = numbers(shape)
    with raises("metric.several_numbers", count, "wb.measure"):
        wb.compare_numbers(model, RECIPE)
    with raises("metric.no_classes", "wb.measure") as caught:
        wb.compare(model, RECIPE)
    assert "compare_numbers" not in str(caught.value)


def test_a_metric_of_the_users_own_is_refused():
    model = numbers((), metric=lambda outputs, labels: 0.5)
    with raises("metric.no_numbers", "wb.measure"):
        wb.compare_numbers(model, RECIPE)


def test_models_of_classes_are_refused():
    with raises("metric.no_numbers", "wb.compare"):
        wb.compare_numbers(wb.model("fashion/lenet5"), RECIPE)
