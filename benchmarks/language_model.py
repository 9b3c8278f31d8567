"""What a language model loses at few bits and at half its weights, and what wins it back.

    python benchmarks/language_model.py [--steps 150] [--model reviews-lm/gpt]

Bits per character on the test split, of the file itself. The blocks' weights are rounded in groups
of 64, embeddings and positions to 8 bits throughout, as quantizers of language models leave them
finer. "Recovery" trains under the same rounding or zeros, the original as teacher.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import workbench as wb

FINE = {"symbols.weight": 8, "positions.weight": 8}
BITS = (8, 4, 3, 2)
SPARSITY = 0.5


def quantized(bits: int, **choices: Any) -> wb.Recipe:
    """Return the recipe that rounds the blocks to `bits`."""
    layers = {name: max(bits, fine) for name, fine in FINE.items()}
    return wb.Recipe(
        quantize=wb.Quantize(
            bits=bits, granularity="group", group_size=64, layers=layers, **choices
        )
    )


def pruned(**choices: Any) -> wb.Recipe:
    """Return the recipe that prunes the blocks."""
    return wb.Recipe(prune=wb.Prune(SPARSITY, scope="uniform", exclude=tuple(FINE), **choices))


def recovering(recipe: wb.Recipe, steps: int) -> wb.Recipe:
    """Return `recipe` with training, half from the labels and half from the original."""
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
    """Return for each line plain, compensated and recovered recipes."""
    table = {
        f"{bits} bits": (
            quantized(bits),
            quantized(bits, rounding="compensated"),
            recovering(quantized(bits), steps),
        )
        for bits in BITS
    }
    table["50 % sparse"] = (
        pruned(),
        pruned(criterion="curvature"),
        recovering(pruned(), steps),
    )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="A language model at few bits.")
    parser.add_argument("--model", default="reviews-lm/gpt")
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    model = wb.model(options.model)
    before = f"{model.metric_value('test'):.4f} bits per character on test"
    print(f"{model.name}: {before}, {model.original_bytes:,} bytes\n")
    print("| | bytes | plain | GPTQ / SparseGPT | recovered | seconds of recovery |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, recipes in rows(options.steps).items():
        found = []
        for recipe in recipes:
            begin = time.perf_counter()
            found.append(wb.measure(model, recipe, split="test", timed=False))
            took = time.perf_counter() - begin
        figures = " | ".join(f"{one.value:.4f}" for one in found)
        print(f"| {name} | {found[0].bytes:,} | {figures} | {took:.0f} |", flush=True)


if __name__ == "__main__":
    main()
