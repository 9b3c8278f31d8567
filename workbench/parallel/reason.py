"""One sentence that says why a parallel run is as fast or as slow as it is."""

from __future__ import annotations

from collections.abc import Sequence

from workbench import formatting
from workbench.i18n import _
from workbench.parallel.result import ParallelTraining, Record

SAME = 0.05
"""Relative difference of times below which they count as equal."""


def reason(result: ParallelTraining) -> str:
    """Return the sentence, from the measured times of the run."""
    ranks, cores = result.plan.ranks, result.cores
    values = {
        "ranks": ranks,
        "cores": cores,
        "time": formatting.milliseconds(result.seconds_per_step * 1e3),
        "single": formatting.milliseconds(result.baseline_seconds_per_step * 1e3),
        "computing": formatting.percent(result.computing_share, 0),
    }
    if ranks == 1:
        return _("One rank is one process: {time} per step.").format(**values)
    if ranks > cores:
        return _(
            "{ranks} ranks on {cores} cores are no faster than {cores}, because they take turns: "
            "{time} per step, and {single} on one process."
        ).format(**values)
    ratio = result.baseline_seconds_per_step / result.seconds_per_step
    values["ratio"] = formatting.times(ratio if ratio >= 1 else 1 / ratio)
    if ratio > 1 + SAME:
        return _(
            "{ranks} ranks are {ratio} as fast as one process ({time} against {single} per step), "
            "because they divide the work and compute {computing} of the time."
        ).format(**values)
    if ratio < 1 - SAME:
        rank_seconds = result.seconds_per_step * result.computing_share
        if (
            rank_seconds > result.baseline_seconds_per_step
        ):  # communicating and waiting do not explain it
            return _(
                "{ranks} ranks are {ratio} slower than one process ({time} against {single} per "
                "step): a rank computes for {computed}, although its share of the work is smaller. "
                "Ranks share memory and caches, and other work on this machine slows them."
            ).format(**values, computed=formatting.milliseconds(rank_seconds * 1e3))
        return _(
            "{ranks} ranks are {ratio} slower than one process ({time} against {single} per step), "
            "because they compute for only {computing} of the time, and communicate or wait for "
            "the rest."
        ).format(**values)
    return _(
        "{ranks} ranks are as fast as one process ({time} per step), because what they save by "
        "sharing the work, they spend on communicating and waiting."
    ).format(**values)


def not_finite(records: Sequence[Record]) -> str:
    """Return a sentence if a loss or weights are not finite, with the first step; else nothing."""
    steps: dict[bool, int] = {}
    for record in records:
        if (step := record.not_finite_step) is not None:
            steps[record.rank >= 0] = min(step, steps.get(record.rank >= 0, step))
    if len(steps) == 2:
        return _(
            "From step {step} on, the loss or weights are not finite, on one process too: use a "
            "smaller learning rate."
        ).format(step=min(steps.values()))
    if True in steps:
        return _(
            "From step {step} on, the loss or weights of the ranks are not finite, but those of "
            "one process are: synchronize at every step, or use a smaller learning rate."
        ).format(step=steps[True])
    if False in steps:
        return _(
            "From step {step} on, the loss or weights of one process are not finite: use a "
            "smaller learning rate."
        ).format(step=steps[False])
    return ""
