"""Studies of latency and energy: each file is timed once, alone, and the log holds the times."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import plotly.graph_objects as go
import pytest
import torch

import workbench as wb
from tests.profiling.energy.fakes import Clock, machine
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, InputError
from workbench.profiling.energy.energy import Energy
from workbench.study import Space, Study, costs, latency, run_study
from workbench.study.executors import Local, executor
from workbench.study.front import pareto_front
from workbench.study.log import StudyLog
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import EXACT, TOO_LARGE, UNKNOWN, UNTIMED, Cost, Trial

SPACE = Space(
    {"structure.removed": [0, 0.3, 0.6], "quantize.bits": [2, 3, 4], "prune.sparsity": [0, 0.5]}
)
LARGE = Space({**SPACE.axes, "prune.sparsity": [0, 0.3, 0.5, 0.8]})
BOTH = ("bytes", "latency")

pytestmark = pytest.mark.usefixtures("fresh")


def by_weights(artifact):
    """Return a latency that is the number of weights in thousands."""
    return sum(w.numel() for w in artifact.operands().values() if w.ndim > 1) / 1000


@pytest.fixture
def timed(monkeypatch):
    """Let latencies not depend on the machine; return the files that were timed."""
    files = []

    def count(_model, artifact, _target, _cancel, *, energy, fastest):
        assert (energy, fastest) == (False, True)
        files.append(artifact.digest)
        return Cost(by_weights(artifact))

    monkeypatch.setattr(costs, "measured_cost", count)
    return files


def described(trials):
    return [(t.recipe, t.state, t.bytes, t.file, t.value, t.cost) for t in trials]


@pytest.fixture
def truth(tiny, fresh):
    """The trials of all recipes, each measured alone."""
    trials = [measure_trial(tiny, Job(recipe)) for recipe in SPACE]
    fresh()
    weights = [by_weights(wb.compress(tiny, trial.recipe)) for trial in trials]
    return [replace(t, cost=Cost(number)) for t, number in zip(trials, weights, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("objectives", [("latency",), BOTH])
@pytest.mark.parametrize("sampler", ["grid", "sobol", "surrogate", "evolution"])
def test_the_front_is_that_of_all_recipes(tiny, timed, truth, sampler, objectives):
    result = run_study(tiny, Study.of(tiny, SPACE, sampler=sampler, objectives=objectives))
    assert {trial.state for trial in result.trials} == {EXACT}
    assert len(result.trials) == len(timed) == len(set(timed)) == len(SPACE)
    expected = pareto_front(truth, tiny.task.metric, objectives)
    assert {described([t])[0] for t in result.front} == {described([t])[0] for t in expected}
    assert {t.recipe.structure for t in result.front} > {None}


@pytest.mark.slow
def test_the_sampler_of_optuna_knows_the_times(tiny, timed):
    pytest.importorskip("optuna")
    study = Study.of(tiny, SPACE, sampler="tpe", objectives=BOTH, recipes=14)
    assert len(run_study(tiny, study).trials) == len(timed) == 14


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["surrogate", "evolution"])
def test_a_study_that_was_killed_times_no_file_again(tiny, timed, fresh, tmp_path, sampler):
    study = Study.of(tiny, LARGE, sampler=sampler, objectives=BOTH, recipes=30)
    undisturbed = run_study(tiny, study, log=tmp_path / "undisturbed")
    fresh()
    timed.clear()
    log = tmp_path / "killed"
    for stop in (3, 27):  # in the middle of a round
        token = CancelToken()

        def update(_result, token=token, stop=stop):
            if len(timed) == stop:
                token.cancel()

        with pytest.raises(Cancelled):
            run_study(tiny, study, log=log, cancel=token, on_update=update)
        content = log.read_bytes()
        log.write_bytes(content[:-5])  # the last cost is cut off
        timed.pop()
    resumed = run_study(tiny, study, log=log)
    assert described(resumed.trials) == described(undisturbed.trials)
    assert len(timed) == len(set(timed)) == 30
    before = log.read_bytes()
    again = run_study(tiny, study, log=log)
    assert described(again.trials) == described(undisturbed.trials)
    assert (len(timed), log.read_bytes()) == (30, before)


def test_files_are_timed_while_nothing_else_runs(tiny, monkeypatch):
    running, at_once, lock = [], [], threading.Lock()

    def watched(function):
        def run(*arguments, **more):
            with lock:
                running.append(function)
                at_once.append(tuple(running))
            try:
                return function(*arguments, **more)
            finally:
                with lock:
                    running.remove(function)

        return run

    monkeypatch.setattr(costs, "measured_cost", watched(lambda *_arguments, **_more: Cost(1.0)))
    monkeypatch.setattr(executor, "measure_trial", watched(measure_trial))
    run_study(tiny, Study.of(tiny, SPACE, objectives=BOTH, recipes=8, sampler="grid"))
    timings = [functions for functions in at_once if measure_trial not in functions]
    assert len(timings) == 8
    assert all(len(functions) == 1 or set(functions) == {measure_trial} for functions in at_once)


@pytest.mark.slow
def test_local_processes_give_the_same_trials(tiny, timed):
    study = Study.of(tiny, SPACE, objectives=BOTH, recipes=6, sampler="grid")
    here = run_study(tiny, study)
    timed.clear()
    assert described(run_study(tiny, study, executor=Local(2)).trials) == described(here.trials)
    assert len(timed) == 6  # in this process


def test_files_above_the_limit_are_not_timed(tiny, timed):
    study = Study.of(tiny, SPACE, objectives=BOTH, sampler="grid", max_bytes=9_000)
    result = run_study(tiny, study)
    assert result.states[TOO_LARGE] > 0
    assert len(timed) == result.states[EXACT] == len(SPACE) - result.states[TOO_LARGE]


def test_at_the_end_of_the_time_what_was_evaluated_is_timed(tiny, timed):
    study = Study.of(tiny, SPACE, objectives=BOTH, sampler="grid")
    result = run_study(tiny, study, seconds=1e-9)
    assert result.trials == ()

    def wait(_result):
        if len(timed) == 1:
            time.sleep(0.6)

    result = run_study(tiny, study, seconds=0.5, on_update=wait)
    assert all(trial.cost != UNKNOWN for trial in result.trials)
    assert len(result.trials) == len(timed) < len(SPACE)


def test_a_file_that_cannot_be_timed_is_recorded_and_the_study_goes_on(tiny, monkeypatch, tmp_path):
    def fail(_model, artifact, _target, _cancel, **_more):
        if artifact.recipe.structure is not None:
            raise InputError("This network has no such layer there.")
        if artifact.recipe.prune is not None:
            raise RuntimeError("out of memory")
        return Cost(1.0)

    monkeypatch.setattr(costs, "measured_cost", fail)
    study = Study.of(tiny, SPACE, objectives=("latency",), sampler="grid")
    result = run_study(tiny, study, log=tmp_path / "log")
    assert result.states == {EXACT: 3, UNTIMED: 15}
    sentences = {trial.sentence for trial in result.trials}
    assert any("no such layer" in sentence for sentence in sentences)
    assert any("out of memory" in sentence for sentence in sentences)
    assert len(result.front) == 1
    monkeypatch.setattr(costs, "measured_cost", lambda *_arguments, **_more: pytest.fail("again"))
    again = run_study(tiny, study, log=tmp_path / "log")
    assert described(again.trials) == described(result.trials)


def test_a_file_that_is_made_otherwise_here_is_not_timed(tiny, timed):
    study = Study.of(tiny, SPACE, objectives=("latency",))
    trial = measure_trial(tiny, Job(SPACE.recipe((0, 0, 0))))
    assert costs.time_file(tiny, study, trial).milliseconds
    other = costs.time_file(tiny, study, replace(trial, file="0" * 64))
    assert "different file" in other.sentence
    assert timed == [trial.file]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([Cost(1.0)], Cost(1.0)),
        ([Cost(9.0, busy=True), Cost(1.0)], Cost(1.0)),
        ([Cost(0.5, busy=True), Cost(7.0, busy=True), Cost(1.0)], Cost(0.5)),
        ([Cost(n, busy=True) for n in (3.0, 2.0, 4.0)], Cost(2.0, busy=True)),
    ],
    ids=["quiet", "busy once", "busy twice", "always busy"],
)
def test_a_disturbed_time_is_measured_again(tiny, monkeypatch, runs, expected):
    left = list(runs)
    monkeypatch.setattr(costs, "measured_cost", lambda *_arguments, energy, fastest: left.pop(0))
    study = Study.of(tiny, Space({"quantize.bits": [4]}), objectives=("latency",), sampler="grid")
    result = run_study(tiny, study)
    assert (result.trials[0].cost, left) == (expected, [])
    assert ("busy" in result.summary) == expected.busy
    assert result.to_frame()["busy"][0] == expected.busy


def test_pytorch_is_timed_on_one_thread(tiny, monkeypatch):
    numbers = []

    def measure(*_arguments, energy, fastest):
        numbers.append(torch.get_num_threads())
        return Cost(1.0)

    monkeypatch.setattr(costs, "measured_cost", measure)
    torch.set_num_threads(2)  # the fixture of all tests sets the earlier number again
    run_study(tiny, Study.of(tiny, SPACE, objectives=("latency",), recipes=1))
    assert (numbers, torch.get_num_threads()) == ([1], 2)


def counted(_model, artifact, _target=None, _cancel=None, *, energy=True, fastest=True):
    assert energy
    assert fastest
    amount = by_weights(artifact) / 1000
    return Cost(1.0, Energy(amount, 0.9 * amount, 1.1 * amount, "counter", ("package",)))


def test_a_front_of_energy(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(costs, "check_energy_counter", lambda _advice: None)
    monkeypatch.setattr(costs, "measured_cost", counted)
    study = Study.of(tiny, SPACE, objectives=("energy",), sampler="grid")
    result = run_study(tiny, study, log=tmp_path / "log")
    expected = [counted(tiny, wb.compress(tiny, trial.recipe)) for trial in result.trials]
    assert [trial.cost for trial in result.trials] == expected
    assert len(result.front) == 3
    millijoules = [trial.cost.millijoules for trial in result.front]
    assert millijoules == sorted(millijoules)
    assert described(run_study(tiny, study, log=tmp_path / "log").trials) == described(
        result.trials
    )


def test_an_energy_that_is_lost_is_a_sentence(tiny, monkeypatch):
    lost = Energy.unknown("The readings of RAPL ended.")
    monkeypatch.setattr(costs, "check_energy_counter", lambda _advice: None)
    monkeypatch.setattr(costs, "measured_cost", lambda *_arguments, **_more: Cost(1.0, lost))
    study = Study.of(tiny, SPACE, objectives=("energy",), sampler="grid", recipes=2)
    result = run_study(tiny, study)
    assert result.states == {UNTIMED: 2}
    assert all("readings of RAPL ended" in trial.sentence for trial in result.trials)


def test_without_a_counter_there_is_no_energy(tiny, tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text("model name\t: Fake\nflags\t: fpu hypervisor sse\n")
    monkeypatch.setattr(latency, "Machine", lambda: machine(tmp_path, Clock()))
    with raises("study.no_energy_counter", "leave energy out"):
        run_study(tiny, Study.of(tiny, SPACE, objectives=("energy",)))


def test_a_runtime_that_is_not_installed(tiny, monkeypatch):
    study = Study.of(tiny, SPACE, objectives=BOTH, target="onnxruntime")
    runtime = replace(costs.RUNTIMES["onnxruntime"], packages=("no_such_package",))
    monkeypatch.setitem(costs.RUNTIMES, "onnxruntime", runtime)
    with raises("deploy.not_installed", "ONNX Runtime"):
        run_study(tiny, study)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"objectives": ()}, "study.no_objective"),
        ({"objectives": None}, "study.no_objective"),
        ({"objectives": ("bytes", "speed")}, "study.unknown_objective"),
        ({"objectives": ("accuracy",)}, "study.unknown_objective"),
        ({"objectives": (["bytes"],)}, "study.unknown_objective"),
        ({"objectives": ("latency", "bytes", "latency")}, "study.repeated_objective"),
        ({"target": "onnxruntime"}, "study.idle_target"),
        ({"objectives": BOTH, "target": "tflite"}, "deploy.unknown_runtime"),
        ({"objectives": BOTH, "target": 3}, "argument.not_a_target"),
        ({"objectives": BOTH, "sampler": "directed"}, "study.bytes_only"),
        ({"objectives": BOTH, "sampler": "by_layer"}, "study.bytes_only"),
    ],
    ids=str,
)
def test_an_invalid_objective(tiny, settings, code):
    with raises(code):
        Study.of(tiny, SPACE, **settings)


def test_objectives_have_one_order_and_a_digest_of_their_own(tiny):
    studies = [
        Study.of(tiny, SPACE),
        Study.of(tiny, SPACE, objectives="latency"),
        Study.of(tiny, SPACE, objectives=BOTH),
        Study.of(tiny, SPACE, objectives=BOTH, target="onnxruntime"),
        Study.of(tiny, SPACE, objectives=BOTH, target=wb.Target("onnxruntime", threads=2)),
    ]
    assert len({study.digest for study in studies}) == len(set(studies)) == 5
    assert Study.of(tiny, SPACE, objectives=["latency", "bytes"]) == studies[2]
    assert json.loads(json.dumps(studies[3].as_dict()))["target"]["runtime"] == "onnxruntime"


def test_the_digest_of_a_study_of_bytes_is_that_of_earlier_versions():
    space = Space({"prune.sparsity": [0, 0.5], "quantize.bits": [4, 8]})
    study = Study("fashion/mlp-32", ("weights", "code", "data"), space, recipes=7, seed=3)
    assert study.digest == "8b67d32ab55a0e2fb0a7250aaa6e552d2ce1657797e5b7aad5f41a44b25ea25b"
    assert study == replace(study, objectives=("bytes",))


def test_a_log_of_an_earlier_version_is_read(tiny, timed, tmp_path):
    study, path = Study.of(tiny, SPACE, sampler="grid", recipes=2), tmp_path / "log"
    trials = run_study(tiny, study, log=path).trials
    for line in path.read_text().splitlines():
        assert not {"cost", "machine", "file_cost"} & set(json.loads(line))
    assert described(run_study(tiny, study, log=path).trials) == described(trials)
    assert timed == []


def test_equal_files_share_their_time(tiny, tmp_path):
    path, cost = tmp_path / "log", Cost(1.5)
    first, second, third = (
        Trial(SPACE.recipe((0, bits, 0)), EXACT, 10, file) for bits, file in enumerate("aab")
    )
    with StudyLog(path, {}, machine="here") as log:
        log.add(first)
        log.add_cost("a", cost)
        log.add(second)
        log.add(third)
        trials = dict(log.trials)
    with StudyLog(path, {}, machine="here") as again:
        assert again.trials == trials
        assert [trial.cost for trial in again.trials.values()] == [cost, cost, UNKNOWN]
    assert Trial.from_dict(json.loads(json.dumps(trials[first.key].as_dict()))) == trials[first.key]


def test_a_log_of_another_machine_is_not_continued(tiny, timed, tmp_path, monkeypatch):
    study, path = Study.of(tiny, SPACE, objectives=BOTH, recipes=1), tmp_path / "log"
    run_study(tiny, study, log=path)
    monkeypatch.setattr(costs, "processor", lambda: "Another Processor")
    with raises("study.other_machine", path, "Another Processor"):
        run_study(tiny, study, log=path)


def test_a_line_of_costs_that_is_damaged(tiny, timed, tmp_path):
    study, path = Study.of(tiny, SPACE, objectives=BOTH, recipes=1), tmp_path / "log"
    run_study(tiny, study, log=path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], '{"file": "a", "cost": {"seconds": 1}}', ""]))
    with raises("study.damaged_log", path):
        run_study(tiny, study, log=path)


def test_the_result_shows_times_and_energies(tiny, monkeypatch):
    monkeypatch.setattr(costs, "check_energy_counter", lambda _advice: None)
    monkeypatch.setattr(costs, "measured_cost", counted)
    study = Study.of(tiny, SPACE, objectives=("bytes", "latency", "energy"), sampler="grid")
    result = run_study(tiny, study, log=None)
    frame = result.to_frame()
    assert list(frame["milliseconds"]) == [trial.cost.milliseconds for trial in result.trials]
    assert list(frame["millijoules"]) == [trial.cost.millijoules for trial in result.trials]
    figure = result.plot().figure
    go.Figure(figure)
    assert [sorted(trace["x"]) for trace in figure["data"]] == [
        sorted(trial.bytes for trial in result.trials),
        sorted(frame["milliseconds"]),
        sorted(frame["millijoules"]),
    ]
    symbols = figure["data"][0]["marker"]["symbol"]
    on_front = [symbol == "diamond" for symbol in symbols]
    assert (sum(on_front), on_front) == (len(result.front), sorted(on_front))
    texts = {figure["layout"][f"xaxis{number}"]["title"]["text"] for number in ("", 2, 3)}
    assert texts == {"file size", "milliseconds per example", "millijoules per example"}
    assert "size, latency, energy and accuracy" in result.summary
    html = result._repr_mimebundle_()["text/html"]
    assert "1.00" in html
    assert "mJ" in html
    front = result.as_dict()["front"][0]
    assert front["cost"] == result.front[0].cost.as_dict()


@pytest.mark.slow
def test_times_in_a_runtime_are_measured(tiny):
    pytest.importorskip("onnxruntime")
    space = Space({"structure.removed": [0, 0.6]}, wb.Recipe(wb.Quantize(8)))
    study = Study.of(tiny, space, objectives="latency", target="onnxruntime")
    result = run_study(tiny, study)
    assert {trial.state for trial in result.trials} == {EXACT}
    assert all(0 < trial.cost.milliseconds < 1e4 for trial in result.trials)
