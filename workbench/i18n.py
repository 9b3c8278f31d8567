"""The one catalogue of words that a person reads in the page.

`_("…")` looks a sentence up at the moment of the call, so that a language chosen later,
or a test's pseudo-language, reaches every string.
"""

from __future__ import annotations

import gettext
from importlib.resources import files

_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def set_catalog(catalogue: gettext.NullTranslations) -> None:
    """Make `catalogue` the source of every string from now on."""
    global _catalogue
    _catalogue = catalogue


def use_language(*languages: str) -> None:
    """Choose the first of `languages` (BCP 47 or POSIX tags) with a catalogue, else English."""
    locale = str(files("workbench") / "locale")
    set_catalog(gettext.translation("workbench", locale, languages, fallback=True))


def _(message: str) -> str:
    """Return `message` in the chosen language."""
    return _catalogue.gettext(message)


def plural(one: str, many: str, count: int) -> str:
    """Return the form of the message that fits `count`."""
    return _catalogue.ngettext(one, many, count)


def mark(message: str) -> str:
    """Return `message` as it is; the extractor sees it, and `_` translates it when it is shown."""
    return message
