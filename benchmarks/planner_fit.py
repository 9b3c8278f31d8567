"""Fits the planner's coefficients on the measured rows and writes them into the package.

Run it after changing `workbench/planner/work.py`, `links.py` or a table of measurements.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from workbench.planner.chips import chip
from workbench.planner.coefficients import GROUPS
from workbench.planner.inference_work import DECODE_TERMS, PREFILL_TERMS, decode_work, prefill_work
from workbench.planner.measurements import inference_rows, training_rows
from workbench.planner.times import HOST_FORWARD, decode_seconds, step_work

TABLE = Path(__file__).parents[1] / "workbench/planner/tables/coefficients.json"
PRIOR = {
    "products": 1.2,
    "attention": 2.0,
    "scores": 2.0,
    "elementwise": 1.0,
    "logits": 1.2,
    "casts": 1.2,
    "optimizer": 1.0,
    "kernels": 3e-4,
    "inner": 0.3,
    "outer": 0.3,
    "exposed": 1.25,
}
"""Expected coefficients. Terms that few rows contain stay near them."""
INFERENCE_PRIOR = {
    "weights": 1.0,
    "cache": 1.0,
    "products": 1.2,
    "attention": 2.0,
    "elementwise": 1.0,
    "kernels": 5e-5,
}
FLASH_ATTENTION_2 = 335e12
"""FLOP/s of FlashAttention-2 on an H100 (Dao, arXiv 2307.08691)."""
STRENGTH = 0.01
"""Weight of an expected coefficient, relative to a row."""


def solve(work: np.ndarray, seconds: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return non-negative coefficients that minimize relative errors, with a pull to `prior`."""
    strength = np.sqrt(STRENGTH)
    rows = np.vstack([work / seconds[:, None] * prior, strength * np.eye(len(prior))])
    target = np.concatenate([np.ones(len(seconds)), np.full(len(prior), strength)])
    return nnls(rows, target)[0] * prior


def residuals(work: np.ndarray, seconds: np.ndarray, prior: np.ndarray) -> list[float]:
    """Return each row's relative error when it is not fitted."""
    every = np.arange(len(seconds))
    return [
        float(work[i] @ solve(work[every != i], seconds[every != i], prior) / seconds[i] - 1)
        for i in every
    ]


def training(stack: str) -> tuple[dict, dict]:
    """Return the fits of a kind of program, and the residuals of its rows."""
    fits, errors = {}, {}
    rows = [row for row in training_rows() if row.stack == stack and row.is_fitted]
    prior = np.array(list(PRIOR.values()))
    for name, members in GROUPS[stack].items():
        chosen = [row for row in rows if row.chip in members]
        work = np.array(
            [
                [
                    step_work(
                        row.architecture, row.job, chip(row.chip), row.microbatches, row.reduced
                    )[t]
                    for t in PRIOR
                ]
                for row in chosen
            ]
        )
        seconds = np.array([row.measured["step_ms"] / 1000 for row in chosen])
        fits[name] = dict(zip(PRIOR, map(float, solve(work, seconds, prior)), strict=True))
        errors |= dict(
            zip((row.id for row in chosen), residuals(work, seconds, prior), strict=True)
        )
    return fits, errors


def inference(terms: tuple, work_of: Callable, key: str) -> tuple[dict, dict]:
    """Return the fit of reading a context or generating a token, and residuals."""
    rows = [
        row
        for row in inference_rows()
        if key == "decode_ms" or row.measured[key] > 1300 * HOST_FORWARD * row.architecture.layers
    ]
    prior = np.array([INFERENCE_PRIOR[name] for name in terms])
    work = np.array(
        [[work_of(row.architecture, row.job, chip(row.chip))[t] for t in terms] for row in rows]
    )
    seconds = np.array([row.measured[key] / 1000 for row in rows])
    fitted = dict(zip(terms, map(float, solve(work, seconds, prior)), strict=True))
    errors = dict(zip((row.id for row in rows), residuals(work, seconds, prior), strict=True))
    return {"h100-sxm": fitted, "h200": fitted}, errors


def general(fits: dict) -> dict:
    """Return the mean of the coefficients of all GPUs."""
    members = [fit for name, fit in fits.items() if not name.startswith("tpu")]
    return {name: float(np.mean([fit[name] for fit in members])) for name in members[0]}


