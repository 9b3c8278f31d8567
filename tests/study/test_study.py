"""Studies: the same front as the full grid, in any order, after any kill, measured once."""

from __future__ import annotations

import json
import random
from errno import ENOSPC
from os import strerror
from pathlib import Path

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.recipe import Prune, Quantize, Recipe
from workbench.study import Space, Study, log as study_log, measurement, run_study
from workbench.study.executors import InThisProcess, Local
from workbench.study.front import pareto_front
from workbench.study.log import StudyLog
from workbench.study.measurement import Job, measure_trial
from workbench.study.runner import Runner
from workbench.study.samplers import SAMPLERS
from workbench.study.study import SAMPLER_NAMES
from workbench.study.trial import EXACT, FAILED, TOO_LARGE

SPACE = Space({"prune.sparsity": [0, 0.5, 0.8], "quantize.bits": [2, 3, 4]})
LARGE = Space(
    {
        "prune.sparsity": [0, 0.4, 0.7, 0.9],
        "quantize.bits": [2, 3, 4],
        "quantize.range": ["minmax", "mse"],
    }
)


def points(trials):
    return [(trial.bytes, trial.value) for trial in trials]


@pytest.fixture(params=["fashion/mlp-32", "regression"])
def case(request):
    """A classifier with single predictions, and a metric that is a mean."""
    return regression() if request.param == "regression" else wb.model(request.param)


