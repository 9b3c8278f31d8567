"""Train built-in models from scratch: ``python -m workbench.checkpoints fashion/lenet5``.

``--students`` trains the shipped students, and continues where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch

from workbench.checkpoints.make import make_checkpoint
from workbench.checkpoints.presets import write_presets
from workbench.checkpoints.students import make_students
from workbench.domain.model import Architecture
from workbench.errors import WorkbenchError
from workbench.zoo.registry import architecture
from workbench.zoo.tables import ARCHITECTURES

THREADS = 1  # checkpoints are bit-identical only for the same number of threads


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the checkpoints and cards of the named models into the package.

    The exit status is 2 if a name is unknown.
    """
    parser = argparse.ArgumentParser(
        prog="python -m workbench.checkpoints",
        description="Train built-in models from scratch and write their checkpoints and cards.",
    )
    parser.add_argument("models", nargs="*", help=f"choose from: {', '.join(ARCHITECTURES)}")
    parser.add_argument("--all", action="store_true", help="train every built-in model")
    parser.add_argument("--students", action="store_true", help="train the shipped students")
    parser.add_argument(
        "--presets", action="store_true", help="measure the presets on every built-in model"
    )
    options = parser.parse_args(arguments)
    names = list(ARCHITECTURES) if options.all else options.models
    if not names and not options.students and not options.presets:
        parser.error("name a model, or use --all, --students or --presets")
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    try:
        for selected in [architecture(name) for name in names]:
            _train(selected)
        if options.students:
            make_students(_print_line)
    except WorkbenchError as error:
        parser.exit(2, f"{error}\n")
    if options.presets:
        write_presets()


def _train(architecture: Architecture) -> None:
    name, task, plan = architecture.name, architecture.task, architecture.plan
    splits = (task.split("train"), task.split("validation"), task.split("test"))

    def report(epoch: int, value: float) -> None:
        validation = task.metric.format(value)
        _print_line(f"{name}: epoch {epoch} of {plan.epochs}, validation {validation}")

    make_checkpoint(architecture, plan, splits, architecture.checkpoint, report)
    _print_line(f"{name}: wrote {architecture.checkpoint}")


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
