"""The command `workbench plan`: memory, time and energy of a large model on a chip."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from workbench import formatting
from workbench.errors import InputError

Result = dict[str, Any]
TRAINING = ("microbatch", "sequence")
INFERENCE = ("batch", "context")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "kind",
        choices=("train", "infer", "calibrate"),
        help="a training step, text, or measurements that correct the times of a chip",
    )
    parser.add_argument("--config", metavar="FILE", help="a config.json, or a name such as gpt2")
    parser.add_argument("--chip", help="the chip, or the file of a calibration (default: h100-sxm)")
    parser.add_argument(
        "--rows",
        metavar="FILE",
        help="measured steps as a JSON list, in place of measuring this machine",
    )
    parser.add_argument("--output", metavar="FILE", help="where the calibration is written")
    parser.add_argument(
        "--precision", default="bf16", help="bf16, amp, fp32, tf32, fp8, int8, int4"
    )
    training = parser.add_argument_group("training")
    training.add_argument(
        "--microbatch", type=int, default=1, help="sequences at once (default: 1)"
    )
    training.add_argument(
        "--sequence", type=int, default=2048, help="tokens of each (default: 2048)"
    )
    training.add_argument("--attention", default="fused", help="fused (default) or eager")
    training.add_argument(
        "--checkpointing", help="none or full (default: none, or what --chips needs)"
    )
    training.add_argument("--accumulation", type=int, default=1, help="microbatches per step")
    training.add_argument("--chips", type=int, help="all chips; the fastest layout is chosen")
    training.add_argument("--dp", type=int, help="chips that divide the batch")
    training.add_argument(
        "--shard",
        type=int,
        help="what those chips divide: 1 states, 2 and gradients, 3 and weights (default: 0)",
    )
    training.add_argument("--tp", type=int, help="chips that divide the matrices of a layer")
    training.add_argument("--pp", type=int, help="chips that divide the layers")
    training.add_argument("--ep", type=int, help="chips of --dp that divide the experts")
    training.add_argument("--lora-rank", type=int, default=0, help="train adapters of this rank")
    training.add_argument(
        "--base-bits", type=int, default=16, help="bits of frozen weights: 16, 8 or 4"
    )
    training.add_argument("--tokens", type=float, help="tokens of the complete training")
    parser.add_argument("--price", type=float, help="money per chip and hour")
    inference = parser.add_argument_group("inference")
    inference.add_argument("--batch", type=int, default=1, help="sequences at once (default: 1)")
    inference.add_argument("--context", type=int, default=2048, help="tokens read (default: 2048)")
    inference.add_argument("--cache-bits", type=int, default=16, help="bits of the cache")
    inference.add_argument("--weight-bytes", type=int, help="the bytes of a compressed file")


def run(options: argparse.Namespace) -> Result:
    """Return the plan.

    Raises
    ------
    InputError
        If the configuration or a setting cannot be used.
    UnknownNameError
        If there is no such chip.
    """
    from workbench.planner.calibration_file import chip_of
    from workbench.planner.changes import changes
    from workbench.planner.estimate import named
    from workbench.planner.jobs import InferenceJob
    from workbench.planner.plan import architecture_of, infer_plan, train_plan

    if options.kind == "calibrate":
        return _calibrate(options)
    if options.config is None:
        raise InputError(
            "Give --config: a config.json, or a name such as gpt2.", code="plan.config_missing"
        )
    architecture, chosen = architecture_of(options.config), chip_of(options.chip or "h100-sxm")
    if options.kind == "infer":
        job = InferenceJob(
            options.batch,
            options.context,
            options.precision,
            tensor=_inference_chips(options),
            cache_bytes=options.cache_bits / 8,
            file_bytes=options.weight_bytes,
        )
        planned = infer_plan(architecture, chosen, job)
        money = None if options.price is None else planned.money_per_million(options.price)
        costs = named(money, "money_per_million")
        return {**planned.as_dict(), **costs, "changes": changes(planned)}
    trained = train_plan(architecture, chosen, _training_job(architecture, chosen, options))
    result = {**trained.as_dict(), "changes": changes(trained)}
    if options.price is not None and options.tokens is None:
        raise InputError("--price needs --tokens, the number of training tokens.", code="plan.size")
    if options.tokens is not None:
        result["training"] = trained.costs_as_dict(options.tokens, options.price)
    return result


def _inference_chips(options: argparse.Namespace) -> int:
    """Return how many chips divide the matrices: `--tp`, or `--chips`, which must agree."""
    given = {value for value in (options.tp, options.chips) if value is not None}
    if len(given) > 1:
        raise InputError(
            f"--tp is {options.tp}, but --chips is {options.chips}; generating text divides the "
            "matrices among all chips.",
            code="plan.layout",
        )
    return given.pop() if given else 1


def _calibrate(options: argparse.Namespace) -> Result:
    from workbench.planner.calibrate import calibrate_chip
    from workbench.planner.calibration_file import read_rows, write_chip

    if options.output is None:
        raise InputError(
            "Give --output: the file of the calibration, such as chip.json.",
            code="plan.output_missing",
        )
    rows = None if options.rows is None else read_rows(Path(options.rows))
    calibrated = calibrate_chip(options.chip, rows)
    write_chip(calibrated, Path(options.output))
    assert calibrated.calibration is not None
    return {
        "kind": "calibrate",
        "chip": calibrated.id,
        "output": options.output,
        "factors": dict(calibrated.calibration.factors),
        "errors": dict(calibrated.calibration.errors),
        "origin": calibrated.calibration.origin,
    }


def _training_job(architecture: Any, chosen: Any, options: argparse.Namespace) -> Any:
    from workbench.planner.jobs import TrainingJob, positive
    from workbench.planner.layouts import best_layout

    tensor, pipeline, data = (
        1 if value is None else value for value in (options.tp, options.pp, options.dp)
    )
    for value, name in ((tensor, "--tp"), (pipeline, "--pp"), (data, "--dp")):
        positive(value, name)
    if options.chips is not None:
        positive(options.chips, "--chips")
        if options.dp is None:
            if options.chips % (tensor * pipeline):
                raise InputError(
                    f"--chips {options.chips} must be a multiple of --tp times --pp, "
                    f"{tensor * pipeline}.",
                    code="plan.layout",
                )
            data = options.chips // (tensor * pipeline)
        elif data * tensor * pipeline != options.chips:
            raise InputError(
                f"--dp times --tp times --pp is {data * tensor * pipeline}, but --chips is "
                f"{options.chips}.",
                code="plan.layout",
            )
    job = TrainingJob(
        options.microbatch,
        options.sequence,
        options.precision,
        options.attention,
        options.checkpointing or "none",
        data=data,
        shard=options.shard or 0,
        tensor=tensor,
        pipeline=pipeline,
        expert=options.ep or 1,
        accumulation=options.accumulation,
        adapter_rank=options.lora_rank,
        base_bits=options.base_bits,
    )
    free = (options.dp, options.shard, options.tp, options.pp, options.ep)
    if options.chips and options.chips > 1 and all(value is None for value in free):
        recompute = options.checkpointing is None
        return best_layout(architecture, chosen, job, options.chips, recompute=recompute).job
    return job


def show(result: Result) -> None:
    """Print a plan or a calibration."""
    if result["kind"] == "calibrate":
        print(f"{result['chip']}, {result['origin']}: written to {result['output']}")
        for name, factor in result["factors"].items():
            error = formatting.percent(result["errors"][name], 0)
            print(f"  {name:<11}{factor:.2f} times the prediction, ± {error}")
        return
    fits = {True: "fits", False: "does not fit", None: "too close to call"}[result["fits"]]
    memory = result["memory_gib"]
    chips = f"{result['chips']} × {result['chip']}" if result["chips"] > 1 else result["chip"]
    print(f"{result['family']}, {result['parameters']:,} parameters on {chips}: {fits}")
    if result["chips"] > 1 and "layout" in result:
        parts = ", ".join(f"{name} {value}" for name, value in result["layout"].items())
        print(f"  layout     {parts}")
    _show_memory(result, memory)
    for name, label in (("step", "step"), ("prefill", "reading"), ("decode", "one token")):
        if f"{name}_ms" in result:
            middle, low, high = (
                formatting.milliseconds(result[key])
                for key in (f"{name}_ms", f"{name}_ms_low", f"{name}_ms_high")
            )
            print(f"  {label:<11}{middle} ({low} to {high}, 80 %)")
    print(f"  tokens/s   {_bounded(result, 'tokens_per_s', 0)}")
    _show_energy(result)
    if result.get("money_per_million") is not None:
        print(f"  money      {_bounded(result, 'money_per_million')} for a million tokens")
    _show_notes(result)


def _bounded(values: Result, name: str, digits: int = 2) -> str:
    """Return a number with its interval."""
    middle, low, high = (f"{values[name + end]:,.{digits}f}" for end in ("", "_low", "_high"))
    return f"{middle} ({low} to {high})"


def _show_energy(result: Result) -> None:
    if result["watts"] is None:
        print("  energy     not known: the power of this chip is not published")
        return
    print(f"  power      {result['watts']:,.0f} W per chip")
    if "joules_per_step" in result:
        print(f"  energy     {_bounded(result, 'joules_per_step', 1)} J per step")
        return
    print(f"  energy     {_bounded(result, 'joules_per_token', 3)} J per token")
    print(f"             {_bounded(result, 'prefill_joules', 1)} J to read the context")


def _show_memory(result: Result, memory: dict[str, float]) -> None:
    print(
        f"  memory     {memory['total']:,.2f} GiB of {result['usable_gib']:,.1f}, "
        f"and {memory['context']:.2f} of the driver"
    )
    for name, value in memory.items():
        if value and name not in {"total", "context"}:
            print(f"    {name:<13}{value:>10,.2f} GiB")


def _show_notes(result: Result) -> None:
    if not result["calibrated"]:
        print(
            "  – not calibrated: no row that was used for fitting has this chip and this kind of "
            "plan"
        )
    for sentence in result["changes"]:
        print(f"  – {sentence}")
    if "training" in result:
        _show_training(result["training"])
    for row in result["nearest_rows"]:
        print(f"  – near: {row['row']} ({row['source']})")


def _show_training(training: Result) -> None:
    print(f"  training   {_bounded(training, 'days', 1)} days")
    print(f"             {_bounded(training, 'chip_hours', 0)} chip hours")
    if training["kwh"] is not None:
        print(f"             {_bounded(training, 'kwh', 0)} kWh of the chips")
    if training["money"] is not None:
        print(f"             {_bounded(training, 'money', 0)} at the price given")
