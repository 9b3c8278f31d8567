"""Processes: a death is told in a sentence; scikit-learn is loaded only when it is used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from workbench.errors import TrainingError
from workbench.experiments import processes
from workbench.experiments.job import Job


def test_a_process_that_dies_is_told(monkeypatch, small, brief):
    # loky carries the function itself, because no other process can import this file.
    monkeypatch.setattr(processes, "run_job", lambda job: os._exit(9))
    with pytest.raises(TrainingError, match="has died"):
        list(processes.run_jobs([Job(small, brief)] * 2, 2, lambda: False))


def test_importing_trials_loads_no_scikit_learn():
    modules = "{'sklearn', 'scipy', 'joblib'}"
    code = f"import sys, workbench.experiments; print({modules} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