def regression():
    """A user's network whose metric is estimated as a mean; its own outputs are the targets."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1)).eval()
    inputs = torch.randn(3200, 16)
    targets = module(inputs).detach() + torch.randn(3200, 1) / 50
    parts = {"train": slice(0, 90), "validation": slice(90, 3100), "test": slice(3100, None)}
    data = {name: (inputs[part], targets[part]) for name, part in parts.items()}
    return wb.from_module(module, **data, name="regression")


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["grid", "sobol", "surrogate", "evolution"])
def test_no_point_of_the_front_is_lost(case, sampler, fresh):
    full = [measure_trial(case, Job(recipe)) for recipe in LARGE]
    assert {trial.state for trial in full} == {EXACT}
    fresh()
    result = run_study(case, Study.of(case, LARGE, sampler=sampler))
    assert points(result.front) == points(pareto_front(full, case.task.metric))
    assert len(result.trials) == len(LARGE)
    assert result.examples < sum(trial.total for trial in full)


@pytest.mark.slow
def test_values_are_those_of_measure(small, fresh):
    result = run_study(small, Study.of(small, SPACE, sampler="grid", recipes=8))
    for trial in result.front:
        report = wb.measure(small, trial.recipe, timed=False, store=ResultCache())
        assert (trial.bytes, trial.value, trial.file) == (report.bytes, report.value, report.digest)


@pytest.mark.slow
def test_a_study_goes_on_after_it_was_killed_and_measures_nothing_twice(
    small, fresh, tmp_path, monkeypatch
):
    study = Study.of(small, SPACE, recipes=9)
    undisturbed = run_study(small, study, log=tmp_path / "undisturbed")
    calls = []
    real = measurement.compress
    monkeypatch.setattr(
        measurement,
        "compress",
        lambda model, recipe, **more: calls.append(recipe) or real(model, recipe, **more),
    )
    log, rng = tmp_path / "killed", random.Random(0)
    fresh()
    for stop in (2, 6):
        token = CancelToken()
        with pytest.raises(Cancelled):
            run_study(
                small,
                study,
                log=log,
                cancel=token,
                on_update=lambda r, t=token, s=stop: t.cancel() if len(r.trials) == s else None,
            )
        content = log.read_bytes()
        log.write_bytes(content + b'{"recipe": {"pru'[: rng.randint(1, 16)])  # a line cut off
    resumed = run_study(small, study, log=log)
    assert points(resumed.front) == points(undisturbed.front)
    assert [t.recipe for t in resumed.trials] == [t.recipe for t in undisturbed.trials]
    assert len(calls) == len(set(calls)) == 9
    before = log.read_bytes()
    run_study(small, study, log=log)
    assert len(calls) == 9
    assert log.read_bytes() == before


@pytest.mark.slow
def test_processes_give_the_same_trials(small, fresh):
    study = Study.of(small, SPACE, sampler="grid", recipes=6)
    here = run_study(small, study)
    there = run_study(small, study, executor=Local(2))
    assert [(t.recipe, t.state, t.bytes, t.file, t.value) for t in here.trials] == [
        (t.recipe, t.state, t.bytes, t.file, t.value) for t in there.trials
    ]


def test_files_above_the_limit_are_not_evaluated(small, fresh):
    result = run_study(small, Study.of(small, SPACE, sampler="grid", max_bytes=40_000))
    large = [trial for trial in result.trials if trial.state == TOO_LARGE]
    assert large
    assert all(trial.bytes > 40_000 and trial.examples == 0 for trial in large)
    assert all(trial.bytes <= 40_000 for trial in result.front)


def test_a_recipe_that_fails_is_recorded_and_the_study_goes_on(small, fresh):
    space = Space({"prune.layers.fc9.weight": [0.5, 0.9]}, Recipe(Quantize(8)))
    result = run_study(small, Study.of(small, space, sampler="grid"))
    assert {trial.state for trial in result.trials} == {FAILED}
    assert "fc9.weight" in result.trials[0].sentence
    assert result.front == ()


def test_a_space_has_each_recipe_once_without_idle_parts():
    recipes = list(Space({"prune.sparsity": [0, 0.5], "quantize.bits": [4, 32]}))
    assert recipes == [
        Recipe(Quantize(4)),
        Recipe(),
        Recipe(Prune(0.5), Quantize(4)),
        Recipe(Prune(0.5)),
    ]


def test_positions_lead_back_to_recipes():
    for position in SPACE.positions():
        recipe = SPACE.recipe(position)
        assert SPACE.recipe(SPACE.position(recipe)) == recipe


@pytest.mark.parametrize(
    ("axes", "code"),
    [
        ({}, "study.empty_space"),
        ({"prune.sparsity": []}, "study.empty_space"),
        ({"prune.sparsity": 0.5}, "study.empty_space"),
        ({"prune.speed": [1]}, "study.unknown_field"),
        ({"prune": [1]}, "study.unknown_field"),
        ({"prune.layers": [0.5]}, "study.unknown_field"),
        ({"prune.sparsity": [2.0]}, "recipe.out_of_range"),
        ([("prune.sparsity", [0.5])], "argument.not_a_mapping"),
    ],
)
def test_an_invalid_space(axes, code):
    with raises(code):
        Space(axes)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"sampler": "luck"}, "study.unknown_sampler"),
        ({"seed": -1}, "argument.not_a_count"),
        ({"recipes": 0}, "argument.not_a_count"),
        ({"max_bytes": 1.5}, "argument.not_a_count"),
    ],
)
def test_an_invalid_study(small, settings, code):
    with raises(code):
        Study.of(small, SPACE, **settings)


def test_a_study_is_known_by_its_content(small, lenet5):
    studies = [
        Study.of(small, SPACE),
        Study.of(lenet5, SPACE),
        Study.of(small, SPACE, seed=1),
        Study.of(small, Space({"quantize.bits": [4]})),
    ]
    assert len({study.digest for study in studies}) == len(set(studies)) == 4
    assert Study.of(small, SPACE).digest == studies[0].digest
    with raises("study.other_model", "lenet5"):
        run_study(small, studies[1])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: [lines[0].replace('"seed":0', '"seed":1'), *lines[1:]], "study.other_log"),
        (
            lambda lines: [json.dumps(json.loads(lines[0]) | {"workbench": "9.9"}), *lines[1:]],
            "study.other_version",
        ),
        (lambda lines: [lines[0], "{", *lines[1:]], "study.damaged_log"),
        (lambda lines: [lines[0], '{"recipe": {}, "state": 1, "x": 2}'], "study.damaged_log"),
        (
            lambda lines: [lines[0], lines[1].replace('"exact"', '"strange"')],
            "study.damaged_log",
        ),
        (
            lambda lines: [lines[0], json.dumps(json.loads(lines[1]) | {"value": "0.5"})],
            "study.damaged_log",
        ),
    ],
)
def test_a_log_that_does_not_fit(small, fresh, tmp_path, change, code):
    study, log = Study.of(small, SPACE, sampler="grid", recipes=1), tmp_path / "log"
    run_study(small, study, log=log)
    log.write_text("\n".join(change(log.read_text().splitlines())) + "\n")
    with raises(code, log):
        run_study(small, study, log=log)


@pytest.mark.slow
def test_saved_evaluations_are_those_of_the_recipes_so_far(small, fresh, tmp_path):
    study, path = Study.of(small, SPACE, sampler="grid"), tmp_path / "log"
    first = run_study(small, study, log=path).trials[:2]
    with StudyLog(path, study.as_dict()) as log:
        runner = Runner(small, study, InThisProcess(), log)
        runner.measure([trial.recipe for trial in first])
    assert runner.result.examples == sum(trial.examples for trial in first)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"study": "grid"}, "study.not_a_study"),
        ({"executor": "local"}, "study.not_an_executor"),
        ({"seconds": "5"}, "study.invalid_limit"),
        ({"seconds": float("nan")}, "study.invalid_limit"),
        ({"seconds": -1}, "study.invalid_limit"),
        ({"log": 7}, "argument.not_a_path"),
    ],
    ids=str,
)
def test_arguments_that_are_not_possible(small, fresh, arguments, code):
    settings = {"study": Study.of(small, SPACE, recipes=1)} | arguments
    with raises(code):
        run_study(small, **settings)


def test_another_version_has_its_own_default_log(tmp_path, monkeypatch):
    monkeypatch.setattr(study_log, "cache_folder", lambda: tmp_path)
    paths = {study_log.default_path("a"), study_log.default_path("a", "Another Processor")}
    monkeypatch.setattr(study_log, "version", lambda _name: "9.9")
    assert len(paths | {study_log.default_path("a")}) == 3


def test_a_log_belongs_to_one_process(small, fresh, tmp_path):
    study, log = Study.of(small, SPACE, sampler="grid", recipes=2), tmp_path / "log"

    def again(_result):
        with raises("study.locked"):
            run_study(small, study, log=log)

    run_study(small, study, log=log, on_update=again)


def test_a_log_must_be_a_file(small, fresh, tmp_path):
    study = Study.of(small, Space({"quantize.bits": [2]}), sampler="grid")
    with raises("study.no_file", str(tmp_path)):
        run_study(small, study, log=tmp_path)


def test_a_full_disk_is_one_sentence_and_the_log_stays_valid(small, fresh, tmp_path, monkeypatch):
    study, log = Study.of(small, SPACE, sampler="grid", recipes=2), tmp_path / "log"
    run_study(small, study, log=log)
    content = log.read_bytes()
    log.write_bytes(content[: content.index(b"\n") + 1])

    real = Path.open

    def full(path, mode="r", *more, **others):
        if mode == "ab":
            raise OSError(ENOSPC, strerror(ENOSPC))
        return real(path, mode, *more, **others)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with raises("file.cannot_write", log):
            run_study(small, study, log=log)
    assert len(run_study(small, study, log=log).trials) == 2


def test_each_named_sampler_exists() -> None:
    assert tuple(SAMPLERS) == SAMPLER_NAMES
