"""A limit on the latency steers the search: recipes that are too slow exclude no others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

import workbench as wb
from tests.profiling.energy.fakes import Clock, Powercap, machine
from tests.raises import raises
from workbench.cancel import NEVER
from workbench.cli import main
from workbench.deploy.target import Target
from workbench.profiling import inference_energy
from workbench.profiling.energy import meter
from workbench.profiling.energy.energy import Energy
from workbench.study import latency, speed
from workbench.study.choices import relative_work
from workbench.study.goal import Goal
from workbench.study.measurement import Job, measure_trial
from workbench.study.optimize import optimize
from workbench.study.speed import Speed
from workbench.study.trial import Cost

pytestmark = pytest.mark.usefixtures("fresh")


def by_weights(_model, artifact):
    """Return a latency that is exactly the number of weights."""
    return float(sum(w.numel() for w in artifact.operands().values() if w.ndim > 1))


def cost_by_weights(model, artifact, _target=None, _cancel=None, *, energy=False):
    """Return a latency that is the number of weights, and an energy in proportion."""
    return Cost(by_weights(model, artifact), joules(artifact) if energy else None)


@pytest.fixture
def steady(monkeypatch, processor_time):
    """Let latencies not depend on the machine."""
    monkeypatch.setattr(speed, "measured_cost", cost_by_weights)


@pytest.mark.slow
@pytest.mark.parametrize(("removed", "sparsity", "bits"), [(0.3, 0.5, 3), (0.5, 0.2, 4)])
def test_three_limits_that_a_known_recipe_meets_are_met(tiny, steady, removed, sparsity, bits):
    known = wb.Recipe(
        structure=wb.Structure(removed), prune=wb.Prune(sparsity), quantize=wb.Quantize(bits)
    )
    trial = measure_trial(tiny, Job(known))
    milliseconds = by_weights(tiny, wb.compress(tiny, known))
    pruned = wb.Prune(0.8, criterion="curvature", scope="adaptive")
    smaller = measure_trial(tiny, Job(wb.Recipe(pruned, wb.Quantize(2, range="mse"))))
    assert smaller.bytes < trial.bytes  # a file that is too slow is smaller and better:
    assert smaller.accuracy > trial.accuracy - 0.003
    result = optimize(
        tiny,
        max_bytes=trial.bytes,
        min_accuracy=trial.accuracy - 0.003,
        max_latency_ms=milliseconds,
        seconds=8,
    )
    assert result.met
    assert by_weights(tiny, wb.compress(tiny, result.recipe)) == result.latency_ms <= milliseconds
    assert result.best.bytes <= trial.bytes
    assert result.best.accuracy >= trial.accuracy - 0.003


def new_speed(model, limit):
    goal = Goal.of(model, None, None, limit)
    return Speed(model, goal, None, NEVER, end=float("inf"))


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_as_few_channels_as_possible_are_removed(tiny, steady, share):
    original = by_weights(tiny, wb.compress(tiny, wb.Recipe()))
    found = new_speed(tiny, share * original)
    found.find_removed(share=1)
    steps = [removed for removed in speed.REMOVED if removed]
    enough = [
        removed
        for removed in steps
        if by_weights(tiny, wb.compress(tiny, wb.Recipe(structure=wb.Structure(removed))))
        <= share * original
    ]
    assert found.removed == min(enough)
    assert not found.may_be_fast(wb.Recipe(quantize=wb.Quantize(4)))
    narrowed = found.narrowed(wb.Recipe(quantize=wb.Quantize(4)))
    assert found.may_be_fast(narrowed)
    assert narrowed.quantize == wb.Quantize(4)


@pytest.mark.parametrize("limit", [1e9, 1.0], ids=["fast already", "never fast"])
def test_a_limit_that_channels_do_not_decide_changes_nothing(tiny, steady, limit):
    found = new_speed(tiny, limit)
    found.find_removed(share=1)
    assert found.removed == 0
    assert found.may_be_fast(wb.Recipe())


@pytest.mark.slow
def test_a_network_that_cannot_lose_channels(steady):
    torch.manual_seed(0)
    inputs, module = torch.randn(90, 4), nn.Linear(4, 2).eval()
    labels = module(inputs).argmax(1)
    parts = {"train": slice(0, 30), "validation": slice(30, 60), "test": slice(60, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(module, **data, name="line")
    result = optimize(model, max_latency_ms=1.0, seconds=1)
    assert not result.met
    assert result.latency_ms == 8
    assert any("ms per example are" in text for text in result.violations)


@pytest.fixture
def counter(tmp_path, monkeypatch):
    """A readable energy counter of the processor, which the test sets."""
    tree, clock = Powercap(tmp_path / "powercap"), Clock()
    tree.zone("intel-rapl:0", "package-0", 0)
    for module in (meter, latency):
        monkeypatch.setattr(module, "Machine", lambda: machine(tmp_path, clock))
    return tree, clock


def joules(artifact):
    """Return an energy of a thousandth of a millijoule for each weight."""
    joules = 1e-6 * by_weights(None, artifact)
    return Energy(joules, 0.9 * joules, 1.1 * joules, "counter", ("package",))


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.5, 0.75])
def test_a_limit_on_the_energy_is_met(tiny, steady, counter, share):
    original = 1000 * joules(wb.compress(tiny, wb.Recipe())).joules
    result = optimize(tiny, max_energy_mj=share * original, min_accuracy=0.7, seconds=6)
    assert result.met
    assert result.energy == joules(wb.compress(tiny, result.recipe))
    assert 1000 * result.energy.joules <= share * original
    assert share > 1 or result.recipe.structure is not None
    assert result.energy.amount in " ".join(result.reasons)
    assert "measured by a counter" in " ".join(result.reasons)
    assert result.as_dict()["energy"] == result.energy.as_dict()


def test_an_energy_above_the_limit_is_said(tiny, steady, counter):
    result = optimize(tiny, max_energy_mj=1e-6, seconds=1)
    assert not result.met
    assert any("per example are" in text and "J" in text for text in result.violations)


def test_an_energy_that_is_lost_meets_nothing(tiny, steady, counter, monkeypatch):
    lost = Energy.unknown("The readings of RAPL ended.")
    monkeypatch.setattr(speed, "measured_cost", lambda *_arguments, energy: Cost(1.0, lost))
    result = optimize(tiny, max_energy_mj=1e9, seconds=1)
    assert not result.met
    assert "The energy was not measured: The readings of RAPL ended." in result.reasons


def test_an_estimate_does_not_replace_a_counter_whose_readings_ended(tiny, counter, monkeypatch):
    tree, clock = counter

    def run(_weights, _inputs):
        clock.now += 0.02
        (tree.root / "intel-rapl:0" / "energy_uj").unlink(missing_ok=True)

    monkeypatch.setattr(inference_energy, "shell", lambda _model: run)
    monkeypatch.setattr(inference_energy.time, "perf_counter", clock)
    monkeypatch.setattr(latency, "_here", lambda *_arguments, fastest: Cost(7.0))
    cost = latency.measured_cost(tiny, wb.compress(tiny, wb.Recipe()), energy=True)
    assert (cost.milliseconds, cost.millijoules) == (7.0, None)
    assert cost.energy.notes


def test_the_counter_is_read_while_single_examples_run(tiny, counter, monkeypatch):
    tree, clock = counter
    calls = []

    def run(_weights, inputs):
        calls.append(len(inputs))
        clock.now += 0.02
        tree.set("intel-rapl:0", 3_000 * (len(calls) - inference_energy.WARM_UP))

    monkeypatch.setattr(inference_energy, "shell", lambda _model: run)
    monkeypatch.setattr(inference_energy.time, "perf_counter", clock)
    monkeypatch.setattr(latency, "_here", lambda *_arguments, fastest: Cost(7.0))
    cost = latency.measured_cost(tiny, wb.compress(tiny, wb.Recipe()), energy=True)
    assert (cost.milliseconds, set(calls)) == (7.0, {1})
    assert cost.energy.how == "counter"
    assert cost.energy.joules == pytest.approx(0.003)


def test_the_energy_in_a_runtime_is_that_of_one_example(tiny, monkeypatch):
    counted = Energy(5.0, 4.0, 6.0, "counter", ("package",))
    timing = SimpleNamespace(median=0.25, energy=counted, busy=True)
    given = []

    def benchmark(packages, **settings):
        given.append((packages, settings["batches"]))
        return SimpleNamespace(timings=(timing,))

    monkeypatch.setattr(latency, "export", lambda _artifact, target: target.runtime)
    monkeypatch.setattr(latency, "benchmark", benchmark)
    cost = latency.measured_cost(tiny, None, Target("onnxruntime"), energy=True)
    assert cost == Cost(0.25, counted.scaled(1e-3), busy=True)
    assert given == [(["onnxruntime"], (1,))]


@pytest.mark.parametrize(("runtime", "batch"), [("litert", 1), ("onnxruntime", 64)])
def test_a_file_for_batches_of_one_size_is_exported_for_one_example(
    tiny, monkeypatch, runtime, batch
):
    timing = SimpleNamespace(median=0.25, energy=Energy.unknown(), busy=False)
    targets = []

    def record(_artifact, target):
        targets.append(target)
        return target

    monkeypatch.setattr(latency, "export", record)
    monkeypatch.setattr(latency, "benchmark", lambda *_a, **_m: SimpleNamespace(timings=[timing]))
    assert latency.measured_cost(tiny, None, Target(runtime)) == Cost(0.25)
    assert targets == [Target(runtime, batch=batch)]


@pytest.mark.parametrize(
    ("p90", "share", "busy"), [(1.5, 1.0, False), (2.5, 1.0, True), (1.5, 0.5, True)]
)
def test_runs_that_other_work_disturbs_are_marked(tiny, monkeypatch, p90, share, busy):
    clocks = {"perf_counter": 0.0, "process_time": 0.0}

    def run(*_arguments, cancel):
        clocks["perf_counter"] += 1
        clocks["process_time"] += share
        return {"batch_1": {"median": 1.2, "p10": 1.0, "p90": p90}}

    timer = SimpleNamespace(**{name: lambda name=name: clocks[name] for name in clocks})
    monkeypatch.setattr(latency, "time", timer)
    monkeypatch.setattr(latency.resources, "latency", run)
    assert latency.measured_cost(tiny, wb.compress(tiny, wb.Recipe())) == Cost(1.2, busy=busy)


@pytest.mark.parametrize(
    ("slowest", "share", "busy"), [(1.5, 1.0, False), (2.5, 1.0, True), (1.5, 0.5, True)]
)
def test_a_study_compares_files_by_their_fastest_call(tiny, monkeypatch, slowest, share, busy):
    clocks = {"perf_counter": 0.0, "process_time": 0.0}

    def run(*_arguments, cancel):
        clocks["perf_counter"] += 1
        clocks["process_time"] += share
        return [0.9, *[1.0] * 5, *[slowest] * 4]

    timer = SimpleNamespace(**{name: lambda name=name: clocks[name] for name in clocks})
    monkeypatch.setattr(latency, "time", timer)
    monkeypatch.setattr(latency.resources, "runs_of_one", run)
    cost = latency.measured_cost(tiny, wb.compress(tiny, wb.Recipe()), fastest=True)
    assert cost == Cost(0.9, busy=busy)
    timing = SimpleNamespace(minimum=0.25, median=0.5, energy=Energy.unknown(), busy=busy)
    monkeypatch.setattr(latency, "export", lambda _artifact, target: target)
    monkeypatch.setattr(latency, "benchmark", lambda *_a, **_m: SimpleNamespace(timings=[timing]))
    target = Target("onnxruntime")
    assert latency.measured_cost(tiny, None, target, fastest=True) == Cost(0.25, busy=busy)


def test_without_a_counter_no_limit_is_possible(tiny, tmp_path, monkeypatch, capsys):
    (tmp_path / "cpuinfo").write_text("model name\t: Fake\nflags\t: fpu hypervisor sse\n")
    monkeypatch.setattr(latency, "Machine", lambda: machine(tmp_path, Clock()))
    with raises("study.no_energy_counter") as caught:
        optimize(tiny, max_energy_mj=1.0, seconds=1)
    assert "virtual machine" in str(caught.value)
    assert main(["optimize", tiny.name, "--max-energy-mj", "1"]) != 0
    assert "leave max_energy_mj out" in capsys.readouterr().err
    with raises("study.invalid_limit"):
        optimize(tiny, max_energy_mj=0)


def test_the_work_of_a_narrow_network():
    assert relative_work(wb.Recipe()) == 1
    assert relative_work(wb.Recipe(structure=wb.Structure(0.5))) == 0.25
    assert relative_work(wb.Recipe(train=wb.Train(start="scratch", width=0.5))) == 0.25
