"""What a language model writes, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain import Task
from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.panels.buttons import button
from workbench.panels.comparing.view import View, fixed_label
from workbench.plots.palette import Palette
from workbench.session import Session
from workbench.session.analyses import AnalysisKey

if TYPE_CHECKING:
    from workbench.analysis.generation import Generation

CHARACTERS = 200
"""How many characters the original and the file write."""


def content(found: Generation) -> dict[str, Any]:
    """Return both texts: the prompt, how far they are alike, and what each goes on with."""
    sides = ((_("the original writes"), found.before), (_("the file writes"), found.after))
    return {
        "title": finding(found),
        "prompt": found.prompt.lstrip("\n"),
        "sides": [
            {"head": head, "same": text[: found.common_prefix], "rest": text[found.common_prefix :]}
            for head, text in sides
        ],
    }


def finding(found: Generation) -> str:
    """Return how long both write the same, in a sentence."""
    count = len(found.before)
    if found.common_prefix == count:
        return _("Both write the same {count} characters").format(count=formatting.count(count))
    if not found.common_prefix:
        return _("They part at the first character")
    return _("They write the same for {alike} of {count} characters").format(
        common_prefix=formatting.count(found.common_prefix), count=formatting.count(count)
    )


def rows(found: Generation) -> list[dict[str, Any]]:
    """Return both texts as a table: a row for each."""
    return [
        {"writer": writer, "prompt": found.prompt, "text": text, "seed": found.seed}
        for writer, text in (("original", found.before), ("file", found.after))
    ]


def _writes(task: Task) -> bool:
    return task.input_type == "characters" and task.metric.counts == "tokens"


def _wants(session: Session) -> AnalysisKey:
    return AnalysisKey("writing", (session.focus.prompt, session.focus.seed, CHARACTERS))


def _fill(session: Session, found: Generation, palette: Palette) -> dict[str, Any]:
    return {"written": content(found)}


def _controls(session: Session) -> list[dict[str, Any]]:
    focus = session.focus
    said = _("prompt {prompt}, seed {seed}").format(
        prompt=formatting.count(focus.prompt + 1), seed=formatting.count(focus.seed)
    )
    return [
        button("prompt", -1, _("previous prompt"), not focus.prompt),
        button("prompt", 1, _("next prompt")),
        button("seed", -1, _("previous seed"), not focus.seed),
        button("seed", 1, _("next seed")),
        {"kind": "text", "text": said},
    ]


WRITTEN = View(
    "written",
    fixed_label(N_("what it writes")),
    _writes,
    _wants,
    _fill,
    lambda session, found: rows(found),
    _controls,
)
