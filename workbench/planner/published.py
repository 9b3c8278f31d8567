"""Published rows that no fit has used, with their predictions."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.planner.architectures import read_architecture
from workbench.planner.chips import chip, variant
from workbench.planner.compared import Compared, published
from workbench.planner.flops import flops_per_token
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import entries
from workbench.planner.megatron import activation_bytes, interleaved, state_bytes
from workbench.planner.memory import GIB
from workbench.planner.plan import infer_plan, train_plan
from workbench.planner.times import step_seconds

MILLI, TERA = 1000, 1e12
RESERVED = 1.08
"""Memory that PyTorch reserves relative to the allocator's peak; about the median of own rows."""
PIPELINE_MICROBATCHES = 8
"""Microbatches of torchtitan's pipelines in these rows: as many as stages."""
INTERLEAVED_STAGES = 2
"""Parts of a stage of torchtitan's interleaved pipelines, the least and usual number."""
INTERLEAVED = {"175B": 3, "530B": 3}
"""Parts of a stage of the interleaved pipelines in Korthikanti et al."""
FUSED_LOSS_SINCE = "2025-06"
"""From then on, torchtitan compiles the loss too."""


def published_rows() -> Iterator[Compared]:
    """Yield all rows."""
    yield from _torchtitan()
    yield from _korthikanti()
    yield from _mt_nlg()
    yield from _fastertransformer()
    yield from _flops()


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
            interleaving=INTERLEAVED_STAGES if row["schedule"] == "interleaved" else 1,
            overlapped=row["schedule"] == "asynchronous" or row["pipeline"] > 1,
            fused_loss=row["compiled"] and row["date"] >= FUSED_LOSS_SINCE,
        )
        where = chip(row["chip"])
        if row["chip"] in head["variants"]:
            where = variant(where, **head["variants"][row["chip"]])
        compiled = ", compiled" if row["compiled"] else ""
        label = (
            f"Llama 3.1 {row['model']}, {row['chips']} × {row['chip']}, {row['sequence']:,} tokens"
            f"{', float8' if row['fp8'] else ''}{compiled} {row['schedule']}"
        ).strip()
        facts = (where.id, head["source"], head["url"] + row["page"], row["date"])
        seconds = step_seconds(architecture, job, where, stack=head["stack"]).total
        measured = job.tokens_per_step / job.chips / row["tokens_per_s_chip"]
        yield published("step time", label, seconds * MILLI, measured * MILLI, "ms", facts)
        if row["peak_gib"] is not None:
            used = RESERVED * train_plan(architecture, where, job).memory.total / GIB
            yield published("reserved memory", label, used, row["peak_gib"], "GiB", facts)


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
        yield published("state memory", label, used, row["state_gib"], "GiB", facts)
        for name, is_selective in (("activations_gib", False), ("selective_gib", True)):
            saved = activation_bytes(
                architecture, each, 2048, tensor, is_selective=is_selective, interleaving=more
            )
            yield published("activations", label, saved / GIB, row[name], "GiB", facts)
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
        yield published("step time", label, seconds * MILLI, row["full_s"] * MILLI, "ms", facts)


def _flops() -> Iterator[Compared]:
    head, rows = entries("megatron_bridge")
    for row in rows:
        architecture = read_architecture(head["models"][row["model"]])
        label = f"Llama 3 {row['model']}, {row['system']}, {row['precision']}, {row['release']}"
        facts = (row["system"], head["source"], head["url"], head["date"])
        measured = row["tflops"] / row["tokens_per_s_chip"]
        predicted = flops_per_token(architecture, row["sequence"]) / TERA
        yield published("operations per token", label, predicted, measured, "TFLOP", facts)


def _mt_nlg() -> Iterator[Compared]:
    head, rows = entries("mt_nlg")
    for row in rows:
        architecture = read_architecture(head["models"][row["model"]])
        tensor, pipeline = row["tensor"], row["pipeline"]
        data = row["chips"] // (tensor * pipeline)
        job = TrainingJob(
            1,
            2048,
            "amp",
            "eager",
            "full",
            data=data,
            tensor=tensor,
            pipeline=pipeline,
            accumulation=row["batch"] // data,
        )
        label = f"GPT {row['model']}, {row['chips']:,} × {row['chip']}"
        facts = (row["chip"], head["source"], head["url"], head["date"])
        seconds = step_seconds(architecture, job, chip(row["chip"])).total
        yield published("step time", label, seconds * MILLI, row["seconds"] * MILLI, "ms", facts)


def _fastertransformer() -> Iterator[Compared]:
    head, rows = entries("fastertransformer")
    for row in rows:
        architecture = read_architecture(head["models"][row["model"]])
        job = InferenceJob(row["batch"], row["context"], tensor=row["tensor"])
        planned = infer_plan(architecture, chip(row["chip"]), job)
        label = f"GPT {row['model']}, {row['tensor']} × {row['chip']}, {row['context']} tokens"
        facts = (row["chip"], head["source"], head["url"], head["date"])
        token, reading = planned.decode.total * MILLI, planned.prefill.total * MILLI
        yield published("time per token", label, token, row["decode_ms"], "ms", facts)
        yield published("time to read", label, reading, row["prefill_ms"], "ms", facts)
