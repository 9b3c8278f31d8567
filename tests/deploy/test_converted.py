"""Files for ExecuTorch and LiteRT, which a converter in another process writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.deploy import converted_file
from workbench.deploy.converted_file import executorch_bytes, litert_bytes
from workbench.deploy.process import Process, RuntimeFailedError
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.source import exported_network
from workbench.deploy.timing import benchmark

CONVERTED = ("executorch", "litert")


@pytest.fixture(scope="module")
def packages():
    return {}


@pytest.fixture
def converted(runtime, artifact, packages):
    """The package of each of these runtimes that is installed."""
    if runtime not in CONVERTED:
        pytest.skip("no converter")
    if runtime not in packages:
        packages[runtime] = wb.export(artifact, runtime)
    return packages[runtime]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vowels/gru", "reviews/transformer"])
def test_recurrent_and_attention_layers_do_not_go_to_executorch(name):
    network = exported_network(wb.compress(wb.model(name), wb.Recipe()))
    with raises("deploy.not_convolutional", "onnxruntime"):
        executorch_bytes(network, wb.Target("executorch"))


@pytest.mark.slow
def test_a_converter_that_fails_hangs_or_is_missing_is_named(artifact, monkeypatch):
    network = exported_network(artifact)
    monkeypatch.setattr(converted_file, "CONVERTERS", "no_such_package")
    with raises("deploy.export_failed", "no_such_package"):
        executorch_bytes(network, wb.Target("executorch"))
    monkeypatch.setattr(converted_file, "CONVERSION_SECONDS", 0.01)
    with raises("deploy.export_failed", "0.01 s"):
        executorch_bytes(network, wb.Target("executorch"))
    monkeypatch.setattr(converted_file, "interpreter", lambda *_arguments: None)
    with raises("deploy.no_converter", "workbench setup litert-converter", "MB"):
        litert_bytes(network, wb.Target("litert"))


@pytest.mark.slow
def test_a_package_that_was_cut_short_does_not_run(converted):
    for size in (0, 100, len(converted) // 2):
        with pytest.raises(RuntimeFailedError) as caught:
            wb.confirm(replace(converted, content=converted.content[:size]))
        assert caught.value.code in {"deploy.runtime_refused", "deploy.runtime_ended"}


@pytest.mark.slow
def test_a_program_without_its_backend_is_named(converted, monkeypatch):
    ask = Process.ask

    def asked(process, command, *arguments, **request):
        answer = ask(process, command, *arguments, **request)
        answer.get("facts", {})["provider"] = "portable kernels"
        return answer

    monkeypatch.setattr(Process, "ask", asked)
    with raises("deploy.other_provider", "portable kernels"):
        wb.confirm(converted)


@pytest.mark.slow
def test_a_file_for_one_size_of_a_batch_is_timed_with_that_size(converted):
    rows = benchmark([converted], batches=[1, 64]).timings
    fixed = RUNTIMES[converted.target.runtime].fixed_batch
    assert [row.batch for row in rows] == ([64] if fixed else [1, 64])
