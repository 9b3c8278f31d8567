"""`workbench train` and `workbench distill`: a recipe trained for some seconds, as a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.cli.progress import progress_bar
from workbench.errors import TrainingError, WorkbenchError
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import FieldSpec, specs

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep

SECONDS = 60.0
OF_DISTILLATION = ("teacher", "temperature", "mix", "matching")
NUMBERS = {"integer": int, "real": float}


def run(options: argparse.Namespace, recipe: Recipe) -> dict[str, Any]:
    """Train `recipe`, write the file, and return its report with the file's name.

    What the options say goes before what the recipe says. Steps come from ``--seconds`` or
    ``--steps``, else from the recipe, else from a minute.

    Raises
    ------
    WorkbenchError
        When both are given, or training or writing fails.
    """
    from workbench.session import teacher_warning
    from workbench.zoo import model

    chosen = model(options.model)
    asked = {field.name: getattr(options, field.name, None) for field in specs(Train)}
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    seconds = options.seconds
    if seconds is not None and "steps" in given:
        raise WorkbenchError("Seconds become steps: give --seconds or --steps, not both.")
    if seconds is None and recipe.train is None and "steps" not in given:
        seconds = SECONDS
    teacher = given.get("teacher", recipe.train.teacher if recipe.train else "")
    warning = teacher_warning(chosen, teacher)
    if warning:
        print(f"workbench: {warning}", file=sys.stderr)
    from workbench.artifact.artifact import check_writable
    from workbench.evaluation.measure import measure
    from workbench.pipeline import train

    check_writable(options.output)
    reached: TrainingStep | None = None
    with progress_bar("training") as advance:

        def progress(moment: TrainingStep) -> None:
            nonlocal reached
            reached = moment
            if seconds is not None and moment.step == 1:  # what a kill would else hide
                print(
                    f"workbench: {moment.steps} steps fit in; --steps {moment.steps} instead of "
                    "--seconds repeats or resumes them.",
                    file=sys.stderr,
                )
            advance(moment.step, moment.steps)

        try:
            artifact = train(chosen, recipe, seconds=seconds, progress=progress, **given)
        except KeyboardInterrupt:
            if reached is not None:
                print(
                    f"workbench: stopped at step {reached.step}; with --steps {reached.steps} the "
                    "same command goes on from there.",
                    file=sys.stderr,
                )
            raise
        except TrainingError as error:
            if error.artifact is None:
                raise
            path = error.artifact.save(options.output)
            raise TrainingError(f"{error} {path} holds the good weights.") from None
    path = artifact.save(options.output)
    with progress_bar("measuring") as advance:
        report = measure(
            chosen,
            artifact.recipe,
            timed=False,
            progress=lambda found: advance(found.examples or 0, found.total or 0),
        )
    return {"file": str(path), **report.as_dict()}


def add_options(parser: argparse.ArgumentParser, *, distilling: bool) -> None:
    """Add the options: the recipe's own fields, and the seconds to spend."""
    parser.add_argument("--recipe", metavar="FILE-or-JSON", help="what to do; absent: only train")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--seconds", type=float, help=f"how long to train; {SECONDS:g} where nothing says"
    )
    for field in specs(Train):
        if distilling or field.name not in OF_DISTILLATION:
            needed = distilling and field.name == "teacher"
            parser.add_argument(f"--{field.name.replace('_', '-')}", **_option(field, needed))


def _option(field: FieldSpec, needed: bool) -> dict[str, Any]:
    # the recipe itself refuses what is out of range, and says it better
    choices: Sequence[Any] | None = [choice.value for choice in field.choices] or None
    kind = _somebody if needed else NUMBERS.get(field.kind, str)
    return {
        "dest": field.name,
        "type": kind,
        "choices": choices,
        "help": field.help.replace("%", "%%"),
        "required": needed,
    }


def _somebody(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("name a teacher; without one, use workbench train")
    return text
