"""Evaluate a split on several ranks: each predicts a part, and the counts add up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from workbench.arguments import expect_cancel
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model
from workbench.errors import InputError
from workbench.parallel.job import is_built_in
from workbench.parallel.machine_queue import machine_queue
from workbench.parallel.objects import write_object
from workbench.parallel.plan import MAX_RANKS
from workbench.parallel.pool import pool, private_folder
from workbench.validation import expect_count, expect_model

LIMIT = 600.0
"""Seconds without an event after which the evaluation ends; a part takes no longer."""


@dataclass(frozen=True)
class ParallelEvaluation(Displayable):
    """The correct predictions of a model on a split, counted by several ranks.

    Attributes
    ----------
    model, split : str
        The names of the model and of the split.
    correct, examples : int
        Over all ranks.
    parts : tuple of tuple of int
        The correct predictions and the examples of each rank.
    seconds : float
        By the wall clock, from the command to the last rank's answer.
    """

    _plots = "parallel_evaluation"

    model: str
    split: str
    parts: tuple[tuple[int, int], ...]
    seconds: float

    @property
    def correct(self) -> int:
        """Correct predictions of all ranks."""
        return sum(correct for correct, _examples in self.parts)

    @property
    def examples(self) -> int:
        """Examples of all ranks."""
        return sum(examples for _correct, examples in self.parts)

    @property
    def accuracy(self) -> float:
        """The exact accuracy, 0 to 1."""
        return self.correct / self.examples

    def __repr__(self) -> str:
        return (
            f"<ParallelEvaluation {self.model}: {self.correct:,} of {self.examples:,} correct on "
            f"{self.split}, {len(self.parts)} ranks>"
        )


def evaluate_in_parallel(
    model: Model, split: str = "test", ranks: int = 2, *, cancel: CancelToken = NEVER
) -> ParallelEvaluation:
    """Count the correct predictions of `model` on a split with several processes.

    Each rank predicts a contiguous part by the reference evaluation, which does not depend on the
    batch. So the count is the same for any number of ranks.

    Parameters
    ----------
    model
        A built-in or a custom model.
    split
        "train", "validation" or "test".
    ranks
        1 to 4.
    cancel
        Ends the evaluation of all ranks.

    Raises
    ------
    InputError
        If the model cannot be sent to other processes, or its metric is not an accuracy.
    RankError
        If a rank dies or does not answer.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.evaluate_in_parallel(wb.model("fashion/mlp-32"), "validation", ranks=2).correct
    4312
    """
    expect_model(model)
    expect_cancel(cancel)
    if expect_count(ranks, "The number of ranks") > MAX_RANKS:
        raise InputError(
            f"ranks must be at most {MAX_RANKS}, not {ranks}.", code="parallel.out_of_range"
        )
    if model.task.metric.counts != "classes":
        raise InputError(
            f"Ranks add up correct predictions, but the metric of {model.task.title} is "
            f"{model.task.metric.label}; use wb.evaluate.",
            code="parallel.metric_does_not_add",
        )
    total = len(model.task.split(split))
    borders = [total * rank // ranks for rank in range(ranks + 1)]
    with machine_queue(cancel), private_folder() as folder:
        processes = pool()
        with processes.lock:
            processes.start(ranks, folder)  # they load while the model is written
            sent = send_model(model, folder)
            weights = folder / "weights.safetensors"
            save_file({name: t.contiguous() for name, t in model.weights().items()}, weights)
            requests: list[dict[str, Any]] = [
                {
                    "command": "evaluate",
                    "folder": str(folder),
                    "model": sent,
                    "weights": str(weights),
                    "split": split,
                    "range": [borders[rank], borders[rank + 1]],
                }
                for rank in range(ranks)
            ]
            start = time.perf_counter()
            answers = processes.run(requests, limit=LIMIT, cancel=cancel)
            seconds = time.perf_counter() - start
    parts = tuple((answer["correct"], answer["examples"]) for answer in answers)
    return ParallelEvaluation(model.name, split, parts, seconds)


def send_model(model: Model, folder: Path) -> dict[str, str]:
    """Return how a rank finds `model`, and write into `folder` a model that is not built in.

    Raises
    ------
    InputError
        If it cannot be sent.
    """
    if is_built_in(model):
        return {"name": model.name}
    model.architecture.check_unchanged()
    return write_object(model, folder / "model.object", model.name)
