"""Whether measured rows describe plans of this kind at all."""

from __future__ import annotations

from workbench.planner.architecture import Architecture
from workbench.planner.jobs import InferenceJob, TrainingJob


def has_rows_of_its_kind(architecture: Architecture, job: TrainingJob | InferenceJob) -> bool:
    """Return whether fitted rows have what takes the time of this plan.

    None of them trains adapters or divides experts, reads weights of 8 or 4 bits, divides the
    matrices while it generates text, or has layers without attention.
    """
    if len(architecture.attention_blocks) < len(architecture.blocks):
        return False
    if isinstance(job, TrainingJob):
        return not job.adapter_rank and job.expert == 1
    return job.tensor == 1 and job.file_bytes is None and job.bytes.weight >= 2
