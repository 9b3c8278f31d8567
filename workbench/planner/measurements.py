"""Measured rows that the planner is fitted on and compared with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from workbench.i18n import _
from workbench.planner.architecture import Architecture
from workbench.planner.architectures import read_architecture
from workbench.planner.chips import chip
from workbench.planner.flops import flops_per_token
from workbench.planner.jobs import InferenceJob, TrainingJob

TERA = 1e12


@dataclass(frozen=True)
class Row:
    """A measured step: what ran where, and what was measured.

    `stack` is the kind of program: `pytorch` on one chip without compilation, `sharded` over
    several; `program` names it if its kernels are older than those of a plan. `microbatches` may
    be a fraction, if the last one of a step is smaller. `is_fitted` says whether a fit has used
    the row.
    """

    id: str
    stack: str
    chip: str
    model: str
    config: tuple[tuple[str, Any], ...]
    job: TrainingJob | InferenceJob
    measured: dict[str, float]
    source: str
    url: str
    date: str
    is_fitted: bool = True
    microbatches: float = 1.0
    reduced: float = 4.0
    program: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def architecture(self) -> Architecture:
        """The model's sizes."""
        return read_architecture(dict(self.config))

    @property
    def label(self) -> str:
        """The row in a few words."""
        job, where = self.job, chip(self.chip).title
        if isinstance(job, InferenceJob):
            return _("{model}, {chip}: batch {batch}, context {context}").format(
                model=self.model, chip=where, batch=job.batch, context=f"{job.context:,}"
            )
        where = f"{job.chips} × {where}" if job.chips > 1 else where
        attention = _("fused attention") if job.attention == "fused" else _("eager attention")
        again = _("checkpointing") if job.is_recomputed else _("no checkpointing")
        return _(
            "{model}, {chip}: microbatch {batch} × {tokens}, {precision}, {attention}, {again}"
        ).format(
            model=self.model,
            chip=where,
            batch=job.microbatch,
            tokens=f"{job.sequence:,}",
            precision=job.precision,
            attention=attention,
            again=again,
        )


def table(name: str) -> dict[str, Any]:
    """Return a table of the package with its head."""
    path = files("workbench.planner").joinpath(f"tables/measured/{name}.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def entries(name: str) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """Return the head of a table and its rows as dicts."""
    loaded = table(name)
    columns = loaded["columns"]
    return loaded, (dict(zip(columns, row, strict=True)) for row in loaded["rows"])


def _origin(head: dict[str, Any]) -> dict[str, Any]:
    """Return where the rows of a table are from."""
    return {name: head[name] for name in ("source", "url", "date")}


@lru_cache(maxsize=1)
def training_rows() -> tuple[Row, ...]:
    """Return all measured training steps."""
    return (*_own_training(), *_foundry(), *_maxtext(), *_maxtext_sizes())


@lru_cache(maxsize=1)
def inference_rows() -> tuple[Row, ...]:
    """Return all measured inference steps."""
    head, rows = entries("gpu_inference")
    return tuple(
        Row(
            id=f"inference-{number}",
            stack=head["stack"],
            chip=row["chip"],
            model=row["model"],
            config=tuple(head["models"][row["model"]].items()),
            job=InferenceJob(row["batch"], row["context"]),
            measured={
                name: row[name]
                for name in ("prefill_ms", "decode_ms", "eager_ms", "eager_watts", "peak_gib")
                if row[name] is not None
            },
            **_origin(head),
        )
        for number, row in enumerate(rows)
    )


def _own_training() -> Iterator[Row]:
    head, rows = entries("gpu_training")
    for number, row in enumerate(rows):
        names = ("microbatch", "sequence", "precision", "attention", "checkpointing")
        measured = ("step_ms", "peak_gib", "reserved_gib", "watts", "joules")
        yield Row(
            id=f"training-{number}",
            stack=head["stack"],
            chip=row["chip"],
            model=row["model"],
            config=tuple(head["models"][row["model"]].items()),
            job=TrainingJob(**{name: row[name] for name in names}),
            measured={name: row[name] for name in measured},
            **_origin(head),
        )


def _maxtext() -> Iterator[Row]:
    head, rows = entries("maxtext")
    for number, row in enumerate(rows):
        job = TrainingJob(
            row["microbatch"],
            row["sequence"],
            "amp",
            "fused",
            row["checkpointing"],
            data=row["chips"],
            shard=3,
            fused_loss=True,
        )
        seconds = row["microbatch"] * row["sequence"] / row["tokens_per_s_chip"]
        yield Row(
            id=f"maxtext-{number}",
            stack=head["stack"],
            chip=row["chip"],
            model=row["model"],
            config=tuple(head["models"][row["model"]].items()),
            job=job,
            measured={"step_ms": 1000 * seconds},
            **_origin(head),
            facts={"offloads": True},  # some activations are moved to the host
        )


def _maxtext_sizes() -> Iterator[Row]:
    head, rows = entries("maxtext_sizes")
    for number, row in enumerate(rows):
        tensor, sequence = row["tensor"], head["sequence"]
        job = TrainingJob(
            row["sequences_per_chip"] * tensor,
            sequence,
            "amp",
            "fused",
            row["checkpointing"],
            data=row["chips"] // tensor,
            shard=3,
            tensor=tensor,
            overlapped=True,
            fused_loss=True,
        )
        config = head["models"][row["model"]]
        flops = flops_per_token(read_architecture(config), sequence, "palm")
        seconds = row["sequences_per_chip"] * sequence * flops / (row["tflops"] * TERA)
        yield Row(
            id=f"maxtext-sizes-{number}",
            stack=head["stack"],
            chip=row["chip"],
            model=row["model"],
            config=tuple(config.items()),
            job=job,
            measured={"step_ms": 1000 * seconds},
            **_origin(head),
            facts={"offloads": True} if row["offloads"] else {},
        )


def _foundry() -> Iterator[Row]:
    head, rows = entries("llm_foundry")
    for number, row in enumerate(rows):
        config = {**head["models"][row["model"]], "n_positions": row["sequence"]}
        fp8 = row["precision"] == "amp_fp8"
        job = TrainingJob(
            row["microbatch"],
            row["sequence"],
            "fp8" if fp8 else "amp",
            "fused",
            row["checkpointing"],
            data=row["chips"],
            shard=row["shard"],
            accumulation=row["accumulation"],
            fused_loss=True,
        )
        seconds = row["batch"] * row["sequence"] / row["chips"] / row["tokens_per_s_chip"]
        yield Row(
            id=f"llm-foundry-{number}",
            stack=head["stack"],
            chip=row["chip"],
            model=f"MPT {row['model']}",
            config=tuple(config.items()),
            job=job,
            measured={"step_ms": 1000 * seconds},
            **_origin(head),
            is_fitted=not fp8,
            microbatches=row["batch"] / row["chips"] / row["microbatch"],
            reduced=2.0 if row["mode"] == "PURE" else 4.0,
            program="flash-attention 1",
            facts={"parameters": row["parameters"], "mfu_percent": row["mfu_percent"]},
        )
