"""Recover accuracy by fine-tuning: 95 % zeros and 4 bits, and 2 bits with and without training.

Every row is a written file of `lenet5`, measured in a new process on both splits.

    python benchmarks/recovery.py [--seconds 60]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import _table
import torch

import workbench as wb
from workbench.recipe import Recipe

MODEL = "fashion/lenet5"
SPARSE = wb.Recipe(prune=wb.Prune(0.95, scope="adaptive"), quantize=wb.Quantize(4))
COARSE = wb.Recipe(quantize=wb.Quantize(2))
DISTILLATION = {"teacher": "fashion/resnet", "temperature": 1.0, "mix": 0.7}
REGULARIZATION = {"weight_decay": 0.1, "label_smoothing": 0.05, "average": 0.99, "patience": 20}
OPTIMIZATION = {"schedule": "one_cycle", "learning_rate": 3e-3, "precision": "mixed"}
SETTINGS = DISTILLATION | REGULARIZATION | OPTIMIZATION
MAX_LOSS = 0.005
MIN_GAIN = 0.05


class Row(NamedTuple):
    """A file: how it was made, and its results in a new process."""

    label: str
    steps: int
    seconds: float
    bytes: int
    validation: float
    test: float


def main() -> None:
    """Make the files and print one table; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    torch.set_num_threads(os.cpu_count() or 1)
    os.environ["WORKBENCH_STORE"] = ""  # disables the result cache
    print(f"{_table.machine()}\n`python benchmarks/recovery.py --seconds {seconds:g}`\n")
    with tempfile.TemporaryDirectory() as folder:
        maker = Maker(Path(folder), seconds)
        original = maker.baseline("original", Recipe())
        pruned = maker.baseline("95 % zeros, 4 bits", SPARSE)
        recovered = maker.trained("… fine-tuned", SPARSE, sparsening="cubic", **SETTINGS)
        rounded = maker.baseline("2 bits", COARSE)
        ranged = maker.baseline("2 bits, range by least error", least_error(COARSE))
        straight = maker.trained("2 bits, straight-through", COARSE, **SETTINGS)
        learned = maker.trained("2 bits, learned step size", COARSE, rounding="learned", **SETTINGS)
    columns = ("file", "steps", "seconds", "bytes", "validation", "test")
    rows = (original, pruned, recovered, rounded, ranged, straight, learned)
    print(_table.table(columns, [_cells(row) for row in rows]))
    loss = {split: getattr(original, split) - getattr(recovered, split) for split in columns[-2:]}
    best = {split: max(getattr(r, split) for r in (rounded, ranged)) for split in loss}
    gain = {split: getattr(learned, split) - best[split] for split in loss}
    print(f"\nFine-tuned: {_points(loss)} below the original; target {MAX_LOSS:.1%}.")
    print(
        f"Learned step size: {_points(gain)} above 2 bits without training; target {MIN_GAIN:.0%}."
    )
    sys.exit(0 if max(loss.values()) <= MAX_LOSS and min(gain.values()) >= MIN_GAIN else 1)


class Maker:
    """Makes files in `folder`; training takes `seconds`."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds
        self.model = wb.model(MODEL)

    def baseline(self, label: str, recipe: Recipe) -> Row:
        """Compress without training."""
        return self._measured(label, wb.compress(self.model, recipe), 0, 0.0)

    def trained(self, label: str, recipe: Recipe, **settings: object) -> Row:
        """Compress with training; its seconds include the teacher."""
        start = time.perf_counter()
        artifact = wb.train(
            self.model,
            recipe,
            seconds=self.seconds,
            threads=torch.get_num_threads(),
            **settings,
        )
        seconds = time.perf_counter() - start
        assert artifact.recipe.train is not None
        return self._measured(label, artifact, artifact.recipe.train.steps, seconds)

    def _measured(self, label: str, artifact: wb.Artifact, steps: int, seconds: float) -> Row:
        path = artifact.save(self.folder / f"{len(list(self.folder.iterdir()))}.safetensors")
        values = [_in_new_process(path, split) for split in ("validation", "test")]
        return Row(label, steps, seconds, path.stat().st_size, *values)


def least_error(recipe: Recipe) -> Recipe:
    """Return `recipe` with the range that minimizes the rounding error."""
    return Recipe(quantize=wb.Quantize(recipe.quantize.bits, range="mse"))


def _in_new_process(path: Path, split: str) -> float:
    command = ["evaluate", str(path), "--split", split, "--json"]
    process = subprocess.run(
        [sys.executable, "-m", "workbench", *command], capture_output=True, text=True, check=True
    )
    return float(json.loads(process.stdout)["accuracy"])


def _cells(row: Row) -> list[str]:
    trained = [f"{row.steps:,}", f"{row.seconds:.0f}"] if row.steps else ["", ""]
    shares = [f"{share:.2%}" for share in (row.validation, row.test)]
    return [row.label, *trained, f"{row.bytes:,}", *shares]


def _points(values: dict[str, float]) -> str:
    return " and ".join(f"{100 * value:.2f} points ({split})" for split, value in values.items())


if __name__ == "__main__":
    main()
