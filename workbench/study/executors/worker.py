"""What a worker of a Dask cluster does for a study."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from workbench.domain import Model
from workbench.study.executors.allocator import keep_freed_memory
from workbench.study.executors.parts import Numbered
from workbench.study.measurement import measure_trial
from workbench.study.trial import Trial
from workbench.threads import threads

TOPIC = "workbench"
"""Of the events that bring trials: the result of a task would take six more messages."""


def same(model: Model) -> Model:
    """Return the model, which the worker then holds for other tasks."""
    return model


async def measure_part(model: Model, part: Sequence[Numbered], key: str) -> None:
    """Measure the recipes of a part, and send their trials to the client as one event.

    Parameters
    ----------
    model, part
        The model, and the jobs with their numbers.
    key
        Names the part in the event.
    """
    worker = import_module("distributed").get_worker()
    # As a coroutine, because Dask samples the stack of a function a hundred times a second, which
    # takes some 2 % of the processor.
    loop = asyncio.get_running_loop()
    trials = await loop.run_in_executor(worker.executor, _measure, model, part)
    worker.log_event(TOPIC, (key, trials))


def _measure(model: Model, part: Sequence[Numbered]) -> list[tuple[str, bytes]]:
    keep_freed_memory()
    with threads(1):
        trials = [measure_trial(model, job) for _number, job in part]
    return [(json.dumps(trial.as_dict()), trial.correct) for trial in trials]


def read_trials(messages: Sequence[Any]) -> list[Trial]:
    """Return the trials of an event."""
    return [
        replace(Trial.from_dict(json.loads(text)), correct=correct) for text, correct in messages
    ]
