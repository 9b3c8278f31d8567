"""The command `workbench learn`: train a small network on a table or pictures, write its file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.cli.command_options import add_encoding, names as separated
from workbench.cli.inspecting import holds_pictures
from workbench.custom.pictures.inspection import SIZES
from workbench.domain import Model
from workbench.domain.metric import metric_named
from workbench.errors import RecipeError
from workbench.progress import progress_bar

if TYPE_CHECKING:
    from workbench.evaluation.honest_figures import HonestFigures
    from workbench.evaluation.report import Score

Result = dict[str, Any]
Learned = tuple[Model, Result, Sequence[str]]
"""A model, what was used of the data, and sentences about it."""
TABLE_OPTIONS = {
    "--number or --classes": "as_number",
    "--header": "header",
    "--encoding": "encoding",
}
"""Options for tables in addition to that of the column, and their names here."""
DATA_OPTIONS = {
    **TABLE_OPTIONS,
    "--leave-out": "leave_out",
    "--leave-out-rare": "leave_out_rare",
    "--size": "size",
}
"""Options for all data in addition to that of the column, and their names here."""
STEPS = 1000
"""Resolution of the progress bar."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "data",
        metavar="DATA",
        help="a table (.csv, .tsv and similar text), or pictures: a folder or .zip with a folder "
        "for each class",
    )
    add_data_options(parser, "--target")
    parser.add_argument(
        "--seconds", type=float, help="the longest time to train (default: as long as needed)"
    )
    parser.add_argument("--name", help="the name of the model (default: that of the file)")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def add_data_options(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, column: str
) -> None:
    """Add the options that say how data are read; `column` is the one for what is predicted."""
    parser.add_argument(
        column, dest="column", metavar="COLUMN", help="the column to predict (default: the last)"
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
        type=separated,
        metavar="A,B",
        help="columns, or classes of pictures, that are not used, separated by commas; a name with "
        "a comma in quotation marks",
    )
    parser.add_argument(
        "--leave-out-rare",
        action="store_true",
        default=None,
        help="leave out classes with too few examples",
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
    add_encoding(parser)
    parser.add_argument(
        "--size",
        type=int,
        choices=SIZES,
        help="the pixels of a side that pictures are resized to (default: as they need)",
    )


def run(options: argparse.Namespace) -> Result:
    """Train a model, write its file, and return what was used and how well it predicts.

    Raises
    ------
    InputError
        If the table or the pictures cannot be read, or there is too little to learn from.
    UnknownNameError
        If a table has no column of a chosen name.
    RecipeError
        If an option is for the other kind of data.
    FileError
        If a file cannot be read or written.
    """
    from workbench.artifact.writing import check_writable

    check_writable(options.output)
    model, facts, warnings = learn_from(options, "--target")
    return {**_file_and_figures(model, options.output, warnings), **facts}


def learn_from(options: argparse.Namespace, column: str) -> Learned:
    """Train a model on the data of the options of `add_data_options`.

    Parameters
    ----------
    options
        They also have `data`, `name` and `seconds`.
    column
        As for `add_data_options`.

    Raises
    ------
    WorkbenchError
        As in `run`.
    """
    is_pictures = holds_pictures(Path(options.data))
    _check_kind(options, column, is_pictures)
    with progress_bar("training") as advance:
        cancel = CancelToken(on_progress=lambda fraction: advance(round(fraction * STEPS), STEPS))
        return (_pictures if is_pictures else _table)(options, cancel)


def _table(options: argparse.Namespace, cancel: CancelToken) -> Learned:
    from workbench.custom.learn import default_name, learn
    from workbench.custom.tables.inspection import Choices
    from workbench.custom.tables.read import read

    path = Path(options.data)
    choices = Choices(
        options.column,
        options.as_number,
        options.leave_out or (),
        options.header,
        leave_out_rare=bool(options.leave_out_rare),
        encoding=options.encoding,
    )
    table = read(path, choices)
    name = options.name or default_name(options.data)
    learned = learn(name, table, choices, options.seconds, cancel, file=path.name)
    inspection = learned.inspection
    facts = {
        "rows_read": inspection.rows_read,
        "rows_used": inspection.rows_used,
        "columns_used": [column.name for column in inspection.columns if column.used],
        "columns_left_out": {c.name: c.note for c in inspection.columns if not c.used},
        "target": inspection.target.name,
        "classes": dict(inspection.target.classes),
    }
    return learned.model, facts, inspection.warnings


def _pictures(options: argparse.Namespace, cancel: CancelToken) -> Learned:
    from workbench.custom.pictures.inspection import PictureChoices
    from workbench.custom.pictures.learn import learn_pictures

    choices = PictureChoices(
        options.size,
        leave_out=options.leave_out or (),
        leave_out_rare=bool(options.leave_out_rare),
    )
    model, inspection = learn_pictures(options.data, choices, options.name, options.seconds, cancel)
    facts = {
        "files_read": inspection.files_read,
        "pictures_used": inspection.pictures_used,
        "files_left_out": {ignored.reason: ignored.count for ignored in inspection.ignored},
        "size": inspection.size,
        "classes": dict(inspection.classes),
    }
    return model, facts, inspection.warnings


def _check_kind(options: argparse.Namespace, column: str, is_pictures: bool) -> None:
    """Raise if an option is for the other kind of data."""
    if is_pictures:
        given = given_options(options, {column: "column", **TABLE_OPTIONS})
        if given:
            raise RecipeError(
                f"{given[0]} is for tables, but {options.data} holds pictures: omit it.",
                code="learn.table_option",
            )
    elif options.size is not None:
        raise RecipeError(
            f"--size is for pictures, but {options.data} is read as a table: omit it.",
            code="learn.picture_option",
        )


def given_options(options: argparse.Namespace, names: Mapping[str, str]) -> list[str]:
    """Return the options that were given, of a mapping from them to their names in `options`."""
    return [option for option, name in names.items() if getattr(options, name) is not None]


def _file_and_figures(model: Model, output: str, notes: Sequence[str]) -> Result:
    """Write the file of a model; return its size and how well it predicts on both splits."""
    from workbench.evaluation.honest_figures import honest_figures
    from workbench.evaluation.measure import measure
    from workbench.recipe import Recipe
    from workbench.training.compress import compress

    path = compress(model, Recipe()).save(output)
    splits: dict[str, Result] = {}
    warnings = [*notes, *model.notes]
    for split in ("validation", "test"):
        report = measure(model, Recipe(), split=split, timed=False)
        figures = honest_figures(model, report)
        assert report.score is not None
        assert figures is not None  # the metric is accuracy or R²
        splits[split] = _split_figures(report.score, figures)
        if not figures.better:
            warnings.append(f"{split}: {figures.sentences[0]}")
    return {
        "file": str(path),
        "model": model.name,
        "bytes": path.stat().st_size,
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
    if "target" in result:
        print(f"{result['model']} predicts {result['target']}")
        print(f"  rows       {result['rows_used']:,} of {result['rows_read']:,} used")
        print(f"  columns    {', '.join(result['columns_used'])}")
        for name, reason in result["columns_left_out"].items():
            print(f"  left out   {name}: {reason}")
    else:
        print(f"{result['model']} predicts the class of a picture")
        side = result["size"]
        print(f"  pictures   {result['pictures_used']:,} at {side} × {side} pixels")
        for reason, count in result["files_left_out"].items():
            print(f"  left out   {count:,}: {reason}")
    if result["classes"]:
        counts = (f"{name} {count:,}" for name, count in result["classes"].items())
        print(f"  classes    {', '.join(counts)}")
    metric = metric_named(result["metric"])
    for split, figures in result["splits"].items():
        print(
            f"  {split:<11}{metric.label} {metric.format(figures['value'])} "
            f"of {figures['examples']:,} examples"
        )
        for sentence in figures["sentences"]:
            print(f"             {sentence}")
    for warning in result["warnings"]:
        print(f"  note       {warning}")
    print(f"wrote {result['file']}: {formatting.nbytes(result['bytes'])}")
