"""Integers in ONNX Runtime and OpenVINO: agreement with the file, sizes and times.

`python benchmarks/deploy_integers.py [--quick] [--part agreement|speed|products|recipes]` prints

- what runs of files with 8-bit weights and inputs, against the reference evaluation, on all
  examples of the validation split;
- the times of 8-bit networks and of half networks next to float32, in turn, on one thread;
- products of a vector with a 4096x4096 matrix of 4-bit weights;
- 50 random recipes without quantized inputs.

With `--quick` there are fewer examples of each kind. It takes about half an hour on one core.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from _table import machine, table
from torch import nn

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.compression.quantize import quantize
from workbench.deploy.host import Host
from workbench.deploy.integers.rewrite import with_codes
from workbench.deploy.onnx_file import TRACED, onnx_bytes
from workbench.deploy.package import Package
from workbench.errors import RecipeError
from workbench.runtime.batch import Batch

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.recipes import random_recipe

RUNTIMES = ("onnxruntime", "openvino")
EXACT = wb.Activations(8, biases="int32")
SUMS = wb.Activations(8, biases="int32", sums="quantized")
SYMMETRIC = wb.Activations(8, biases="int32", sums="quantized", scheme="symmetric")
ROUNDS, SECONDS, CALLS = 5, 0.3, 200
WIDTH = 4096


def eight_bits(activations: wb.Activations, **parts: Any) -> wb.Recipe:
    """Return a recipe of 8-bit weights and inputs."""
    return wb.Recipe(wb.Quantize(8), activations, wb.Adjust("fold"), **parts)


FILES = {
    "fashion/lenet5": (EXACT,),
    "fashion/resnet": (EXACT, SUMS, SYMMETRIC),
    "vowels/cnn": (EXACT,),
    "reviews/transformer": (EXACT,),
    "reviews-lm/gpt": (wb.Activations(8),),
}


def agreement(names: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Yield how each 8-bit file agrees with what runs."""
    for name in names:
        for activations in FILES[name]:
            artifact = wb.compress(wb.model(name), eight_bits(activations))
            for runtime in RUNTIMES:
                package = wb.export(artifact, runtime)
                result = wb.confirm(package)
                layers = package.manifest["layers"]["quantized"]
                kind = "sums too" if activations.sums == "quantized" else activations.biases
                kind += ", symmetric inputs" if activations.scheme == "symmetric" else ""
                yield (
                    f"{name}, {kind}",
                    runtime,
                    f"{len(result.borderline) + len(result.different)} of {result.predictions:,}",
                    f"{result.equal / result.predictions:.2%}",
                    f"{result.largest_difference:.1e}",
                    f"{result.score.value:.5f} / {result.reference.value:.5f}",
                    f"{result.facts['integer_products']} of {layers}",
                    f"{len(package) / len(artifact):.3f}",
                )


def speed(name: str, recipes: dict[str, wb.Recipe]) -> Iterator[tuple[object, ...]]:
    """Yield the smallest times of a network's files in both runtimes and in PyTorch, in turn."""
    packages: dict[tuple[str, str], Package] = {}
    for label, recipe in recipes.items():
        artifact = wb.compress(wb.model(name), recipe)
        for runtime in (*RUNTIMES, *(["torch"] if label == "float32" else [])):
            packages[label, runtime] = wb.export(artifact, runtime)
    task = wb.model(name).task
    inputs = task.inputs(task.split("validation").examples[:1024]).numpy()
    for batch in (1, 64):
        best = in_turn(packages, inputs, batch)
        for (label, runtime), milliseconds in best.items():
            yield (
                f"{name}, {label}",
                runtime,
                batch,
                f"{milliseconds:.3f}",
                f"{best['float32', runtime] / milliseconds:.2f}",
                f"{best['float32', 'torch'] / milliseconds:.2f}",
            )


def in_turn(packages: dict[Any, Package], inputs: Any, batch: int) -> dict[Any, float]:
    """Return the smallest time of a call of each package, in milliseconds."""
    with ExitStack() as stack:
        hosts = {
            key: stack.enter_context(Host(package.target.runtime))
            for key, package in packages.items()
        }
        for key, host in hosts.items():
            host.load(packages[key])
        file = Path(stack.enter_context(TemporaryDirectory())) / "inputs.npy"
        np.save(file, inputs)
        seconds: dict[Any, list[float]] = {key: [] for key in packages}
        for _round in range(ROUNDS):
            for key, host in hosts.items():
                seconds[key] += host.time([file], batch, CALLS, SECONDS).seconds
    return {key: 1000 * min(times) for key, times in seconds.items()}


