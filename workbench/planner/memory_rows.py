"""Published peaks of memory, and steps that ran out of memory, with the planner's answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from workbench.planner.architectures import read_architecture
from workbench.planner.chips import Chip, chip
from workbench.planner.compared import Compared, published
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import entries
from workbench.planner.memory import GIB
from workbench.planner.plan import infer_plan, train_plan
from workbench.planner.results import InferencePlan, TrainingPlan

GIGA = 1e9


def litgpt_rows() -> Iterator[Compared]:
    """Yield training of adapters and generation of text, which no fit has used."""
    head, rows = entries("litgpt")
    facts = (head["chip"], head["source"], head["url"], head["date"])
    for row in rows:
        planned = planned_row(head["models"][row["model"]], chip(head["chip"]), row["settings"])
        used = planned.memory.total / GIGA
        label = f"{row['model']}: {described(row['settings'])}"
        yield published("published memory", label, used, row["gigabytes"], "GB", facts)


@dataclass(frozen=True)
class Failure:
    """A step that ran out of memory, and whether the planner says that it fits."""

    label: str
    fits: bool | None
    gib: float
    usable_gib: float
    source: str
    url: str
    date: str


def failures() -> tuple[Failure, ...]:
    """Return the answers for all steps that are known to have run out of memory."""
    head, rows = entries("did_not_fit")
    result = []
    for row in rows:
        where = chip(row["chip"])
        if row["usable"] is not None:
            where = replace(where, usable=row["usable"] * GIB)
        planned = planned_row(head["models"][row["model"]], where, row["settings"])
        result.append(
            Failure(
                f"{row['model']}, {row['chip']}: {described(row['settings'])}",
                planned.fits,
                (planned.memory.total + planned.memory.context) / GIB,
                where.usable / GIB,
                row["source"],
                row["url"],
                row["date"],
            )
        )
    return tuple(result)


def planned_row(
    config: dict[str, Any], where: Chip, settings: dict[str, Any]
) -> TrainingPlan | InferencePlan:
    """Return the plan of a row."""
    architecture = read_architecture(config)
    if "microbatch" in settings:
        return train_plan(architecture, where, TrainingJob(**settings))
    return infer_plan(architecture, where, InferenceJob(**settings))


def described(settings: dict[str, object]) -> str:
    """Return settings as text."""
    return ", ".join(f"{name} {value}" for name, value in settings.items())
