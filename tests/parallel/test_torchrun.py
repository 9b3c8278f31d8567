"""Jobs for torchrun: two nodes on the loopback end with the digest of the pool."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys

import pytest

import workbench as wb
from tests.raises import raises
from workbench.parallel.node import run

pytestmark = pytest.mark.slow
SETTINGS = {"steps": 3, "batch": 8, "seed": 3}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_two_nodes_end_with_the_digest_of_one_machine(tmp_path, gated, source):
    settings = {**SETTINGS, "machines": 2, "source": f"{source}:make"}
    expected = wb.train_in_parallel(gated, **settings, exact=False)
    job = wb.write_job(gated, tmp_path / "job", port=free_port(), **settings)
    source.unlink()  # the job holds a copy
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "USE_LIBUV": "0"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    nodes = [
        subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", *shlex.split(line)[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "WORKBENCH_ADDRESS": f"127.0.0.{number + 1}"},
        )
        for number, line in enumerate(job.lines)
    ]
    assert len(nodes) == 2
    outputs = [node.communicate(timeout=120) for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], outputs
    results = [json.loads(output) for output, _errors in outputs]
    assert {result["digest"] for result in results} == {expected.ranks[0].digest}
    assert sorted(result["rank"] for result in results) == [0, 1]


def test_a_changed_job_is_refused(tmp_path):
    job = wb.write_job(wb.model("fashion/mlp-32"), tmp_path / "job", **SETTINGS)
    (job.folder / "weights.safetensors").write_bytes(b"")
    with raises("parallel.job_changed", "weights.safetensors"):
        run(job.folder)


def test_what_machines_cannot_do_is_refused(tmp_path, gated):
    model = wb.model("fashion/mlp-32")
    with raises("parallel.source_needed", "source="):
        wb.write_job(gated, tmp_path, **SETTINGS)
    with raises("parallel.no_shared_memory"):
        wb.write_job(model, tmp_path, sync="shared", **SETTINGS)
    with raises("parallel.uneven_machines"):
        wb.write_job(model, tmp_path, ranks=3, machines=2, **SETTINGS)


def test_a_simulated_link_between_stages_on_real_machines_is_refused(tmp_path):
    """The clocks of two machines begin when each was started: a rank would wait for days."""
    model, settings = wb.model("fashion/lenet5"), {"machines": 2, **SETTINGS}
    for host in ("10.0.0.1", "cluster"):
        for link in ({"latency_ms": 1.0}, {"bandwidth": 10.0}):
            with raises("parallel.no_common_clock", "latency_ms"):
                wb.write_job(model, tmp_path, host=host, strategy="pipeline", **link, **settings)
    wb.write_job(model, tmp_path, host="10.0.0.1", latency_ms=1.0, **settings)
    for host in ("127.0.0.1", "::1", "localhost"):
        wb.write_job(model, tmp_path, host=host, strategy="pipeline", latency_ms=1.0, **settings)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host": "a b; rm"}, "parallel.host"),
        ({"host": 3}, "parallel.host"),
        ({"port": -1}, "parallel.port"),
        ({"port": "29500"}, "parallel.port"),
    ],
)
def test_a_bad_address_gets_a_sentence_and_writes_nothing(tmp_path, changes, code):
    with raises(code):
        wb.write_job(wb.model("fashion/mlp-32"), tmp_path / "job", **changes)
    assert not (tmp_path / "job").exists()


def test_a_folder_with_blanks_is_quoted(tmp_path):
    job = wb.write_job(wb.model("fashion/mlp-32"), tmp_path / "job 2")
    assert shlex.split(job.lines[0])[-1] == str(tmp_path / "job 2")
