"""The command that predicts from new rows or pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from workbench import formatting
from workbench.cli.command_options import add_encoding
from workbench.domain.metric import metric_named
from workbench.errors import missing_file
from workbench.progress import progress_bar

MAIN_METRICS = {"accuracy", "root mean squared error"}
MAX_SHOWN = 20
"""Predictions that are printed if no file is written."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "file", metavar="FILE", help="a file of a model of a table, of pictures or of texts"
    )
    parser.add_argument(
        "rows", metavar="ROWS", help="a table; or a folder, a zip archive or a file of pictures"
    )
    add_encoding(parser)
    parser.add_argument("--output", metavar="FILE", help="the CSV file to write")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Predict, and write the rows with their predictions if an output is given."""
    from workbench.artifact.writing import check_writable
    from workbench.cancel import CancelToken
    from workbench.custom.prediction.predict import predict

    if not Path(options.rows).exists():
        raise missing_file(options.rows)
    if options.output is not None:
        check_writable(options.output)
    with progress_bar("predicting") as advance:
        cancel = CancelToken(on_progress=lambda fraction: advance(round(100 * fraction), 100))
        predictions = predict(options.file, options.rows, encoding=options.encoding, cancel=cancel)
    if options.output is not None:
        predictions.to_csv(options.output)
    return {
        "file": str(options.file),
        "output": options.output,
        "rows": len(predictions),
        **predictions.as_dict(),
    }


def show(result: dict[str, Any]) -> None:
    """Print where the predictions are, or the first of them."""
    for note in result["notes"]:
        print(f"  – {note}")
    figures = result["figures"]
    for name in MAIN_METRICS.intersection(figures):
        value = metric_named(name).format(figures[name])
        print(f"  {name} {value} on the {figures['examples']:,} examples with a known value")
    count = formatting.count(result["rows"])
    if result["output"] is not None:
        print(f"wrote {result['output']}: {count} predictions of {result['target']}")
        return
    shown = zip(
        result["sources"][:MAX_SHOWN], result["predicted"], result["probabilities"], strict=False
    )
    for source, predicted, probabilities in shown:
        place = f"line {source}" if isinstance(source, int) else source
        share = f"  {formatting.percent(max(probabilities))}" if probabilities else ""
        value = f"{predicted:g}" if isinstance(predicted, float) else predicted
        print(f"{place}: {value}{share}")
    if result["rows"] > MAX_SHOWN:
        print(f"… of {count} predictions; --output FILE writes all of them")
