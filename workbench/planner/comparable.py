"""Whether measured rows describe plans of this kind at all."""

from __future__ import annotations

from functools import lru_cache

from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.coefficients import REPLICATED, members
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import Row, inference_rows, training_rows

TEXT = frozenset({"prefill", "decode"})
"""The kinds of program that generate text; all others train."""


def features(architecture: Architecture, job: TrainingJob | InferenceJob) -> frozenset[str]:
    """Return what takes time in a plan beyond dense layers with attention in 16 bits."""
    blocks = architecture.blocks
    present = {
        "layers without attention": len(architecture.attention_blocks) < len(blocks),
        "latent attention": any(block.mixer.kind == "latent" for block in blocks),
        "experts": any(block.expert_parameters for block in blocks),
        "float32": job.precision == "fp32",
        "TF32": job.precision == "tf32",
        "float8": job.precision == "fp8",
    }
    if isinstance(job, TrainingJob):
        present |= {
            "adapters": job.adapter_rank > 0,
            "divided experts": job.expert > 1,
            "stored scores": job.attention == "eager",
            "replicas": is_replicated(job),
        }
    else:
        present |= {
            "small weights": job.file_bytes is not None or job.bytes.weight < 2,
            "divided matrices": job.tensor > 1,
        }
    return frozenset(name for name, is_present in present.items() if is_present)


def is_replicated(job: TrainingJob) -> bool:
    """Return whether several chips hold the same complete weights and gradients."""
    return job.shards > 1 and job.shard < 2 and job.tensor == job.pipeline == 1


def has_rows_of_its_kind(
    architecture: Architecture, job: TrainingJob | InferenceJob, chip: Chip, stack: str
) -> bool:
    """Return whether measured rows have all features of a plan.

    Parameters
    ----------
    architecture, job
        The plan.
    chip
        Where; the rows of its calibration count too.
    stack
        The kind of program, such as `pytorch` or `decode`.
    """
    measured = _features_of_rows(stack, chip.id)
    if chip.calibration is not None:
        kind = stack if stack in TEXT else "training"
        measured |= dict(chip.calibration.features).get(kind, frozenset())
    return features(architecture, job) <= measured


@lru_cache(maxsize=64)
def _features_of_rows(stack: str, chip: str) -> frozenset[str]:
    """Return the features of the rows of a kind of program, on chips fitted together."""
    where = members(stack, chip)
    rows: tuple[Row, ...] = inference_rows() if stack in TEXT else training_rows()
    program = "sharded" if stack == REPLICATED else stack
    each = (
        features(row.architecture, row.job)
        for row in rows
        if row.chip in where and (stack in TEXT or row.stack == program)
    )
    return frozenset().union(*each)
