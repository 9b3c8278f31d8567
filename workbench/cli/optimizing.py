"""The command `workbench optimize`: the best recipe under limits, and its file."""

from __future__ import annotations

import argparse
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.artifact.foreign_files import is_index, is_weights_file
from workbench.cli import learning, models
from workbench.cli.inspecting import TABLES, holds_pictures
from workbench.deploy.runtimes import NAMES
from workbench.domain.metric import metric_named
from workbench.errors import FileError, InputError
from workbench.profiling.energy.energy import Energy
from workbench.progress import progress_bar

if TYPE_CHECKING:
    from workbench.domain import Model
    from workbench.study.recommendation import Recommendation

SECONDS = 60.0
COLUMN = "--predict"
"""The option for the column of a table to predict; `--target` is the runtime."""
MIN_SECONDS = 1.0
"""What remains at least for the search, however long the program took to start."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``optimize``."""
    parser.add_argument(
        "model",
        help=f"{models.HELP}; or a table or pictures, which a small network first learns from, as "
        "in workbench learn",
    )
    parser.add_argument("--max-bytes", type=int, metavar="N", help="the largest file")
    parser.add_argument(
        "--min-accuracy", type=float, metavar="A", help="the smallest accuracy, 0 to 1"
    )
    parser.add_argument(
        "--max-latency-ms", type=float, metavar="T", help="the longest time of one example"
    )
    parser.add_argument(
        "--max-energy-mj",
        type=float,
        metavar="E",
        help="the most energy of one example, in millijoules; needs an energy counter",
    )
    parser.add_argument(
        "--target",
        choices=NAMES,
        help="the runtime in which latency and energy are measured (default: PyTorch here)",
    )
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, metavar="S", help="of the search (default: 60)"
    )
    parser.add_argument("--output", metavar="FILE", help="where to write the compressed file")
    learning.add_data_options(
        parser.add_argument_group("if the model is a table or pictures"), COLUMN
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Search, write the file, and return the recommendation.

    Raises
    ------
    InputError
        If a limit is not possible, or no recipe was measured in the time.
    """
    from workbench.artifact.writing import check_writable
    from workbench.study.goal import check_limits, check_positive
    from workbench.study.latency import check_energy_counter
    from workbench.study.optimize import optimize

    seconds = options.seconds
    check_positive("--seconds", seconds)
    limits = options.max_bytes, options.min_accuracy, options.max_latency_ms
    check_limits(*limits, options.max_energy_mj)
    if options.max_energy_mj is not None:
        check_energy_counter()
    if options.output is not None:
        check_writable(options.output)
    chosen, facts, making = _model(options)
    with progress_bar("searching") as advance:

        def on_update(so_far: Recommendation) -> None:
            best = formatting.nbytes(so_far.best.bytes)
            advance(round(so_far.seconds), round(seconds), best)

        recommendation = optimize(
            chosen,
            max_bytes=options.max_bytes,
            min_accuracy=options.min_accuracy,
            max_latency_ms=options.max_latency_ms,
            max_energy_mj=options.max_energy_mj,
            target=options.target,
            seconds=max(MIN_SECONDS, seconds - (_process_seconds() - making)),
            on_update=on_update,
        )
    result = {**recommendation.as_dict(), **facts}
    if options.output is not None:
        result["file"] = _save(recommendation, options)
    return result


def _model(options: argparse.Namespace) -> tuple[Model, dict[str, Any], float]:
    """Return the model, what it learned from, and the seconds that its own code took."""
    from workbench.zoo import models as names

    path, begin = Path(options.model), time.monotonic()
    is_data = path.exists() and options.model not in names() and _is_data(path)
    if not is_data:
        given = learning.given_options(options, {COLUMN: "column", **learning.DATA_OPTIONS})
        if given:
            raise InputError(
                f"{given[0]} is for a table or pictures, and {options.model} is neither: omit it.",
                code="study.data_option",
            )
        chosen = models.find(options.model)
        return chosen, {}, time.monotonic() - begin if models.is_code(options.model) else 0.0
    data = argparse.Namespace(
        **{**vars(options), "data": options.model, "name": None, "seconds": None}
    )
    chosen, facts, warnings = learning.learn_from(data, COLUMN)
    notes = [*warnings, *chosen.notes]
    return chosen, {"data": {**facts, "warnings": notes}}, time.monotonic() - begin


def _is_data(path: Path) -> bool:
    """Whether a path is that of pictures or of a table, and not that of code or weights."""
    name = path.name.lower()
    if holds_pictures(path):
        return True
    is_table = name.endswith(TABLES) or not is_weights_file(name)
    return path.is_file() and is_table and not is_index(name) and not name.endswith(models.SUFFIX)


def _save(recommendation: Recommendation, options: argparse.Namespace) -> str:
    """Write the file. If that fails, the error tells the recipe, so that the search is not lost."""
    try:
        return str(recommendation.save(options.output))
    except FileError as error:
        recipe = shlex.quote(recommendation.recipe.to_json())
        again = f"workbench compress {shlex.quote(options.model)} --recipe {recipe} --output FILE"
        if Path(options.model).exists():
            again = f"the recipe {recipe} for the network that learned from {options.model}"
        raise FileError(
            f"{error} The recipe was not lost: {again} writes the same file.",
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
    print(f"  {metric.label:<8} {metric.format(result['value'])}, validation, exact")
    if result["latency_ms"] is not None:
        print(f"  latency  {formatting.milliseconds(result['latency_ms'])} per example")
    if result["energy"] is not None:
        print(f"  energy   {Energy.from_dict(result['energy']).text}, per example")
    data = result.get("data", {})
    if "target" in data:
        print(f"  predicts {data['target']} from {', '.join(data['columns_used'])}")
    for sentence in (*data.get("warnings", ()), *result["reasons"]):
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
