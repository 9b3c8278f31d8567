"""A study that is killed continues: the same front, and nothing measured twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psutil
import pytest

from tests.raises import raises
from workbench.study import Space, Study, run_study
from workbench.study.executors import Local

AXES = {"prune.sparsity": [0, 0.3, 0.5, 0.8], "quantize.bits": [2, 3, 4]}
RECIPES = 10
SCRIPT = f"""
import sys
import workbench as wb
from workbench.study import Space, Study, run_study
from workbench.study.executors import Local
model = wb.model("fashion/mlp-32")
study = Study.of(model, Space({AXES!r}), recipes={RECIPES})
update = lambda result: print(flush=True)
run_study(model, study, log=sys.argv[1], executor=Local(2), on_update=update)
"""

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.fixture
def study(tiny):
    return Study.of(tiny, Space(AXES), recipes=RECIPES)


def points(result):
    return [(trial.recipe, trial.bytes, trial.file, trial.value) for trial in result.front]


def measurements(log):
    """Return what was measured, without the header."""
    trials = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    return [(json.dumps(trial["recipe"]), trial["state"]) for trial in trials]


@pytest.mark.slow
def test_a_killed_process_leaves_a_log_that_continues(tiny, study, tmp_path):
    log = tmp_path / "killed"
    environment = {**os.environ, "WORKBENCH_STORE": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        for _ in range(6):
            process.stdout.readline()
        workers = _workers(process.pid)
        process.kill()
    assert len(workers) == 2
    assert not psutil.wait_procs(workers, timeout=30)[1]
    before = measurements(log)
    assert 6 <= len(before) <= RECIPES
    resumed = run_study(tiny, study, log=log)
    assert points(resumed) == points(run_study(tiny, study, log=tmp_path / "undisturbed"))
    after = measurements(log)
    assert after[: len(before)] == before
    assert len(after) == len(set(after))


@pytest.mark.slow
def test_a_killed_worker_is_one_sentence_and_the_same_call_continues(tiny, study, tmp_path):
    log = tmp_path / "log"

    def kill(result):
        if len(result.trials) == 5:
            _workers()[0].kill()

    with raises("study.process_died"):
        run_study(tiny, study, log=log, executor=Local(2), on_update=kill)
    resumed = run_study(tiny, study, log=log)
    assert points(resumed) == points(run_study(tiny, study, log=tmp_path / "undisturbed"))
    keys = measurements(log)
    assert len(keys) == len(set(keys))


def _workers(parent=None):
    """Return the worker processes of a process, or of this one."""
    children = psutil.Process(parent).children(recursive=True)
    return [child for child in children if "popen_loky" in " ".join(child.cmdline())]
