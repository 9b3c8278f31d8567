"""Results display themselves: as a card, a data frame and a figure valid for plotly."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest

import workbench as wb
from tests.raises import raises
from workbench.analysis.attribution import Attribution, Explanation
from workbench.analysis.comparison import Comparison
from workbench.analysis.generation import Generation
from workbench.analysis.sensitivity import Point as Loss, Sensitivity
from workbench.artifact.ledger import Ledger
from workbench.deploy.timing import Benchmark, Timing
from workbench.evaluation.honest_figures import HonestFigures
from workbench.experiments.job import Outcome
from workbench.experiments.race import Race
from workbench.experiments.search import Search, SearchTrial
from workbench.experiments.trial import Point, Trial
from workbench.plots.palette import THEMES
from workbench.profiling.energy.carbon import Carbon
from workbench.profiling.energy.energy import Energy
from workbench.profiling.peaks import Peaks
from workbench.profiling.roofline import Roofline, RooflineLayer
from workbench.recipe import Recipe, Train

SETTINGS = Train(start="scratch", steps=20)
SMALL = "fashion/mlp-32"
SCRIPT = "<script>alert(1)</script>"
RECIPE = wb.Recipe(wb.Prune(0.5, layers={"fc1.weight": 0.8}), wb.Quantize(4))


def report():
    return wb.measure(wb.model(SMALL), RECIPE, timed=False)


def artifact():
    return wb.compress(wb.model(SMALL), RECIPE)


def comparison():
    return wb.compare(wb.model(SMALL), RECIPE)


def generation():
    return Generation(
        "reviews-lm/gpt", "\nIt was", 0, 0.8, " a <b>good</b> film", " a <b>bad</b> film!"
    )


def sensitivity():
    points = (Loss("a.weight", 0.5, Recipe(), 900, 0.89), Loss("a.weight", 0.9, Recipe(), 500, 0.5))
    return Sensitivity("prune", ("a.weight",), (0.5, 0.9), 0.9, points=points)


def race():
    points = (Point(10, 0.5, 1.5, 0.6), Point(20, 1.0, 1.0, 0.8))
    return Race((Trial("sgd", SETTINGS, 0, points, "finished", 0.8),), 1)


def search():
    settings = replace(SETTINGS, learning_rate=0.01)
    outcome = Outcome(0.8, 80, 1.0)
    return Search((SearchTrial(settings, {"learning_rate": 0.01}, (outcome,)),), 1)


def inspection():
    rows = range(60)
    columns = {"id": [*rows], "<b>": [n % 7 if n % 5 else "" for n in rows], "y": [*"ab"] * 30}
    return wb.inspect_table(columns)


def histogram():
    return wb.histogram(wb.model(SMALL), RECIPE, "fc1.weight")


def attribution(*shape):
    content = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    parts = np.ones(shape[:2], np.float32)
    before, after = (
        Explanation(0, (0.9, 0.1), parts, 1.0, 0.0),
        Explanation(1, (0.2, 0.8), -parts, 1.0, 0.0),
    )
    return Attribution("m", "validation", ("cat", "dog"), 1234, content, 0, before, after)


def honest_figures():
    model = wb.model(SMALL)
    return wb.honest_figures(model, report())


def honest_error():
    sentences = ("The typical error is 1.5.",)
    return HonestFigures("root mean squared error", 1.5, 2.5, "7", True, {}, None, 1234, sentences)


def ledger():
    return artifact().ledger


def roofline():
    layers = (RooflineLayer("conv", "Conv1d", 1000, 10, 1.0, 0.5, memory=False),) * 1200
    return Roofline("m", 1, Peaks(2e9, 1e9, busy=False), layers)


def timing(runtime, threads, batch):
    energy = Energy(3.0, 2.0, 4.0, "model", ("process",))
    sizes = (5.0, 1000, 2000, 300)
    return Timing(runtime, "float32", batch, threads, 10, 1.5, 2.0, 3.0, *sizes, False, energy)


def benchmark():
    return Benchmark(
        tuple(
            timing(name, n, b) for name in ("torch", "onnxruntime") for n in (1, 2) for b in (1, 64)
        )
    )


MAKE = (
    *(report, artifact, comparison, generation, sensitivity, race, search, inspection),
    *(histogram, lambda: attribution(4, 4), lambda: attribution(4, 5, 3)),
    *(honest_figures, honest_error, ledger, roofline, benchmark),
    lambda: RECIPE,
)
EMPTY = (
    lambda: Ledger((), 900),
    lambda: replace(report(), score=None),
    lambda: Sensitivity("prune", ("a.weight",), (0.5, 0.9), 0.9),
    lambda: Race((Trial("sgd", SETTINGS, 0),), 1),
    lambda: Search((), 1),
    wb.Recipe,
)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("make", MAKE + EMPTY)
def test_every_result_draws_a_valid_figure(make, theme):
    figure = make().plot(palette=theme).figure
    go.Figure(figure)  # plotly rejects unknown properties
    assert figure["layout"]["title"]["text"]


@pytest.mark.parametrize("make", MAKE + EMPTY)
def test_a_card_has_the_text_of_the_result_as_fallback(make):
    result = make()
    bundle = result._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == repr(result)
    assert bundle["text/html"].startswith("<div")
    assert "color:inherit" in bundle["text/html"]


@pytest.mark.parametrize("make", MAKE + EMPTY)
def test_columns_of_a_table_have_equal_lengths(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    columns = make().to_frame()
    assert len({len(values) for values in columns.values()}) <= 1
    assert columns or make in EMPTY


def test_with_pandas_the_table_is_a_data_frame(monkeypatch):
    monkeypatch.setitem(
        sys.modules, "pandas", SimpleNamespace(DataFrame=lambda data: ("frame", data))
    )
    kind, columns = RECIPE.to_frame()
    assert kind == "frame"
    assert columns == {
        "part": ["prune", "prune", "quantize"],
        "setting": ["sparsity", "layers", "bits"],
        "layer": ["", "fc1.weight", ""],
        "value": [0.5, 0.8, 4],
    }


def test_a_card_escapes_every_text():
    for result in (
        replace(report(), model=SCRIPT),
        replace(comparison(), model=SCRIPT),
        replace(generation(), model=SCRIPT, after=SCRIPT[:18]),
        replace(histogram(), model=SCRIPT),
        replace(attribution(4, 4), model=SCRIPT),
        replace(honest_figures(), sentences=(SCRIPT,)),
        replace(ledger(), rows=(replace(ledger().rows[0], name=SCRIPT),)),
        Energy.unknown(SCRIPT),
        Race((replace(race().trials[0], name=SCRIPT),), 1),
        wb.Recipe(wb.Prune(0.5, layers={SCRIPT: 0.1})),
        wb.inspect_table({SCRIPT: ["x"] * 60, "a": [1.5, 2] * 30, "y": [*"ab"] * 30}),
    ):
        html = result._repr_mimebundle_()["text/html"]
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_the_card_of_a_report_has_its_figures_and_reasons():
    measured = report()
    html = measured._repr_mimebundle_()["text/html"]
    assert f"{measured.accuracy:.1%}".replace("%", "\u202f%") in html
    assert f"{measured.bytes:,}" in html
    assert "smaller" in html
    assert html.count("<li>") == len(measured.reasons)


def test_a_report_is_drawn_on_its_own_split():
    model = wb.model(SMALL)
    figure = wb.evaluate(wb.compress(model, RECIPE), split="test", timed=False).plot().figure
    assert figure["layout"]["yaxis"]["title"]["text"] == "accuracy on test"
    origin = next(trace for trace in figure["data"] if trace.get("name") == "original")
    assert origin["x"] == [model.card["file_bytes"]]


def test_a_report_of_an_unknown_model_cannot_be_drawn():
    with raises("model.not_registered"):
        replace(report(), model="custom/gone").plot()


@pytest.mark.parametrize("chart", ["recall", "confusion", "examples"])
def test_charts_of_a_comparison(chart):
    figure = comparison().plot(chart=chart).figure
    go.Figure(figure)
    assert figure["layout"]["title"]["text"]


def test_an_unknown_chart_is_refused():
    with raises("argument.unknown_chart", "recall"):
        comparison().plot(chart="pie")


def test_generated_text_is_drawn_line_by_line():
    trace = generation().plot().figure["data"][0]
    assert "a &lt;b&gt;good&lt;/b&gt; film" in " ".join(trace["text"])
    assert "a &lt;b&gt;bad&lt;/b&gt; film!" in " ".join(trace["text"])


REPEATED = np.zeros(5_000, np.int64)
TEXTS = [
    (
        lambda: Comparison("m", "test", ("a", "b", "c"), REPEATED, REPEATED, REPEATED + 1),
        "<Comparison m: of 5,000 test examples 5,000 became wrong, 0 became right, 0 stayed wrong>",
    ),
    (
        lambda: Comparison("m", "test", ("a", "b", "c"), REPEATED, REPEATED + 1, REPEATED),
        "<Comparison m: of 5,000 test examples 0 became wrong, 5,000 became right, 0 stayed wrong>",
    ),
    (
        lambda: Comparison("m", "test", ("a", "b", "c"), REPEATED, REPEATED + 1, REPEATED + 2),
        "<Comparison m: of 5,000 test examples 0 became wrong, 0 became right, 5,000 stayed wrong>",
    ),
    (
        honest_error,
        "<HonestFigures root mean squared error 1.500 of 1,234, by guessing 2.500>",
    ),
    (lambda: Ledger((), 1_900), "<Ledger of 0 tensors, 1,900 bytes>"),
    (
        roofline,
        "<Roofline m: 0 of 1,200 layers can only wait for memory, with a batch of 1>",
    ),
    (
        lambda: Energy(41.23, 40, 42, "counter", ("gpu",)),
        "<Energy 41.2 J (40.0 J to 42.0 J), measured by a counter, the GPUs>",
    ),
    (Energy.unknown, "<Energy not known>"),
    (
        lambda: Carbon(1.5, 1.0, 2.0, 400.0),
        "<Carbon 1.50 g CO₂ (1.00 g to 2.00 g) at the given 400 g/kWh>",
    ),
]


@pytest.mark.parametrize(("make", "text"), TEXTS)
def test_the_text_of_a_result_is_one_readable_line(make, text):
    assert repr(make()).replace("\u202f", " ") == text


def test_the_card_of_an_energy_has_its_notes():
    html = Energy.unknown("There is no counter.")._repr_mimebundle_()["text/html"]
    assert "<li>There is no counter.</li>" in html


def test_the_table_of_an_attribution_has_the_colors_of_a_pixel(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    columns = attribution(2, 2, 3).to_frame()
    assert columns["red"] == [0, 3, 6, 9]
    assert columns["blue"] == [2, 5, 8, 11]
    assert columns["after"] == [-1.0] * 4


def test_bars_of_a_benchmark_are_times_of_one_example():
    figure = benchmark().plot().figure
    assert [set(bars["x"]) for bars in figure["data"]] == [{1.5}, {1.5 / 64}]
    assert len(set(figure["data"][0]["y"])) == 4  # runtimes and threads


def test_bars_of_honest_figures_are_recalls_or_errors():
    assert [*honest_error().plot().figure["data"][0]["y"]] == [1.5, 2.5]
    figures = honest_figures()
    assert figures.plot().figure["data"][0]["y"] == [*figures.recalls.values()]
