"""The command `workbench optimize`: the best recipe under limits, and its file."""

from __future__ import annotations

import argparse
import shlex
import time
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.cli.deployment import ALIASES
from workbench.deploy.runtimes import RUNTIMES
from workbench.domain.metric import metric_named
from workbench.errors import FileError, InputError
from workbench.progress import progress_bar

if TYPE_CHECKING:
    from workbench.study.recommendation import Recommendation

SECONDS = 60.0
MIN_SECONDS = 1.0
"""What remains at least for the search, however long the program took to start."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``optimize``."""
    parser.add_argument("model", help="a model from `workbench list`, such as fashion/lenet5")
    parser.add_argument("--max-bytes", type=int, metavar="N", help="the largest file")
    parser.add_argument(
        "--min-accuracy", type=float, metavar="A", help="the smallest accuracy, 0 to 1"
    )
    parser.add_argument(
        "--max-latency-ms", type=float, metavar="T", help="the longest time of one example"
    )
    parser.add_argument(
        "--target",
        choices=[*ALIASES, *RUNTIMES],
        help="the runtime in which the latency is measured (default: PyTorch in this process)",
    )
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, metavar="S", help="of the search (default: 60)"
    )
    parser.add_argument("--output", metavar="FILE", help="where to write the compressed file")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Search, write the file, and return the recommendation.

    Raises
    ------
    InputError
        If a limit is not possible, or no recipe was measured in the time.
    """
    from workbench.zoo import model

    chosen, seconds = model(options.model), options.seconds
    if not seconds > 0:
        raise InputError(
            f"--seconds must be a number above 0, not {seconds}.", code="study.invalid_limit"
        )
    from workbench.artifact.artifact import check_writable
    from workbench.study.optimize import optimize

    if options.output is not None:
        check_writable(options.output)
    with progress_bar("searching") as advance:

        def on_update(so_far: Recommendation) -> None:
            best = formatting.nbytes(so_far.best.bytes)
            advance(round(so_far.seconds), round(seconds), best)

        recommendation = optimize(
            chosen,
            max_bytes=options.max_bytes,
            min_accuracy=options.min_accuracy,
            max_latency_ms=options.max_latency_ms,
            target=ALIASES.get(options.target, options.target),
            seconds=max(MIN_SECONDS, seconds - _process_seconds()),
            on_update=on_update,
        )
    result = recommendation.as_dict()
    if options.output is not None:
        result["file"] = _save(recommendation, options)
    return result


def _save(recommendation: Recommendation, options: argparse.Namespace) -> str:
    """Write the file. If that fails, the error tells the recipe, so that the search is not lost."""
    try:
        return str(recommendation.save(options.output))
    except FileError as error:
        recipe = shlex.quote(recommendation.recipe.to_json())
        raise FileError(
            f"{error} The recipe found is not lost: workbench compress {options.model} --recipe "
            f"{recipe} --output FILE writes the same file.",
            code=error.code,
        ) from None


def status(result: dict[str, Any]) -> int:
    """Return 0 if the file meets all limits, else 1."""
    return 0 if result["met"] else 1


def show(result: dict[str, Any]) -> None:
    """Print the best recipe, the reasons and the other choices."""
    metric = metric_named(result["metric"])
    print("meets all limits" if result["met"] else "no recipe meets all limits; the nearest:")
    print(f"  recipe   {result['recipe']}")
    print(f"  file     {formatting.nbytes(result['bytes'])}")
    print(f"  {metric.name:<8} {metric.format(result['value'])}, validation, exact")
    if result["latency_ms"] is not None:
        print(f"  latency  {formatting.milliseconds(result['latency_ms'])} per example")
    for sentence in result["reasons"]:
        print(f"  – {sentence}")
    for choice in result["choices"][1:]:
        value = metric.format(choice["value"])
        print(f"  or: {formatting.nbytes(choice['bytes'])}, {value}: {choice['recipe']}")
    if "file" in result:
        print(f"wrote {result['file']}")


def _process_seconds() -> float:
    """Return the age of this process: loading PyTorch is part of the time that a user waits."""
    import psutil

    return time.time() - float(psutil.Process().create_time())
