"""The value object: sums, intervals, JSON and texts; CO₂ from a given intensity."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import workbench as wb
from tests.raises import raises
from workbench.profiling.energy.carbon import VARIABLE, carbon
from workbench.profiling.energy.energy import HOW, SCOPES, Energy

COUNTED = Energy(10.0, 9.0, 11.0, "counter", ("package",), sources=("RAPL package-0",))
ESTIMATED = Energy(2.0, 1.0, 3.2, "model", ("process",), sources=("model",), notes=("No counter.",))
UNKNOWN = Energy.unknown("Lost.", scopes=("gpu",))

amounts = st.floats(0, 1e12)


def known(bounds, how, scopes):
    low, joules, high = sorted(bounds)
    return Energy(joules, low, high, how, scopes)


energies = st.builds(
    known,
    st.tuples(amounts, amounts, amounts),
    st.sampled_from([how for how in HOW if how != "unknown"]),
    st.lists(st.sampled_from(list(SCOPES)), min_size=1, unique=True).map(tuple),
)


def test_a_sum_is_as_reliable_as_its_weakest_part():
    both = COUNTED + ESTIMATED
    assert (both.joules, both.low, both.high) == (12.0, 10.0, 14.2)
    assert both.how == "model"
    assert both.scopes == ("package", "process")
    assert both.sources == ("RAPL package-0", "model")
    assert both.notes == ("No counter.",)
    assert (
        Energy(20.0, 18.0, 22.0, "counter", ("package",), sources=("RAPL package-0",))
        == COUNTED + COUNTED
    )


def test_a_sum_with_an_unknown_part_is_not_known():
    both = Energy.total([COUNTED, UNKNOWN, ESTIMATED])
    assert both.joules is None
    assert both.how == "unknown"
    assert both.notes == ("Lost.", "No counter.")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine
@given(energies, energies)
def test_sums_keep_their_interval_and_survive_json(first, second):
    both = first + second
    assert both.low <= both.joules <= both.high
    assert both.joules == first.joules + second.joules
    assert Energy.from_dict(json.loads(json.dumps(both.as_dict()))) == both


def test_scaling():
    assert COUNTED.scaled(0.5).high == 5.5
    assert UNKNOWN.scaled(2) == UNKNOWN


def test_texts():
    assert (
        COUNTED.text
        == "10.0\u202fJ (9.00\u202fJ to 11.0\u202fJ), measured by a counter, the processor"
    )
    assert "measured" not in ESTIMATED.text
    assert "estimated" in ESTIMATED.text
    assert UNKNOWN.text == "not known"
    assert "idle subtracted" in Energy(1, 1, 1, "counter", ("gpu",), idle_subtracted=True).text


def test_columns():
    assert UNKNOWN.columns("training_") == {
        "training_joules": None,
        "training_joules_low": None,
        "training_joules_high": None,
        "training_energy_how": "unknown",
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda: Energy(1, 2, 3, "counter", ("gpu",)),
        lambda: Energy(-1, -1, 3, "counter", ("gpu",)),
        lambda: Energy(1, None, 3, "counter", ("gpu",)),
        lambda: Energy(1, 1, 1, "unknown", ("gpu",)),
        lambda: Energy(1, 1, 1, "guess", ("gpu",)),
        lambda: Energy(1, 1, 1, "model", ("room",)),
    ],
)
def test_invalid(make):
    with raises("energy.invalid"):
        make()


def test_idle_differs():
    with raises("energy.idle_differs"):
        COUNTED + Energy(1, 1, 1, "counter", ("package",), idle_subtracted=True)


def test_carbon_of_a_given_intensity():
    kwh = Energy(3.6e6, 1.8e6, 7.2e6, "model", ("process",))
    assert carbon(kwh, 400).as_dict() == {
        "grams": 400.0,
        "low": 200.0,
        "high": 800.0,
        "grams_per_kwh": 400.0,
    }
    assert "400 g/kWh" in wb.carbon(kwh, 400).text


def test_carbon_of_the_intensity_in_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "50")
    kwh = Energy(3.6e6, 1.8e6, 7.2e6, "model", ("process",))
    assert carbon(kwh).grams == 50
    assert carbon(kwh, 400).grams == 400


@pytest.mark.parametrize(
    ("energy", "intensity", "variable", "code"),
    [
        (COUNTED, None, "", "energy.no_intensity"),
        (COUNTED, None, "green", "energy.invalid_intensity"),
        (COUNTED, -1, "50", "energy.invalid_intensity"),
        (COUNTED, float("nan"), "50", "energy.invalid_intensity"),
        (UNKNOWN, 400, "50", "energy.not_known"),
    ],
)
def test_carbon_errors(energy, intensity, variable, code, monkeypatch):
    monkeypatch.setenv(VARIABLE, variable)
    with raises(code):
        carbon(energy, intensity)
