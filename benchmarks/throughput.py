"""Compare the time of one recipe with that of the usual PyTorch code, in the same run.

The usual code copies the module, prunes it with `torch.nn.utils.prune`, fake-quantizes it, saves it
to memory with `torch.save` to get a size, and evaluates it in batches of 256. Workbench compresses,
encodes the file and computes the exact validation accuracy. Both use the same scales, so weights
and predictions must be equal, up to the reference evaluation. Finally, a new process reads the
cached results from disk.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median

import _table
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.compression.qparams import QParams
from workbench.evaluation.cached_results import cached_report
from workbench.evaluation.measure import measure, measure_size
from workbench.evaluation.progress import iter_counts
from workbench.evaluation.reference import BORDERLINE, predict

MODEL = "fashion/lenet5"
BATCH = 256
TARGETS = {"float32": 2.5, "bfloat16": 4.0, "cached": 100.0}


def main() -> None:
    """Time all methods on the same recipes, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--cached", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    recipes = draw(options.recipes, options.seed)
    if options.cached:
        print(json.dumps(read_cached(recipes, options.cached)))
        return
    torch.set_num_threads(options.threads)
    print(
        f"{_table.machine()}\n`python benchmarks/throughput.py --recipes {options.recipes} "
        f"--seed {options.seed} --threads {options.threads}`\n"
    )
    usual = UsualCode(wb.model(MODEL))
    methods = {"usual": usual, "float32": workbench(False), "bfloat16": workbench(True)}
    for method in methods.values():
        method(recipes[0])  # warm-up
    times: dict[str, list[float]] = {name: [] for name in methods}
    different = borderline = 0
    for recipe in recipes:
        accuracies = {}
        for name, method in methods.items():
            start = time.perf_counter()
            accuracies[name] = method(recipe)
            times[name].append(time.perf_counter() - start)
        agrees, ties = usual.agrees(recipe, accuracies)
        different += not agrees
        borderline += ties
    times["cached"] = cached_times(recipes, options)
    rows = [
        (label, f"{1000 * median(times[name]):.2f}", f"{sum(times[name]):.3f}", ratio(times, name))
        for name, label in {
            "usual": "usual PyTorch code",
            "float32": "Workbench, float32 fast path",
            "bfloat16": "Workbench, bfloat16 fast path",
            "cached": "Workbench, cached, new process",
        }.items()
    ]
    print(
        _table.table(("method", "median (ms)", f"{len(recipes)} recipes (s)", "times faster"), rows)
    )
    print(
        f"\nRecipes with different weights, accuracies or predictions: {different}. Borderline "
        f"examples in the usual float32 code, excluded: {borderline}."
    )
    missed = [n for n, t in TARGETS.items() if sum(times["usual"]) / sum(times[n]) < t]
    sys.exit(1 if different or missed else 0)


def draw(count: int, seed: int) -> list[wb.Recipe]:
    """Return recipes that the usual code supports: global magnitude pruning, symmetric codes."""
    rng = Random(seed)
    return [
        wb.Recipe(
            prune=wb.Prune(sparsity=round(rng.uniform(0.1, 0.95), 3)),
            quantize=wb.Quantize(bits=rng.choice((3, 4, 5, 6, 7, 8))),
        )
        for _ in range(count)
    ]


def workbench(bfloat16: bool) -> Callable[[wb.Recipe], float]:
    """Return the method of Workbench: file, complete size report, exact accuracy."""
    model = wb.model(MODEL)
    split = model.task.split("validation")

    def run(recipe: wb.Recipe) -> float:
        artifact = wb.compress(model, recipe)
        size = measure_size(model, artifact)
        assert size.bytes == len(artifact.to_bytes())
        (*_, tally) = iter_counts(model, artifact.weights(), split, bfloat16=bfloat16)
        return tally.accuracy

    return run


