"""The commands `workbench train` and `workbench distill`: train a recipe and write its file."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from workbench.cli import models
from workbench.cli.recipes import SEPARATOR, add_recipe, option
from workbench.errors import InputError, TrainingError
from workbench.progress import draw_steps, progress_bar
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import specs

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep

SECONDS = 60.0
DISTILLATION_FIELDS = ("teacher", "temperature", "mix", "matching")


def run(options: argparse.Namespace, recipe: Recipe) -> dict[str, Any]:
    """Train `recipe`, write the file, and return its report with the file's name.

    Options override the recipe. The number of steps comes from ``--seconds`` or ``--steps``, then
    from the recipe; by default, training takes a minute.

    Raises
    ------
    InputError
        If both ``--seconds`` and ``--steps`` are given.
    TrainingError
        If training fails; the last good weights are written to the output.
    FileError
        If the output cannot be written.
    """
    from workbench.session import teacher_warning

    chosen = models.find(options.model)
    values = {field.name: getattr(options, field.name, None) for field in specs(Train)}
    given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    seconds = options.seconds
    if seconds is not None and "steps" in given:
        raise InputError(
            "Seconds are converted to steps: give --seconds or --steps, not both.",
            code="training.seconds_and_steps",
        )
    if seconds is None and recipe.train is None and "steps" not in given:
        seconds = SECONDS
    teacher = given.get("teacher", recipe.train.teacher if recipe.train else "")
    warning = teacher_warning(chosen, teacher)
    if warning:
        print(f"workbench: {warning}", file=sys.stderr)
    from workbench.artifact.writing import check_writable
    from workbench.evaluation.measure import measure
    from workbench.training.compress import train

    check_writable(options.output)
    last: TrainingStep | None = None
    with progress_bar("training") as advance:
        draw = draw_steps(chosen, advance)

        def on_step(event: TrainingStep) -> None:
            nonlocal last
            last = event
            if seconds is not None and event.step == 1:  # print now: the process may be killed
                print(
                    f"workbench: training takes {event.steps} steps; use --steps {event.steps} "
                    "instead of --seconds to repeat or resume it.",
                    file=sys.stderr,
                )
            draw(event)

        try:
            artifact = train(chosen, recipe, seconds=seconds, on_step=on_step, **given)
        except KeyboardInterrupt:
            if last is not None:
                print(
                    f"workbench: stopped at step {last.step}; the same command with --steps "
                    f"{last.steps} continues from there.",
                    file=sys.stderr,
                )
            raise
        except TrainingError as error:
            if error.artifact is None:
                raise
            path = error.artifact.save(options.output)
            raise TrainingError(
                f"{error} The last good weights are in {path}.", code=error.code
            ) from None
    path = artifact.save(options.output)
    with progress_bar("measuring") as advance:
        report = measure(
            chosen,
            artifact.recipe,
            timed=False,
            on_report=lambda report: advance(report.examples or 0, report.total or 0),
        )
    return {"file": str(path), **report.as_dict()}


def add_options(parser: argparse.ArgumentParser, *, distilling: bool) -> None:
    """Add the options: the fields of `Train`, also as ``--train.FIELD``, and the seconds."""
    add_recipe(parser, "the model is only trained")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--seconds", type=float, help=f"how long to train, by default {SECONDS:g} seconds"
    )
    defaults = vars(Train())
    for field in specs(Train):
        if distilling or field.name not in DISTILLATION_FIELDS:
            settings = option(field, defaults[field.name])
            if distilling and field.name == "teacher":
                settings |= {"required": True, "type": _teacher}
            names = f"--{field.name.replace('_', '-')}", f"--train{SEPARATOR}{field.name}"
            parser.add_argument(*names, dest=field.name, **settings)


def _teacher(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("name a teacher; without one, use workbench train")
    return text
