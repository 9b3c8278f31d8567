"""The tabs of the page Deploy: accuracy over latency, and the roofline of the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.panels.deploying import title
from workbench.plots import latency, roofline
from workbench.plots.palette import Palette
from workbench.session import Session

if TYPE_CHECKING:
    from workbench.deploy.deployment import Deployment


def speed_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the accuracy of each runtime over its time per example."""
    deployment = session.deploying.deployment if session.deploying else None
    if deployment is None or deployment.benchmark is None:
        return {"note": _("Accuracy over time per example appears here when all is timed.")}
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
    result = session.deploying.roofline if session.deploying else None
    return [] if result is None else roofline.rows(result)


def roofline_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return each layer against the peaks of the machine."""
    result = session.deploying.roofline if session.deploying else None
    if result is None:
        note = _("What each layer waits for, memory or arithmetic, appears here at the end.")
        return {"note": note}
    return {
        "figure": roofline.draw(result, palette),
        "height": roofline.HEIGHT,
        "foot": " ".join(roofline.notes(result)),
    }


def _scores(deployment: Deployment) -> latency.Scores:
    return {
        (o.target.runtime, o.target.precision): (title(o.target), o.agreement.score.value)
        for o in deployment.outcomes
        if o.agreement is not None
    }
