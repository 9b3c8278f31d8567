"""The contents of the tabs of the page Parallel: weights, timeline and bytes of the ranks."""

from __future__ import annotations

from typing import Any

from workbench.i18n import _
from workbench.panels.buttons import choice
from workbench.panels.views.activity import working
from workbench.parallel.reason import not_finite
from workbench.plots import parallel_bytes, parallel_timeline, parallel_weights
from workbench.plots.palette import Palette
from workbench.session import Session
from workbench.session.parallel_run import ParallelRun


def weights_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the distance of the ranks from one process, live while they train."""
    run = session.parallel
    if run is None:
        note = _("Nothing runs yet. {what_to_do}").format(what_to_do=_what_to_do())
        return {"activity": None, "note": note}
    if not run.records:
        return {"activity": activity(run), "note": "" if run.running else _what_to_do()}
    measured = run.records[0].accuracy is not None
    accuracy = session.focus.accuracy and measured
    figure = parallel_weights.draw(run.records, run.plan, palette, accuracy=accuracy)
    curves = [(False, _("distance from one process")), (True, _("accuracy on a sample"))]
    return {
        "activity": activity(run),
        "controls": [choice("accuracy", _("curve"), accuracy, curves)] if measured else [],
        "figure": figure,
        "foot": not_finite(run.records)
        or _(
            "Each point compares all weights of a rank with those of one process after the same "
            "step. Point at it to see the digest of the weights and the accuracy on a sample."
        ),
    }


def timeline_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return what each rank does in the last step, by the wall clock or replayed."""
    run = session.parallel
    if run is None or run.result is None:
        return _not_yet(run, _("The timeline appears when the run has ended."))
    replayed = session.focus.replay and bool(run.result.replays)
    clocks = [(False, _("wall clock")), (True, _("simulated, one core per rank"))]
    foot = _(
        "Clocks inside the ranks. A rank waits until the last one arrives; from then on it "
        "communicates."
    )
    if not run.result.replays:
        foot += " " + _("Ranks that share weights have no replay: their order depends on timing.")
    return {
        "activity": activity(run),
        "controls": [choice("replay", _("clock"), replayed, clocks)] if run.result.replays else [],
        "figure": parallel_timeline.draw(run.result, palette, replayed=replayed),
        "foot": foot,
    }


def bytes_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the bytes that each rank holds and sends."""
    run = session.parallel
    if run is None or run.result is None:
        return _not_yet(run, _("The bytes of the ranks appear when the run has ended."))
    return {
        "activity": activity(run),
        "figure": parallel_bytes.draw(run.result, palette),
        "foot": _(
            "Held bytes are counted from the storages of the tensors, sent bytes from the payload "
            "of each collective by the ring algorithms."
        ),
    }


def _what_to_do() -> str:
    return _(
        "Choose how the ranks divide the work, and press the button: this picture then shows how "
        "far their weights are from those of one process."
    )


def activity(run: ParallelRun) -> dict[str, Any] | None:
    """Return the line above a tab about a run that has not simply ended."""
    if run.running:
        return working("parallel", _working(run), run.completed or None)
    if run.stopped:
        return {"tone": "stopped", "text": _("Stopped; all processes have ended.")}
    if run.error:
        return {"tone": "failed", "text": run.error}
    return None


def _working(run: ParallelRun) -> str:
    if run.waiting:
        return _("Waiting for another parallel run on this machine")
    if all(record.rank < 0 for record in run.records):
        return _("Training on one process, for comparison")
    return _("Training on {ranks} ranks").format(ranks=run.plan.ranks)


def _not_yet(run: ParallelRun | None, note: str) -> dict[str, Any]:
    return {"activity": None if run is None else activity(run), "note": note}