class UsualCode:
    """The method of tutorials: copy, prune, fake-quantize, save, evaluate."""

    def __init__(self, model: wb.Model) -> None:
        self.model = model
        self.module = model.module().to_empty(device="cpu")
        self.module.load_state_dict(model.weights())
        self.split = model.task.split("validation")
        self.inputs = model.task.inputs(self.split.examples)
        self.labels = torch.from_numpy(self.split.labels.astype(np.int64))
        self.last: nn.Module | None = None
        self.outputs = torch.empty(0)

    def __call__(self, recipe: wb.Recipe) -> float:
        """Return the accuracy under `recipe`."""
        module = copy.deepcopy(self.module)
        layers = [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        pairs = [(layer, "weight") for layer in layers]
        prune.global_unstructured(
            pairs, pruning_method=prune.L1Unstructured, amount=recipe.prune.sparsity
        )
        with torch.no_grad():
            for layer, name in pairs:
                prune.remove(layer, name)
                layer.weight.copy_(fake_quantize(layer.weight, recipe.quantize.bits))
        torch.save(module.state_dict(), stream := io.BytesIO())
        assert stream.tell()
        with torch.inference_mode():
            outputs = torch.cat([module(batch) for batch in self.inputs.split(BATCH)])
        self.last, self.outputs = module, outputs
        return float((outputs.argmax(dim=1) == self.labels).float().mean(dtype=torch.float64))

    def agrees(self, recipe: wb.Recipe, accuracies: dict[str, float]) -> tuple[bool, int]:
        """Return whether all methods had the same weights, predictions and accuracy.

        The second number counts borderline examples, on which the usual code differs because its
        two largest outputs are equal within float32 accuracy and depend on the batch size.
        """
        weights = wb.compress(self.model, recipe).weights()
        other_weights = self.last.state_dict()
        reference = predict(self.model, weights, self.split.examples)
        other = np.flatnonzero(reference != self.outputs.argmax(dim=1).numpy())
        best = self.outputs[other].topk(2, dim=1).values
        ties = int((best[:, 0] - best[:, 1] < BORDERLINE * best[:, 0].abs().clamp(min=1)).sum())
        hits = reference == self.split.labels
        shift = sum(int(hits[n]) - int(self.outputs[n].argmax() == self.labels[n]) for n in other)
        counts = {name: round(value * len(self.labels)) for name, value in accuracies.items()}
        counts["usual"] += shift
        return (
            all(torch.equal(weight, other_weights[name]) for name, weight in weights.items())
            and ties == len(other)
            and set(counts.values()) == {int(hits.sum())}
        ), ties


def fake_quantize(weight: Tensor, bits: int) -> Tensor:
    """Return `weight` fake-quantized by PyTorch to symmetric codes per channel."""
    flat = weight.flatten(1)
    qparams = QParams.from_range(
        flat.amin(1).clamp(max=0), flat.amax(1).clamp(min=0), "symmetric", bits
    )
    half = 2 ** (bits - 1) - 1
    zero = torch.zeros(len(weight), dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, qparams.scale, zero, 0, -half, half)


def cached_times(recipes: list[wb.Recipe], options: argparse.Namespace) -> list[float]:
    """Fill a result cache on disk, then return a new process's seconds for each recipe."""
    with tempfile.TemporaryDirectory() as folder:
        store = ResultCache(Path(folder))
        for recipe in recipes:
            measure(wb.model(MODEL), recipe, timed=False, store=store)
        store.close()
        command = [sys.executable, __file__, "--cached", folder]
        command += ["--recipes", str(options.recipes), "--seed", str(options.seed)]
        process = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds: list[float] = json.loads(process.stdout)
    return seconds


def read_cached(recipes: list[wb.Recipe], folder: Path) -> list[float]:
    """Return the seconds to read each recipe's report from the result cache."""
    model, store = wb.model(MODEL), ResultCache(folder)
    cached_report(model, wb.Recipe(), "validation", store)  # excludes the start-up
    times = []
    for recipe in recipes:
        start = time.perf_counter()
        report = cached_report(model, recipe, "validation", store)
        times.append(time.perf_counter() - start)
        assert report is not None
        assert report.exact
    return times


def ratio(times: dict[str, list[float]], name: str) -> str:
    """Return how many times faster than the usual code `name` is, with its target."""
    if name == "usual":
        return "1"
    speedup = sum(times["usual"]) / sum(times[name])
    return f"{speedup:.1f} (target {TARGETS[name]:g})"


if __name__ == "__main__":
    main()
