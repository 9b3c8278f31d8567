"""Hinton's MNIST experiment (Hinton, Vinyals and Dean, arXiv 1503.02531, section 3), scaled down.

`python benchmarks/distillation.py --data DIR [--quick]` reads the four original MNIST files (IDX,
gzip) in DIR and prints the test errors of teacher, plain and distilled students beside Hinton's.
It takes about half an hour on two cores.

As there: a teacher 784-1200-1200-10 trained on images jittered by up to two pixels; students
784-800-800-10 without any regularization, on images as they are. Scaled: the teacher has 40 passes
over the images and each student 20, in batches of 128, and there are three seeds of students. AdamW
without weight decay and a falling learning rate take the place of the paper's SGD, and the moving
average of its weights that of the teacher's dropout and limits on weights. The last 5,000 training
images are kept for validation: the plain student chooses its learning rate on them, from five, and
the distilled student has to make do with it.
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
from workbench.calibration.prepare import PreparedNetwork
from workbench.compression.roles import Roles
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.teacher import Teacher
from workbench.training.types import TrainingSetup

TEMPERATURE = 20.0
"""The best of 2, 4, 8 and 20 on the validation images; the paper found all above 8 alike."""
MIX = 0.9
AVERAGE = 0.999
RATES = (2e-4, 5e-4, 1e-3, 2e-3, 4e-3)
HINTON = {"teacher": 67, "plain student": 146, "distilled student": 74}
ENOUGH = 0.7


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    examples: int = 55_000
    teacher_passes: int = 40
    student_passes: int = 20
    seeds: tuple[int, ...] = (0, 1, 2)


QUICK = Scale(examples=4_000, teacher_passes=3, student_passes=2)


class Digits(NamedTuple):
    """Images uint8 [n, 28, 28] and their labels."""

    examples: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def perceptron(width: int) -> nn.Module:
    """Make 784-width-width-10 with fresh weights."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, 10),
    )


def empty(width: int) -> nn.Module:
    """Make the same without values."""
    with device("meta"):
        return perceptron(width)


def inputs(images: NDArray[np.uint8]) -> Tensor:
    """Turn images [n, 28, 28] into what a perceptron takes, from 0 to 1."""
    return from_numpy(images).unsqueeze(1).float() / 255


def train(
    width: int, digits: Digits, settings: Train, teacher: Teacher | None
) -> dict[str, Tensor]:
    """Return the weights of a perceptron trained from the start that the seed draws."""
    manual_seed(settings.seed)
    fresh = {name: tensor.detach() for name, tensor in perceptron(width).state_dict().items()}
    lesson = TrainingSetup(
        module=empty(width),
        prepared=PreparedNetwork(fresh, CalibrationStats(), UNCHANGED),
        roles=Roles.of(fresh),
        examples=digits.examples,
        labels=digits.labels,
        inputs=inputs,
        teacher=teacher,
    )
    run = Run(lesson, Recipe(train=settings))
    for _moment in run.go():
        pass
    return run.trained().weights


def errors(width: int, weights: Mapping[str, Tensor], digits: Digits) -> int:
    """Count mistakes, in float64 so that rounding decides none."""
    wide = {name: tensor.double() for name, tensor in weights.items()}
    module, wrong = empty(width), 0
    with no_grad():
        for start in range(0, len(digits.labels), 1000):
            images, labels = (part[start : start + 1000] for part in digits)
            outputs = functional_call(module, wide, (inputs(images).double(),), strict=True)
            wrong += int((outputs.argmax(dim=1).numpy() != labels).sum())
    return wrong


