"""Times of runtimes: a bar for each timing, by examples per call and threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.deploy.runtimes import title_of
from workbench.display import Card
from workbench.i18n import _, plural
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend, name_axis

if TYPE_CHECKING:
    from workbench.deploy.timing import Benchmark, Timing

ROW = 26
"""Height of one bar in px."""


def draw(result: Benchmark, palette: Palette = LIGHT) -> Figure:
    """Draw the time per example of each runtime, one color for each size of a batch."""
    batches = list(dict.fromkeys(timing.batch for timing in result.timings))
    names = list(dict.fromkeys(_name(timing) for timing in result.timings))
    return {
        "data": [
            _bars(
                [timing for timing in result.timings if timing.batch == batch],
                _per_call(batch),
                palette.categories[number % len(palette.categories)],
            )
            for number, batch in enumerate(batches)
        ],
        "layout": layout(
            palette,
            result.summary,
            height=150 + ROW * max(1, len(result.timings)),
            barmode="group",
            showlegend=True,
            legend=legend(),
            margin={"l": 24, "r": 24, "t": 72, "b": 48},
            xaxis=axis(palette, _("milliseconds per example"), rangemode="tozero"),
            yaxis=name_axis(palette, tickvals=names, ticktext=names),
        ),
    }


def rows(result: Benchmark) -> list[dict[str, Any]]:
    """Return a row for each timing."""
    return [
        {
            "runtime": timing.runtime,
            "precision": timing.precision,
            "batch": timing.batch,
            "threads": timing.threads,
            "calls": timing.calls,
            "minimum_ms": timing.minimum,
            "median_ms": timing.median,
            "p90_ms": timing.p90,
            "speedup": result.speedup(timing),
            "load_ms": timing.load,
            "file_bytes": timing.artifact_bytes,
            "package_bytes": timing.package_bytes,
            "memory_bytes": timing.resident_bytes,
            "busy": timing.busy,
            **timing.energy.columns(),
        }
        for timing in result.timings
    ]


def card(result: Benchmark) -> Card:
    """Return the card: the time of a call and the energy of each timing."""
    facts = [
        (
            formatting.milliseconds(timing.minimum),
            formatting.listed([_name(timing), _per_call(timing.batch)]),
        )
        for timing in result.timings
    ]
    facts += [
        (
            timing.energy.text,
            _("for 1,000 examples in {runtime}, {batch} per call").format(
                runtime=_name(timing), batch=formatting.count(timing.batch)
            ),
        )
        for timing in result.timings
    ]
    return Card(result.summary, facts)


def _name(timing: Timing) -> str:
    threads = plural("{count} thread", "{count} threads", timing.threads)
    title = title_of(timing.runtime, timing.precision)
    return formatting.listed([title, threads.format(count=formatting.count(timing.threads))])


def _per_call(batch: int) -> str:
    text = plural("{count} example per call", "{count} examples per call", batch)
    return text.format(count=formatting.count(batch))


def _bars(timings: list[Timing], name: str, color: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "orientation": "h",
        "x": [timing.minimum / timing.batch for timing in timings],
        "y": [_name(timing) for timing in timings],
        "customdata": [formatting.milliseconds(timing.minimum) for timing in timings],
        "hovertemplate": "%{y}<br>"
        + _("{time} per call").format(time="<b>%{customdata}</b>")
        + "<extra></extra>",
        "marker": {"color": color},
    }
