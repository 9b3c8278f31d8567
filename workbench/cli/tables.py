"""Results as text for a terminal."""

from __future__ import annotations

import json
from typing import Any

from workbench import figures

Result = dict[str, Any]


def listing(result: Result) -> None:
    """Print the models, one a line."""
    for model in result["models"]:
        shares = ", ".join(f"{s} {figures.percent(a)}" for s, a in model["accuracy"].items())
        size = figures.size(model["original_bytes"])
        print(f"{model['name']:<24}{model['parameters']:>10,} parameters  {size:>8}  {shares}")


def report(result: Result) -> None:
    """Print what was measured."""
    accuracy = figures.percent(result["accuracy"], 2)
    print(f"{result['model']}, {result['split']} split")
    print(f"  accuracy   {accuracy} of {result['examples']:,} examples, exact")
    print(f"  recall     {figures.percent(result['recall'], 2)} (macro)")
    print(f"  F1         {figures.percent(result['f1'], 2)} (macro)")
    print(f"  size       {figures.nbytes(result['bytes'])}, {_ratio(result)}")
    if plain := result.get("plain"):
        gain = figures.points(result["accuracy"] - plain["accuracy"])
        print(
            f"  gain       {gain} against the plain version, without what makes good for errors:"
            f" {figures.percent(plain['accuracy'], 2)} in {figures.nbytes(plain['bytes'])}"
        )
    print(
        f"  sparsity   {figures.percent(result['sparsity_achieved'])}"
        f" (asked {figures.percent(result['sparsity_requested'])})"
    )
    print(f"  parameters {result['parameters']:,}, not zero {result['nonzero']:,}")
    print(f"  work       {result['macs']:,} multiply-adds an example")
    for batch in (1, 64):
        timing = (result["latency_ms"] or {}).get(f"batch_{batch}")
        if timing:
            spread = (
                f"{figures.milliseconds(timing['p10'])} to {figures.milliseconds(timing['p90'])}"
            )
            print(f"  batch {batch:<4} {figures.milliseconds(timing['median'])} ({spread})")
    for sentence in result["reasons"]:
        print(f"  – {sentence}")


def sensitivity(result: Result) -> None:
    """Print the points of accuracy lost, a layer a line."""
    width = max(len(name) for name in result["layers"]) + 2
    before = figures.percent(result["accuracy"], 2)
    print(f"{result['model']}, validation {before}; points lost by {result['part']}")
    print(" " * width + "".join(f"{setting:>8g}" for setting in result["settings"]))
    for name in result["layers"]:
        row = [point["accuracy"] for point in result["points"] if point["layer"] == name]
        lost = "".join(f"{(result['accuracy'] - accuracy) * 100:>8.2f}" for accuracy in row)
        print(f"{name:<{width}}{lost}")


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
    ratio = result["original_bytes"] / result["bytes"]
    if ratio < 1:
        return f"{result['bytes'] - result['original_bytes']:,} bytes more than the original"
    return f"{figures.times(ratio)} smaller"


def saved(result: Result) -> None:
    """Print what was written."""
    print(f"{result['file']}: {figures.nbytes(result['bytes'])}, {_ratio(result)}")


def expanded(result: Result) -> None:
    """Print what was written."""
    print(f"{result['file']}: {figures.nbytes(result['bytes'])}")


def inspection(result: Result) -> None:
    """Print the ledger, one tensor a line, and its sum."""
    columns = ("values", "indices", "scales", "tables", "plain", "total")
    rows = result["ledger"]["rows"]
    width = max(len(row["name"]) for row in rows) + 2
    print(f"{result['model']}, {figures.nbytes(result['bytes'])}")
    wide = max(10, len(f"{result['bytes']:,}") + 2)
    print(" " * width + "".join(f"{column:>{wide}}" for column in columns) + "  codec")
    for row in rows:
        numbers = "".join(f"{row[column]:>{wide},}" for column in columns)
        print(f"{row['name']:<{width}}{numbers}  {row['codec']}")
    blank = " " * wide * (len(columns) - 1)
    print(f"{'(container)':<{width}}{blank}{result['ledger']['container']:>{wide},}")
    print(f"{'(file)':<{width}}{blank}{result['ledger']['total']:>{wide},}")
