"""Hinton's MNIST experiment (Hinton, Vinyals and Dean, arXiv 1503.02531, section 3), scaled down.

`python benchmarks/distillation.py --data DIR [--quick]` reads the four original MNIST files (IDX,
gzip) in DIR and prints the test errors of the teacher, the baseline students and the distilled
students, next to those of the paper. It takes about half an hour on two cores.

As in the paper, the teacher is 784-1200-1200-10, trained on images shifted by up to two pixels. The
students are 784-800-800-10, without regularization, on unshifted images. Scaled down: the teacher
trains for 40 epochs and each student for 20, in batches of 128, with three student seeds. AdamW
without weight decay and a decreasing learning rate replaces SGD. A moving average of the weights
replaces the teacher's dropout and weight limits. The last 5,000 training images are the validation
set. The learning rate of both students is the best of five for the baseline student.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from _mnist import HELD_BACK, mnist
from _table import machine, table
from numpy.typing import NDArray
from torch import Tensor, device, from_numpy, manual_seed, nn, no_grad
from torch.func import functional_call

from workbench.artifact.module_spec import UNCHANGED
from workbench.calibration.structure import PreparedNetwork
from workbench.compression.roles import Roles
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.teacher import Teacher
from workbench.training.types import TrainingSetup

TEMPERATURE = 20.0
"""The best of 2, 4, 8 and 20 on validation; in the paper, all values above 8 are similar."""
MIX = 0.9
AVERAGE = 0.999
RATES = (2e-4, 5e-4, 1e-3, 2e-3, 4e-3)
HINTON = {"teacher": 67, "baseline student": 146, "distilled student": 74}
MIN_GAP_CLOSED = 0.7


@dataclass(frozen=True)
class Scale:
    """The size of the experiment."""

    examples: int = 55_000
    teacher_epochs: int = 40
    student_epochs: int = 20
    seeds: tuple[int, ...] = (0, 1, 2)


QUICK = Scale(examples=4_000, teacher_epochs=3, student_epochs=2)


class Digits(NamedTuple):
    """Images, uint8 of shape [n, 28, 28], and their labels."""

    examples: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def perceptron(width: int) -> nn.Module:
    """Return the network 784-width-width-10 with random weights."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, 10),
    )


def empty(width: int) -> nn.Module:
    """Return the network on the meta device."""
    with device("meta"):
        return perceptron(width)


def inputs(images: NDArray[np.uint8]) -> Tensor:
    """Convert images [n, 28, 28] to float inputs from 0 to 1."""
    return from_numpy(images).unsqueeze(1).float() / 255


def train(
    width: int, digits: Digits, settings: Train, teacher: Teacher | None
) -> dict[str, Tensor]:
    """Return the weights of a perceptron trained from a random initialization."""
    manual_seed(settings.seed)
    initial = {name: tensor.detach() for name, tensor in perceptron(width).state_dict().items()}
    lesson = TrainingSetup(
        module=empty(width),
        prepared=PreparedNetwork(initial, CalibrationStats(), UNCHANGED),
        roles=Roles.of(initial),
        examples=digits.examples,
        labels=digits.labels,
        inputs=inputs,
        teacher=teacher,
    )
    run = Run(lesson, Recipe(train=settings))
    for _step in run.go():
        pass
    return run.trained().weights


def errors(width: int, weights: Mapping[str, Tensor], digits: Digits) -> int:
    """Count errors in float64, so that rounding does not matter."""
    double = {name: tensor.double() for name, tensor in weights.items()}
    module, wrong = empty(width), 0
    with no_grad():
        for start in range(0, len(digits.labels), 1000):
            images, labels = (part[start : start + 1000] for part in digits)
            outputs = functional_call(module, double, (inputs(images).double(),), strict=True)
            wrong += int((outputs.argmax(dim=1).numpy() != labels).sum())
    return wrong


