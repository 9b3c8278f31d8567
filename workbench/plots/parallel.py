"""A parallel training run: its three pictures, its card and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.parallel.plan import STRATEGIES
from workbench.parallel.reason import not_finite
from workbench.parallel.schedules import CHUNKS_PER_RANK, idle_share, idle_share_of
from workbench.plots import parallel_bytes, parallel_timeline, parallel_weights
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.parallel.result import ParallelTraining

DIGITS = 8
"""Digits of a digest that are shown."""


def draw(
    result: ParallelTraining,
    picture: str = "weights",
    palette: Palette = LIGHT,
    *,
    replayed: bool = False,
    accuracy: bool = False,
) -> Figure:
    """Draw one picture: ``weights``, ``timeline`` or ``bytes``.

    Parameters
    ----------
    replayed
        Whether the timeline shows the simulated clock.
    accuracy
        Whether the weights are shown by their accuracy on a sample.
    """
    if picture == "timeline":
        return parallel_timeline.draw(result, palette, replayed=replayed)
    if picture == "bytes":
        return parallel_bytes.draw(result, palette)
    return parallel_weights.draw(result.records, result.plan, palette, accuracy=accuracy)


def rows(result: ParallelTraining) -> list[dict[str, Any]]:
    """Return one row for each rank and step at which the weights were compared."""
    return [
        {
            "rank": _("one process") if record.rank < 0 else record.rank,
            "step": record.step,
            "distance": record.distance,
            "accuracy_on_sample": record.accuracy,
            "loss_on_sample": record.sample_loss,
            "digest": record.digest,
        }
        for record in result.records
    ]


def card(result: ParallelTraining) -> Card:
    """Return the result in brief."""
    title = _("{strategy} on {ranks} ranks: {model}").format(
        strategy=_(STRATEGIES[result.plan.strategy]), ranks=result.plan.ranks, model=result.model
    )
    facts = [
        (_("equal") if result.consistent else _("different"), _("weights of the ranks")),
        (formatting.scientific(result.distance), _("distance from one process")),
        (formatting.milliseconds(result.seconds_per_step * 1e3), _("per step")),
        (
            formatting.milliseconds(result.baseline_seconds_per_step * 1e3),
            _("per step on one process"),
        ),
    ]
    if result.gradient_difference is not None:
        facts.insert(
            1, (formatting.scientific(result.gradient_difference), _("difference of the gradient"))
        )
    return Card(title, facts, notes(result))


def notes(result: ParallelTraining) -> list[str]:
    """Return what is worth knowing: numbers that are not finite, then the reason for the speed."""
    broken = not_finite(result.records)
    sentences = [*([broken] if broken else []), result.reason, _digests(result)]
    if result.plan.strategy == "pipeline" and result.plan.ranks > 1:
        sentences.append(_idle(result))
    if result.accuracy:
        values = ", ".join(formatting.percent(value) for value in result.accuracy)
        sentences.append(
            _("Exact on the validation split: {values}; one process: {single}.").format(
                values=values, single=formatting.percent(result.baseline_accuracy or 0)
            )
        )
    if result.lost_updates is not None:
        lost, total = result.lost_updates
        sentences.append(
            _("{lost} of {total} increments of a shared number were lost ({share}).").format(
                lost=formatting.count(lost),
                total=formatting.count(total),
                share=formatting.percent(lost / total),
            )
        )
    if result.plan.weighting == "ranks" and len(set(result.plan.sizes)) > 1:
        sentences.append(
            _(
                "The gradient is a mean of means: each rank counts the same, although their shards "
                "hold different numbers of examples. Weight by examples to correct it."
            )
        )
    if result.plan.batch_norm == "per_rank" and result.plan.ranks > 1:
        sentences.append(
            _(
                "Batch norm normalizes with the examples of each rank alone, so the gradient is "
                "that of a different function than on one process."
            )
        )
    if result.plan.link.latency or result.plan.link.bandwidth:
        sentences.append(_simulated_link(result))
    return sentences


def _digests(result: ParallelTraining) -> str:
    values = ", ".join(digest[:DIGITS] for digest in result.digests)
    if len(result.digests) > 1:
        distinct = len(set(result.digests))
        return _("{distinct} distinct digests in {runs} runs: {values}.").format(
            distinct=distinct, runs=len(result.digests), values=values
        )
    ranks = ", ".join(rank.digest[:DIGITS] for rank in result.ranks)
    return _("Digests of the weights, by rank: {values}.").format(values=ranks)


def _idle(result: ParallelTraining) -> str:
    ranks, microbatches = result.plan.ranks, result.plan.microbatches
    chunks, seconds = CHUNKS_PER_RANK[result.plan.schedule], result.replayed_seconds
    return _(
        "On the simulated clock, the ranks idle for {idle} of the time, because they wait for "
        "other ranks. With equal stages and no communication it would be {formula}; with the "
        "stages of this network, which compute for {least} to {most} per step, {stages}. The rest "
        "comes from messages: a rank idles until a message is sent, and communicates while the "
        "message is on its way."
    ).format(
        idle=formatting.percent(result.idle_share or 0),
        formula=formatting.percent(idle_share(ranks, microbatches, chunks)),
        least=formatting.milliseconds(min(seconds) * 1e3),
        most=formatting.milliseconds(max(seconds) * 1e3),
        stages=formatting.percent(idle_share_of(seconds, microbatches, chunks)),
    )


def _simulated_link(result: ParallelTraining) -> str:
    link = result.plan.link
    bandwidth = (
        f"{formatting.size(link.bandwidth)}/s" if link.bandwidth else _("no limit of bandwidth")
    )
    return _("Simulated link: {latency} per message, {bandwidth}.").format(
        latency=formatting.milliseconds(link.latency * 1e3), bandwidth=bandwidth
    )