def by_kernel(fits: dict) -> dict:
    """Return fits for sharded programs by their attention kernels.

    llm-foundry's are those of its rows. On chips where our own rows exist, a plan is for the
    kernels of today's PyTorch, which those rows have. Chips that hold complete weights work like
    one alone, and exchange gradients at the rate of the others.
    """
    older, today = fits["sharded"], fits["pytorch"]
    carried = {**older, "h200": older["h100-sxm"]}
    second = {
        name: {**carried[name], "attention": chip(name).rate("bf16") / FLASH_ATTENTION_2}
        for name in today
    }
    latest = {
        name: {**terms, "attention": today[name]["attention"]} if name in today else terms
        for name, terms in older.items()
    }
    links = {name: carried["h100-sxm"][name] for name in ("inner", "outer", "exposed")}
    alone = {name: {**terms, **links} for name, terms in today.items()}
    return {
        **fits,
        "sharded": latest,
        "replicated": {**older, **alone},
        "flash-attention 1": older,
        "flash-attention 2": second,
    }


def rounded(values: dict) -> dict:
    """Return values with five significant digits."""
    return {name: float(f"{value:.5g}") for name, value in values.items()}


def power() -> dict:
    """Return the share of the power above idle that each kind of work draws."""
    from workbench.planner.power import KINDS, shares

    rows = [row for row in training_rows() if "watts" in row.measured]
    matrix = np.array([shares(row.architecture, row.job, chip(row.chip)) for row in rows])
    used = np.array(
        [
            (row.measured["watts"] - chip(row.chip).idle)
            / (chip(row.chip).power - chip(row.chip).idle)
            for row in rows
        ]
    )
    found = dict(zip(KINDS, nnls(matrix, used)[0], strict=True))
    return rounded({**found, **decode_power(found["products"])})


def decode_power(products: float) -> dict:
    """Return the share of the power above idle that reads draw while text is generated.

    Power was measured while Python started the kernels of a token; between them the chip draws a
    little more than when it is idle, which is the second value. `products` is the share of
    products in training.
    """
    from workbench.planner.power import decode_busy

    work, joules = [], []
    for row in inference_rows():
        where, measured = chip(row.chip), row.measured
        seconds = decode_seconds(row.architecture, row.job, where)
        graph, eager = measured["decode_ms"] / 1000, measured["eager_ms"] / 1000
        busy = decode_busy(row.architecture, row.job, where, seconds)
        used = (measured["eager_watts"] - where.idle) * eager / (where.power - where.idle)
        joules.append(used - products * busy["products"])
        work.append([busy["reads"] * graph / seconds.total, eager - graph])
    relative, target = np.array(work) / np.array(joules)[:, None], np.ones(len(joules))
    every = np.arange(len(joules))
    errors = [
        abs(relative[i] @ nnls(relative[every != i], target[every != i])[0] - 1) for i in every
    ]
    most = np.quantile(errors, 0.8)
    print(f"power of a token: left out, mean {np.mean(errors):.3f}, 80 % within {most:.3f}")
    return dict(zip(("reads", "between"), nnls(relative, target)[0], strict=True))


def main() -> None:
    """Fit, write the table, and print the errors of rows that were left out."""
    fits, errors = {}, {}
    for stack in GROUPS:
        found, residual = training(stack)
        fits[stack], errors[stack] = found, residual
    for stack, terms, work_of, key in (
        ("decode", DECODE_TERMS, decode_work, "decode_ms"),
        ("prefill", PREFILL_TERMS, prefill_work, "prefill_ms"),
    ):
        fits[stack], errors[stack] = inference(terms, work_of, key)
    fits = by_kernel(fits)
    for stack, members in fits.items():
        fits[stack] = {name: rounded(fit) for name, fit in members.items()}
        fits[stack]["general"] = rounded(general(members))
    for stack, residual in errors.items():
        values = np.abs(list(residual.values()))
        print(f"{stack}: left out one at a time, mean {values.mean():.3f}, most {values.max():.3f}")
    about = "Written by benchmarks/planner_fit.py. Residuals are those of rows that are left out."
    result = {"about": about, "fits": fits, "residuals": {s: rounded(e) for s, e in errors.items()}}
    TABLE.write_text(json.dumps({**result, "power": {}}, indent=1) + "\n", encoding="utf-8")
    from workbench.planner import coefficients

    coefficients.table.cache_clear()
    result["power"] = power()
    TABLE.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
