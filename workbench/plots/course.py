"""The course of a training run: the metric of the file as it would be, sparsity, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.evaluation.report import Score
from workbench.evaluation.training_progress import TrainingProgress, aim
from workbench.i18n import _, mark as N_, plural
from workbench.plots import scales
from workbench.plots.palette import Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import percent_ticks, step_ticks

MAX_SHOWN = 400
SMOOTH = 0.9
"""Decay of the exponential moving average of the loss over batches."""
RESULTS = {
    "fine_tune": N_("Fine-tuned: {values}, {effort}"),
    "distill": N_("Distilled: {values}, {effort}"),
    "train": N_("Trained from scratch: {values}, {effort}"),
    "student": N_("Student trained: {values}, {effort}"),
}
WORSE = {
    "fine_tune": N_("Fine-tuning made the file worse: {values}, {effort}"),
    "distill": N_("Distillation made the file worse: {values}, {effort}"),
}

Point = tuple[int, Score]


def draw(
    progress: TrainingProgress,
    palette: Palette,
    metric: Metric = ACCURACY,
    *,
    original: float | None = None,
    original_name: str | None = None,
    loss: bool = False,
) -> Figure:
    """Draw the course of a training run.

    Parameters
    ----------
    progress
        The run so far.
    palette
        The colors.
    metric
        The metric of the course.
    original
        The value of the uncompressed model, drawn as a line.
    original_name
        The label of that line; by default that of the original model.
    loss
        Draw the training loss in place of the metric.
    """
    up = _axis(progress, metric, original)
    sparse = any(sparsity for _step, _loss, sparsity in progress.steps)
    if loss:
        lines = [_loss_line(progress, palette)]
        y_axis = axis(palette, _("training loss"), rangemode="tozero", automargin=True)
    else:
        lines = _metric_lines(progress.course, up, metric, palette)
        if original is not None:
            name = original_name or _("the original model")
            lines.append(_original(up.height(original), name, _last_step(progress), palette))
        places, labels = up.ticks
        y_axis = axis(
            palette,
            _("{metric} of the file, on validation").format(metric=metric.label),
            range=list(up.range),
            tickvals=places,
            ticktext=labels,
        )
    last = max(1, _last_step(progress))
    return {
        "data": [*lines, *([_sparsity_line(progress, palette)] if sparse else [])],
        "layout": layout(
            palette,
            title(progress, metric),
            showlegend=True,
            legend=legend(),
            margin={"l": 64, "r": 64 if sparse else 24, "t": 72, "b": 48},
            xaxis=axis(palette, _("step"), range=[0, last], **step_ticks(last)),
            yaxis=y_axis,
            **({"yaxis2": _sparsity_axis(palette)} if sparse else {}),
        ),
    }


def title(progress: TrainingProgress, metric: Metric) -> str:
    """Return one sentence about the run so far."""
    fields = {
        "step": formatting.count(progress.step),
        "steps": formatting.count(progress.settings.steps),
    }
    if progress.budget is not None:
        return measuring(progress.budget)
    result = progress.result
    if result is not None:
        shows_start = progress.settings.start == "trained" and len(progress.course) > 1
        ends = [progress.course[0][1]] if shows_start else []
        values = [metric.format(score.value) for score in ends] + [metric.format(result.value)]
        texts = WORSE if progress.is_worse(metric) else RESULTS
        text = _(texts[aim(progress.settings)])
        text = text.format(values=" \u2192 ".join(values), effort=effort(progress))
        better = progress.better_step(metric)
        if better is None:
            return text
        return _("{result}; step {step} was better: {value}").format(
            result=text,
            step=formatting.count(better[0]),
            value=metric.format(better[1].value),
        )
    if not progress.course:
        return _("Step {step} of {steps}").format(**fields)
    at, score = progress.course[-1]
    return _("Step {step} of {steps}: the file of step {at} reaches {value}").format(
        **fields, at=formatting.count(at), value=metric.format(score.value)
    )


def measuring(seconds: float) -> str:
    """Return what happens before the first step of a run with a time budget."""
    text = _("Measuring how many steps fit into {seconds} s")
    return text.format(seconds=f"{seconds:,.3g}")


def effort(progress: TrainingProgress) -> str:
    """Return the number of steps, and their time if it is known: ``1,170 steps in 20 s``."""
    steps = plural("{count} step", "{count} steps", progress.step).format(
        count=formatting.count(progress.step)
    )
    duration = progress.elapsed or progress.seconds
    if not duration:
        return steps
    seconds = formatting.count(max(1, round(duration)))
    return _("{steps} in {seconds} s").format(steps=steps, seconds=seconds)


def note(progress: TrainingProgress, metric: Metric = ACCURACY) -> str:
    """Return how the points are measured, if some are estimates, and why the first ones fall."""
    estimates = [score for _step, score in progress.course if not score.exact]
    sentences = [_about_estimates(estimates)] if estimates else []
    if _falls_first(progress, metric):
        sentences.append(
            _(
                "The drop at the beginning is real: the first steps disturb weights that fit each "
                "other, and later steps recover."
            )
        )
    return formatting.paragraph(sentences)


def _falls_first(progress: TrainingProgress, metric: Metric) -> bool:
    """Whether the file was measurably worse after some steps than before, and recovered then."""
    if progress.settings.start != "trained" or len(progress.course) < 3:
        return False
    before = progress.course[0][1]
    later = [score for _step, score in progress.course[1:]]
    lowest = min(later, key=lambda score: metric.sort_key(score.value))
    worse = all(metric.better(before.value, end) for end in (lowest.low, lowest.high))
    return worse and metric.better(later[-1].value, lowest.value)


def _about_estimates(estimates: Sequence[Score]) -> str:
    return _(
        "Each point is the file as it would be at that step, pruned and rounded like the final "
        "one, measured on {count} of {total} validation examples; the band is the 95\u202f% "
        "interval. Filled points are exact."
    ).format(
        count=formatting.count(estimates[-1].examples), total=formatting.count(estimates[-1].total)
    )


def rows(progress: TrainingProgress, metric: Metric = ACCURACY) -> list[dict[str, Any]]:
    """Return the figure's data as a table; a step has a loss, a value of the metric, or both."""
    course = dict(progress.course)
    steps = {step: (loss, sparsity) for step, loss, sparsity in progress.steps}
    return [
        {
            "step": step,
            "loss": steps[step][0] if step in steps else None,
            "sparsity": steps[step][1] if step in steps else None,
            metric.name: course[step].value if step in course else None,
            "low": course[step].low if step in course else None,
            "high": course[step].high if step in course else None,
            "examples": course[step].examples if step in course else None,
        }
        for step in sorted(course.keys() | steps.keys())
    ]


