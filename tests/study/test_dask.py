"""A Dask cluster: faults are one sentence, and the trials are those of this process."""

from __future__ import annotations

import sys
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.study import Space, Study, run_study
from workbench.study.executors import Dask

SPACE = Space({"quantize.bits": [2, 3]})
ADDRESS = "tcp://10.0.0.5:8786"
HERE = {"packages": {"workbench": "1.0", "torch": "2.13.0+cpu"}}
OLDER = {"packages": {"workbench": "0.9", "torch": "2.13.0"}}
BARE = {"packages": {"workbench": None}}


class KilledWorker(Exception):
    """As in `distributed`."""


class Future:
    """A task that has ended, with its result or an error."""

    def __init__(self, outcome):
        self.outcome = outcome

    def done(self):
        return True

    def result(self):
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


class Pending(Future):
    """A task that waits for a worker; the model arrived before."""

    def __init__(self):
        super().__init__(None)

    def done(self):
        return False


class Client:
    """A client of a scheduler that runs tasks at once, with the faults that a test asks for."""

    scheduler, workers, connects, first, later = HERE, (HERE, HERE), None, None, None

    def __init__(self, address, timeout):
        assert (address, timeout) == (ADDRESS, 10)
        if self.connects is not None:
            raise self.connects
        self.tasks = 0

    def wait_for_workers(self, count, timeout):
        if not self.workers:
            raise TimeoutError

    def get_versions(self, packages):
        workers = {f"tcp://10.0.0.{n}:1": there for n, there in enumerate(self.workers)}
        return {"client": HERE, "scheduler": self.scheduler, "workers": workers}

    def submit(self, function, *arguments, pure):
        assert not pure
        self.tasks += 1
        fault = self.first if self.tasks == 1 else self.later
        values = [v.outcome if isinstance(v, Future) else v for v in arguments]
        faults = [fault, *(value for value in values if isinstance(value, BaseException))]
        failed = next((fault for fault in faults if fault is not None), None)
        return Future(function(*values) if failed is None else failed)

    def nthreads(self):
        return dict.fromkeys(range(len(self.workers)), 1)

    def scheduler_info(self):
        return {"workers": dict.fromkeys(range(len(self.workers)))}

    def cancel(self, futures):
        pass

    def close(self):
        pass


@pytest.fixture
def cluster(monkeypatch, fresh):
    """Return a function that sets the faults of a cluster."""

    def make(**faults):
        client = type("Client", (Client,), faults)
        module = SimpleNamespace(
            Client=client, KilledWorker=KilledWorker, wait=lambda *_arguments, **_more: None
        )
        monkeypatch.setitem(sys.modules, "distributed", module)
        return Dask(ADDRESS)

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "code", "facts"),
    [
        ({"connects": OSError("timed out")}, "study.no_cluster", [ADDRESS]),
        ({"connects": ValueError("unknown scheme")}, "study.no_cluster", [ADDRESS]),
        ({"connects": AssertionError()}, "study.no_cluster", [ADDRESS]),
        ({"workers": ()}, "study.no_cluster", [ADDRESS, "dask worker"]),
        ({"workers": (HERE, OLDER)}, "study.worker_version", ["10.0.0.1", "0.9", "1.0"]),
        ({"scheduler": OLDER}, "study.worker_version", ["scheduler", "0.9", "1.0"]),
        ({"scheduler": BARE}, "study.worker_version", ["scheduler", "no workbench", "1.0"]),
        ({"first": ImportError("No module named net")}, "study.worker_failed", ["net"]),
        ({"later": KilledWorker()}, "study.process_died", ["fewer workers", "continues"]),
        ({"later": CancelledError()}, "study.no_cluster", [ADDRESS, "continues"]),
    ],
    ids=str,
)
def test_faults_of_a_cluster_are_one_sentence(small, cluster, tmp_path, faults, code, facts):
    study, log = Study.of(small, SPACE, sampler="grid"), tmp_path / "log"
    with raises(code, *facts):
        run_study(small, study, log=log, executor=cluster(**faults))
    assert len(run_study(small, study, log=log, executor=cluster()).trials) == len(SPACE)


def test_a_cluster_that_loses_all_its_workers_is_one_sentence(
    small, cluster, tmp_path, monkeypatch
):
    monkeypatch.setattr("workbench.study.executors.dask.WITHOUT_WORKERS", 0)
    study = Study.of(small, SPACE, sampler="grid")
    lost = cluster(
        submit=lambda _client, *_arguments, pure: Pending(),
        scheduler_info=lambda self: {"workers": {}},
    )
    with raises("study.no_cluster", ADDRESS, "continues"):
        run_study(small, study, log=tmp_path / "log", executor=lost)


@pytest.mark.parametrize("address", [None, "", 8786, "nonsense"])
def test_an_address_that_is_none(cluster, address):
    cluster()
    with raises("study.no_cluster", "tcp://"):
        Dask(address)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with raises("study.no_dask", "[cluster]"):
        Dask(ADDRESS)


@pytest.mark.slow
def test_a_cluster_gives_the_same_trials(tmp_path):
    distributed = pytest.importorskip("distributed")
    model = wb.model("fashion/mlp-32")
    study = Study.of(model, SPACE, sampler="grid")
    here = run_study(model, study, log=tmp_path / "here")
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=":0") as cluster:
        there = run_study(
            model, study, log=tmp_path / "there", executor=Dask(cluster.scheduler_address)
        )
    assert [(t.recipe, t.state, t.file, t.value) for t in here.trials] == [
        (t.recipe, t.state, t.file, t.value) for t in there.trials
    ]
