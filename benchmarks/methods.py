"""Measure the latency of a slider event with each compression method.

As in a session, without a page: the time to the size, to the preview of a slow recipe, to the first
estimate of the file itself, and to the exact value on all validation examples. Every recipe is new.
Statistics that are computed once per model (gradients, covariances, channel groups) are cached.
Methods that a model does not support are skipped.

    python benchmarks/methods.py [--slides 12] [--models NAME ...] [--methods NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from math import inf
from statistics import quantiles
from typing import Any, NamedTuple

import _table

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.errors import WorkbenchError
from workbench.evaluation.preview import iter_reports_with_preview
from workbench.recipe import Recipe

MODELS = (
    "fashion/lenet-300-100",
    "fashion/lenet5",
    "fashion/resnet",
    "reviews/bag",
    "reviews/gru",
    "reviews/transformer",
    "reviews-lm/gpt",
    "vowels/cnn",
    "vowels/gru",
)
FIRST, OWN = 0.150, 0.500  # seconds
LARGE, FIRST_OF_LARGE = 4_000_000, 1.0
"""Models with more weights have more time for the first estimate."""
EXACT = {"fashion/resnet": 3.0, "reviews-lm/gpt": 5.0}


class Method(NamedTuple):
    """A name, the recipe for a slider position from 0 to 1, and whether it shows a preview."""

    name: str
    recipe: Any
    sequential: bool = False


def sparse(share: float) -> dict[str, Any]:
    """Return the pruning part that varies the recipe of a method without a slider."""
    return {"sparsity": round(0.3 + 0.6 * share, 3)}


METHODS = (
    Method("bits", lambda s: {"quantize": {"bits": round(2 + 6 * s), "percentile": 99 + s / 2}}),
    Method("pruned", lambda s: {"prune": sparse(s)}),
    Method("pruned, 4 bits", lambda s: {"prune": sparse(s), "quantize": {"bits": 4}}),
    Method("N:M", lambda s: {"prune": {**sparse(s), "pattern": "n_m", "width": 16}}),
    Method("channels", lambda s: {"structure": {"removed": round(0.1 + 0.6 * s, 3)}}),
    Method("low rank", lambda s: {"factorize": {"keep": round(0.8 + 0.19 * s, 3)}}),
    Method("shared values", lambda s: {"prune": sparse(s), "share": {"clusters": 16}}),
    Method(
        "activations, 8 bits",
        lambda s: {"prune": sparse(s), "quantize": {"bits": 8}, "activations": {"bits": 8}},
    ),
    Method(
        "recalibrated batch norm",
        lambda s: {"prune": sparse(s), "adjust": {"batch_norm": "recalibrate"}},
        sequential=True,
    ),
    Method(
        "folded, biases corrected",
        lambda s: {"prune": sparse(s), "adjust": {"batch_norm": "fold", "biases": "correct"}},
        sequential=True,
    ),
    Method(
        "channels by curvature",
        lambda s: {"structure": {"removed": round(0.1 + 0.6 * s, 3), "criterion": "curvature"}},
        sequential=True,
    ),
    Method(
        "pruned by curvature",
        lambda s: {"prune": {**sparse(s), "criterion": "curvature"}},
        sequential=True,
    ),
    Method(
        "compensated, 3 bits",
        lambda s: {"prune": sparse(s), "quantize": {"bits": 3, "rounding": "compensated"}},
        sequential=True,
    ),
)


def slide(model: wb.Model, recipe: Recipe) -> tuple[float, float, float, float]:
    """Return the seconds to size, first estimate, own estimate and exact value."""
    start = time.perf_counter()
    size = first = own = 0.0
    for report in iter_reports_with_preview(model, recipe, store=ResultCache()):
        now = time.perf_counter() - start
        size = size or now
        if report.score is not None:
            first = first or now
            own = own or (now if report.preview_of is None else 0.0)
    return size, first, own, now


def main() -> None:
    """Print one row for each model and method."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slides", type=int, default=12)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--methods", nargs="+", default=[method.name for method in METHODS])
    options = parser.parse_args()
    slides = options.slides
    rows, missed = [], []
    for name in options.models:
        model = wb.model(name)
        for method in METHODS:
            if method.name not in options.methods:
                continue
            recipes = [Recipe.from_json(method.recipe(step / slides)) for step in range(slides + 1)]
            try:
                slide(model, recipes[-1])  # computes the cached statistics
            except WorkbenchError as error:
                print(f"{name}, {method.name}: {error}", file=sys.stderr)
                continue
            columns = list(zip(*(slide(model, recipe) for recipe in recipes[:-1]), strict=True))
            p95 = [quantiles(times, n=20, method="inclusive")[-1] for times in columns]
            large = model.card["parameters"] > LARGE
            soon = FIRST_OF_LARGE if large else FIRST
            own = max(soon, OWN) if method.sequential else soon
            limits = (soon, soon, own, inf if large else EXACT.get(name, 1.0))
            over = [
                i for i, (time, limit) in enumerate(zip(p95, limits, strict=True)) if time > limit
            ]
            cells = [
                f"{seconds * 1000:,.0f} ms{' !' if i in over else ''}"
                for i, seconds in enumerate(p95)
            ]
            rows.append([f"`{name}`", method.name, *cells])
            missed += [f"{name} {method.name}"] if over else []
            print(rows[-1], file=sys.stderr, flush=True)
    print(_table.machine(), end="\n\n")
    print(
        _table.table(["model", "method", "size", "first estimate", "own estimate", "exact"], rows)
    )
    print(f"\nOver a target (!): {len(missed)} of {len(rows)} rows.")


if __name__ == "__main__":
    main()
