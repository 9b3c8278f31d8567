"""How long a slide takes with each method: the size, what is shown first, its own, all of it.

As the session measures, without a page: the length of the file, the stand-in of a slow recipe, the
file's own first estimate, and the exact figure on all validation examples. Every recipe is another
one, never seen; what is computed once for a model (gradients, moments, groups of channels) is
there. Methods that a model refuses are left out.

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
FIRST, OWN = 0.150, 0.500
LARGE, FIRST_OF_LARGE = 4_000_000, 1.0
"""Models of more weights have longer to show a first estimate."""
EXACT = {"fashion/resnet": 3.0, "reviews-lm/gpt": 5.0}


class Method(NamedTuple):
    """A name, the recipe of a slider at a share from 0 to 1, and whether it has a stand-in."""

    name: str
    recipe: Any
    sequential: bool = False


def sparse(share: float) -> dict[str, Any]:
    """Return the part that a slider moves beside a method without a slider of its own."""
    return {"sparsity": round(0.3 + 0.6 * share, 3)}


METHODS = (
    Method("bits", lambda s: {"quantize": {"bits": round(2 + 6 * s), "percentile": 99 + s / 2}}),
    Method("pruned", lambda s: {"prune": sparse(s)}),
    Method("pruned, 4 bits", lambda s: {"prune": sparse(s), "quantize": {"bits": 4}}),
    Method("N:M", lambda s: {"prune": {**sparse(s), "pattern": "n:m", "width": 16}}),
    Method("channels", lambda s: {"structure": {"removed": round(0.1 + 0.6 * s, 3)}}),
    Method("low rank", lambda s: {"factorize": {"kept": round(0.8 + 0.19 * s, 3)}}),
    Method("shared values", lambda s: {"prune": sparse(s), "share": {"clusters": 16}}),
    Method(
        "activations, 8 bits",
        lambda s: {"prune": sparse(s), "quantize": {"bits": 8}, "activations": {"bits": 8}},
    ),
    Method(
        "batch norm anew",
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
    """Return the seconds to the size, the first estimate, the file's own, and the exact one."""
    begin = time.perf_counter()
    size = first = own = 0.0
    for found in iter_reports_with_preview(model, recipe, store=ResultCache()):
        now = time.perf_counter() - begin
        size = size or now
        if found.score is not None:
            first = first or now
            own = own or (now if found.preview_of is None else 0.0)
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
                slide(model, recipes[-1])  # what is computed once
            except WorkbenchError as error:
                print(f"{name}, {method.name}: {error}", file=sys.stderr)
                continue
            taken = list(zip(*(slide(model, recipe) for recipe in recipes[:-1]), strict=True))
            p95 = [quantiles(times, n=20, method="inclusive")[-1] for times in taken]
            large = model.card["parameters"] > LARGE
            soon = FIRST_OF_LARGE if large else FIRST
            own = max(soon, OWN) if method.sequential else soon
            limits = (soon, soon, own, inf if large else EXACT.get(name, 1.0))
            over = [
                at for at, (found, most) in enumerate(zip(p95, limits, strict=True)) if found > most
            ]
            cells = [
                f"{seconds * 1000:,.0f} ms{' !' if at in over else ''}"
                for at, seconds in enumerate(p95)
            ]
            rows.append([f"`{name}`", method.name, *cells])
            missed += [f"{name} {method.name}"] if over else []
            print(rows[-1], file=sys.stderr, flush=True)
    print(_table.machine(), end="\n\n")
    print(_table.table(["model", "method", "size", "first estimate", "its own", "exact"], rows))
    print(f"\nOver a target (!): {len(missed)} of {len(rows)} rows.")


if __name__ == "__main__":
    main()
