"""What training wins back: 95 % zeros and 4 bits after a minute, 2 bits with and without training.

Every row is a file of `lenet5`, written, and measured anew in a process of its own on both splits.

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
TAUGHT = {"teacher": "fashion/resnet", "temperature": 1.0, "mix": 0.7}
CALM = {"weight_decay": 0.1, "label_smoothing": 0.05, "average": 0.99, "patience": 20}
PACE = {"schedule": "one-cycle", "learning_rate": 3e-3, "precision": "mixed"}
HOW = TAUGHT | CALM | PACE
NEAR = 0.005
GAIN = 0.05


class Row(NamedTuple):
    """A file: how it was made, and what a fresh process says of it."""

    label: str
    steps: int
    seconds: float
    bytes: int
    validation: float
    test: float


def main() -> None:
    """Make the files and print one table; the status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    torch.set_num_threads(os.cpu_count() or 1)
    os.environ["WORKBENCH_STORE"] = ""  # nothing is taken from an earlier run
    print(f"{_table.machine()}\n`python benchmarks/recovery.py --seconds {seconds:g}`\n")
    with tempfile.TemporaryDirectory() as folder:
        maker = Maker(Path(folder), seconds)
        original = maker.plain("the original", Recipe())
        plain = maker.plain("95 % zeros, 4 bits", SPARSE)
        won = maker.trained("… won back", SPARSE, sparsening="cubic", **HOW)
        rounded = maker.plain("2 bits", COARSE)
        ranged = maker.plain("2 bits, range by least error", least_error(COARSE))
        straight = maker.trained("2 bits, trained straight through", COARSE, **HOW)
        learned = maker.trained("2 bits, learned step size", COARSE, rounding="learned", **HOW)
    columns = ("file", "steps", "seconds", "bytes", "validation", "test")
    rows = (original, plain, won, rounded, ranged, straight, learned)
    print(_table.table(columns, [_cells(row) for row in rows]))
    short = {split: getattr(original, split) - getattr(won, split) for split in columns[-2:]}
    best = {split: max(getattr(r, split) for r in (rounded, ranged)) for split in short}
    gain = {split: getattr(learned, split) - best[split] for split in short}
    print(f"\nWon back: {_points(short)} below the original; {NEAR:.1%} is the target.")
    print(f"Learned step size: {_points(gain)} above 2 bits without training; target {GAIN:.0%}.")
    sys.exit(0 if max(short.values()) <= NEAR and min(gain.values()) >= GAIN else 1)


class Maker:
    """Makes files in `folder`, training for `seconds` where training is asked for."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds
        self.model = wb.model(MODEL)

    def plain(self, label: str, recipe: Recipe) -> Row:
        """Compress without training."""
        return self._measured(label, wb.compress(self.model, recipe), 0, 0.0)

    def trained(self, label: str, recipe: Recipe, **settings: object) -> Row:
        """Compress with training; the seconds are those of training, teacher included."""
        begin = time.perf_counter()
        artifact = wb.train(
            self.model,
            recipe,
            seconds=self.seconds,
            threads=torch.get_num_threads(),
            **settings,
        )
        took = time.perf_counter() - begin
        assert artifact.recipe.train is not None
        return self._measured(label, artifact, artifact.recipe.train.steps, took)

    def _measured(self, label: str, artifact: wb.Artifact, steps: int, seconds: float) -> Row:
        path = artifact.save(self.folder / f"{len(list(self.folder.iterdir()))}.safetensors")
        found = [_in_fresh_process(path, split) for split in ("validation", "test")]
        return Row(label, steps, seconds, path.stat().st_size, *found)


def least_error(recipe: Recipe) -> Recipe:
    """Return `recipe` with the range of each row where rounding errs least."""
    return Recipe(quantize=wb.Quantize(recipe.quantize.bits, range="mse"))


def _in_fresh_process(path: Path, split: str) -> float:
    command = ["evaluate", str(path), "--split", split, "--json"]
    said = subprocess.run(
        [sys.executable, "-m", "workbench", *command], capture_output=True, text=True, check=True
    )
    return float(json.loads(said.stdout)["accuracy"])


def _cells(row: Row) -> list[str]:
    trained = [f"{row.steps:,}", f"{row.seconds:.0f}"] if row.steps else ["", ""]
    shares = [f"{share:.2%}" for share in (row.validation, row.test)]
    return [row.label, *trained, f"{row.bytes:,}", *shares]


def _points(found: dict[str, float]) -> str:
    return " and ".join(f"{100 * value:.2f} points ({split})" for split, value in found.items())


if __name__ == "__main__":
    main()
