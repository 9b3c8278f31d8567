"""Right or wrong: predictions by the same code compared with every measured row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import mean
from typing import ClassVar

from workbench.display import Displayable
from workbench.planner.architectures import read_architecture
from workbench.planner.chips import chip
from workbench.planner.flops import flops_per_token
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import Row, entries, inference_rows, training_rows
from workbench.planner.megatron import activation_bytes, interleaved, state_bytes
from workbench.planner.memory import GIB
from workbench.planner.plan import infer_plan, train_plan
from workbench.planner.times import step_seconds

KINDS = (
    "step time",
    "peak memory",
    "energy",
    "time per token",
    "time to read",
    "reserved memory",
    "state memory",
    "activations",
    "operations per token",
)
MILLI, TERA = 1000, 1e12
RESERVED = 1.08
"""Memory that PyTorch reserves relative to the allocator's peak; about the median of own rows."""
PIPELINE_MICROBATCHES = 8
"""Microbatches of torchtitan's pipelines in these rows: as many as stages."""
INTERLEAVED = {"175B": 3, "530B": 3}
"""Parts of a stage of the interleaved pipelines in Korthikanti et al."""
FUSED_LOSS_SINCE = "2025-06"
"""From then on, torchtitan compiles the loss too."""


@dataclass(frozen=True)
class Compared:
    """A prediction and what was measured, in `unit`.

    `is_fitted` says whether a fit has used this row.
    """

    kind: str
    label: str
    chip: str
    predicted: float
    measured: float
    unit: str
    is_fitted: bool
    source: str
    url: str
    date: str

    @property
    def error(self) -> float:
        """The relative error; positive if the prediction is too large."""
        return self.predicted / self.measured - 1


@dataclass(frozen=True, repr=False)
class Validation(Displayable):
    """All rows with their predictions."""

    _plots: ClassVar[str] = "plan_validation"

    rows: tuple[Compared, ...]

    def of(self, kind: str, *, is_fitted: bool | None = None) -> list[Compared]:
        """Return the rows of a kind, or only those that a fit has used or not."""
        return [row for row in self.rows if row.kind == kind and is_fitted in {None, row.is_fitted}]

    @property
    def kinds(self) -> list[str]:
        """The kinds in order."""
        return list(dict.fromkeys(row.kind for row in self.rows))

    def mean_error(self, kind: str, *, is_fitted: bool | None = None) -> float:
        """Return the mean of the absolute relative errors."""
        return mean(abs(row.error) for row in self.of(kind, is_fitted=is_fitted))

    def __repr__(self) -> str:
        return f"Validation({len(self.rows)} rows)"


@lru_cache(maxsize=1)
def plan_validation() -> Validation:
    """Return the predictions for all measured rows of the package."""
    return Validation((*_training(), *_inference(), *_torchtitan(), *_korthikanti(), *_flops()))


def _training() -> Iterator[Compared]:
    for row in training_rows():
        if not isinstance(row.job, TrainingJob):
            continue
        where = chip(row.chip)
        timed = step_seconds(row.architecture, row.job, where, row.microbatches, row.reduced)
        yield _of(row, "step time", timed.total * MILLI, row.measured["step_ms"], "ms")
        if "peak_gib" in row.measured:
            planned = train_plan(row.architecture, where, row.job)
            used, peak = planned.memory.total / GIB, row.measured["peak_gib"]
            yield _of(row, "peak memory", used, peak, "GiB", is_fitted=False)
            yield _of(row, "energy", planned.joules or 0, row.measured["joules"], "J")


def _inference() -> Iterator[Compared]:
    for row in inference_rows():
        if not isinstance(row.job, InferenceJob):
            continue
        planned = infer_plan(row.architecture, chip(row.chip), row.job)
        token, reading = planned.decode.total * MILLI, planned.prefill.total * MILLI
        yield _of(row, "time per token", token, row.measured["decode_ms"], "ms")
        yield _of(row, "time to read", reading, row.measured["prefill_ms"], "ms")
        if "peak_gib" in row.measured:
            used = planned.memory.total / GIB
            yield _of(row, "peak memory", used, row.measured["peak_gib"], "GiB")


