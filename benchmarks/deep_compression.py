"""Deep Compression (Han, Mao and Dally, arXiv 1510.00149) on MNIST, in real files.

`python benchmarks/deep_compression.py --data DIR [--quick]` reads the four original MNIST files
(IDX, gzip) in DIR. It trains LeNet-300-100 and LeNet-5, prunes them with retraining to the
densities of the paper's tables 2 and 3, shares values, encodes, and continues to smaller files.
Every size is that of a written file, including the container. Every accuracy is a reference
evaluation of that file, loaded in a new process. The exit status is 1 if a target is missed.

All settings were chosen on 5,000 images held back from training. So is the smallest file: the
smallest one with no more errors there than the dense network. Test images are evaluated once for
each file and are never used for selection.

The two networks train in parallel, on one core each. Trained files are cached in the user's cache
folder, so that an interrupted run resumes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from math import prod
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from _mnist import HELD_BACK, in_new_process, mnist, untrained
from _table import machine, table

import workbench as wb
from workbench.artifact.ledger import Ledger
from workbench.domain.model import Model
from workbench.recipe import Prune, Recipe, Share, Train

EPOCH = 429
"""Batches of 128 in 55,000 images."""
QUICK = 20
"""Training steps in a quick test of the script."""
PAPERS = "the paper's densities"
SLACK = 0.001
"""Tolerated loss of test accuracy at the paper's densities."""


class Published(NamedTuple):
    """A row of the paper's tables 2 and 3, after pruning, sharing and Huffman coding.

    Percentage of remaining weights, bits per value and per position, percentage of float32 size.
    """

    density: float
    value: float
    position: float
    size: float


@dataclass(frozen=True)
class Plan:
    """A network: the paper's results for it, and our recipes.

    `accuracy` is that of the paper's dense network and `times` its compression ratio. `smaller`
    has the recipes for smaller files, by label.
    """

    network: str
    accuracy: float
    times: int
    published: dict[str, Published]
    dense: Train
    paper: Recipe
    smaller: dict[str, Recipe]


FULLY_CONNECTED = {
    "fc1": Published(8, 4.4, 3.7, 2.32),
    "fc2": Published(9, 4.4, 4.3, 3.04),
    "fc3": Published(26, 4.3, 3.2, 12.70),
}
CONVOLUTIONAL = {
    "conv1": Published(66, 7.2, 1.5, 67.45),
    "conv2": Published(12, 7.2, 3.9, 5.28),
    "fc1": Published(8, 4.5, 4.5, 2.45),
    "fc2": Published(19, 5.2, 3.7, 6.13),
}


def to_the_densities(published: dict[str, Published]) -> Prune:
    """Return the pruning to the paper's density of each layer."""
    layers = {f"{name}.weight": round(1 - row.density / 100, 2) for name, row in published.items()}
    return Prune(0.0, scope="named", layers=layers)


def adaptive(sparsity: float) -> Prune:
    """Return the pruning to `sparsity` with adaptive per-layer ratios (LAMP)."""
    return Prune(sparsity, scope="adaptive")


BASE = Train(schedule="one_cycle", learning_rate=2e-3, shift=1, average=0.999, threads=1)
DENSE_300 = replace(BASE, start="scratch", steps=20 * EPOCH, weight_decay=0.1)
RETRAIN_300 = replace(BASE, steps=12 * EPOCH, sparsening="cubic", teacher="self")
LONGER_300 = replace(RETRAIN_300, steps=16 * EPOCH)
DENSE_5 = replace(BASE, start="scratch", steps=12 * EPOCH, precision="mixed")
RETRAIN_5 = replace(BASE, steps=10 * EPOCH, sparsening="cubic", precision="mixed")
DISTILL_5 = replace(RETRAIN_5, teacher="self")
SHORTER_5 = replace(DISTILL_5, steps=5 * EPOCH)

