"""The command `workbench parallel`: train a model on several processes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from workbench.cancel import CancelToken
from workbench.cli import models
from workbench.errors import InputError
from workbench.parallel.plan import BOUNDS, CHOICES, Plan
from workbench.progress import progress_bar

HELP = {
    "strategy": "how the work is divided",
    "ranks": "number of processes, 1 to 4",
    "sync": "when the replicas of data parallel training are synchronized",
    "every": "steps between two averages, for --sync every_k",
    "weighting": "what each rank counts for in the gradient",
    "batch_norm": "the statistics of batch norm",
    "steps": "optimizer steps",
    "batch": "examples per step over all ranks",
    "optimizer": "the optimizer",
    "learning_rate": "0 for that of the model's training plan",
    "seed": "of the initial weights and the order of examples",
    "start": "new or trained weights",
    "schedule": "the order of a pipeline",
    "microbatches": "the parts of a batch in a pipeline",
    "machines": "2 for two loopback addresses, as on two machines",
    "latency_ms": "simulated link: milliseconds per message",
    "bandwidth": "simulated link: MB/s, 0 for no limit",
    "limit": "seconds without an event after which the run ends",
}
STEPS = 1000
"""Resolution of the progress bar."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: the model and the fields of `Plan`."""
    parser.add_argument("model", metavar="MODEL", help=models.HELP)
    parser.add_argument(
        "--repeats", type=int, default=1, help="how often to train, to compare digests"
    )
    parser.add_argument(
        "--no-exact",
        action="store_true",
        help="leave out the evaluation of the final weights on the validation split",
    )
    parser.add_argument(
        "--shards",
        type=_integers,
        default=(),
        metavar="A,B",
        help="the examples of each rank in a step (default: equal)",
    )
    parser.add_argument(
        "--job",
        metavar="FOLDER",
        help="do not train here: write the run for torchrun on other machines, and print the lines",
    )
    parser.add_argument(
        "--host", help="with --job: the address of the first machine (default: 127.0.0.1)"
    )
    for field in fields(Plan):
        if field.name == "shards":
            continue
        kind = str if field.name in CHOICES else type(BOUNDS[field.name][0])
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            dest=field.name,
            default=field.default,
            type=kind,
            choices=[*CHOICES[field.name]] if field.name in CHOICES else None,
            help=f"{HELP[field.name]} (default: {field.default})",
        )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, or write the job; return what was measured."""
    settings = {field.name: getattr(options, field.name) for field in fields(Plan)}
    if options.job is not None:
        from workbench.parallel.torchrun import write_job

        host = {} if options.host is None else {"host": options.host}
        job = write_job(models.find(options.model), options.job, **host, **settings)
        return {"folder": str(job.folder), "lines": list(job.lines)}
    if options.host is not None:
        raise InputError(
            "--host belongs to a run on other machines: give --job FOLDER too, or leave it out.",
            code="cli.host_without_job",
        )
    from workbench.parallel.train import train_in_parallel
    from workbench.plots.parallel import notes

    with progress_bar("training") as advance:
        cancel = CancelToken(on_progress=lambda share: advance(round(share * STEPS), STEPS))
        result = train_in_parallel(
            models.find(options.model),
            repeats=options.repeats,
            exact=not options.no_exact,
            cancel=cancel,
            **settings,
        )
    return {
        "model": result.model,
        "plan": result.plan.as_dict(),
        "consistent": result.consistent,
        "gradient_difference": result.gradient_difference,
        "distance": result.distance,
        "accuracy": list(result.accuracy),
        "baseline_accuracy": result.baseline_accuracy,
        "digests": list(result.digests),
        "lost_updates": result.lost_updates,
        "seconds_per_step": result.seconds_per_step,
        "baseline_seconds_per_step": result.baseline_seconds_per_step,
        "replay_seconds_per_step": result.replay_seconds_per_step,
        "ranks": [
            {
                "digest": rank.digest,
                "held": dict(rank.held),
                "formula": rank.formula,
                "payload": dict(rank.payload),
            }
            for rank in result.ranks
        ],
        "notes": notes(result),
    }


def show(result: Mapping[str, Any]) -> None:
    """Print the result, or where to run the job."""
    if "lines" in result:
        print(f"{result['folder']}: run one line on each machine")
        for line in result["lines"]:
            print(f"  {line}")
        return
    print("rank  digest        weights    gradients    optimizer")
    for number, rank in enumerate(result["ranks"]):
        held = "".join(
            f"{rank['held'][kind]:13,}" for kind in ("weights", "gradients", "optimizer")
        )
        print(f"{number:4}  {rank['digest'][:8]}{held}")
    if result["gradient_difference"] is not None:
        print(f"difference of the gradient from one process  {result['gradient_difference']:.1e}")
    print(f"distance of the weights from one process     {result['distance']:.1e}")
    for note in result["notes"]:
        print(f"  – {note}")


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("give whole numbers, such as 40,24") from None
