"""Quantize and prune a language model, with and without fine-tuning.

    python benchmarks/language_model.py [--steps 150] [--model reviews-lm/gpt]

Prints bits per character of the file on the test split. The blocks' weights are quantized in groups
of 64. Embeddings and positions always have at least 8 bits, as is common for language models.
Recovery trains with the same quantization or mask and the original as teacher.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import workbench as wb

MIN_BITS = {"symbols.weight": 8, "positions.weight": 8}
BITS = (8, 4, 3, 2)
SPARSITY = 0.5


def quantized(bits: int, **settings: Any) -> wb.Recipe:
    """Return the recipe that quantizes the blocks to `bits`."""
    layers = {name: max(bits, minimum) for name, minimum in MIN_BITS.items()}
    return wb.Recipe(
        quantize=wb.Quantize(
            bits=bits, granularity="group", group_size=64, layers=layers, **settings
        )
    )


def pruned(**settings: Any) -> wb.Recipe:
    """Return the recipe that prunes the blocks."""
    return wb.Recipe(prune=wb.Prune(SPARSITY, scope="uniform", exclude=tuple(MIN_BITS), **settings))


def fine_tuned(recipe: wb.Recipe, steps: int) -> wb.Recipe:
    """Return `recipe` with fine-tuning, half on the labels and half on the original's outputs."""
    train = wb.Train(
        steps=steps,
        batch=32,
        learning_rate=5e-4,
        teacher="self",
        temperature=1.0,
        mix=0.5,
        threads=2,
    )
    return replace(recipe, train=train)


def rows(steps: int) -> dict[str, tuple[wb.Recipe, ...]]:
    """Return the baseline, compensated and fine-tuned recipes of each line."""
    table = {
        f"{bits} bits": (
            quantized(bits),
            quantized(bits, rounding="compensated"),
            fine_tuned(quantized(bits), steps),
        )
        for bits in BITS
    }
    table["50 % sparse"] = (
        pruned(),
        pruned(criterion="curvature"),
        fine_tuned(pruned(), steps),
    )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="reviews-lm/gpt")
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    model = wb.model(options.model)
    original = f"{model.metric_value('test'):.4f} bits per character on test"
    print(f"{model.name}: {original}, {model.original_bytes:,} bytes\n")
    print("| | bytes | baseline | GPTQ / SparseGPT | fine-tuned | fine-tuning (s) |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, recipes in rows(options.steps).items():
        reports = []
        for recipe in recipes:
            start = time.perf_counter()
            reports.append(wb.measure(model, recipe, split="test", timed=False))
            seconds = time.perf_counter() - start
        values = " | ".join(f"{report.value:.4f}" for report in reports)
        print(f"| {name} | {reports[0].bytes:,} | {values} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