class Experiment:
    """The three networks on one split of the data."""

    teacher_width, student_width = 1200, 800

    def __init__(self, folder: Path, scale: Scale) -> None:
        task = mnist(folder)
        splits = [task.split(name) for name in ("train", "validation", "test")]
        everything, *held_out = (Digits(split.examples, split.labels) for split in splits)
        self.digits = Digits(*(part[: scale.examples] for part in everything))
        self.validation, self.test = held_out
        self.scale = scale
        self._known: dict[float, dict[str, Tensor]] = {}
        self.begin = time.perf_counter()

    def teacher(self) -> tuple[Teacher, int]:
        """Train the teacher and let it compute its outputs for the unjittered images, once."""
        steps = self._steps(self.scale.teacher_passes)
        settings = Train(steps=steps, start="scratch", shift=2, average=AVERAGE)
        weights = train(self.teacher_width, self.digits, settings, None)
        teacher = Teacher(empty(self.teacher_width), weights)
        images = self.digits.examples
        teacher.precompute(lambda a, b: inputs(images[a:b]), len(images))
        wrong = errors(self.teacher_width, weights, self.test)
        self._tell(f"teacher: {wrong} errors")
        return teacher, wrong

    def rate(self) -> float:
        """Choose the plain student's learning rate on the validation images."""
        found = {}
        for rate in RATES:
            self._known[rate] = self._student(rate, self.scale.seeds[0], None)
            found[rate] = errors(self.student_width, self._known[rate], self.validation)
            self._tell(f"plain student at rate {rate}: {found[rate]} validation errors")
        return min(found, key=found.__getitem__)

    def students(self, rate: float, teacher: Teacher | None) -> list[int]:
        """Return the test errors of a student for each seed."""
        found = []
        for seed in self.scale.seeds:
            weights = self._student(rate, seed, teacher)
            found.append(errors(self.student_width, weights, self.test))
            kind = "distilled" if teacher else "plain"
            self._tell(f"{kind} student, seed {seed}: {found[-1]} errors")
        return found

    def _student(self, rate: float, seed: int, teacher: Teacher | None) -> dict[str, Tensor]:
        if teacher is None and seed == self.scale.seeds[0] and rate in self._known:
            return self._known[rate]
        settings = Train(
            steps=self._steps(self.scale.student_passes),
            start="scratch",
            learning_rate=rate,
            temperature=TEMPERATURE,
            mix=MIX if teacher else 0.0,
            seed=seed,
        )
        return train(self.student_width, self.digits, settings, teacher)

    def _steps(self, passes: int) -> int:
        return passes * (len(self.digits.labels) // 128)

    def _tell(self, news: str) -> None:
        seconds = time.perf_counter() - self.begin
        print(f"{seconds:6.0f} s  {news}", file=sys.stderr, flush=True)


def closed(plain: float, distilled: float, teacher: float) -> float:
    """Return the share of the gap between plain student and teacher that distilling closes.

    There is nothing to close, and it is 0, where the teacher is no better than the student.
    """
    return (plain - distilled) / (plain - teacher) if teacher < plain else 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment and print the table; the status is 1 when too little is closed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the MNIST IDX files")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to try the script")
    options = parser.parse_args(arguments)
    experiment = Experiment(options.data, QUICK if options.quick else Scale())
    teacher, best = experiment.teacher()
    rate = experiment.rate()
    found = {
        "teacher": [best],
        "plain student": experiment.students(rate, None),
        "distilled student": experiment.students(rate, teacher),
    }
    rows = [
        [name, " ".join(map(str, wrong)), f"{fmean(wrong):.1f}", HINTON[name]]
        for name, wrong in found.items()
    ]
    plain, distilled = fmean(found["plain student"]), fmean(found["distilled student"])
    ours, theirs = closed(plain, distilled, best), closed(146, 74, 67)
    rows.append(["share of the gap closed", "", f"{ours:.0%}", f"{theirs:.0%}"])
    minutes = (time.perf_counter() - experiment.begin) / 60
    print(machine(), end="\n\n")
    print(table(["network", "test errors by seed", "mean", "Hinton et al."], rows), end="\n\n")
    print(
        f"{len(experiment.digits.labels):,} training images, temperature {TEMPERATURE:g}, "
        f"{MIX:.0%} of the loss from the teacher, learning rate {rate} of both students chosen "
        f"for the plain one on {HELD_BACK:,} validation images; {minutes:.0f} minutes."
    )
    if not options.quick and ours < ENOUGH:
        sys.exit(f"Less than {ENOUGH:.0%} of the gap is closed.")


if __name__ == "__main__":
    main()