def _last_step(progress: TrainingProgress) -> int:
    return progress.step if progress.over else progress.settings.steps


def _axis(progress: TrainingProgress, metric: Metric, original: float | None) -> scales.Axis:
    """Return the axis from the worst value to the best of the original and the course."""
    values = [score.value for _step, score in progress.course if isfinite(score.value)]
    known = sorted([*values, *([] if original is None else [original])], key=metric.sort_key)
    return scales.Axis(metric, known[-1], known[0]) if known else scales.Axis(metric, 0.5)


def _metric_lines(
    course: Sequence[Point], up: scales.Axis, metric: Metric, palette: Palette
) -> list[dict[str, Any]]:
    steps = [step for step, _score in course]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": [*steps, *steps[::-1]],
        "y": [up.height(score.low) for _step, score in course]
        + [up.height(score.high) for _step, score in course[::-1]],
        "fill": "toself",
        "fillcolor": palette.shade,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": _("{metric} of the file").format(metric=metric.label),
        "x": steps,
        "y": [up.height(score.value) for _step, score in course],
        "customdata": [_hover_text(step, score, metric) for step, score in course],
        "hovertemplate": "%{customdata}<extra></extra>",
        "cliponaxis": False,
        "line": {"color": palette.accent, "width": 2.5},
        "marker": {
            "size": [11 if score.exact else 7 for _step, score in course],
            "color": [palette.accent if score.exact else palette.panel for _step, score in course],
            "line": {"color": palette.accent, "width": 2},
        },
    }
    return [band, line]


def _hover_text(step: int, score: Score, metric: Metric) -> str:
    value = metric.format(score.value)
    if score.exact:
        return _("step {step}: <b>{value}</b>, exact").format(
            step=formatting.count(step), value=value
        )
    return _("step {step}: <b>{value}</b>, between {low} and {high}").format(
        step=formatting.count(step),
        value=value,
        low=metric.format(score.low),
        high=metric.format(score.high),
    )


def _loss_line(progress: TrainingProgress, palette: Palette) -> dict[str, Any]:
    shown = progress.steps[:: max(1, len(progress.steps) // MAX_SHOWN)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("training loss"),
        "x": [step for step, _loss, _sparsity in shown],
        "y": _smoothed([loss for _step, loss, _sparsity in shown]),
        "line": {"color": palette.categories[0], "width": 2},
    }


def _smoothed(values: Sequence[float]) -> list[float]:
    mean, out = 0.0, []
    for number, value in enumerate(values, 1):
        mean = SMOOTH * mean + (1 - SMOOTH) * value
        out.append(mean / (1 - SMOOTH**number))
    return out


def _sparsity_line(progress: TrainingProgress, palette: Palette) -> dict[str, Any]:
    shown = progress.steps[:: max(1, len(progress.steps) // MAX_SHOWN)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("sparsity during training"),
        "x": [step for step, _loss, _sparsity in shown],
        "y": [sparsity for _step, _loss, sparsity in shown],
        "customdata": [formatting.percent(sparsity) for _step, _loss, sparsity in shown],
        "yaxis": "y2",
        "line": {"color": palette.past, "width": 1.5, "dash": "dash", "shape": "hv"},
        "hovertemplate": _("step {step}: {share} zeros").format(step="%{x}", share="%{customdata}")
        + "<extra></extra>",
    }


def _sparsity_axis(palette: Palette) -> dict[str, Any]:
    return {
        **axis(palette, _("sparsity"), range=[0, 1.02]),
        **percent_ticks(0, 1),  # else plotly aligns the ticks with the other axis
        "overlaying": "y",
        "side": "right",
        "showgrid": False,
    }


def _original(height: float, name: str, last: int, palette: Palette) -> dict[str, Any]:
    """Return the line of the original model; a label next to it would cover the course."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [0, max(1, last)],
        "y": [height, height],
        "line": {"color": palette.past, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
    }
