"""Tasks of a Dask cluster, each of which measures some recipes."""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from workbench.domain import Model
from workbench.study.executors.faults import task_failed
from workbench.study.executors.parts import Numbered
from workbench.study.executors.worker import TOPIC, measure_part, read_trials, same
from workbench.study.executors.workers import Workers
from workbench.study.trial import Trial


class Running(NamedTuple):
    """A task that has not ended: its future, the worker that it was sent to, and its recipes."""

    future: Any
    worker: str
    numbers: tuple[int, ...]


class Tasks:
    """The tasks of a client on the cluster at `address`, which receives the model once."""

    def __init__(self, client: Any, address: str, model: Model) -> None:
        self._client, self._address = client, address
        # A task, not scattered data: if a worker dies, Dask gives the model to another one.
        self._model = client.submit(same, model, pure=False)
        self._events: queue.SimpleQueue[tuple[float, tuple[str, Any]]] = queue.SimpleQueue()
        client.subscribe_topic(TOPIC, self._events.put)
        self._workers = Workers(client, address)
        self.running: dict[str, Running] = {}

    def count_threads(self) -> int:
        """Return the number of threads of all workers."""
        return sum(self._workers.threads().values())

    def next_worker(self, each: int) -> str | None:
        """Return the worker with fewest tasks for each thread; None if all have `each` of them."""
        threads = self._workers.threads()
        tasks = Counter(task.worker for task in self.running.values())
        worker = min(threads, key=lambda name: tasks[name] / threads[name], default=None)
        return None if worker is None or tasks[worker] >= each * threads[worker] else worker

    def send(self, part: Sequence[Numbered], worker: str) -> None:
        """Send a part to a worker; if the worker dies, Dask sends it to another one."""
        key = f"recipes-{uuid4().hex}"
        where = {"workers": [worker], "allow_other_workers": True}
        future = self._client.submit(measure_part, self._model, part, key, key=key, **where)
        self.running[key] = Running(future, worker, tuple(number for number, _ in part))

    def receive(self, timeout: float) -> list[tuple[int, Trial]]:
        """Wait until a task ends, and return its trials; none after `timeout` seconds.

        Raises
        ------
        WorkbenchError
            If a task has failed, the connection is lost, or there is no worker for half a minute.
        """
        try:
            key, messages = self._events.get(timeout=timeout)[1]
        except queue.Empty:
            key, messages = "", ()
        task = self.running.pop(key, None)
        if task is None:  # also for another study, or if a worker died after its event
            self._check()
            return []
        return list(zip(task.numbers, read_trials(messages), strict=True))

    def _check(self) -> None:
        for future, *_rest in self.running.values():
            if future.status in {"error", "cancelled"}:
                raise task_failed(future, self._address)
        self._workers.threads()

    def close(self) -> None:
        """Disconnect: the scheduler then drops the tasks that have not begun."""
        self.running.clear()
        self._client.close()
