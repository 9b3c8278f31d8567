from __future__ import annotations

import json

import pytest

from workbench.cache.results import default_result_cache
from workbench.cli import main


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch):
    """Start each test with an empty cache."""
    monkeypatch.setenv("WORKBENCH_STORE", "")
    default_result_cache.cache_clear()
    yield
    default_result_cache.cache_clear()


@pytest.fixture
def workbench(capsys):
    """Run a command in this process, and return its exit status and output."""

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse exits
            status = stop.code
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


@pytest.fixture
def ask(workbench):
    """Run a command with --json that must succeed, and return the object that it prints."""

    def run(*arguments):
        status, out, err = workbench(*arguments, "--json")
        assert (status, err) == (0, "")
        result = json.loads(out)
        assert isinstance(result, dict)
        assert out.endswith("}\n")
        return result

    return run
