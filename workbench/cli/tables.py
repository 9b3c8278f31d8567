"""Print results as text in a terminal."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from workbench import formatting
from workbench.domain.metric import R2, metric_named
from workbench.profiling.energy.carbon import carbon, given_intensity
from workbench.profiling.energy.energy import Energy

Result = dict[str, Any]

METRICS = (
    "accuracy",
    "recall",
    "f1",
    "bits per character",
    "perplexity",
    "root mean squared error",
    "mean absolute error",
    "r2",
)
"""Metrics printed after the task's primary metric, in this order."""
MAX_VALUES = 10
"""Categories and words of a column that are printed."""
MIN_RATIO = 1.005
"""Below this ratio, which would be printed as 1.00, the difference in bytes is printed instead."""
LABELS = {"recall": "recall (macro)", "f1": "F1 (macro)", "r2": R2.label}


def listing(result: Result) -> None:
    """Print the models, one per line."""
    width = max(len(model["name"]) for model in result["models"]) + 2
    for model in result["models"]:
        metric = metric_named(model["metric"])
        figures = ", ".join(f"{s} {metric.format(value)}" for s, value in model["figures"].items())
        size = formatting.size(model["original_bytes"])
        label = f"  {metric.label}" if metric.counts != "classes" else ""
        print(
            f"{model['name']:<{width}}{model['parameters']:>10,} parameters  {size:>8}"
            f"  {figures}{label}"
        )


def report(result: Result) -> None:
    """Print a report."""
    primary = result["metric"]
    names = [primary, *(name for name in METRICS if name in result and name != primary)]
    width = max(10, *(len(LABELS.get(name, name)) for name in names)) + 1
    print(f"{result['model']}, {result['split']} split")
    row = partial(_row, width)
    for name in names:
        exact = f" of {result['examples']:,} examples, exact" if name == primary else ""
        row(LABELS.get(name, name), f"{_format(name, result[name])}{exact}")
    row("size", f"{formatting.nbytes(result['bytes'])}, {_ratio(result)}")
    if baseline := result.get("baseline"):
        gain = metric_named(primary).difference(result["value"], baseline["value"])
        row(
            "gain",
            f"{gain} compared to the baseline without error compensation: "
            f"{_format(primary, baseline['value'])} in {formatting.nbytes(baseline['bytes'])}",
        )
    requested = formatting.percent(result["sparsity_requested"])
    row("sparsity", f"{formatting.percent(result['sparsity_achieved'])} (requested {requested})")
    row("parameters", f"{result['parameters']:,}, nonzero {result['nonzero']:,}")
    row("work", f"{result['macs']:,} multiply-accumulates per example")
    for batch in (1, 64):
        timing = (result["latency_ms"] or {}).get(f"batch_{batch}")
        if timing:
            median, low, high = (
                formatting.milliseconds(timing[key]) for key in ("median", "p10", "p90")
            )
            row(f"batch {batch}", f"{median} ({low} to {high})")
    notes: dict[str, None] = {}
    for work, data in (("1,000 examples", result["latency_ms"]), ("training", result["training"])):
        if data and data.get("energy"):
            energy = Energy.from_dict(data["energy"])
            row("energy", f"{work}: {energy.text}{_carbon(energy)}")
            notes |= dict.fromkeys(energy.explanation)
    for sentence in (*result["reasons"], *notes):
        print(f"  – {sentence}")


def _carbon(energy: Energy) -> str:
    """Return the CO₂ of an energy if the intensity of electricity is given."""
    if given_intensity() is None or energy.joules is None:
        return ""
    return f"; {carbon(energy).text}"


def _row(width: int, name: str, text: str) -> None:
    print(f"  {name:<{width}}{text}")


def _format(name: str, value: float) -> str:
    """Format the value of the metric `name`; fractions of examples with two decimals of percent."""
    if name in ("accuracy", "recall", "f1"):
        return formatting.percent(value, 2)
    return metric_named(name).format(value)


def sensitivity(result: Result) -> None:
    """Print what each layer loses, in points or percent, one layer per line."""
    width = max(len(name) for name in result["layers"]) + 2
    before = _format(result["metric"], result["value"])
    unit = "points lost" if metric_named(result["metric"]).is_fraction else "percent worse"
    print(f"{result['model']}, validation {before}; {unit} by {result['part']}")
    print(" " * width + "".join(f"{setting:>8g}" for setting in result["settings"]))
    for name in result["layers"]:
        row = [point["lost"] for point in result["points"] if point["layer"] == name]
        print(f"{name:<{width}}" + "".join(f"{lost:>8.2f}" for lost in row))


