"""The sensitivity map: cells, table and title."""

from __future__ import annotations

import pytest

from workbench.analysis.sensitivity import Point, Sensitivity
from workbench.domain.metric import BITS_PER_CHARACTER
from workbench.plots.palette import DARK, LIGHT
from workbench.plots.sensitivity import draw, height, rows
from workbench.recipe import Recipe

BEFORE = 0.9


def scan(losses, part="prune", settings=(0.5, 0.9)):
    """Make the sensitivity of a few layers from the accuracy points that each setting loses."""
    points = [
        Point(layer, setting, Recipe(), 1000, BEFORE - lost / 100)
        for layer, row in losses.items()
        for setting, lost in zip(settings, row, strict=False)
    ]
    return Sensitivity(part, tuple(losses), settings, BEFORE, points=tuple(points))


@pytest.mark.parametrize(
    ("losses", "title"),
    [
        ({"a.weight": (0.1, 0.4), "b.weight": (3, 20)},
         "a tolerates 90\u202f% (−0.4\u202fpoints); b does not (−20.0\u202fpoints)"),
        ({"a.weight": (0.1, 9), "b.weight": (3, 20)},
         "a tolerates 50\u202f% (−0.1\u202fpoints); b does not (−3.0\u202fpoints)"),
        ({"a.weight": (0.1, 9), "b.weight": (-0.2, 20)},
         "Every layer tolerates 50\u202f%: a loses most, −0.1\u202fpoints"),
        ({"a.weight": (2, 9), "b.weight": (3, 0.1)},
         "No layer tolerates any setting: b at 90\u202f% loses least, −0.1\u202fpoints"),
        ({"a.weight": (2, 9), "b.weight": (3,)}, "Layer by layer: 3 of 4 measured"),
        ({"a.weight": (), "b.weight": ()}, "Layer by layer: 0 of 4 measured"),
    ],
)  # fmt: skip
def test_the_title_summarizes_the_result(losses, title):
    assert draw(scan(losses))["layout"]["title"]["text"] == title


def test_cells_show_the_loss_and_hold_the_click_message():
    trace = draw(scan({"a.weight": (-0.3, 0.04), "b.weight": (12.3,)}))["data"][0]
    assert trace["text"] == [["+0.3", "0.0"], ["12", ""]]
    assert (trace["x"], trace["y"]) == (["50", "90"], ["a", "b"])
    assert trace["z"][0][0] == 0
    assert trace["z"][1][0] == pytest.approx(12.3**0.5)
    assert trace["z"][1][1] is trace["customdata"][1][1] is None
    message = {"act": "set_row", "part": "prune", "layer": "b.weight", "setting": 0.5}
    assert trace["customdata"][1][0] == message
    assert "b.weight, sparsity 50\u202f%: <b>−12.3\u202fpoints</b>" in trace["hovertext"][1][0]


def test_bits_are_the_unit_of_quantization():
    figure = draw(scan({"a.weight": (0.1, 3)}, "quantize", (8, 2)))
    assert figure["data"][0]["x"] == ["8", "2"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "bits; cells show points lost"
    assert figure["layout"]["title"]["text"].startswith("Every layer tolerates 8: a loses most")


def test_the_table_has_every_point():
    table = rows(scan({"a.weight": (0.1, 3), "b.weight": (2,)}))
    assert [row["layer"] for row in table] == ["a.weight", "a.weight", "b.weight"]
    assert table[1] == {
        "layer": "a.weight",
        "sparsity": 0.9,
        "accuracy": pytest.approx(0.87),
        "change": -0.03,
        "bytes": 1000,
    }


def test_the_loss_of_other_metrics_is_in_percent():
    points = [
        Point("a.weight", bits, Recipe(), 1000, value) for bits, value in ((8, 1.5), (2, 60.0))
    ]
    result = Sensitivity("quantize", ("a.weight",), (8, 2), 1.5, BITS_PER_CHARACTER, tuple(points))
    figure = draw(result)
    assert figure["data"][0]["text"] == [["0.0", ">1,000"]]
    assert figure["layout"]["xaxis"]["title"]["text"] == "bits; cells show percent worse"
    assert "+58.500\u202fbits" in figure["data"][0]["hovertext"][0][1]
    assert rows(result)[1]["bits per character"] == 60.0


def test_the_height_grows_with_the_layers_and_themes_differ():
    few, many = scan({"a": (1, 2)}), scan({str(n): (1, 2) for n in range(9)})
    assert height(few) < height(many)
    assert draw(few, LIGHT) != draw(few, DARK)
