"""Models without layers or multiply-adds, on the page, in Python and on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nan

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.analysis.sensitivity import Point, Sensitivity
from workbench.cache.results import ResultCache
from workbench.cli import tables
from workbench.panels.comparison import tab
from workbench.panels.views import layer_table
from workbench.plots import sensitivity as picture
from workbench.plots.palette import LIGHT
from workbench.session import Session
from workbench.study.fixed_size import hold_size


class Scaled(nn.Module):
    """One-dimensional parameters, and buffers that are not layers."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(3))
        self.register_buffer("mask", torch.ones(4, 4).bool())
        self.register_buffer("index", torch.zeros(5, 5, dtype=torch.long))

    def forward(self, x):
        return x[:, :3] * self.scale


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(20, 3)
        self.register_buffer("mask", torch.ones(4, 4).bool())

    def forward(self, x):
        return self.table(x.long().abs()).mean(1)


def make_model(module, name="one"):
    data = torch.randint(0, 20, (30, 4)).float(), torch.arange(30) % 3
    return wb.from_module(module, train=data, validation=data, test=data, name=name)


def test_the_layers_of_a_single_embedding():
    (row,) = layer_table.rows(make_model(Words()))
    assert row["name"] == "table.weight"
    assert (row["macs"]["share"], row["macs"]["text"]) == (0, "0.0\u202f%")


def test_buffers_have_no_rows_no_histogram_and_no_sensitivity():
    model = make_model(Words())
    assert [row["name"] for row in layer_table.rows(model)] == ["table.weight"]
    sensitivity = wb.sensitivity(model, wb.Prune(), [0.5], store=ResultCache())
    assert [point.layer for point in sensitivity.points] == ["table.weight"]
    with raises("recipe.unknown_layer", "'mask'"):
        wb.histogram(model, wb.Recipe(), "mask")


def test_analyses_of_layers_are_refused(threads):
    model = make_model(Scaled())
    assert layer_table.rows(model) == []
    for part in (wb.Prune(), wb.Quantize(), wb.Share(), wb.Factorize(), wb.Structure()):
        with raises("recipe.no_layers", "custom/one"):
            wb.sensitivity(model, part, store=ResultCache())
    with raises("recipe.no_layers", "custom/one"):
        wb.histogram(model, wb.Recipe(), "scale")
    with raises("recipe.no_layers", "custom/one"):
        hold_size(model, wb.Recipe(), "scale", 1000)


def test_sensitivity_to_removing_channels_needs_removable_channels():
    with raises("recipe.no_layers", "custom/one"):
        wb.sensitivity(make_model(Words()), wb.Structure(), store=ResultCache())


def test_the_page_reports_that_there_are_no_weights_to_compare(threads):
    make_model(Scaled())
    session = Session("custom/one", store=ResultCache())
    try:
        session.set_focus(view="weights")
        assert tab.tab(session, LIGHT)["note"] == "This model has no layers to compare."
        assert tab.missing_analysis(session) is None
        with raises("session.nothing_to_export"):
            tab.rows(session)
    finally:
        session.close()


@pytest.mark.parametrize("share", [True, False])
def test_a_metric_that_is_nan_counts_as_an_infinite_loss(share):
    metric = wb.model("fashion/mlp-32").task.metric
    point = Point("layer.weight", 0.5, wb.Recipe(), 10, nan)
    sensitivity = Sensitivity(
        "prune", ("layer.weight",), (0.5,), 0.9, replace(metric, is_fraction=share)
    )
    sensitivity = replace(sensitivity, points=(point,))
    assert sensitivity.lost(point) == inf
    figure = picture.draw(sensitivity)
    assert figure["data"][0]["text"] == [[">1,000"]]
    json.dumps(figure["data"][0]["z"], allow_nan=False)


@pytest.mark.parametrize(
    ("bytes_", "expected"),
    [
        (1000, "the same size as the original"),
        (1001, "1 bytes more than the original"),
        (999, "1 bytes less than the original"),
        (500, "2.00\u202f× smaller"),
    ],
)
def test_the_command_line_reports_the_size_ratio(bytes_, expected):
    assert tables._ratio({"original_bytes": 1000, "bytes": bytes_}) == expected
