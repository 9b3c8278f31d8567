"""The tabs of the page Deploy: accuracy over latency, and the roofline of the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.deploy.runtimes import title_of
from workbench.i18n import _
from workbench.plots import agreement, latency, roofline
from workbench.plots.palette import Palette
from workbench.session import Session

if TYPE_CHECKING:
    from workbench.deploy.deployment import Deployment
    from workbench.profiling.roofline import Roofline


def speed_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the accuracy of each runtime over its time per example."""
    deployment = session.deploying.deployment if session.deploying else None
    if deployment is None or deployment.benchmark is None:
        return {"note": _("Accuracy over time per example appears here after all have been timed.")}
    metric = session.model.task.metric
    figure = latency.draw(deployment.benchmark, _scores(deployment), metric, palette=palette)
    return {"figure": figure}


def speed_rows(session: Session) -> list[dict[str, Any]]:
    """Return the rows of the picture of accuracy over time."""
    deployment = session.deploying.deployment if session.deploying else None
    if deployment is None or deployment.benchmark is None:
        return []
    return latency.rows(deployment.benchmark, _scores(deployment))


def roofline_rows(session: Session) -> list[dict[str, Any]]:
    """Return the rows of the picture of layers."""
    result = _roofline(session)
    return [] if result is None else roofline.rows(result)


def roofline_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return each layer against the peaks of the machine."""
    result = _roofline(session)
    if result is None:
        note = _("What each layer waits for, memory or arithmetic, appears here at the end.")
        return {"note": note}
    return {
        "figure": roofline.draw(result, palette),
        "height": roofline.HEIGHT,
        "foot": formatting.paragraph(roofline.notes(result)),
    }


def borderline_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the examples whose prediction differs in a runtime, but only by rounding."""
    deployment = session.deploying.deployment if session.deploying else None
    agreements = [o.agreement for o in deployment.outcomes if o.agreement] if deployment else []
    if not agreements:
        return {"note": _("Examples for which a runtime predicts something different appear here.")}
    most = max(agreements, key=lambda result: len(result.classes))
    if not len(most.classes):
        return {"note": _("Every runtime predicts each example as the file does.")}
    if most.positions != 1:
        return {"note": formatting.paragraph(agreement.borderline_notes(most))}
    foot = _("Below each example: its label, the file's class and that of {runtime}.")
    figure = agreement.draw(most, palette, columns=session.focus.columns)
    return {"figure": figure, "foot": foot.format(runtime=most.runtime)}


def _roofline(session: Session) -> Roofline | None:
    deployment = session.deploying.deployment if session.deploying else None
    return None if deployment is None else deployment.roofline


def _scores(deployment: Deployment) -> latency.Scores:
    return {
        (o.target.runtime, o.target.precision): (
            title_of(o.target.runtime, o.target.precision),
            o.agreement.score.value,
        )
        for o in deployment.outcomes
        if o.agreement is not None
    }