def trained(result: Result) -> None:
    """Print the report of a training run, and the recipe that repeats it."""
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
    for item in result.get("files", [result]):
        print(item["file"])
        if "target" in item:
            _new_data(item)
        else:
            report(item)


def _new_data(result: Result) -> None:
    """Print how well a file predicts new data."""
    metric, score = metric_named(result["metric"]), result["score"]
    value = metric.format(result["value"])
    count = f"{score['examples']:,} of {result['rows']:,}"
    print(f"  {result['target']}: {metric.label} {value} on {count} new examples")
    for sentence in (*result["figures"]["sentences"], *result["notes"]):
        print(f"  – {sentence}")
    if score["confusion"]:
        width = max(map(len, result["classes"])) + 2
        print(" " * (width + 2) + "".join(f"{name:>{width}}" for name in result["classes"]))
        for name, counts in zip(result["classes"], score["confusion"], strict=True):
            print(f"  {name:<{width}}" + "".join(f"{count:>{width},}" for count in counts))


def _ratio(result: Result) -> str:
    """Describe the size of a file relative to the original."""
    saved = result["original_bytes"] - result["bytes"]
    if not saved:
        return "the same size as the original"
    ratio = result["original_bytes"] / result["bytes"]
    if ratio < MIN_RATIO:
        return f"{abs(saved):,} bytes {'less' if saved > 0 else 'more'} than the original"
    return f"{formatting.times(ratio)} smaller"


def saved(result: Result) -> None:
    """Print the path and the size of a file."""
    print(f"{result['file']}: {formatting.nbytes(result['bytes'])}, {_ratio(result)}")
    for sentence in result.get("sentences", ()):
        print(f"  – {sentence}")
    if "changes" in result:
        differences(result["changes"])


def written(result: Result) -> None:
    """Print the path and the size of a file."""
    print(f"{result['file']}: {formatting.nbytes(result['bytes'])}")


def differences(result: Result) -> None:
    """Print how far tensors are from others, and the worst of them."""
    from workbench.artifact.changes import lines  # needs torch

    print("\n".join(lines(result)))


def pictures(result: Result) -> None:
    """Print what a folder or an archive of pictures contains."""
    side = result["size"]
    print(
        f"{result['pictures_used']:,} of {result['files_read']:,} files are pictures of "
        f"{len(result['classes'])} classes, read at {side} × {side} pixels"
    )
    for name, count in result["classes"].items():
        parts = ", ".join(f"{split} {counts[name]:,}" for split, counts in result["splits"].items())
        print(f"  {name}: {count:,} ({parts})")
    for ignored in result["ignored"]:
        print(f"  – {ignored['reason']}")
    for sentence in result["warnings"]:
        print(f"  – {sentence}")


def inspection(result: Result) -> None:
    """Print what a recipe would do to a checkpoint, or the ledger of a Workbench file."""
    if "ledger" not in result:
        print(f"{result['model']}: {formatting.nbytes(result['bytes'])}")
        for sentence in result["sentences"]:
            print(f"  – {sentence}")
        return
    ledger(result)
    if "changes" in result:
        differences(result["changes"])


def ledger(result: Result) -> None:
    """Print the ledger, one tensor per line, and its total."""
    columns = ("values", "indices", "scales", "tables", "uncompressed", "total")
    rows = result["ledger"]["rows"]
    width = max(len(row["name"]) for row in rows) + 2
    print(f"{result['model']}, {formatting.nbytes(result['bytes'])}")
    wide = max(14, len(f"{result['bytes']:,}") + 2)
    print(" " * width + "".join(f"{column:>{wide}}" for column in columns) + "  codec")
    for row in rows:
        numbers = "".join(f"{row[column]:>{wide},}" for column in columns)
        print(f"{row['name']:<{width}}{numbers}  {row['codec']}")
    blank = " " * wide * (len(columns) - 1)
    for key, label in (
        ("preprocessing", "preprocessing"),
        ("container", "container"),
        ("total", "file"),
    ):
        if size := result["ledger"][key]:
            print(f"{f'({label})':<{width}}{blank}{size:>{wide},}")
    if "contents" in result:
        _contents(result["contents"])


def _contents(contents: Result) -> None:
    """Print which names of columns and values a file contains."""
    from workbench.custom.uploads.splits import quoted  # loads NumPy

    print(f"  – {contents['text']}")
    for name in contents["columns"] or contents["values"]:
        values = [quoted(value) for value in contents["values"].get(name, ())]
        listed = f": {formatting.names(values, MAX_VALUES)}" if values else ""
        print(f"    {quoted(name)}{listed}")
