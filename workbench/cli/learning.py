"""The command `workbench learn`: train a small network on a table and write its file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.domain.metric import metric_named
from workbench.progress import progress_bar

if TYPE_CHECKING:
    from workbench.evaluation.honest_figures import HonestFigures
    from workbench.evaluation.report import Score

Result = dict[str, Any]
STEPS = 1000
"""Resolution of the progress bar."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("table", metavar="FILE", help="a table: .csv, .tsv and similar text")
    parser.add_argument(
        "--target", metavar="COLUMN", help="the column to predict (default: the last one)"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--number",
        dest="as_number",
        action="store_true",
        default=None,
        help="predict a number (default: as the column suggests)",
    )
    kind.add_argument("--classes", dest="as_number", action="store_false", help="predict classes")
    parser.add_argument(
        "--leave-out",
        type=_names,
        default=(),
        metavar="A,B",
        help="columns that are not used, separated by commas",
    )
    parser.add_argument(
        "--leave-out-rare",
        action="store_true",
        help="leave out the rows of classes with too few examples",
    )
    first = parser.add_mutually_exclusive_group()
    first.add_argument(
        "--header",
        dest="header",
        action="store_true",
        default=None,
        help="the first line holds names (default: as it looks)",
    )
    first.add_argument(
        "--no-header", dest="header", action="store_false", help="the first line holds data"
    )
    parser.add_argument(
        "--seconds", type=float, help="the longest time to train (default: as long as needed)"
    )
    parser.add_argument("--name", help="the name of the model (default: that of the file)")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def run(options: argparse.Namespace) -> Result:
    """Train a model, write its file, and return what was used and how well it predicts.

    Raises
    ------
    InputError
        If the table cannot be read, or there is too little to learn from.
    UnknownNameError
        If it has no column of a chosen name.
    FileError
        If a file cannot be read or written.
    """
    from workbench.artifact.artifact import check_writable
    from workbench.custom.learn import default_name, learn
    from workbench.custom.tables.inspection import Choices
    from workbench.custom.tables.read import read

    check_writable(options.output)
    choices = Choices(
        options.target,
        options.as_number,
        options.leave_out,
        options.header,
        leave_out_rare=options.leave_out_rare,
    )
    table = read(Path(options.table), choices)
    name = options.name or default_name(options.table)
    with progress_bar("training") as advance:
        cancel = CancelToken(on_progress=lambda fraction: advance(round(fraction * STEPS), STEPS))
        file = Path(options.table).name
        learned = learn(name, table, choices, options.seconds, cancel, file=file)
    from workbench.evaluation.honest_figures import honest_figures
    from workbench.evaluation.measure import measure
    from workbench.recipe import Recipe
    from workbench.training.compress import compress

    model, inspection = learned.model, learned.inspection
    path = compress(model, Recipe()).save(options.output)
    splits: dict[str, Result] = {}
    warnings = [*inspection.warnings, *model.notes]
    for split in ("validation", "test"):
        report = measure(model, Recipe(), split=split, timed=False)
        figures = honest_figures(model, report)
        assert report.score is not None
        assert figures is not None  # the metric is accuracy or explained variance
        splits[split] = _split_figures(report.score, figures)
        if not figures.better:
            warnings.append(f"{split}: {figures.sentences[0]}")
    return {
        "file": str(path),
        "model": model.name,
        "bytes": path.stat().st_size,
        "rows_read": inspection.rows_read,
        "rows_used": inspection.rows_used,
        "columns_used": [column.name for column in inspection.columns if column.used],
        "columns_left_out": {c.name: c.note for c in inspection.columns if not c.used},
        "target": inspection.target.name,
        "classes": dict(inspection.target.classes),
        "metric": model.task.metric.name,
        "accuracy": None,
        **{key: splits["validation"][key] for key in splits["validation"] if key != "sentences"},
        "splits": splits,
        "warnings": warnings,
    }


def _split_figures(score: Score, figures: HonestFigures) -> Result:
    """Return the figures of one split: the metric, the same of guessing, and sentences."""
    result: Result = {"examples": score.examples, "value": score.value}
    if figures.recalls:
        result |= {"accuracy": score.value, "baseline": figures.baseline}
        result["recall"] = dict(figures.recalls)
    else:  # always predicting the mean explains nothing of the variance
        result |= {**score.figures, "baseline": 0.0, "baseline error": figures.baseline}
    return {**result, "sentences": list(figures.sentences)}


def show(result: Result) -> None:
    """Print what was used and how well the model predicts."""
    print(f"{result['model']} predicts {result['target']}")
    rows, used = result["rows_read"], result["rows_used"]
    print(f"  rows       {used:,} of {rows:,} used")
    print(f"  columns    {', '.join(result['columns_used'])}")
    for name, reason in result["columns_left_out"].items():
        print(f"  left out   {name}: {reason}")
    if result["classes"]:
        counts = (f"{name} {count:,}" for name, count in result["classes"].items())
        print(f"  classes    {', '.join(counts)}")
    metric = metric_named(result["metric"])
    for split, figures in result["splits"].items():
        print(
            f"  {split:<11}{metric.name} {metric.format(figures['value'])} "
            f"of {figures['examples']:,} rows"
        )
        for sentence in figures["sentences"]:
            print(f"             {sentence}")
    for warning in result["warnings"]:
        print(f"  note       {warning}")
    print(f"wrote {result['file']}: {formatting.nbytes(result['bytes'])}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