class Experiment:
    """The three networks on one dataset."""

    teacher_width, student_width = 1200, 800

    def __init__(self, folder: Path, scale: Scale) -> None:
        task = mnist(folder)
        splits = [task.split(name) for name in ("train", "validation", "test")]
        train_split, *held_out = (Digits(split.examples, split.labels) for split in splits)
        self.digits = Digits(*(part[: scale.examples] for part in train_split))
        self.validation, self.test = held_out
        self.scale = scale
        self._cache: dict[float, dict[str, Tensor]] = {}
        self.start = time.perf_counter()

    def teacher(self) -> tuple[Teacher, int]:
        """Train the teacher and cache its outputs on the unshifted images."""
        steps = self._steps(self.scale.teacher_epochs)
        settings = Train(steps=steps, start="scratch", shift=2, average=AVERAGE)
        weights = train(self.teacher_width, self.digits, settings, None)
        teacher = Teacher(empty(self.teacher_width), weights)
        images = self.digits.examples
        teacher.precompute(lambda a, b: inputs(images[a:b]), len(images))
        wrong = errors(self.teacher_width, weights, self.test)
        self._log(f"teacher: {wrong} errors")
        return teacher, wrong

    def rate(self) -> float:
        """Return the best learning rate of the baseline student on validation."""
        wrong = {}
        for rate in RATES:
            self._cache[rate] = self._student(rate, self.scale.seeds[0], None)
            wrong[rate] = errors(self.student_width, self._cache[rate], self.validation)
            self._log(f"baseline student at rate {rate}: {wrong[rate]} validation errors")
        return min(wrong, key=wrong.__getitem__)

    def students(self, rate: float, teacher: Teacher | None) -> list[int]:
        """Return the test errors of a student for each seed."""
        wrong = []
        for seed in self.scale.seeds:
            weights = self._student(rate, seed, teacher)
            wrong.append(errors(self.student_width, weights, self.test))
            kind = "distilled" if teacher else "baseline"
            self._log(f"{kind} student, seed {seed}: {wrong[-1]} errors")
        return wrong

    def _student(self, rate: float, seed: int, teacher: Teacher | None) -> dict[str, Tensor]:
        if teacher is None and seed == self.scale.seeds[0] and rate in self._cache:
            return self._cache[rate]
        settings = Train(
            steps=self._steps(self.scale.student_epochs),
            start="scratch",
            learning_rate=rate,
            temperature=TEMPERATURE,
            mix=MIX if teacher else 0.0,
            seed=seed,
        )
        return train(self.student_width, self.digits, settings, teacher)

    def _steps(self, epochs: int) -> int:
        return epochs * (len(self.digits.labels) // 128)

    def _log(self, message: str) -> None:
        seconds = time.perf_counter() - self.start
        print(f"{seconds:6.0f} s  {message}", file=sys.stderr, flush=True)


def gap_closed(baseline: float, distilled: float, teacher: float) -> float:
    """Return the fraction of the gap between student and teacher that distillation closes.

    It is 0 if the teacher is no better than the baseline student.
    """
    return (baseline - distilled) / (baseline - teacher) if teacher < baseline else 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment and print the table; the exit status is 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the MNIST IDX files")
    parser.add_argument("--quick", action="store_true", help="a test run of a few seconds")
    options = parser.parse_args(arguments)
    experiment = Experiment(options.data, QUICK if options.quick else Scale())
    teacher, best = experiment.teacher()
    rate = experiment.rate()
    results = {
        "teacher": [best],
        "baseline student": experiment.students(rate, None),
        "distilled student": experiment.students(rate, teacher),
    }
    rows = [
        [name, " ".join(map(str, wrong)), f"{fmean(wrong):.1f}", HINTON[name]]
        for name, wrong in results.items()
    ]
    baseline, distilled = (fmean(results[f"{kind} student"]) for kind in ("baseline", "distilled"))
    result, published = gap_closed(baseline, distilled, best), gap_closed(146, 74, 67)
    rows.append(["fraction of the gap closed", "", f"{result:.0%}", f"{published:.0%}"])
    minutes = (time.perf_counter() - experiment.start) / 60
    print(machine(), end="\n\n")
    print(table(["network", "test errors by seed", "mean", "Hinton et al."], rows), end="\n\n")
    print(
        f"{len(experiment.digits.labels):,} training images, temperature {TEMPERATURE:g}, "
        f"{MIX:.0%} of the loss from the teacher, learning rate {rate} of both students chosen "
        f"for the baseline one on {HELD_BACK:,} validation images; {minutes:.0f} minutes."
    )
    if not options.quick and result < MIN_GAP_CLOSED:
        sys.exit(f"Less than {MIN_GAP_CLOSED:.0%} of the gap is closed.")


if __name__ == "__main__":
    main()
