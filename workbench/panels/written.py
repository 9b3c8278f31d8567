"""What a language model writes, before and after, as the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import figures
from workbench.text import _

if TYPE_CHECKING:
    from workbench.evaluation.writing import Written


def content(found: Written) -> dict[str, Any]:
    """Return both texts: the prompt, how far they are alike, and what each goes on with."""
    sides = ((_("the original writes"), found.before), (_("the file writes"), found.after))
    return {
        "title": finding(found),
        "prompt": found.prompt.lstrip("\n"),
        "sides": [
            {"head": head, "same": text[: found.alike], "rest": text[found.alike :]}
            for head, text in sides
        ],
    }


def finding(found: Written) -> str:
    """Return how long both write the same, in a sentence."""
    count = len(found.before)
    if found.alike == count:
        return _("Both write the same {count} characters").format(count=figures.count(count))
    if not found.alike:
        return _("They part at the first character")
    return _("They write the same for {alike} of {count} characters").format(
        alike=figures.count(found.alike), count=figures.count(count)
    )


def rows(found: Written) -> list[dict[str, Any]]:
    """Return both texts as a table: a row for each."""
    return [
        {"writer": writer, "prompt": found.prompt, "text": text, "seed": found.seed}
        for writer, text in (("original", found.before), ("file", found.after))
    ]
