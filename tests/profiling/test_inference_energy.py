"""Energy of predictions and of training, in results, reports and the console."""

from __future__ import annotations

import json
import time

import pytest

import workbench as wb
from tests.profiling.energy.fakes import Clock, Powercap, machine
from tests.raises import raises
from workbench.cli import main
from workbench.profiling import inference_energy as module
from workbench.profiling.energy import meter as meters
from workbench.profiling.energy.carbon import VARIABLE
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.meter import EnergyMeter
from workbench.profiling.inference_energy import InferenceEnergy, inference_energy, of_thousand

TRAINED = wb.Recipe(prune=wb.Prune(0.5), train=wb.Train(steps=2, threads=1))


@pytest.fixture
def no_counters(tmp_path, monkeypatch):
    """Let meters see a virtual machine without counters."""
    (tmp_path / "cpuinfo").write_text("model name\t: Fake\nflags\t: fpu hypervisor sse\n")
    monkeypatch.setattr(meters, "Machine", lambda: machine(tmp_path, time.perf_counter))


def test_a_file_without_counters(small, no_counters):
    artifact = wb.compress(small, wb.Recipe(prune=wb.Prune(0.5)))
    result = inference_energy(artifact, batch=8, repeats=2, seconds=0.01)
    assert len(result.repeats) == len(result.examples) == 2
    assert all(count % 8 == 0 for count in result.examples)
    energy = result.energy
    assert energy.how == "model"
    assert energy.low == min(repeat.low for repeat in result.repeats)
    assert energy.low < energy.joules < energy.high
    shown = f"{result._repr_mimebundle_()['text/html']} {json.dumps(result.as_dict())}"
    assert "measured" not in shown
    assert "virtual machine" in shown
    assert "estimated" in result.plot().figure["layout"]["yaxis"]["title"]["text"]
    assert len(result.to_frame()["joules"]) == 2


def test_a_repeat_lasts_for_a_hundred_updates(tmp_path, small, monkeypatch):
    tree, clock = Powercap(tmp_path / "powercap"), Clock()
    tree.zone("intel-rapl:0", "package-0", 0)
    monkeypatch.setattr(meters, "Machine", lambda: machine(tmp_path, clock))
    monkeypatch.setattr(module.time, "perf_counter", clock)
    calls = []

    def run(weights, inputs):
        calls.append(len(inputs))
        clock.now += 0.03
        tree.set("intel-rapl:0", 3_000_000 * (len(calls) - module.WARM_UP))

    monkeypatch.setattr(module, "shell", lambda model: run)
    result = inference_energy(small, batch=10, repeats=1, seconds=0.05)
    assert result.examples == (40,)  # 0.12 s: a hundred updates, one in each millisecond
    assert result.energy.joules == pytest.approx(4 * 3 * 1000 / 40)
    assert result.energy.how == "counter"


def test_too_few_updates_are_not_known(tmp_path):
    tree, clock = Powercap(tmp_path / "powercap"), Clock()
    tree.zone("intel-rapl:0", "package-0", 0)
    meter = EnergyMeter(machine=machine(tmp_path, clock))
    meter.resume()
    clock.now += 0.099
    meter.pause()
    energy = of_thousand(meter, 10)
    assert energy.how == "unknown"
    assert "RAPL package-0" in energy.notes[0]


def test_a_repeat_that_is_not_known():
    result = InferenceEnergy("m", 1, (Energy.unknown("Lost."),), (1,))
    assert result.energy.joules is None
    assert result.plot().figure["data"][0]["y"] == []


@pytest.mark.slow
def test_reports_have_the_energy_of_training_and_inference(small, store, no_counters):
    report = wb.measure(small, TRAINED, store=store)
    assert report.training_energy.how == report.inference_energy.how == "model"
    assert report.training_energy.joules > 0
    data = json.loads(json.dumps(report.as_dict()))
    assert Energy.from_dict(data["training"]["energy"]) == report.training_energy
    assert Energy.from_dict(data["latency_ms"]["energy"]) == report.inference_energy
    frame = report.to_frame()
    assert frame["training_joules"][0] == report.training_energy.joules
    assert frame["inference_energy_how"][0] == "model"
    card = report._repr_mimebundle_()["text/html"]
    assert "energy of training" in card
    assert "measured" not in card
    untimed = wb.measure(small, store=store, timed=False)
    assert untimed.inference_energy is untimed.training_energy is None


@pytest.mark.slow
def test_the_console(no_counters, monkeypatch, capsys):
    command = ["measure", "fashion/lenet-300-100"]
    assert main(command) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "energy" in line]
    assert "1,000 examples" in lines[0]
    assert "estimated from processor time" in lines[0]
    assert "CO₂" not in lines[0]
    assert not any("measured" in line for line in lines)
    monkeypatch.setenv(VARIABLE, "400")
    assert main(command) == 0
    assert "at the given 400 g/kWh" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda model: inference_energy("file"), "energy.no_network"),
        (lambda model: inference_energy(model, seconds=0), "energy.invalid_seconds"),
        (lambda model: inference_energy(model, seconds=31), "energy.invalid_seconds"),
        (lambda model: inference_energy(model, batch=0), "argument.not_a_count"),
        (lambda model: inference_energy(model, repeats=0), "argument.not_a_count"),
    ],
)
def test_errors(small, call, code):
    with raises(code):
        call(small)
