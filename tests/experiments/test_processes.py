"""Worker processes: a dead worker is reported; scikit-learn is loaded only when used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.raises import raises
from workbench.cancel import NEVER
from workbench.experiments import processes
from workbench.experiments.job import Job


@pytest.mark.slow
def test_a_worker_that_dies_is_reported(monkeypatch, small, brief):
    # loky pickles the function by value, because workers cannot import this file.
    monkeypatch.setattr(processes, "run_job", lambda job: os._exit(9))
    with raises("training.process_died"):
        list(processes.run_jobs([Job(small, brief)] * 2, 2, NEVER))


@pytest.mark.slow
def test_importing_experiments_does_not_load_scikit_learn():
    modules = "{'sklearn', 'scipy', 'joblib'}"
    code = f"import sys, workbench.experiments; print({modules} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
