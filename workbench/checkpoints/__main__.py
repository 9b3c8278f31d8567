"""Train built-in models from scratch: ``python -m workbench.checkpoints fashion/lenet5``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch

from workbench.checkpoints.make import make_checkpoint
from workbench.domain.model import Architecture
from workbench.errors import WorkbenchError
from workbench.zoo.registry import architecture
from workbench.zoo.tables import ARCHITECTURES

THREADS = 1  # the bits of a checkpoint depend on it


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the checkpoints and cards of the named models into the package.

    The exit status is 2 when a name is unknown.
    """
    parser = argparse.ArgumentParser(
        prog="python -m workbench.checkpoints",
        description="Train built-in models from scratch and write their checkpoints and cards.",
    )
    parser.add_argument("models", nargs="*", help=f"from: {', '.join(ARCHITECTURES)}")
    parser.add_argument("--all", action="store_true", help="train every built-in model")
    options = parser.parse_args(arguments)
    names = list(ARCHITECTURES) if options.all else options.models
    if not names:
        parser.error("name a model or give --all")
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    try:
        for chosen in [architecture(name) for name in names]:
            _train(chosen)
    except WorkbenchError as error:
        parser.exit(2, f"{error}\n")


def _train(chosen: Architecture) -> None:
    name, task, plan = chosen.name, chosen.task, chosen.plan
    splits = (task.split("train"), task.split("validation"), task.split("test"))

    def report(epoch: int, figure: float) -> None:
        found = task.metric.format(figure)
        sys.stdout.write(f"{name}: epoch {epoch} of {plan.epochs}, validation {found}\n")
        sys.stdout.flush()

    make_checkpoint(chosen, plan, splits, chosen.checkpoint, report)
    sys.stdout.write(f"{name}: wrote {chosen.checkpoint}\n")


if __name__ == "__main__":
    main()
