"""Task parallel: several recipes at once, one process and one thread each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.arguments import expect_callback, expect_cancel
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model
from workbench.errors import InputError
from workbench.parallel.evaluate import LIMIT, send_model
from workbench.parallel.machine_queue import machine_queue
from workbench.parallel.plan import MAX_RANKS
from workbench.parallel.pool import pool, private_folder
from workbench.recipe import Recipe
from workbench.validation import expect_count, expect_model, expect_recipes


@dataclass(frozen=True)
class RecipeResult:
    """What one recipe costs and saves.

    Attributes
    ----------
    rank : int
        The process that measured it.
    digest : str
        SHA-256 (hex) of the file.
    bytes : int
        Length of the file.
    accuracy : float
        The exact value of the task's metric on the test split.
    seconds : float
        Processor time in that process.
    """

    recipe: Recipe
    rank: int
    digest: str
    bytes: int
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class ParallelMeasurement(Displayable):
    """Several recipes that were measured at once.

    Attributes
    ----------
    model : str
        The name of the model.
    results : tuple of RecipeResult
        In the order of the recipes.
    seconds : float
        By the wall clock, from the commands to the last result.
    processes : int
        How many computed at the same time.
    metric : str
        The name of the task's metric.
    """

    _plots = "parallel_measurement"

    model: str
    results: tuple[RecipeResult, ...]
    seconds: float
    processes: int
    metric: str

    def __repr__(self) -> str:
        return (
            f"<ParallelMeasurement {self.model}: {len(self.results)} recipes on {self.processes} "
            f"processes>"
        )


def measure_in_parallel(
    model: Model,
    recipes: Sequence[Recipe],
    processes: int = 2,
    *,
    on_result: Callable[[RecipeResult], None] | None = None,
    cancel: CancelToken = NEVER,
) -> ParallelMeasurement:
    """Compress `model` by several recipes at once and measure each file on the test split.

    The files and their accuracies are those of `wb.measure`: each recipe is computed by one process
    alone.

    Parameters
    ----------
    model
        A built-in or a custom model.
    recipes
        They may train; a recipe's number of threads is part of it and stays.
    processes
        1 to 4; recipe number n goes to process n modulo this number.
    on_result
        Called with each `RecipeResult` as soon as it is available.
    cancel
        Ends the work of all processes.

    Raises
    ------
    InputError
        If the model cannot be sent to other processes, or there is no recipe.
    RankError
        If a process dies or does not answer; it names the process.
    Cancelled
        If `cancel` is cancelled.
    """
    expect_model(model)
    if expect_count(processes, "The number of processes") > MAX_RANKS:
        raise InputError(
            f"processes must be at most {MAX_RANKS}, not {processes}.",
            code="parallel.out_of_range",
        )
    recipes = expect_recipes(recipes)
    expect_callback(on_result, "on_result")
    expect_cancel(cancel)
    if not recipes:
        raise InputError("Pass at least one recipe.", code="parallel.no_recipes")
    processes = min(processes, len(recipes))
    results: dict[int, RecipeResult] = {}

    def on_event(rank: int, event: Mapping[str, Any]) -> None:
        if event["event"] == "result":
            number = event["number"]
            results[number] = RecipeResult(
                recipes[number], rank, event["digest"], event["bytes"], event["accuracy"],
                event["seconds"],
            )  # fmt: skip
            cancel.progress(len(results) / len(recipes))
            if on_result is not None:
                on_result(results[number])

    with machine_queue(cancel), private_folder() as folder:
        ranks = pool()
        with ranks.lock:
            ranks.start(processes, folder)  # they load while the model is written
            sent = send_model(model, folder)
            requests = [
                {
                    "command": "measure",
                    "folder": str(folder),
                    "model": sent,
                    "recipes": {
                        n: recipes[n].as_dict() for n in range(rank, len(recipes), processes)
                    },
                }
                for rank in range(processes)
            ]
            start = time.perf_counter()
            ranks.run(requests, limit=LIMIT, on_event=on_event, cancel=cancel)
            seconds = time.perf_counter() - start
    ordered = tuple(results[number] for number in range(len(recipes)))
    return ParallelMeasurement(model.name, ordered, seconds, processes, model.task.metric.name)