def _torchtitan() -> Iterator[Compared]:
    head, rows = entries("torchtitan")
    for row in rows:
        architecture = read_architecture(head["models"][row["model"]])
        parts = PIPELINE_MICROBATCHES if row["pipeline"] > 1 else 1
        job = TrainingJob(
            row["microbatch"] // parts,
            row["sequence"],
            "fp8" if row["fp8"] else "amp",
            "fused",
            row["checkpointing"],
            data=row["data"],
            shard=3,
            tensor=row["tensor"],
            pipeline=row["pipeline"],
            context=row["context"],
            accumulation=parts,
            fused_loss=row["compiled"] and row["date"] >= FUSED_LOSS_SINCE,
        )
        where = chip(row["chip"])
        compiled = ", compiled" if row["compiled"] else ""
        label = (
            f"Llama 3.1 {row['model']}, {row['chips']} × {row['chip']}, {row['sequence']:,} tokens"
            f"{', float8' if row['fp8'] else ''}{compiled} {row['schedule']}"
        ).strip()
        facts = (where.id, head["source"], head["url"] + row["page"], row["date"])
        seconds = step_seconds(architecture, job, where).total
        measured = job.tokens_per_step / job.chips / row["tokens_per_s_chip"]
        yield _published("step time", label, seconds * MILLI, measured * MILLI, "ms", facts)
        if row["peak_gib"] is not None:
            used = RESERVED * train_plan(architecture, where, job).memory.total / GIB
            yield _published("reserved memory", label, used, row["peak_gib"], "GiB", facts)


def _korthikanti() -> Iterator[Compared]:
    head, rows = entries("korthikanti")
    for row in rows:
        architecture = read_architecture(head["models"][row["model"]])
        tensor, pipeline, each = row["tensor"], row["pipeline"], row["microbatch"]
        chunks = INTERLEAVED.get(row["model"])
        more = interleaved(pipeline, chunks) if chunks else 1.0
        label = f"GPT {row['model']}, {tensor * pipeline} × a100-80"
        facts = ("a100-80", head["source"], head["url"], head["date"])
        used = state_bytes(architecture, tensor, pipeline) / GIB
        yield _published("state memory", label, used, row["state_gib"], "GiB", facts)
        for name, is_selective in (("activations_gib", False), ("selective_gib", True)):
            saved = activation_bytes(
                architecture, each, 2048, tensor, is_selective=is_selective, interleaving=more
            )
            yield _published("activations", label, saved / GIB, row[name], "GiB", facts)
        job = TrainingJob(
            each,
            2048,
            "amp",
            "eager",
            "full",
            tensor=tensor,
            pipeline=pipeline,
            accumulation=row["batch"] // each,
        )
        seconds = step_seconds(architecture, job, chip("a100-80")).total
        yield _published("step time", label, seconds * MILLI, row["full_s"] * MILLI, "ms", facts)


def _flops() -> Iterator[Compared]:
    head, rows = entries("megatron_bridge")
    for row in rows:
        architecture = read_architecture(head["models"][row["model"]])
        label = f"Llama 3 {row['model']}, {row['system']}, {row['precision']}, {row['release']}"
        facts = (row["system"], head["source"], head["url"], head["date"])
        measured = row["tflops"] / row["tokens_per_s_chip"]
        predicted = flops_per_token(architecture, row["sequence"]) / TERA
        yield _published("operations per token", label, predicted, measured, "TFLOP", facts)


def _of(
    row: Row,
    kind: str,
    predicted: float,
    measured: float,
    unit: str,
    *,
    is_fitted: bool = True,
) -> Compared:
    used = row.is_fitted and is_fitted
    return Compared(
        kind, row.label, row.chip, predicted, measured, unit, used, row.source, row.url, row.date
    )


def _published(
    kind: str,
    label: str,
    predicted: float,
    measured: float,
    unit: str,
    facts: tuple[str, str, str, str],
) -> Compared:
    where, source, url, date = facts
    return Compared(kind, label, where, predicted, measured, unit, False, source, url, date)
