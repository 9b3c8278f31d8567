"""Make a plan: the entry point of the planner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from workbench.artifact.ledger import Ledger
from workbench.errors import InputError, MissingFileError, missing_file
from workbench.planner.architecture import Architecture
from workbench.planner.architectures import read_architecture
from workbench.planner.calibration_file import chip_of
from workbench.planner.chips import Chip
from workbench.planner.coefficients import REPLICATED
from workbench.planner.comparable import has_rows_of_its_kind
from workbench.planner.compressed import bits_per_weight, compressed_bytes
from workbench.planner.fits import fits
from workbench.planner.inference_memory import inference_memory
from workbench.planner.intervals import interval
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.measurements import Row, inference_rows, training_rows
from workbench.planner.models import known_models
from workbench.planner.module_plan import ModulePlan, module_plan
from workbench.planner.power import watts
from workbench.planner.results import InferencePlan, TrainingPlan
from workbench.planner.times import (
    Seconds,
    decode_seconds,
    prefill_seconds,
    stack_of,
    step_seconds,
)
from workbench.planner.training_memory import training_memory

MOST_SUGGESTED = 3


class HasLedger(Protocol):
    """A compressed file."""

    @property
    def ledger(self) -> Ledger:
        """Its bytes by tensor."""


Config = Mapping[str, Any] | str | Path | Architecture


def plan(
    config: Any,
    chip_id: str | Chip = "h100-sxm",
    *,
    like: HasLedger | None = None,
    **settings: Any,
) -> TrainingPlan | InferencePlan | ModulePlan:
    """Return what a large model needs on a chip, how long it takes, and which rows say so.

    With `microbatch` and `sequence` the plan is that of a training step, with `batch` and
    `context` that of generating text. Of a module, the memory is planned.

    Parameters
    ----------
    config
        A `config.json` as transformers writes it, its entries, a configuration or a model of
        transformers, or the name of a model in the planner's table, such as `llama-3.1-8b`; or
        any other module of PyTorch or model of the workbench.
    chip_id
        A chip's id, such as `h200`, a calibrated chip, or the file of a calibration.
    like
        A compressed file, such as `wb.compress(model, recipe)`: the matrices of the large model
        take as many bits per weight as in that file. Only for generating text.
    **settings
        The fields of `TrainingJob` or `InferenceJob`; for a module the arguments of `wb.memory`.

    Raises
    ------
    InputError
        If the configuration or a setting cannot be used.
    UnknownNameError
        If there is no such chip.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.plan("llama-3.1-8b", "h200", microbatch=2, sequence=2048).fits
    True
    """
    config = _transformers(config, settings)
    if hasattr(config, "named_parameters") or hasattr(config, "weights"):
        return module_plan(config, chip_of(chip_id), **settings)
    if ("microbatch" in settings) == ("batch" in settings) or (like and "batch" not in settings):
        raise InputError(
            "Pass either microbatch and sequence, for training, or batch and context, for "
            "generating text.",
            code="plan.kind",
        )
    architecture, where = architecture_of(config), chip_of(chip_id)
    _check_settings(settings, TrainingJob if "microbatch" in settings else InferenceJob)
    try:
        if "microbatch" in settings:
            return train_plan(architecture, where, TrainingJob(**settings))
        if like is not None:
            bits = bits_per_weight(like.ledger)
            settings = {**settings, "file_bytes": compressed_bytes(architecture, bits)}
        return infer_plan(architecture, where, InferenceJob(**settings))
    except TypeError as error:
        raise InputError(
            f"These settings are not a valid plan: {error}.", code="plan.setting"
        ) from None


def _check_settings(settings: Mapping[str, Any], job: type[TrainingJob | InferenceJob]) -> None:
    """Raise `InputError` if a setting is not a field of a job, or one without default is left out.

    All settings are listed.
    """
    known = [field.name for field in fields(job)]
    for name in settings:
        if name not in known:
            raise InputError(
                f"A plan has no setting {name!r}: choose from {', '.join(known)}.",
                code="plan.setting",
            )
    left_out = [f.name for f in fields(job) if f.default is MISSING and f.name not in settings]
    if left_out:
        raise InputError(
            f"The plan needs {' and '.join(left_out)} as well; its settings are "
            f"{', '.join(known)}.",
            code="plan.setting",
        )


def _transformers(config: Any, settings: Mapping[str, Any]) -> Any:
    """Return the entries of a configuration or model of transformers, or `config` itself."""
    inner = getattr(config, "config", config)
    if hasattr(inner, "to_dict") and hasattr(inner, "model_type") and "inputs" not in settings:
        return {**inner.to_dict(), "model_type": inner.model_type}
    return config


def architecture_of(config: Config) -> Architecture:
    """Return the sizes of a model, by its configuration or its name in the table."""
    if isinstance(config, Architecture):
        return config
    if isinstance(config, str) and config in known_models():
        return read_architecture(known_models()[config].config)
    if not isinstance(config, Mapping | str | Path):
        raise InputError(
            "Pass a config.json, its entries, the name of a model or a module, not "
            f"{type(config).__name__}.",
            code="plan.config_type",
        )
    try:
        return read_architecture(config)
    except MissingFileError:
        close = get_close_matches(str(config), known_models(), MOST_SUGGESTED)
        raise missing_file(config, close) from None


def train_plan(architecture: Architecture, chosen: Chip, job: TrainingJob) -> TrainingPlan:
    """Return the plan of a training step.

    Raises
    ------
    InputError
        If the chip does not train.
    """
    if chosen.kind == "edge":
        raise InputError(
            f"{chosen.title} only runs trained networks; choose another chip for training.",
            code="plan.chip_cannot_train",
        )
    check_division(architecture, job.tensor, job.pipeline, job.expert)
    check_length(architecture, job.sequence)
    memory = training_memory(architecture, job, chosen.context, chosen.workspace)
    program = stack_of(job, chosen)
    seconds = step_seconds(architecture, job, chosen)
    seconds = _checked(seconds, architecture, chosen, job, program)
    stack = "sharded" if program == REPLICATED else program
    rows = [row for row in training_rows() if row.stack == stack]
    bounds = interval(
        seconds.total,
        architecture,
        job,
        chosen.id,
        rows,
        stack,
        seconds.is_calibrated,
        chosen.error("training"),
    )
    return TrainingPlan(
        architecture=architecture,
        chip=chosen,
        job=job,
        memory=memory,
        fits=fits(memory, chosen, job.chips),
        seconds=seconds,
        interval=bounds,
        watts=watts(seconds, chosen),
    )


def check_division(
    architecture: Architecture, tensor: int, pipeline: int = 1, expert: int = 1
) -> None:
    """Raise `InputError` if heads, layers or experts cannot be divided among so many chips."""
    parts = [block.feed_forward.experts for block in architecture if block.expert_parameters]
    if expert > 1 and (not parts or any(count % expert for count in parts)):
        raise InputError(
            f"{min(parts, default=1)} experts cannot be divided among {expert} chips.",
            code="plan.layout",
        )
    heads = [block.mixer.heads for block in architecture.attention_blocks]
    if any(count % tensor for count in heads):
        raise InputError(
            f"{min(heads)} attention heads cannot be divided among {tensor} chips.",
            code="plan.layout",
        )
    if pipeline > architecture.layers:
        raise InputError(
            f"{architecture.layers} layers cannot be divided among {pipeline} chips.",
            code="plan.layout",
        )


def check_length(architecture: Architecture, tokens: int) -> None:
    """Raise `InputError` if a model has learned positions for fewer tokens."""
    longest = architecture.longest
    if longest is not None and tokens > longest:
        raise InputError(
            f"{architecture.family} has learned positions for {longest:,} tokens, not for "
            f"{tokens:,}; choose at most {longest:,}.",
            code="plan.too_long",
        )


def infer_plan(architecture: Architecture, chosen: Chip, job: InferenceJob) -> InferencePlan:
    """Return the plan of reading contexts and generating text."""
    check_division(architecture, job.tensor)
    check_length(architecture, job.context)
    memory = inference_memory(architecture, job, chosen.context, chosen.workspace)
    rows: tuple[Row, ...] = inference_rows()
    prefill, decode = (
        _checked(seconds(architecture, job, chosen), architecture, chosen, job, stack)
        for seconds, stack in ((prefill_seconds, "prefill"), (decode_seconds, "decode"))
    )
    bounds = [
        interval(
            part.total,
            architecture,
            job,
            chosen.id,
            rows,
            stack,
            part.is_calibrated,
            chosen.error(stack),
        )
        for part, stack in ((prefill, "prefill"), (decode, "decode"))
    ]
    return InferencePlan(
        architecture=architecture,
        chip=chosen,
        job=job,
        memory=memory,
        fits=fits(memory, chosen, job.tensor),
        prefill=prefill,
        decode=decode,
        prefill_interval=bounds[0],
        decode_interval=bounds[1],
    )


def _checked(
    seconds: Seconds,
    architecture: Architecture,
    chosen: Chip,
    job: TrainingJob | InferenceJob,
    stack: str,
) -> Seconds:
    """Return seconds that count as calibrated only if rows of such a plan exist."""
    if has_rows_of_its_kind(architecture, job, chosen, stack):
        return seconds
    return replace(seconds, is_calibrated=False)
