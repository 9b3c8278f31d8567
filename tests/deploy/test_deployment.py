"""A file in several runtimes: what is known is not computed again, and what fails is named."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cache.files import FileCache
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.deploy import deployment, prepare, store, timing
from workbench.deploy.records import agreement_from_record, agreement_record
from workbench.deploy.runtimes import Runtime
from workbench.deploy.timing import Benchmark, one_and_all_cores
from workbench.errors import InputError

PROGRAM = wb.Target("torch")


@pytest.fixture(autouse=True)
def _private_cache(monkeypatch):
    programs, files, rooflines, refusals = (FileCache(None) for _ in range(4))
    monkeypatch.setattr(store, "_programs", lambda: programs)
    monkeypatch.setattr(store, "_rooflines", lambda: rooflines)
    monkeypatch.setattr(store, "_refusals", lambda: refusals)
    monkeypatch.setattr(store, "default_file_cache", lambda: files)


def run_instead(monkeypatch, *command):
    """Run `command` instead of the process that exports."""
    monkeypatch.setattr(prepare, "PROGRAM", None)
    monkeypatch.setattr(prepare, "COMMAND", command)


def deploy(artifact, results, targets=(PROGRAM,), cancel=None):
    states = []
    deployment.deploy(artifact, targets, results, states.append, cancel=cancel or CancelToken())
    return states


@pytest.mark.slow
def test_a_second_run_exports_and_confirms_nothing(artifact, monkeypatch):
    results = ResultCache()
    monkeypatch.setattr(timing, "ROUNDS", 1)
    first = deploy(artifact, results)
    assert [s.outcomes[0].settled for s in first] == [False, False, True, True, True]
    assert first[-1].roofline.layers
    assert {timing.threads for timing in first[-1].benchmark.timings} == {*one_and_all_cores()}
    assert first[-1].benchmark.timings[0].calls > 0
    with monkeypatch.context() as patched:
        patched.setattr(deployment, "preparation", None)  # may not be called
        patched.setattr(deployment, "Host", lambda *_args, **_options: nullcontext())
        patched.setattr(deployment, "time_in_turn", lambda *_args, **_options: Benchmark(()))
        idle = replace(first[-1].roofline, peaks=replace(first[-1].roofline.peaks, busy=False))
        store.keep_roofline(artifact, idle)
        again = deploy(artifact, results)
    assert again[-1].roofline == idle
    outcome, expected = again[0].outcomes[0], first[-1].outcomes[0]
    assert outcome.package.content == expected.package.content
    assert outcome.package.manifest == expected.package.manifest
    assert outcome.agreement.as_dict() == expected.agreement.as_dict()
    busy = replace(idle, peaks=replace(idle.peaks, busy=True))
    other = wb.compress(wb.model("vowels/cnn"), wb.Recipe(wb.Quantize(bits=7)))
    store.keep_roofline(other, busy)
    assert store.cached_roofline(other) is None
    assert store.cached_package(other, PROGRAM) is None
    assert store.cached_package(artifact, wb.Target("torch", threads=2)) is None
    changed = replace(
        outcome.package, manifest={**outcome.package.manifest, "file": {"sha256": "0"}}
    )
    assert store.cached_agreement(changed, "validation", results) is None
    assert store.cached_agreement(outcome.package, "test", results) is None


@pytest.mark.slow
def test_a_model_of_this_process_is_exported_in_it(regression, monkeypatch):
    run_instead(monkeypatch, "no such program")
    monkeypatch.setattr(deployment, "time_in_turn", lambda *_args, **_options: Benchmark(()))
    artifact = wb.compress(regression, wb.Recipe())
    outcome = deploy(artifact, ResultCache())[-1].outcomes[0]
    assert outcome.confirmed
    record = agreement_record(outcome.agreement)
    assert agreement_record(agreement_from_record(record, regression.task.metric)) == record


def test_a_runtime_that_is_missing_is_named(artifact, monkeypatch):
    run_instead(monkeypatch, "no such program")
    monkeypatch.setattr(Runtime, "missing", lambda _runtime: "Install it.")
    (state,) = deploy(artifact, ResultCache())
    assert state.outcomes[0].error == "Install it."
    assert state.benchmark is None


def test_a_runtime_that_refuses_is_named_and_not_timed(artifact, monkeypatch):
    sentence = "It has no such operator."

    def refuse(*_arguments):
        raise InputError(sentence, code="deploy.export_failed")

    monkeypatch.setattr(prepare.Elsewhere, "export", refuse)
    state = deploy(artifact, ResultCache())[-1]
    assert state.outcomes == (deployment.Outcome(PROGRAM, error=sentence),)
    assert state.benchmark is None
    monkeypatch.setattr(deployment, "preparation", None)  # it is known now
    (again,) = deploy(artifact, ResultCache())
    assert again.outcomes == state.outcomes


@pytest.mark.slow
def test_a_process_that_ends_early_is_named(artifact, monkeypatch):
    run_instead(monkeypatch, sys.executable, "-c", "raise SystemExit(3)")
    for _try in range(2):
        first, *_others, last = deploy(artifact, ResultCache())
        assert not first.outcomes[0].settled
        assert "ended early" in last.outcomes[0].error


def test_cancelling_ends_the_process(artifact, monkeypatch):
    run_instead(monkeypatch, sys.executable, "-c", "import time; time.sleep(60)")
    cancel = CancelToken()
    cancel.cancel()
    with raises("cancelled"):
        deploy(artifact, ResultCache(), cancel=cancel)