PLANS = (
    Plan(
        network="mnist/lenet-300-100",
        accuracy=0.9836,
        times=40,
        published=FULLY_CONNECTED,
        dense=DENSE_300,
        paper=Recipe(prune=to_the_densities(FULLY_CONNECTED), share=Share(16), train=RETRAIN_300),
        smaller={
            "8 % of the weights, 16 shared values": Recipe(
                prune=adaptive(0.92), share=Share(16), train=LONGER_300
            ),
            "7 % of the weights, 8 shared values": Recipe(
                prune=adaptive(0.93), share=Share(8), train=LONGER_300
            ),
            "4 % of the weights, 8 shared values": Recipe(
                prune=adaptive(0.96), share=Share(8), train=LONGER_300
            ),
        },
    ),
    Plan(
        network="mnist/lenet5",
        accuracy=0.9920,
        times=39,
        published=CONVOLUTIONAL,
        dense=DENSE_5,
        paper=Recipe(prune=to_the_densities(CONVOLUTIONAL), share=Share(16), train=RETRAIN_5),
        smaller={
            "5 % of the weights, 8 shared values": Recipe(
                prune=adaptive(0.95), share=Share(8), train=SHORTER_5
            ),
            "1.5 % of the weights, 8 shared values": Recipe(
                prune=adaptive(0.985), share=Share(8), train=DISTILL_5
            ),
        },
    ),
)


class File(NamedTuple):
    """A written file: size, ledger, nonzero weights by tensor, and correct predictions."""

    label: str
    bytes: int
    ledger: Ledger
    nonzeros: dict[str, int]
    validation: int
    test: int


class Experiment:
    """Makes the files of one network in `folder`."""

    def __init__(self, plan: Plan, data: Path, folder: Path, quick: bool) -> None:
        self.plan, self.data, self.folder, self.quick = plan, data, folder, quick
        self.start = time.perf_counter()
        self.model = self._dense()

    def files(self) -> list[File]:
        """Return the dense file, the one at the paper's densities, and the smaller ones."""
        recipes = {"dense, float32": Recipe(), PAPERS: self.plan.paper, **self.plan.smaller}
        return [self._compress(label, recipe) for label, recipe in recipes.items()]

    def _dense(self) -> Model:
        """Train the dense network from scratch and return it as a `Model`."""
        from safetensors.torch import save

        model = untrained(self.plan.network, mnist(self.data), self.folder)
        content = save(wb.compress(model, self._shortened(Recipe(train=self.plan.dense))).weights())
        model.architecture.checkpoint.write_bytes(content)
        digest = sha256(content).hexdigest()
        return Model(model.architecture, {**model.card, "sha256": digest})

    def _compress(self, label: str, recipe: Recipe) -> File:
        artifact = wb.compress(self.model, self._shortened(recipe))
        path = artifact.save(self.folder / f"{len(list(self.folder.iterdir()))}.wb")
        nonzeros = {name: int((values != 0).sum()) for name, values in artifact.weights().items()}
        validation, test = (
            in_new_process(path, self.data, split) for split in ("validation", "test")
        )
        size, correct = validation["bytes"], validation["correct"]
        self._log(f"{label}: {size:,} bytes, {correct:,} correct on validation")
        return File(label, size, artifact.ledger, nonzeros, correct, test["correct"])

    def _shortened(self, recipe: Recipe) -> Recipe:
        if not self.quick or recipe.train is None:
            return recipe
        return replace(recipe, train=replace(recipe.train, steps=QUICK))

    def _log(self, message: str) -> None:
        seconds = time.perf_counter() - self.start
        print(f"{seconds:6.0f} s  {self.plan.network}, {message}", file=sys.stderr, flush=True)


def smallest_without_loss(dense: File, files: Sequence[File]) -> File | None:
    """Return the smallest of `files` with no more validation errors than `dense`, or None."""
    good = [file for file in files if file.validation >= dense.validation]
    return min(good, key=lambda file: file.bytes, default=None)


def run(plan: Plan, data: Path, quick: bool) -> list[File]:
    """Return the files of `plan`; runs in its own process."""
    import torch

    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        return Experiment(plan, data, Path(folder), quick).files()


