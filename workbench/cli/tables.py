"""Results as text for a terminal."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from workbench import formatting
from workbench.domain.metric import metric_named

Result = dict[str, Any]


FIGURES = (
    "accuracy",
    "recall",
    "f1",
    "bits per character",
    "perplexity",
    "root mean squared error",
    "mean absolute error",
    "explained variance",
)
"""Those that are printed after the task's own, in this order."""
LEAST_TOLD = 1.005
"""How many times smaller a file must be for that not to be written as 1.00."""
SAID = {"recall": "recall (macro)", "f1": "F1 (macro)"}
"""The names of figures that are told otherwise."""


def listing(result: Result) -> None:
    """Print the models, one a line."""
    width = max(len(model["name"]) for model in result["models"]) + 2
    for model in result["models"]:
        metric = metric_named(model["metric"])
        found = ", ".join(f"{s} {metric.written(value)}" for s, value in model["figures"].items())
        size = formatting.size(model["original_bytes"])
        named = f"  {metric.name}" if metric.counts != "classes" else ""
        print(
            f"{model['name']:<{width}}{model['parameters']:>10,} parameters  {size:>8}"
            f"  {found}{named}"
        )


def report(result: Result) -> None:
    """Print what was measured."""
    first = result["metric"]
    names = [first, *(name for name in FIGURES if name in result and name != first)]
    width = max(10, *(len(SAID.get(name, name)) for name in names)) + 1
    print(f"{result['model']}, {result['split']} split")
    for name in names:
        judged = f" of {result['examples']:,} examples, exact" if name == first else ""
        print(f"  {SAID.get(name, name):<{width}}{_written(name, result[name])}{judged}")
    row = partial(_row, width)
    row("size", f"{formatting.nbytes(result['bytes'])}, {_ratio(result)}")
    if plain := result.get("plain"):
        gain = metric_named(first).change(result["value"] - plain["value"])
        row(
            "gain",
            f"{gain} against the plain version, without what makes good for errors: "
            f"{_written(first, plain['value'])} in {formatting.nbytes(plain['bytes'])}",
        )
    asked = formatting.percent(result["sparsity_requested"])
    row("sparsity", f"{formatting.percent(result['sparsity_achieved'])} (asked {asked})")
    row("parameters", f"{result['parameters']:,}, not zero {result['nonzero']:,}")
    row("work", f"{result['macs']:,} multiply-adds an example")
    for batch in (1, 64):
        timing = (result["latency_ms"] or {}).get(f"batch_{batch}")
        if timing:
            low, high = (formatting.milliseconds(timing[key]) for key in ("p10", "p90"))
            spread = f"{low} to {high}"
            row(f"batch {batch}", f"{formatting.milliseconds(timing['median'])} ({spread})")
    for sentence in result["reasons"]:
        print(f"  – {sentence}")


def _row(width: int, name: str, text: str) -> None:
    print(f"  {name:<{width}}{text}")


def _written(name: str, value: float) -> str:
    """Write a figure as it is known by its name: shares of examples to a hundredth of a percent."""
    if name in ("accuracy", "recall", "f1"):
        return formatting.percent(value, 2)
    return metric_named(name).written(value)


def sensitivity(result: Result) -> None:
    """Print what was lost, in points or percent, a layer a line."""
    width = max(len(name) for name in result["layers"]) + 2
    before = _written(result["metric"], result["value"])
    unit = "points lost" if metric_named(result["metric"]).share else "percent worse"
    print(f"{result['model']}, validation {before}; {unit} by {result['part']}")
    print(" " * width + "".join(f"{setting:>8g}" for setting in result["settings"]))
    for name in result["layers"]:
        row = [point["lost"] for point in result["points"] if point["layer"] == name]
        print(f"{name:<{width}}" + "".join(f"{lost:>8.2f}" for lost in row))


def trained(result: Result) -> None:
    """Print what training made, and the recipe that makes it again."""
    report(result)
    took = result["training"]
    if took:
        pace = f"{took['examples_per_second']:,.0f} examples per second"
        steps = result["recipe"]["train"].get("steps", took["steps"])
        early = f" of {steps:,}: stopped early" if took["steps"] < steps else ""
        print(f"  trained    {took['seconds']:,.1f} s, {took['steps']:,} steps{early}, {pace}")
    print(f"  recipe     {json.dumps(result['recipe'])}")
    print(f"wrote {result['file']}")


def reports(result: Result) -> None:
    """Print one report, or those of several files."""
    for found in result.get("files", [result]):
        print(found["file"])
        report(found)


def _ratio(result: Result) -> str:
    """Say how much smaller, or larger, a file is than the original."""
    less = result["original_bytes"] - result["bytes"]
    if not less:
        return "as long as the original"
    ratio = result["original_bytes"] / result["bytes"]
    if ratio < LEAST_TOLD:
        return f"{abs(less):,} bytes {'less' if less > 0 else 'more'} than the original"
    return f"{formatting.times(ratio)} smaller"


def saved(result: Result) -> None:
    """Print what was written."""
    print(f"{result['file']}: {formatting.nbytes(result['bytes'])}, {_ratio(result)}")


def written(result: Result) -> None:
    """Print what was written."""
    print(f"{result['file']}: {formatting.nbytes(result['bytes'])}")


def inspection(result: Result) -> None:
    """Print the ledger, one tensor a line, and its sum."""
    columns = ("values", "indices", "scales", "tables", "plain", "total")
    rows = result["ledger"]["rows"]
    width = max(len(row["name"]) for row in rows) + 2
    print(f"{result['model']}, {formatting.nbytes(result['bytes'])}")
    wide = max(10, len(f"{result['bytes']:,}") + 2)
    print(" " * width + "".join(f"{column:>{wide}}" for column in columns) + "  codec")
    for row in rows:
        numbers = "".join(f"{row[column]:>{wide},}" for column in columns)
        print(f"{row['name']:<{width}}{numbers}  {row['codec']}")
    blank = " " * wide * (len(columns) - 1)
    print(f"{'(container)':<{width}}{blank}{result['ledger']['container']:>{wide},}")
    print(f"{'(file)':<{width}}{blank}{result['ledger']['total']:>{wide},}")
