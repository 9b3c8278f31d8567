"""Replace fitted terms by measurements: of this machine, or rows that a user has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from workbench.errors import InputError
from workbench.planner.calibration_file import chip_of
from workbench.planner.chips import Calibration, Chip
from workbench.planner.comparable import features
from workbench.planner.plan import plan
from workbench.planner.results import InferencePlan, TrainingPlan
from workbench.recipe.schema import brief

TIMES = {"step_ms": "training", "prefill_ms": "prefill", "decode_ms": "decode"}
LEAST_ERROR = 0.03
"""Repeated steps differ by 2 to 3 %."""
SINGLE_ERROR = 0.2
"""Relative error after a correction by one measurement, which nothing confirms."""


def calibrate_chip(
    chip_id: str | Chip | None = None, rows: Sequence[Mapping[str, Any]] | None = None
) -> Chip:
    """Return a chip whose predicted times are corrected by measurements.

    Without rows, this machine is measured for about 20 seconds: its GPU if PyTorch uses one, else
    its processor. Matrix products and a copy replace the chip's rates, and steps of small language
    models the fitted terms.

    Parameters
    ----------
    chip_id
        The chip; without rows, the one that is measured.
    rows
        Measured steps. Each has `config` and the settings of `wb.plan`, and the milliseconds that
        were measured: `step_ms`, or `prefill_ms` and `decode_ms`.

    Raises
    ------
    InputError
        If a row is incomplete, or no row is given.
    UnknownNameError
        If there is no such chip.

    Examples
    --------
    >>> import workbench as wb
    >>> row = {"config": "gpt2", "microbatch": 8, "sequence": 1024, "step_ms": 95.0}
    >>> wb.plan("gpt2-xl", wb.calibrate_chip("rtx-4090", [row]), microbatch=1, sequence=1024).fits
    True
    """
    if rows is None:
        from workbench.planner.probes import measured_chip, measured_rows

        base = measured_chip(None if chip_id is None else chip_of(chip_id))
        return corrected(base, list(measured_rows(base)), "probes of this machine")
    given: object = rows
    if not isinstance(given, list | tuple):
        raise InputError("rows must be a list of measured steps.", code="plan.row")
    return corrected(chip_of(chip_id or "cpu"), rows, f"{len(rows)} measured rows")


def corrected(base: Chip, rows: Sequence[Mapping[str, Any]], origin: str) -> Chip:
    """Return a chip with the factors by which measured times differ from predicted ones.

    The error of a kind is the largest that a row has if the factor comes from the others.
    """
    ratios: dict[str, list[float]] = {}
    present: dict[str, frozenset[str]] = {}
    for row in rows:
        planned = _planned(replace(base, calibration=None), row)
        for kind, ratio in _ratios(planned, row):
            ratios.setdefault(kind, []).append(ratio)
            given = features(planned.architecture, planned.job)
            present[kind] = present.get(kind, frozenset()) | given
    if not ratios:
        raise InputError("Pass at least one measured row.", code="plan.no_rows")
    factors = tuple((kind, median(values)) for kind, values in ratios.items())
    errors = tuple((kind, _error(values)) for kind, values in ratios.items())
    calibration = Calibration(factors, errors, origin, tuple(present.items()))
    return replace(base, calibration=calibration)


def _error(ratios: list[float]) -> float:
    if len(ratios) == 1:
        return SINGLE_ERROR
    others = [median(ratios[:i] + ratios[i + 1 :]) for i in range(len(ratios))]
    each = (max(r / o, o / r) - 1 for r, o in zip(ratios, others, strict=True))
    return max(LEAST_ERROR, *each)


def _planned(base: Chip, row: Any) -> TrainingPlan | InferencePlan:
    """Return the plan of a measured row."""
    planned = None
    if isinstance(row, Mapping) and "config" in row and TIMES.keys() & row.keys():
        settings = {name: value for name, value in row.items() if name not in {*TIMES, "config"}}
        planned = plan(row["config"], base, **settings)
    if not isinstance(planned, TrainingPlan | InferencePlan):
        raise InputError(
            "A measured row needs config, the settings of wb.plan, and step_ms, prefill_ms or "
            "decode_ms.",
            code="plan.row",
        )
    return planned


def _ratios(
    planned: TrainingPlan | InferencePlan, row: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    measured = {name: row[name] for name in TIMES if name in row}
    if isinstance(planned, TrainingPlan):
        predicted = {"step_ms": planned.seconds.total}
    else:
        predicted = {"prefill_ms": planned.prefill.total, "decode_ms": planned.decode.total}
    for name, value in measured.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in predicted or not is_number or not 0 < value < 1e12:
            raise InputError(
                f"{name} must be the milliseconds of this kind of step, above 0, not "
                f"{brief(value)}.",
                code="plan.row",
            )
        yield TIMES[name], value / 1000 / predicted[name]
