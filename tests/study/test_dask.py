"""A Dask cluster: faults are one sentence, and the trials are those of this process."""

from __future__ import annotations

import sys
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.coroutines import wait_for
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
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
    """A task that has ended, or that waits for a worker."""

    def __init__(self, key, error=None, status="finished"):
        self.key, self.error = key, error
        self.status = status if error is None else "error"
        if isinstance(error, CancelledError):
            self.status = "cancelled"

    def exception(self):
        if isinstance(self.error, CancelledError):
            raise self.error
        return self.error


class Client:
    """A client of a scheduler that runs tasks at once, with the faults that a test asks for."""

    scheduler, workers, connects, first, later = HERE, (HERE, HERE), None, None, None
    threads, others, times = (1, 1), (), 1

    def __init__(self, address, timeout):
        assert (address, timeout) == (ADDRESS, 10)
        if self.connects is not None:
            raise self.connects
        self.values = {}
        self.executor = None  # the default one

    def wait_for_workers(self, count, timeout):
        if not self.workers:
            raise TimeoutError

    def get_versions(self, packages):
        workers = {f"tcp://10.0.0.{n}:1": there for n, there in enumerate(self.workers)}
        return {"client": HERE, "scheduler": self.scheduler, "workers": workers}

    def subscribe_topic(self, topic, handler):
        self.topic, self.handler = topic, handler

    def log_event(self, topic, message):
        assert topic == self.topic
        for event in (*self.others, *[message] * self.times):
            self.handler((0.0, event))

    def submit(self, function, *arguments, key="model", pure=True, **where):
        assert pure == (key != "model")
        assert where.get("allow_other_workers", True)
        error = self.later if self.values else self.first
        values = [self.values[v.key] if isinstance(v, Future) else v for v in arguments]
        faults = [error, *(value for value in values if isinstance(value, BaseException))]
        error = next((fault for fault in faults if fault is not None), None)
        type(self).current = self
        if error is None and key != "model":
            wait_for(function(*values))
        self.values[key] = arguments[0] if error is None else error
        return Future(key, error)

    def nthreads(self):
        if isinstance(self.threads, Exception):
            raise self.threads
        return {f"tcp://10.0.0.{n}:1": count for n, count in enumerate(self.threads)}

    def close(self):
        pass


@pytest.fixture
def cluster(monkeypatch, fresh):
    """Return a function that sets the faults of a cluster."""

    def make(**faults):
        client = type("Client", (Client,), faults)
        module = SimpleNamespace(
            Client=client, KilledWorker=KilledWorker, get_worker=lambda: client.current
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
        ({"threads": OSError("closed")}, "study.no_cluster", [ADDRESS, "continues"]),
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
    monkeypatch.setattr("workbench.study.executors.workers.WITHOUT_WORKERS", 0)
    with raises("study.no_cluster", ADDRESS, "workers any more", "continues"):
        run_study(
            small,
            Study.of(small, SPACE, sampler="grid"),
            log=tmp_path / "log",
            executor=cluster(threads=()),
        )


def test_a_study_can_be_stopped_while_a_worker_measures(small, cluster, tmp_path):
    executor = cluster(submit=lambda client, *_all, **_more: Future("task", status="pending"))
    token = CancelToken(lambda: bool(executor._tasks and executor._tasks.running))
    study = Study.of(small, SPACE, sampler="grid")
    with pytest.raises(Cancelled):
        run_study(small, study, log=tmp_path / "log", executor=executor, cancel=token)


def test_events_of_other_studies_and_of_repeated_tasks_give_no_trial(small, cluster, tmp_path):
    study = Study.of(small, SPACE, sampler="grid")
    executor = cluster(others=[("another task", [("{}", b"")])], times=2)
    result = run_study(small, study, log=tmp_path / "log", executor=executor)
    assert [trial.recipe for trial in result.trials] == list(SPACE)
    assert len((tmp_path / "log").read_text().splitlines()) == 1 + len(SPACE)


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
