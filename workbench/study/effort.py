"""What a search did: results that were known, recipes tried, and how each of them ended."""

from __future__ import annotations

from collections.abc import Iterator

from workbench import formatting
from workbench.i18n import _, plural
from workbench.study.result import StudyResult
from workbench.study.trial import BELOW_LIMIT, DOMINATED, EXACT, FAILED, TOO_LARGE, UNLIKELY


def effort(result: StudyResult, seconds: float) -> Iterator[str]:
    """Yield how many results were known, and how many recipes were tried in `seconds`."""
    if result.known:
        yield known_text(result)
    tried = len(result.trials) - result.known
    yield plural(
        "{count} recipe tried in {seconds} s: {ends}; {saved} % of the evaluations were not "
        "needed.",
        "{count} recipes tried in {seconds} s: {ends}; {saved} % of the evaluations were not "
        "needed.",
        tried,
    ).format(
        count=f"{tried:,}",
        seconds=round(seconds),
        ends=formatting.listed(_ends(result)) or _("none"),
        saved=max(0, round(100 * result.saved)),
    )


def known_text(result: StudyResult) -> str:
    """Return how many results were known before."""
    return plural(
        "{count} result was known already.", "{count} results were known already.", result.known
    ).format(count=f"{result.known:,}")


def exact_count(result: StudyResult) -> int:
    """Return how many recipes the search itself measured on all examples."""
    return result.states.get(EXACT, 0) - result.known


def _ends(result: StudyResult) -> Iterator[str]:
    """Yield how the recipes ended that were not known before, with their numbers."""
    states = result.states
    for count, text in (
        (exact_count(result), _("{count} measured on all examples")),
        (
            states.get(DOMINATED, 0) + states.get(UNLIKELY, 0),
            _("{count} stopped early (no better than a file that is no larger)"),
        ),
        (states.get(BELOW_LIMIT, 0), _("{count} stopped early (too poor for the limit)")),
        (states.get(TOO_LARGE, 0), _("{count} not evaluated (too large)")),
        (states.get(FAILED, 0), _("{count} failed")),
    ):
        if count:
            yield text.format(count=f"{count:,}")
