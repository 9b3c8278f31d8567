"""The values in the address that say how the page is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench import formatting
from workbench.i18n import LANGUAGES, _
from workbench.panels import controls
from workbench.plots.palette import THEMES

ALLOWED: Mapping[str, Sequence[str]] = {
    "level": [*controls.LEVELS],
    "theme": [*THEMES],
    "tour": ["1"],
    "lang": [*LANGUAGES],
}


def ignored(values: Mapping[str, object]) -> list[str]:
    """Return a sentence for each value that changes nothing, because it is not allowed.

    `values` come from the browser; None stands for a key that the address does not have.
    """
    sentence = _("The link has {key}={value}, which is ignored; allowed: {allowed}.")
    return [
        sentence.format(
            key=key, value=formatting.short(str(values[key])), allowed=", ".join(allowed)
        )
        for key, allowed in ALLOWED.items()
        if values.get(key) not in (None, *allowed)
    ]
