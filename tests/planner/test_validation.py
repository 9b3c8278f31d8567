from __future__ import annotations

import pytest

import workbench as wb
from workbench.planner.chips import chip
from workbench.planner.coefficients import table
from workbench.planner.measurements import training_rows
from workbench.planner.memory_rows import failures
from workbench.planner.plan import train_plan
from workbench.planner.validation import row_seconds
from workbench.plots.palette import LIGHT
from workbench.plots.plan_validation import draw

# The mean and the largest absolute error of each kind, of rows that a fit has used or not.
BOUNDS = {
    ("step time", True): (0.05, 0.30),
    ("step time", False): (0.09, 0.27),
    ("peak memory", True): (0.02, 0.05),
    ("peak memory", False): (0.01, 0.02),
    ("energy", True): (0.08, 0.15),
    ("time per token", True): (0.05, 0.10),
    ("energy per token", True): (0.03, 0.11),
    ("reserved memory", False): (0.05, 0.10),
    ("published memory", False): (0.06, 0.11),
    ("state memory", False): (0.001, 0.005),
    ("activations", False): (0.001, 0.005),
    ("operations per token", False): (0.002, 0.005),
}


@pytest.fixture(scope="module")
def validation():
    return wb.plan_validation()


@pytest.mark.parametrize(("kind", "is_fitted"), BOUNDS)
def test_errors_stay_within_their_bounds(validation, kind, is_fitted):
    errors = [abs(row.error) for row in validation.of(kind, is_fitted=is_fitted)]
    mean, largest = BOUNDS[kind, is_fitted]
    assert sum(errors) / len(errors) <= mean
    assert max(errors) <= largest


def test_every_row_names_its_source(validation):
    assert len(validation.rows) > 400
    assert all(row.source and row.date for row in validation.rows)
    assert all(row.url or "by us" in row.source for row in validation.rows)


def test_steps_in_float8_are_predicted():
    rows = [row for row in training_rows() if not row.is_fitted]
    errors = [row_seconds(row).total / row.measured["step_ms"] * 1000 - 1 for row in rows]
    assert len(errors) == 7
    assert max(map(abs, errors)) < 0.06


def test_steps_on_tpus_are_planned_to_fit_and_within_a_quarter():
    rows = [row for row in training_rows() if row.id.startswith("maxtext-sizes")]
    kept = [row for row in rows if "offloads" not in row.facts]
    assert len(kept) == 13
    for row in kept:
        plan = train_plan(row.architecture, chip(row.chip), row.job)
        assert plan.fits
        assert plan.seconds.total * 1000 == pytest.approx(row.measured["step_ms"], rel=0.25)
        assert plan.is_calibrated


def test_steps_with_divided_matrices_are_predicted(validation):
    rows = [row for row in validation.of("step time") if "70B, 256 × h100" in row.label]
    assert len(rows) == 6
    assert sum(abs(row.error) for row in rows) / len(rows) < 0.05


def test_all_published_rows_ran_and_fit():
    rows = [row for row in training_rows() if "offloads" not in row.facts]
    plans = [train_plan(row.architecture, chip(row.chip), row.job) for row in rows]
    assert [plan.fits for plan in plans].count(False) <= 0.01 * len(plans)
    assert [plan.fits for plan in plans].count(None) <= 0.1 * len(plans)


def test_nothing_that_ran_out_of_memory_is_said_to_fit():
    answers = [failure.fits for failure in failures()]
    assert len(answers) >= 10
    assert True not in answers
    assert answers.count(False) >= 0.8 * len(answers)
    assert all(failure.url or "by us" in failure.source for failure in failures())


def test_residuals_are_those_of_rows_left_out():
    fitted = [row for row in training_rows() if row.is_fitted]
    known = {**table()["residuals"]["pytorch"], **table()["residuals"]["sharded"]}
    assert {row.id for row in fitted} == known.keys()
    assert sum(abs(error) for error in known.values()) / len(known) < 0.05


@pytest.mark.parametrize("kind", ["step time", "peak memory", "operations per token"])
def test_the_picture_shows_every_row(validation, kind):
    figure = validation.plot(kind=kind).figure
    traces = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    points = [x for trace in traces for x in trace["x"] if x is not None]
    assert len(points) == len(validation.of(kind))


def test_a_plan_shows_itself():
    plan = wb.plan("llama-3.1-8b", "h200", microbatch=2, sequence=2048)
    assert "H200" in plan._repr_mimebundle_()["text/html"]
    figure = plan.plot().figure
    stacked = sum(trace["x"][0] for trace in figure["data"] if trace["type"] == "bar")
    memory = plan.memory.gib()
    assert stacked == pytest.approx(memory["total"] + memory["context"])


def test_the_picture_names_each_chip_once_with_a_look_of_its_own(validation):
    traces = [trace for trace in draw(validation)["data"] if trace.get("showlegend", True)]
    names = [trace["name"] for trace in traces]
    assert len(set(names)) == len(names) > len(LIGHT.categories)
    assert "NVIDIA H100 SXM 80 GB" in names
    assert "h100-sxm" not in names
    looks = {(trace["marker"]["symbol"], trace["marker"]["color"]) for trace in traces}
    assert len(looks) == len(traces)
