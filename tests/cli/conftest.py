from __future__ import annotations

import json

import pytest

from workbench.cache import results as stores
from workbench.cli import main


@pytest.fixture(autouse=True)
def no_results(monkeypatch):
    """Each test starts knowing nothing."""
    monkeypatch.setenv("WORKBENCH_STORE", "")
    stores.default_result_cache.cache_clear()
    yield
    stores.default_result_cache.cache_clear()


@pytest.fixture
def workbench(capsys):
    """Run a command in this process; return its exit status and what it wrote."""

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse stops by itself
            status = stop.code
        written = capsys.readouterr()
        return status, written.out, written.err

    return run


@pytest.fixture
def ask(workbench):
    """Run a command with --json that must go well; return the one object it prints."""

    def run(*arguments):
        status, out, err = workbench(*arguments, "--json")
        assert (status, err) == (0, "")
        answer = json.loads(out)
        assert isinstance(answer, dict)
        assert out.endswith("}\n")
        return answer

    return run