def summary(files: Sequence[File], examples: int) -> str:
    """Return the table of files; `examples` is the number of test images."""
    dense = files[0]
    rows = [
        [
            file.label,
            f"{file.bytes:,}",
            f"{dense.bytes / file.bytes:.1f}",
            f"{file.validation:,}",
            f"{file.test / examples:.2%}",
            f"{100 * (file.test - dense.test) / examples:+.2f}",
        ]
        for file in files
    ]
    columns = ["file", "bytes", "times smaller", f"validation, of {HELD_BACK:,}", "test", "change"]
    return table(columns, rows)


def layers(file: File, plan: Plan) -> str:
    """Return the table of a file's layers, with the paper's results in brackets."""
    rows = [list(_layer(file, f"{name}.weight", row)) for name, row in plan.published.items()]
    biases = [row for row in file.ledger.rows if len(row.shape) == 1]
    count = sum(row.shape[0] for row in biases)
    size = sum(row.total for row in biases)
    rows.append(
        ["biases", f"{count:,}", "", "", "", "", "", f"{size:,}", f"{size / 4 / count:.1%}"]
    )
    rows.append(["container", "", "", "", "", "", "", f"{file.ledger.container:,}", ""])
    columns = [
        "tensor",
        "weights",
        "nonzero",
        "shared values",
        "bits per value",
        "bits per position",
        "codebook and tables",
        "bytes",
        "of float32",
    ]
    return table(columns, rows)


def _layer(file: File, name: str, published: Published) -> Iterator[str]:
    row, nonzeros = file.ledger[name], file.nonzeros[name]
    weights = prod(row.shape)
    yield name.removesuffix(".weight")
    yield f"{weights:,}"
    yield f"{nonzeros / weights:.1%} ({published.density:g} %)"
    yield f"{row.scales // 4}"
    yield f"{8 * row.values / nonzeros:.1f} ({published.value})"
    yield f"{8 * row.indices / nonzeros:.1f} ({published.position})"
    yield f"{row.scales + row.tables:,}"
    yield f"{row.total:,}"
    yield f"{row.total / 4 / weights:.2%} ({published.size} %)"


def missed_targets(plan: Plan, files: Sequence[File], examples: int) -> list[str]:
    """Return a sentence for each missed target."""
    dense, paper = files[:2]
    targets = {
        f"{plan.network} dense: test accuracy below the paper's {plan.accuracy:.2%}.": (
            dense.test >= plan.accuracy * examples
        ),
        f"{plan.network} at the paper's densities: less than {plan.times} times smaller.": (
            dense.bytes >= plan.times * paper.bytes
        ),
        f"{plan.network} at the paper's densities: more than {SLACK:.1%} below the dense one.": (
            dense.test - paper.test <= SLACK * examples
        ),
    }
    return [sentence for sentence, met in targets.items() if not met]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the files and print the tables; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the MNIST IDX files")
    parser.add_argument("--quick", action="store_true", help="a test run of one minute")
    options = parser.parse_args(arguments)
    examples = len(mnist(options.data).split("test"))  # also fails early if files are missing
    start = time.perf_counter()
    with ProcessPoolExecutor(len(PLANS), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(run, plan, options.data, options.quick) for plan in PLANS]
        results = [future.result() for future in futures]
    print(f"{machine()}; {(time.perf_counter() - start) / 60:.0f} minutes", end="\n\n")
    failures = []
    for plan, files in zip(PLANS, results, strict=True):
        smallest = smallest_without_loss(files[0], files[1:])
        print(f"`{plan.network}`; the paper: {plan.accuracy:.2%}, {plan.times} times smaller\n")
        print(summary(files, examples), end="\n\n")
        label = f"“{smallest.label}”" if smallest else "none"
        print(f"The smallest without loss on the validation images: {label}.\n")
        for file in files[1:]:
            print(f"The layers of “{file.label}” (the paper):\n\n{layers(file, plan)}\n")
        failures += missed_targets(plan, files, examples)
    if failures and not options.quick:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
