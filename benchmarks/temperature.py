"""Where the temperature of distillation matters, on Fashion-MNIST.

`python benchmarks/temperature.py [--steps N] [--seeds N]` trains the student 784-32-10, and a
narrower one with 8 hidden units, with the ResNet as teacher: on all images with all labels or 1 %
of them, on 500 images only, and without the images or without the labels of one class. It prints
the validation accuracy by temperature, the differences to temperature 1 with 95 % t intervals over
the seeds, and the recall of the missing class. It takes about half an hour on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import torch
from _table import machine, table
from numpy.typing import NDArray
from scipy import stats

import workbench as wb
from workbench.evaluation.reference import predict
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.subset import labeled_examples

TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0)
NETWORK, TEACHER = "fashion/mlp-32", "fashion/resnet"
BAG = 8


@dataclass(frozen=True)
class Case:
    """What the student sees. `missing` is a class without images, or without labels only."""

    name: str
    width: float = 1.0
    labels: float = 1.0
    images: float = 1.0
    missing: int | None = None
    has_images: bool = False


CASES = (
    Case("784-32-10, all labels"),
    Case("784-32-10, 1 % of the labels", labels=0.01),
    Case("784-32-10, 500 images", images=0.025),
    Case("784-32-10, no labels of bags", missing=BAG, has_images=True),
    Case("784-32-10, no images of bags", missing=BAG),
    Case("784-8-10, all labels", width=0.25),
    Case("784-8-10, 1 % of the labels", width=0.25, labels=0.01),
)


def train(case: Case, settings: Train) -> NDArray[np.int64]:
    """Return the predictions of a trained student on validation."""
    model = wb.model(NETWORK)
    recipe = Recipe(train=replace(settings, width=case.width, labels=case.labels))
    classes = model.task.split("train").labels
    known = (
        np.full(len(classes), fill_value=True) if case.missing is None else classes != case.missing
    )
    examples = labeled_examples(classes, case.images, settings.seed)
    if not (case.has_images and settings.teacher):
        examples = examples[known[examples]]
    setup = training_setup(model, recipe, examples=examples)
    if case.has_images and settings.teacher:
        setup = replace(setup, labeled=torch.from_numpy(known[examples]))
    run = Run(setup, recipe)
    for _step in run.go():
        pass
    narrow = model.with_spec(setup.prepared.spec)
    return predict(narrow, run.trained().weights, model.task.split("validation").examples)


def interval(differences: Sequence[float]) -> str:
    """Return mean and 95 % t interval of differences over seeds, in points."""
    mean = fmean(differences)
    half = float(stats.t.ppf(0.975, len(differences) - 1) * stats.sem(differences))
    return f"{100 * mean:+.1f} ± {100 * half:.1f}"


def measure(case: Case, settings: Sequence[Train]) -> tuple[list[float], list[float]]:
    """Return accuracy on validation, and recall of the missing class, for each seed."""
    labels = wb.model(NETWORK).task.split("validation").labels
    right = [train(case, chosen) == labels for chosen in settings]
    missing = np.ones(len(labels), dtype=bool) if case.missing is None else labels == case.missing
    return [float(hits.mean()) for hits in right], [float(hits[missing].mean()) for hits in right]


def rows(case: Case, steps: int, seeds: int) -> list[list[str]]:
    """Return a row of the table for training alone and for each temperature."""
    base = Train(steps, start="scratch", learning_rate=2e-3, threads=1)
    repeats = [replace(base, seed=seed) for seed in range(seeds)]
    lines, first = [], None
    for temperature in (None, *TEMPERATURES):
        taught = {} if temperature is None else {"teacher": TEACHER, "temperature": temperature}
        values, recall = measure(case, [replace(chosen, **taught) for chosen in repeats])
        if temperature == TEMPERATURES[0]:
            first = values
        pairs = None if first is None else [a - b for a, b in zip(values, first, strict=True)]
        lines.append(
            [
                case.name if temperature is None else "",
                "alone" if temperature is None else f"{temperature:g}",
                f"{100 * fmean(values):.1f} %",
                interval(pairs) if pairs and temperature != TEMPERATURES[0] else "",
                "" if case.missing is None else f"{100 * fmean(recall):.0f} %",
            ]
        )
        print(*lines[-1], sep=" | ", flush=True)
    return lines


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--case", help="run the cases whose name contains this text")
    options = parser.parse_args()
    chosen = [case for case in CASES if (options.case or "") in case.name]
    lines = [row for case in chosen for row in rows(case, options.steps, options.seeds)]
    head = ["student", "temperature", "accuracy", "minus temperature 1", "recall of the class"]
    print(machine(), table(head, lines), sep="\n\n")


if __name__ == "__main__":
    main()
