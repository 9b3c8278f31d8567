"""What each rank does in a step: computing, communicating, waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _, mark
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import PATTERN, Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.parallel.result import ParallelTraining
    from workbench.parallel.timeline import Interval, StepTimeline

ACTIVITIES = {
    "compute": mark("computes"),
    "communicate": mark("communicates"),
    "wait": mark("waits"),
}
PATTERNS = {"compute": "", "communicate": "/", "wait": "."}
"""A second cue next to the color."""
MIN_LABELED_SHARE = 0.04
"""The share of a step that a bar must have to hold the name of its microbatch."""


def draw(result: ParallelTraining, palette: Palette = LIGHT, *, replayed: bool = False) -> Figure:
    """Draw a step by the wall clock, or replayed: the last one in which ranks communicate."""
    steps = result.replays if replayed and result.replays else result.timelines
    step = next((step for step in reversed(steps) if _communicates(step)), steps[-1])
    ranks = result.plan.ranks
    return {
        "data": [_bars(activity, step, palette) for activity in ACTIVITIES],
        "layout": layout(
            palette,
            title(result, replayed=replayed),
            height=140 + 54 * ranks,
            barmode="overlay",
            bargap=0.35,
            showlegend=True,
            legend=legend(),
            margin={"l": 70, "r": 24, "t": 76, "b": 48},
            xaxis=axis(palette, _("milliseconds of step {step}").format(step=step.step)),
            yaxis=axis(
                palette,
                "",
                autorange="reversed",
                showgrid=False,
                tickvals=list(range(ranks)),
                ticktext=[_("rank {number}").format(number=number) for number in range(ranks)],
            ),
        ),
    }


def title(result: ParallelTraining, *, replayed: bool) -> str:
    """Return what the timeline shows, as one sentence."""
    if replayed and result.replays:
        replay = formatting.milliseconds((result.replay_seconds_per_step or 0) * 1e3)
        if result.replay_error is None:
            return _("Replay with one core per rank, simulated: {replay} per step").format(
                replay=replay
            )
        return _("Replay with one core per rank, simulated: {replay}, {error} of the clock").format(
            replay=replay, error=f"{result.replay_error * 100:+.0f}\u202f%"
        )
    return _("The ranks compute {share} of the time").format(
        share=formatting.percent(result.computing_share, 0)
    )


def _communicates(step: StepTimeline) -> bool:
    return any(interval.activity == "communicate" for interval in step.intervals)


def _bars(activity: str, step: StepTimeline, palette: Palette) -> dict[str, Any]:
    intervals = [each for each in step.intervals if each.activity == activity]
    color = {
        "compute": palette.categories[0],
        "communicate": palette.categories[1],
        "wait": palette.line,
    }[activity]
    return {
        "type": "bar",
        "orientation": "h",
        "name": _(ACTIVITIES[activity]),
        "base": [1e3 * each.start for each in intervals],
        "x": [1e3 * (each.end - each.start) for each in intervals],
        "y": [each.rank for each in intervals],
        "text": [_label(each, step) for each in intervals],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "hovertext": [_hover_text(each) for each in intervals],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": color,
            "pattern": {"shape": PATTERNS[activity], **PATTERN},
            "line": {"width": 0.5, "color": palette.panel},
        },
    }


def _label(interval: Interval, step: StepTimeline) -> str:
    wide = interval.end - interval.start > MIN_LABELED_SHARE * step.seconds
    return interval.label if wide else ""


def _hover_text(interval: Interval) -> str:
    duration = formatting.milliseconds(1e3 * (interval.end - interval.start))
    names = [interval.label or interval.kind.replace("_", "-"), duration]
    if interval.bytes:
        names.append(formatting.nbytes(interval.bytes))
    return "<br>".join([_(ACTIVITIES[interval.activity]), *names])