def products() -> Iterator[tuple[object, ...]]:
    """Yield the times and errors of a product with 4-bit weights in groups of 32."""
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(WIDTH, WIDTH, bias=False)
    settings = wb.Quantize(4, granularity="group", group_size=32)
    coded = quantize("weight", layer.weight.detach(), settings)
    artifact = Artifact.of("custom/product", wb.Recipe(settings), {"weight": coded})
    with torch.no_grad():
        layer.weight.copy_(coded.tensor())
    inputs = torch.randn(64, WIDTH, generator=generator)
    with torch.no_grad():
        exact = (inputs.double() @ coded.tensor().double().T).numpy()
    content = onnx_bytes(layer, Batch.of(inputs[:TRACED]))
    packages = {}
    for runtime in RUNTIMES:
        for precision in ("float32", "int8_inputs"):
            target = wb.Target(runtime, precision)
            small = with_codes(content, artifact, target).content
            packages[runtime, "4 bits", precision] = Package(small, {"target": target.as_dict()})
        target = wb.Target(runtime)
        packages[runtime, "32 bits", "float32"] = Package(content, {"target": target.as_dict()})
    best = in_turn(packages, inputs.numpy(), 1)
    for (runtime, bits, precision), milliseconds in best.items():
        package = packages[runtime, bits, precision]
        with Host(runtime) as host:
            host.load(package)
            outputs = host.run([inputs.numpy()], 1)
        error = np.linalg.norm(outputs - exact) / np.linalg.norm(exact)
        gain = best[runtime, "32 bits", "float32"] / milliseconds
        size = f"{len(package) / 1e6:.1f}"
        yield (
            f"{runtime}, {bits}, {precision}",
            f"{milliseconds:.3f}",
            f"{gain:.2f}",
            f"{error:.1e}",
            size,
        )


def recipes(count: int) -> Iterator[tuple[object, ...]]:
    """Yield how many random recipes without quantized inputs predict the same, by runtime."""
    generator, model = random.Random(18), wb.model("vowels/cnn")
    results: dict[str, list[wb.Agreement]] = {runtime: [] for runtime in RUNTIMES}
    while len(results[RUNTIMES[0]]) < count:
        recipe = random_recipe(generator, model.weights()).untrained
        if recipe.activations is not None:
            continue
        try:
            artifact = wb.compress(model, recipe)
        except RecipeError:
            continue
        for runtime in RUNTIMES:
            results[runtime].append(wb.confirm(wb.export(artifact, runtime)))
    for runtime, agreements in results.items():
        others = sum(len(item.borderline) + len(item.different) for item in agreements)
        largest = max(item.largest_difference for item in agreements)
        yield runtime, len(agreements), others, f"{largest:.1e}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=("agreement", "speed", "products", "recipes"))
    options = parser.parse_args()
    print(f"{machine()}; load {', '.join(f'{load:.1f}' for load in os.getloadavg())}\n")
    halves = {
        "float32": wb.Recipe(adjust=wb.Adjust("fold")),
        "8 bits": eight_bits(EXACT),
        "8 bits, sums too": eight_bits(SUMS),
        "half": wb.Recipe(wb.Structure(0.5), wb.Adjust("fold")),
        "half, 8 bits": eight_bits(EXACT, structure=wb.Structure(0.5)),
        "half, 8 bits, sums too": eight_bits(SUMS, structure=wb.Structure(0.5)),
    }
    simple = {label: halves[label] for label in ("float32", "8 bits")}
    names = list(FILES)[:3] if options.quick else list(FILES)
    parts: dict[str, tuple[Sequence[str], Callable[[], Iterator[tuple[object, ...]]]]] = {
        "agreement": (
            (
                "file",
                "runtime",
                "other predictions",
                "equal outputs",
                "largest difference",
                "metric there / of the file",
                "layers in integers",
                "package / file",
            ),
            lambda: agreement(names),
        ),
        "speed": (
            ("file", "runtime", "batch", "ms", "times float32", "times PyTorch"),
            lambda: (
                row
                for name, kinds in (("fashion/resnet", halves), ("fashion/lenet5", simple))
                for row in speed(name, kinds)
            ),
        ),
        "products": (("product", "ms", "times float32", "relative error", "MB"), products),
        "recipes": (
            ("runtime", "recipes", "other predictions", "largest difference"),
            lambda: recipes(5 if options.quick else 50),
        ),
    }
    for part, (columns, rows) in parts.items():
        if options.part in (None, part):
            print(table(columns, rows()), end="\n\n", flush=True)
    print(f"load {', '.join(f'{load:.1f}' for load in os.getloadavg())}")


if __name__ == "__main__":
    main()
